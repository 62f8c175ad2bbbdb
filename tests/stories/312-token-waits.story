# 312 an order with a token waits half an hour for it before it takes a weaker join
log     10:00:00  GET /?utm_source=news&utm_medium=email  ip=192.0.2.9 agent="Mozilla/5.0 (X11) Firefox/1"
webhook 10:05:00  paid order=o1 amount=12.00 token=cs_1 ip=192.0.2.9 agent="Mozilla/5.0 (X11) Firefox/1"
at      10:34:50
orders  o1 join=none
expect  rpv:shop:24h:total orders=0 revenue=0.00 sales=12.00 unattributed=12.00
at      10:35:10
orders  o1 join=ip_ua
expect  rpv:shop:24h:source:news/email orders=1 revenue=12.00
expect  rpv:shop:24h:total unattributed=0.00 coverage=1
