# 330 a renewal earns for the visit that won the customer
log     10:00:00  visitor=a  GET /?utm_source=news&utm_medium=email
webhook 10:05:00  paid order=o1 amount=10.00 visitor=a customer=c1
webhook 14:00:00  paid order=o2 amount=10.00 customer=c1 recurring=true
webhook 14:00:01  paid order=o3 amount=10.00 customer=c2 recurring=true
at      14:40:00
orders  o2 join=customer
orders  o3 join=none
expect  rpv:shop:24h:source:news/email visits=1 orders=2 revenue=20.00 recurring=10.00
expect  rpv:shop:24h:total sales=30.00 unattributed=10.00
