# 757 a line that is held back in a file that is not read again yet is not taken for one that had its turn
config  reorder = "5m"
log     10:00:00  visitor=a  GET /one
at      10:01:00
rotate
log     10:02:00  visitor=b  GET /two
at      10:02:30
crash
clock   10:08:00
start
# The old file is read to its end; the new one is begun a second later, and neither counts before that.
expect  rpv:shop:24h:landing:/one visits=1
kill
at      10:10:00
expect  rpv:shop:24h:total visits=2
status  lines=2 pageviews=2 late=0
