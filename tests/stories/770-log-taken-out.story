# 770 a log that is taken out of the configuration for a while is read on where it was
log     10:00:00  visitor=a  GET /one
at      10:00:10
config  log 'DIR/logs/other.log' { format = 'FORMAT' }
reload
log     10:01:00  visitor=b  GET /two file=other.log
at      10:01:10
expect  rpv:shop:24h:total visits=2
config  log 'DIR/logs/access.log' { format = 'FORMAT' }
reload
log     10:02:00  visitor=c  GET /three
at      10:02:10
expect  rpv:shop:24h:total visits=3
status  lines=3
