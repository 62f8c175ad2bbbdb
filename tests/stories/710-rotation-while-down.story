# 710 the log is rotated while rpvd is down
log     10:00:00  visitor=a  GET /lamp
at      10:00:30
stop
log     10:01:00  visitor=a  GET /cart
rotate
log     10:02:00  visitor=a  GET /thanks
start
at      10:10:00
expect  rpv:shop:24h:total      visits=1
expect  rpv:shop:24h:page:/cart visits=1
status  lines=3 pageviews=3
