# 350 older than the lookback is too old
config  lookback = "2d"
log     10:00:00     visitor=a  GET /
log     10:00:00     visitor=b  GET /
webhook +2d10:00:00  paid order=o1 amount=10.00 visitor=a
webhook +2d10:00:01  paid order=o2 amount=20.00 visitor=b
at      +2d10:10:00
orders  o1 join=visitor
orders  o2 join=none
expect  rpv:shop:7d:total  visits=2 orders=1 revenue=10.00 sales=30.00
expect  rpv:shop:24h:total visits=0 orders=0 revenue=0.00 sales=30.00
