# 630 Redis is away for ten minutes: webhooks are accepted, and nothing is lost
log        10:00:00  visitor=a  GET /lamp
at         10:01:00
redis-stop
log        10:02:00  visitor=a  GET /cart
webhook    10:05:00  paid order=o1 amount=80.00 visitor=a
webhook    10:06:00  refunded order=o1 id=r1 amount=20.00
redis-start
at         10:15:00
expect     rpv:shop:24h:total      visits=1 orders=1 revenue=60.00
expect     rpv:shop:24h:page:/cart visits=1 orders=1 revenue=60.00
