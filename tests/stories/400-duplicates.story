# 400 what is delivered twice counts once, and the first paid sets the amount
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=80.00 event=e1
webhook 10:05:01  paid order=o1 amount=80.00 event=e1
webhook 10:05:02  paid order=o1 amount=99.00 event=e2 visitor=a
webhook 10:06:00  refunded order=o1 id=r1 amount=10.00 event=e3
webhook 10:06:01  refunded order=o1 id=r1 amount=10.00 event=e3
webhook 10:06:02  refunded order=o1 id=r1 amount=10.00 event=e4
at      10:10:00
expect  rpv:shop:24h:total visits=1 orders=1 revenue=70.00 refunds=10.00 sales=70.00 sales_orders=1
orders  o1 join=visitor paid=80.00 refunded=10.00 net=70.00
status  orders=1
