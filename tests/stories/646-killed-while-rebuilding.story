# 646 Redis is emptied, and rpvd is killed before it has stored anything: rotated logs are read all the same
log      10:00:00  visitor=a  GET /lamp
at       10:01:00
rotate
log      10:02:00  visitor=a  GET /cart
at       10:03:00
stop
flushall
redis    SET rpvd:{shop.0}:b:30d:82057 foreign
start
said     "holds a string where rpvd keeps a hash"
crash
redis    DEL rpvd:{shop.0}:b:30d:82057
start
at       10:10:00
expect   rpv:shop:24h:total         visits=1
expect   rpv:shop:24h:landing:/lamp visits=1
status   state=live figures_since=2026-03-02T10:00:00Z rebuild=
