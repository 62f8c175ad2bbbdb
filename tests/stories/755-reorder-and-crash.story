# 755 lines that are held back for their order are taken once, though rpvd is killed meanwhile; later ones are late
config  reorder = "5m"
log     10:04:00  visitor=a  GET /second?utm_source=news
log     10:00:00  visitor=a  GET /first
at      10:04:10
kill
# The first has its turn by the wall clock, the second has not; and again.
at      10:06:00
expect  rpv:shop:24h:total visits=1
kill
at      10:09:10
expect  rpv:shop:24h:total           visits=2
expect  rpv:shop:24h:landing:/first  visits=1
expect  rpv:shop:24h:landing:/second visits=1
log     10:20:00  visitor=b  GET /x
log     10:10:00  visitor=a  GET /late
at      10:26:00
expect  rpv:shop:24h:total visits=3
status  late=1 lines=4
