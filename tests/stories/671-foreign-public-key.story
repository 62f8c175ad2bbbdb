# 671 another program's key among the public ones is named and left alone, and keeps no other from being written
log     10:00:00  visitor=a  GET /lamp
redis   SET rpv:shop:24h:landing:/desk mine
log     10:01:00  visitor=b  GET /desk
log     10:02:00  visitor=c  GET /chair
said    "key rpv:shop:24h:landing:/desk: WRONGTYPE"
at      10:03:00
expect  rpv:shop:24h:total          visits=3
expect  rpv:shop:24h:landing:/chair visits=1
expect  rpv:shop:7d:landing:/desk   visits=1
status  state=live
redis   DEL rpv:shop:24h:landing:/desk
restart
at      10:04:00
expect  rpv:shop:24h:landing:/desk visits=1
