# 140 a visit without a cookie goes on over midnight, when the daily key changes
log     23:50:00     GET /
log     +1d00:05:00  GET /lamp
log     +1d00:06:00  GET /lamp  ip=192.0.2.2
at      +1d00:10:00
expect  rpv:shop:24h:total visits=2
expect  rpv:shop:24h:landing:/     visits=1
expect  rpv:shop:24h:landing:/lamp visits=1
