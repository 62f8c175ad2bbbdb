# 810 a reload in the middle of a visit: the new rules are for the lines after it
log     10:00:00  visitor=a  GET /p/lamp
at      10:01:00
config  page "/p/*" { as = "/p/:product" }
reload
at      10:02:00
log     10:05:00  visitor=a  GET /p/chair
webhook 10:06:00  paid order=o1 amount=10.00 visitor=a
at      10:10:00
expect  rpv:shop:24h:total           visits=1 orders=1 revenue=10.00
expect  rpv:shop:24h:landing:/p/lamp visits=1 orders=1
expect  rpv:shop:24h:page:/p/:product visits=1 orders=1 revenue=10.00
absent  rpv:shop:24h:page:/p/chair
