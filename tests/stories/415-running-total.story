# 415 a refund told as a running total: the highest counts, whatever comes last
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
webhook 10:06:00  refunded order=o1 id=r2 amount=30.00 cumulative=true
webhook 10:07:00  refunded order=o1 id=r1 amount=10.00 cumulative=true
at      10:10:00
expect  rpv:shop:24h:total orders=1 revenue=50.00 refunds=30.00
