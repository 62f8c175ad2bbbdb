# 720 the log is not there yet when rpvd starts
without log
webhook 10:00:00  paid order=o1 amount=80.00 visitor=a
at      10:01:00
expect  rpv:shop:24h:total visits=0
log     10:02:00  visitor=b  GET /lamp
at      10:10:00
expect  rpv:shop:24h:total visits=1 orders=0 sales=80.00 unattributed=80.00
status  lines=1 log_1=ok
