# 420 a refund that comes before its order
log     10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
webhook 10:05:00  refunded order=o1 id=r1 amount=20.00
webhook 10:06:00  paid     order=o1 amount=80.00 visitor=a
at      10:40:00
expect  rpv:shop:24h:source:news/email  visits=1 orders=1 revenue=60.00
