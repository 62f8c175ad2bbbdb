# 440 a refund under another id of the order, before and after that is known
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
webhook 10:06:00  refunded order=pi_1 id=r1 amount=5.00
at      10:07:00
expect  rpv:shop:24h:total orders=1 revenue=80.00
webhook 10:08:00  alias order=o1 alias=pi_1
webhook 10:09:00  refunded order=pi_1 id=r2 amount=7.00
webhook 10:10:00  paid order=o2 amount=10.00 visitor=a alias=pi_2
webhook 10:11:00  refunded order=pi_2 id=r3 amount=1.00
at      10:15:00
expect  rpv:shop:24h:total orders=2 revenue=77.00 refunds=13.00
