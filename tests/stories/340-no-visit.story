# 340 a visit that begins after the order does not earn; half a minute is forgiven
webhook 10:00:00  paid order=o1 amount=10.00 visitor=a
log     10:00:20  visitor=a  GET /
webhook 10:05:00  paid order=o2 amount=10.00 visitor=b
log     10:06:00  visitor=b  GET /
at      10:40:00
orders  o1 join=visitor
orders  o2 join=none
expect  rpv:shop:24h:total visits=2 orders=1 revenue=10.00 sales=20.00 unattributed=10.00 coverage=0.5
