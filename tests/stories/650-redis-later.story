# 650 Redis is not there yet when rpvd starts
without  redis
log      10:00:00  visitor=a  GET /lamp
webhook  10:05:00  paid order=o1 amount=80.00 visitor=a
webhook  10:06:00  paid order=o1 amount=80.00 visitor=a
redis-start
at       10:10:00
expect   rpv:shop:24h:total visits=1 orders=1 revenue=80.00
status   events=2 state=live
