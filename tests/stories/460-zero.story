# 460 a total of nothing is no order, nor the first
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=0.00 visitor=a
at      10:06:00
status  webhook_generic_200_zero_amount=1 orders=0
expect  rpv:shop:24h:total visits=1 orders=0 sales_orders=0
webhook 10:07:00  paid order=o1 amount=5.00 visitor=a
at      10:10:00
expect  rpv:shop:24h:total visits=1 orders=1 revenue=5.00
