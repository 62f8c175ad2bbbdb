# 313 an unattributed order is joined when its token is seen a day later; joined once, it stays
log     10:00:00     visitor=a  GET /
webhook 10:05:00     paid order=o1 amount=12.00 token=cs_1
at      11:00:00
orders  o1 join=none
log     +1d09:00:00  visitor=a  POST /thanks?order=cs_1 status=303
log     +1d09:01:00  visitor=b  GET /thanks?order=cs_1
at      +1d09:05:00
orders  o1 join=token
expect  rpv:shop:24h:landing:/ visits=1 orders=1 revenue=12.00
expect  rpv:shop:24h:landing:/thanks visits=1 orders=0
