# 635 rpvd is killed while Redis is away: what was accepted is in the journal
log        10:00:00  visitor=a  GET /lamp
webhook    10:01:00  paid order=o1 amount=80.00 visitor=a
at         10:03:00
redis-stop
webhook    10:05:00  paid order=o2 amount=10.00 visitor=a
log        10:05:30  visitor=a  GET /cart
crash
redis-start
start
webhook    10:06:00  refunded order=o2 id=r1 amount=3.00
at         10:10:00
expect     rpv:shop:24h:total      visits=1 orders=2 revenue=87.00 refunds=3.00
expect     rpv:shop:24h:page:/cart visits=1 orders=2 revenue=87.00
