# 655 the journal is gone: its numbers begin anew, and no event is taken for one that was counted
log           10:00:00  visitor=a  GET /lamp
webhook       10:01:00  paid order=o1 amount=10.00 visitor=a
webhook       10:01:01  paid order=o2 amount=20.00 visitor=a
at            10:03:00
expect        rpv:shop:24h:total sales=30.00
stop
empty-journal
start
webhook       10:04:00  paid order=o3 amount=40.00 visitor=a
at            10:05:00
said          "journal: not the one of which record 2 was taken last"
expect        rpv:shop:24h:total sales=70.00 sales_orders=3
# And where Redis, which knows how far it was read, is there only after more have come.
redis-stop
crash
empty-journal
start
webhook       10:06:00  paid order=o4 amount=80.00 visitor=a
webhook       10:06:01  paid order=o5 amount=160.00 visitor=a
webhook       10:06:02  paid order=o6 amount=320.00 visitor=a
redis-start
at            10:08:00
expect        rpv:shop:24h:total sales=630.00 sales_orders=6
