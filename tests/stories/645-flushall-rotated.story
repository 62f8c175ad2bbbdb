# 645 Redis is emptied while rpvd is down and after a rotation
log      10:00:00  visitor=a  GET /lamp
webhook  10:05:00  paid order=o1 amount=80.00 visitor=a
at       10:10:00
rotate
log      10:11:00  visitor=a  GET /cart
at       10:12:00
stop
flushall
start
at       10:20:00
expect   rpv:shop:24h:total        visits=1 orders=1 revenue=80.00
expect   rpv:shop:24h:landing:/lamp visits=1 orders=1 revenue=80.00
expect   rpv:shop:24h:page:/cart   visits=1 orders=1 revenue=80.00
