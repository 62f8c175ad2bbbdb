# 510 a refund of the next day takes from the visit that earned, in the window where that is
log     10:00:00     visitor=a  GET /
webhook 10:05:00     paid order=o1 amount=80.00 visitor=a
log     +1d12:00:00  visitor=b  GET /
webhook +1d12:05:00  refunded order=o1 id=r1 amount=80.00
at      +1d12:10:00
expect  rpv:shop:24h:total visits=1 orders=0 revenue=0.00 refunds=0.00
expect  rpv:shop:7d:total  visits=2 orders=0 revenue=0.00 refunds=80.00
