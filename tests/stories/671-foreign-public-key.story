# 671 another program's key among the public ones is named and left alone, keeps no other from being written, and is not waited for longer than it is there
log     10:00:00  visitor=a  GET /lamp
redis   SET rpv:shop:24h:landing:/desk mine
log     10:01:00  visitor=b  GET /desk
log     10:02:00  visitor=c  GET /chair
said    "key rpv:shop:24h:landing:/desk: WRONGTYPE"
at      10:03:00
expect  rpv:shop:24h:total          visits=3
expect  rpv:shop:24h:landing:/chair visits=1
expect  rpv:shop:7d:landing:/desk   visits=1
status  state=live "public_keys~=another program's key is in the way: remove or rename it" public_refused>=1
ctl     0 status "Public keys cannot be written: key rpv:shop:24h:landing:/desk" "remove or rename it"
ctl     1 "get 24h:landing:/desk" "is no series but a string"
redis   DEL rpv:shop:24h:landing:/desk
at      10:04:00
expect  rpv:shop:24h:landing:/desk visits=1
redis   SET rpv:shop:1h:landing:/lamp mine
at      11:30:00
absent  rpv:shop:1h:landing:/chair
holds   rpv:shop:1h:landing:/lamp mine
redis   DEL rpv:shop:1h:landing:/lamp
log     11:31:00  visitor=d  GET /lamp
at      11:32:00
expect  rpv:shop:1h:landing:/lamp visits=1
status  public_keys=ok
