# 441 refund and alias wait for the order, in any order of the three
log     10:00:00  visitor=a  GET /
webhook 10:05:00  refunded order=pi_1 id=r1 amount=5.00
webhook 10:06:00  alias order=o1 alias=pi_1
kill
webhook 10:07:00  paid order=o1 amount=80.00 visitor=a
at      10:10:00
expect  rpv:shop:24h:total orders=1 revenue=75.00 refunds=5.00
