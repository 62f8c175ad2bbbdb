# 484 the same event with another payload, and the same payload again: the first counts, and both are told
log      10:00:00  visitor=a  GET /
webhook  10:05:00  paid order=o1 amount=80.00 visitor=a event=e1
webhook  10:05:01  paid order=o1 amount=80.00 visitor=a event=e1 time=10:05:00
webhook  10:05:02  paid order=o1 amount=95.00 visitor=a event=e1 time=10:05:00
# A new order under an event id that was there before is an order all the same.
webhook  10:05:03  paid order=o2 amount=5.00 event=e1
webhook  10:06:00  refunded id=r1 order=o1 amount=10.00
webhook  10:06:01  refunded id=r1 order=o1 amount=30.00
at       10:10:00
status   no_change=1 conflict=2 webhook_generic_duplicate=1 webhook_generic_conflict=2 webhook_generic_200=6
expect   rpv:shop:24h:total orders=1 revenue=70.00 sales=75.00 sales_orders=2
reload
at       10:11:00
status   webhook_generic_200=6 webhook_generic_conflict=2
