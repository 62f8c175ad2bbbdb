# 680 what left its window while Redis was away, or rpvd, is gone afterwards
log         10:00:00  visitor=a  GET /lamp
at          10:00:10
expect      rpv:shop:1h:landing:/lamp visits=1
redis-stop
clock       10:59:58
redis-start
at          11:00:10
absent      rpv:shop:1h:landing:/lamp
absent      rpv:shop:1h:landing
log         11:10:00  visitor=b  GET /desk
at          11:10:10
expect      rpv:shop:1h:landing:/desk visits=1
stop
clock       13:00:00
start
at          13:00:10
absent      rpv:shop:1h:landing:/desk
absent      rpv:shop:1h:landing@visits
expect      rpv:shop:24h:landing:/lamp visits=1
