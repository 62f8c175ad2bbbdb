# 649 two logs, rotated at different times, are read in step when they are read again
config   log 'DIR/logs/access.log' { format = 'FORMAT' }  log 'DIR/logs/b.log' { format = 'FORMAT' }
log      10:00:00  visitor=a  GET /lamp
log      10:00:30  visitor=b  GET /desk  file=b.log
at       10:01:00
rotate
log      10:02:00  visitor=c  GET /chair
status   lines=3
log      10:40:00  visitor=a  GET /sofa
status   lines=4
log      10:59:00  visitor=b  GET /vase file=b.log
at       11:10:00
expect   rpv:shop:24h:total visits=5
status   late=0
stop
age      access.log.1
flushall
start
at       11:20:00
status   late=0
expect   rpv:shop:24h:total visits=5
