# 401 a hundred copies at once, and one more after the journal has forgotten it: one order
log     10:00:00  visitor=a  GET /
copies  100  10:05:00  paid order=o1 amount=80.00 visitor=a
at      10:10:00
status  orders=1 no_change=99 webhook_generic_200=100 webhook_generic_duplicate=99
expect  rpv:shop:24h:total orders=1 revenue=80.00 sales_orders=1
webhook +1d10:00:00  paid order=o2 amount=5.00
at      +39d10:00:00
ctl     0 "journal"
webhook +40d10:00:00 paid order=o1 amount=80.00 visitor=a time=10:05:00 event=evt_3
at      +40d10:10:00
ctl     0 "journal --all" "102 2026-04-11" !2026-03
status  orders=2 no_change=100 webhook_generic_duplicate=100 conflict=0
expect  rpv:shop:24h:total sales_orders=0
orders  o1 paid=80.00 net=80.00
