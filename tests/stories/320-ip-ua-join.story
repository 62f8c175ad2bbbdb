# 320 address and browser inside the order
log     10:00:00  GET /?utm_source=news&utm_medium=email  ip=192.0.2.9 agent="Mozilla/5.0 (X11) Firefox/1"
log     10:01:00  GET /  ip=192.0.2.9 agent="Mozilla/5.0 (X11) Firefox/2"
webhook 10:05:00  paid order=o1 amount=12.00 ip=192.0.2.9 agent="Mozilla/5.0 (X11) Firefox/1"
webhook 10:05:01  paid order=o2 amount=7.00 ip=192.0.2.8 agent="Mozilla/5.0 (X11) Firefox/1"
at      10:10:00
orders  o1 join=ip_ua
orders  o2 join=none
expect  rpv:shop:24h:source:news/email visits=1 orders=1 revenue=12.00
expect  rpv:shop:24h:total visits=2 orders=1 revenue=12.00 sales=19.00 sales_orders=2 unattributed=7.00
