# 740 rotated and deleted while Redis was away: what rpvd had open it still reads
log         10:00:00  visitor=a  GET /one
at          10:00:10
redis-stop
log         10:01:00  visitor=b  GET /two
rotate
log         10:02:00  visitor=c  GET /three
remove      access.log.1
redis-start
at          10:03:00
expect      rpv:shop:24h:total visits=3
status      lines=3 lost_bytes=0
