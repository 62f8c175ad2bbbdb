# 160 a line that is later than the visit it belongs to changes neither its start nor its landing page
log     10:10:00  visitor=a  GET /lamp
log     10:05:00  visitor=a  GET /early
at      10:15:00
expect  rpv:shop:24h:total visits=1
expect  rpv:shop:24h:landing:/lamp visits=1
expect  rpv:shop:24h:page:/early   visits=1
absent  rpv:shop:24h:landing:/early
status  late=1
