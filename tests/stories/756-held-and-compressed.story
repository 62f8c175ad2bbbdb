# 756 what was taken before lines that are held back is not taken again when their file is compressed meanwhile
config  reorder = "5m"
log     10:04:00  visitor=a  GET /second
log     10:00:00  visitor=b  GET /first
at      10:06:00
# The first had its turn by the wall clock, the second has not: the position is before both.
expect  rpv:shop:24h:total visits=1
stop
rotate
gzip    access.log.1
log     10:07:00  visitor=c  GET /third
start
at      10:13:00
expect  rpv:shop:24h:total visits=3
status  lines=3 pageviews=3
