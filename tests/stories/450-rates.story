# 450 another currency, at the rate of the order's day
rates   Date,USD,JPY,
rates   2026-03-02,1.25,160,
rates   2026-02-27,2.00,100,
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=50.00 currency=USD visitor=a
webhook 10:06:00  paid order=o2 amount=1600 currency=JPY visitor=a
webhook 10:07:00  paid order=o3 amount=10.00 currency=USD visitor=a time=09:59:59
webhook 10:08:00  refunded order=o1 id=r1 amount=25.00 currency=USD
webhook 10:08:30  refunded order=o2 id=r2 amount=1.00 currency=USD
at      10:10:00
expect  rpv:shop:24h:total visits=1 orders=3 revenue=38.00 refunds=20.00
status  other_currency=1 unconverted=0
