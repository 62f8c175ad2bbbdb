# 451 a currency without a rate is kept aside until there is one
rates   Date,USD,
rates   2026-03-02,1.25,
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=30.00 currency=CHF visitor=a
webhook 10:06:00  paid order=o2 amount=10.00 visitor=a
at      10:10:00
status  unconverted=1
expect  rpv:shop:24h:total orders=1 revenue=10.00 sales=10.00
orders  o1 unconverted=true paid=30.00
redis-restart
restart
at      10:11:00
status  unconverted=1
rates   Date,USD,CHF,
rates   2026-03-02,1.25,0.75,
reload
at      10:12:00
status  unconverted=0
expect  rpv:shop:24h:total orders=2 revenue=50.00 sales=50.00
orders  o1 unconverted=false join=visitor
