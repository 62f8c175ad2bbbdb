# 361 who comes back without a source was won by the last that had one
log     10:00:00  visitor=a  GET /?utm_source=news&utm_medium=email
log     11:00:00  visitor=a  GET /cart
webhook 11:05:00  paid order=o1 amount=10.00 visitor=a
at      11:10:00
expect  rpv:shop:24h:source:news/email      visits=1 orders=1 revenue=10.00
expect  rpv:shop:24h:source:(direct)/(none) visits=1 orders=0 revenue=0.00
expect  rpv:shop:24h:landing:/cart          visits=1 orders=1 revenue=10.00
expect  rpv:shop:24h:landing:/              visits=1 orders=0
