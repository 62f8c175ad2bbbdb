# 371 a webhook that comes hours late joins the visit of its time, which is in no memory any more
log     10:00:00  visitor=a  GET /then
log     14:00:00  visitor=a  GET /later
at      14:05:00
kill
webhook 14:10:00  paid order=o1 amount=30.00 visitor=a time=10:00:30
at      14:15:00
expect  rpv:shop:24h:landing:/then  revenue=30.00
expect  rpv:shop:24h:landing:/later revenue=0
