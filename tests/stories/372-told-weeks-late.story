# 372 a sale that is told three weeks late is booked to its own time, and to the visit of that time
log      10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
log      +21d10:00:00  visitor=b  GET /
webhook  +21d10:05:00  paid order=o1 amount=80.00 visitor=a time=10:05:00
webhook  +21d10:05:01  refunded id=r1 order=o1 amount=30.00 time=+1d10:00:00
at       +21d10:10:00
expect   rpv:shop:30d:source:news/email visits=1 orders=1 revenue=50.00
expect   rpv:shop:30d:total visits=2 revenue=50.00 sales=50.00 sales_orders=1
expect   rpv:shop:24h:total visits=1 orders=0 revenue=0 sales=0 sales_orders=0
