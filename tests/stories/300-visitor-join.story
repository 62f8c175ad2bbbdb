# 300 the cookie carried through the checkout finds the visit: all of it to the landing page and to each page
log     10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
log     10:01:00  visitor=a  GET /cart
log     10:01:30  visitor=b  GET /lamp
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
at      10:10:00
expect  rpv:shop:24h:total             visits=2 orders=1 revenue=80.00 rpv=40 aov=80 conversion_rate=0.5 sales=80.00 coverage=1 unattributed=0.00
expect  rpv:shop:24h:landing:/lamp     visits=2 orders=1 revenue=80.00
expect  rpv:shop:24h:page:/cart        visits=1 orders=1 revenue=80.00
expect  rpv:shop:24h:source:news/email visits=1 orders=1 revenue=80.00
orders  o1 join=visitor paid=80.00 net=80.00
