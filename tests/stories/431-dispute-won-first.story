# 431 won is final, even where it is told first
log     10:00:00  visitor=a  GET /
webhook 10:05:00  dispute_won order=o1 id=d1 amount=80.00
webhook 10:06:00  paid order=o1 amount=80.00 visitor=a
webhook 10:07:00  disputed order=o1 id=d1 amount=80.00
webhook 10:08:00  disputed order=o1 id=d2 amount=30.00
at      10:10:00
expect  rpv:shop:24h:total orders=1 revenue=50.00 refunds=30.00
