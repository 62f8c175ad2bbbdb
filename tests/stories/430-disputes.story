# 430 a dispute is lost until it is won
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
webhook 10:06:00  disputed order=o1 id=d1 amount=80.00
at      10:10:00
expect  rpv:shop:24h:total orders=0 revenue=0.00 refunds=80.00
webhook 10:11:00  dispute_won order=o1 id=d1 amount=80.00
at      10:12:00
expect  rpv:shop:24h:total orders=1 revenue=80.00 refunds=0.00
orders  o1 disputed=0.00 net=80.00
