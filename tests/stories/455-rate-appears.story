# 455 an order in a currency without a rate counts when a reload brings one
rates   Date,USD,
rates   2026-03-02,1.25,
log     10:00:00  visitor=a  GET /lamp
webhook 10:01:00  paid order=o1 amount=50.00 currency=USD visitor=a
webhook 10:01:01  paid order=o2 amount=30.00 currency=CHF visitor=a
at      10:05:00
expect  rpv:shop:24h:total revenue=40.00 orders=1 sales=40.00
status  unconverted=1
rates   Date,USD,CHF,
rates   2026-03-02,1.25,0.96,
reload
at      10:06:00
expect  rpv:shop:24h:total revenue=71.25 orders=2 sales=71.25
status  unconverted=0
