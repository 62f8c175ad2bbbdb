# 483 what an earlier rpvd did not understand is counted by one that does, once
log      10:00:00  visitor=a  GET /
at       10:01:00
stop
kept     10:05:00  paid order=o1 amount=80.00 visitor=a
start
said     "quarantine: 1 webhook not understood before is now, with 1 event"
at       10:10:00
status   quarantine=0 events=1
expect   rpv:shop:24h:total orders=1 revenue=80.00
kill
at       10:20:00
status   quarantine=0 events=1 journal_last=1
expect   rpv:shop:24h:total orders=1 revenue=80.00
