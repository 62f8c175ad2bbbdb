# 489 the disk is full: nothing is acknowledged that is not on disk, it is said, and logs go on
small-disk
log      10:00:00  visitor=a  GET /
webhook  10:05:00  paid order=o1 amount=1.00 visitor=a
at       10:06:00
status   journal=ok
disk-full
answered 503 10:07:00  paid order=o2 amount=2.00 visitor=a
answered 503 10:07:01  paid order=o3 amount=4.00 visitor=a
said     "No space left on device; webhooks are answered 503 until it can be written again: make room, or check the disk"
junk     10:07:02  'what is not understood' 503
log      10:08:00  visitor=b  GET /
at       10:09:00
status   webhook_generic_503_not_stored=5 "journal~=cannot write: No space left on device" visits=2
ctl      0 status "* The webhook journal cannot be written, so webhooks are refused, and not every provider sends again: "
expect   rpv:shop:24h:total visits=2 sales=1.00
disk-free
said     "journal: can be written again"
status   journal=ok
webhook  10:10:00  paid order=o2 amount=2.00 visitor=a
webhook  10:10:01  paid order=o3 amount=4.00 visitor=a
at       10:11:00
status   journal=ok journal_damaged=0 webhook_generic_503_not_stored=5 quarantine=0
ctl      0 status "!cannot be written"
expect   rpv:shop:24h:total sales=7.00 sales_orders=3
