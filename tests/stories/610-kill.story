# 610 rpvd is killed at any moment, and the figures are the same
log     10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
kill
log     10:01:00  visitor=a  GET /cart
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
kill
webhook 10:06:00  refunded order=o1 id=r1 amount=20.00
kill
kill
at      10:10:00
kill
at      10:15:00
expect  rpv:shop:24h:total             visits=1 orders=1 revenue=60.00 refunds=20.00 sales=60.00
expect  rpv:shop:24h:source:news/email visits=1 orders=1 revenue=60.00
expect  rpv:shop:24h:page:/cart        visits=1 orders=1 revenue=60.00
status  lines=2 visits=1 orders=1
