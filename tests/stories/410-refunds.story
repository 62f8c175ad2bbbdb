# 410 refunds in parts, and more than was paid
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
at      10:10:00
expect  rpv:shop:24h:total orders=1 revenue=80.00 refunds=0.00
webhook 10:11:00  refunded order=o1 id=r1 amount=20.00
at      10:12:00
expect  rpv:shop:24h:total orders=1 revenue=60.00 refunds=20.00
webhook 10:13:00  refunded order=o1 id=r2 amount=15.50
at      10:14:00
expect  rpv:shop:24h:total orders=1 revenue=44.50 refunds=35.50 aov=44.5
webhook 10:15:00  refunded order=o1 id=r3 amount=70.00
at      10:16:00
expect  rpv:shop:24h:total visits=1 orders=0 revenue=0.00 refunds=80.00 aov=0 sales=0.00
