# 170 disorder within reorder is put right
config  reorder = "10s"
log     10:10:05  visitor=a  GET /lamp
log     10:10:00  visitor=a  GET /early
at      10:15:00
expect  rpv:shop:24h:landing:/early visits=1
absent  rpv:shop:24h:landing:/lamp
status  late=0
