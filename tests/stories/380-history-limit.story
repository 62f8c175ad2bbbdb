# 380 past visits may take so much of Redis; near it those of one pageview count as ever, and no later order finds them
config  history_limit = "16M"
crowd   65000 10:00:00 early
at      10:00:10
crowd   65000 10:00:20 young
log     12:00:00  visitor=x  GET /
at      12:00:10
status  visits=130001
crowd   100 12:01:00 later
log     12:01:01  visitor=two  GET /
log     12:02:01  visitor=two  GET /cart
log     14:00:00  visitor=x  GET /
at      14:00:10
status  visits=130103 visits_unkept>=100
webhook 14:05:00  paid order=o1 amount=1.00 visitor=early7
webhook 14:05:01  paid order=o2 amount=2.00 visitor=later7
webhook 14:05:02  paid order=o3 amount=4.00 visitor=two
at      14:10:00
orders  o1 join=visitor
orders  o2 join=none
orders  o3 join=visitor
