# 360 one order, two touches, three models
config  model = "linear"
log     10:00:00  visitor=a  GET /?utm_source=news&utm_medium=email
log     11:00:00  visitor=a  GET /?utm_source=ads&utm_medium=cpc
webhook 11:05:00  paid order=o1 amount=10.01 visitor=a
at      11:10:00
expect  rpv:shop:24h:source:news/email       visits=1 orders=0.5 revenue=5.01
expect  rpv:shop:24h:source:ads/cpc          visits=1 orders=0.5 revenue=5.00
expect  rpv:shop:24h:source.first:news/email visits=1 orders=1 revenue=10.01
expect  rpv:shop:24h:source.last:ads/cpc     visits=1 orders=1 revenue=10.01
expect  rpv:shop:24h:total                   visits=2 orders=1 revenue=10.01
