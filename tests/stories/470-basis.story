# 470 revenue without tax and shipping; a refund takes its part
config  basis = "net"
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=100.00 tax=15.00 shipping=5.00 visitor=a
webhook 10:06:00  refunded order=o1 id=r1 amount=50.00
at      10:10:00
expect  rpv:shop:24h:total orders=1 revenue=40.00 refunds=40.00 sales=40.00
