# 851 to forget waits for the logs: what a person did before is counted first
log      10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
at       10:01:00
redis-stop
webhook  10:05:00  paid order=o1 amount=80.00 visitor=a
redis-start
at       10:10:00
forget   10:11:00  --visitor a
expect   rpv:shop:24h:source:news/email visits=1 orders=1 revenue=80.00
orders   generic:o1 join=visitor forgotten=true
# while rpvd is away: asked for, and done when it is back
log      10:12:00  visitor=a  GET /desk
webhook  10:13:00  paid order=o2 amount=5.00 visitor=a
at       10:20:00
stop
forget-later --visitor a
start
at       10:30:00
orders   generic:o2 forgotten=true
status   forgotten=2
expect   rpv:shop:24h:total             visits=2 orders=2 revenue=85.00 sales=85.00
