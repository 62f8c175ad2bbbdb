# 800 a reload with a mistake keeps the configuration there was
log     10:00:00  visitor=a  GET /
reload  bad
log     10:29:00  visitor=a  GET /lamp
webhook 10:30:00  paid order=o1 amount=10.00 visitor=a
at      10:35:00
expect  rpv:shop:24h:total visits=1 orders=1 revenue=10.00
status  state=live
reload
log     10:36:00  visitor=b  GET /
at      10:40:00
expect  rpv:shop:24h:total visits=2 orders=1 revenue=10.00
