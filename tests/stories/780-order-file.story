# 780 an order file grows while rpvd runs, and is read once
config  orders 'DIR/orders.ndjson' {}
log     10:00:00  visitor=a  GET /lamp
order   10:01:00  paid order=o1 amount=10.00 visitor=a
at      10:05:00
expect  rpv:shop:24h:total revenue=10.00
kill
order   10:06:00  refunded order=o1 id=r1 amount=4.00
at      10:07:00
expect  rpv:shop:24h:total revenue=6.00
status  events=2 orders_1=ok
