# 600 a restart in the middle of a visit and of an order
log     10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
restart
log     10:01:00  visitor=a  GET /cart
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
restart
at      10:10:00
webhook 10:11:00  refunded order=o1 id=r1 amount=20.00
stop
log     10:12:00  visitor=a  GET /again
start
at      10:15:00
expect  rpv:shop:24h:total             visits=1 orders=1 revenue=60.00 refunds=20.00 sales=60.00
expect  rpv:shop:24h:source:news/email visits=1 orders=1 revenue=60.00
expect  rpv:shop:24h:page:/again       visits=1 orders=1 revenue=60.00
status  lines=3 visits=1 orders=1
