# 640 Redis is emptied: all is built again from what is on disk
log      10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
webhook  10:05:00  paid order=o1 amount=80.00 visitor=a
webhook  10:06:00  paid order=o2 amount=5.00
at       10:10:00
expect   rpv:shop:24h:total visits=1 orders=1 revenue=80.00 sales=85.00
flushall
said     "Redis has no state of this site any more: it was emptied"
log      10:11:00  visitor=a  GET /cart
webhook  10:12:00  refunded order=o1 id=r1 amount=20.00
at       10:20:00
expect   rpv:shop:24h:total             visits=1 orders=1 revenue=60.00 sales=65.00 unattributed=5.00
expect   rpv:shop:24h:source:news/email visits=1 orders=1 revenue=60.00
expect   rpv:shop:24h:page:/cart        visits=1 orders=1 revenue=60.00
