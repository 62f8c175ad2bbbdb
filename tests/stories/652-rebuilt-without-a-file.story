# 652 Redis is emptied, and a rotated file may not be read any more: told, and the others are read
unprivileged
log      10:00:00  visitor=a  GET /lamp
at       10:01:00
status   lines=1
rotate
log      10:02:00  visitor=b  GET /desk
at       10:03:00
status   lines=2
stop
chmod    000 access.log.1
flushall
start
at       10:10:00
said     "access.log.1: may not be read"
expect   rpv:shop:24h:total visits=1
status   rebuild~="1 rotated file could not be read" state=live
