# 700 the log is rotated in the middle of a visit
log     10:00:00  visitor=a  GET /lamp
at      10:00:30
log     10:01:00  visitor=a  GET /cart
rotate
log     10:02:00  visitor=a  GET /thanks?order=cs_1
webhook 10:05:00  paid order=o1 amount=80.00 token=cs_1
at      10:10:00
expect  rpv:shop:24h:total        visits=1 orders=1 revenue=80.00
expect  rpv:shop:24h:page:/cart   visits=1
expect  rpv:shop:24h:page:/thanks visits=1
status  lines=3 pageviews=3 log_1=ok
