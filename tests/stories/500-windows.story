# 500 a visit leaves the hour after the hour, and takes its keys along
log     10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
at      10:59:30
expect  rpv:shop:1h:total             visits=1 orders=1 revenue=80.00
expect  rpv:shop:1h:source:news/email visits=1 orders=1 revenue=80.00
at      11:00:00
expect  rpv:shop:1h:total visits=0 orders=0 revenue=0.00 sales=80.00
absent  rpv:shop:1h:source:news/email
absent  rpv:shop:1h:landing:/lamp
absent  rpv:shop:1h:source
expect  rpv:shop:24h:source:news/email visits=1 orders=1 revenue=80.00
at      11:05:00
expect  rpv:shop:1h:total sales=0.00
at      +1d10:00:00
absent  rpv:shop:24h:source:news/email
expect  rpv:shop:24h:total            visits=0 orders=0 revenue=0.00
expect  rpv:shop:7d:source:news/email visits=1 orders=1 revenue=80.00
