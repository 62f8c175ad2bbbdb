# 110 exactly the session timeout apart is one visit, a millisecond more is two
log     10:00:00      visitor=a  GET /
log     10:30:00      visitor=a  GET /lamp
log     11:00:00.001  visitor=a  GET /cart
at      11:01:00
expect  rpv:shop:24h:total visits=2
expect  rpv:shop:24h:landing:/     visits=1
expect  rpv:shop:24h:landing:/cart visits=1
absent  rpv:shop:24h:landing:/lamp
