# 660 two sites share one journal: each takes its own events, whatever happens between
other-site    blog
log           10:00:00  visitor=a  GET /lamp
webhook       10:01:00  paid order=o1 amount=1.00 visitor=a
webhook       10:01:01  paid order=o1 amount=10.00 site=blog
webhook       10:01:02  paid order=o2 amount=2.00
webhook       10:01:03  paid order=o2 amount=20.00 site=blog
at            10:02:00
expect        rpv:shop:24h:total sales=3.00 sales_orders=2
expect        rpv:blog:24h:total sales=30.00 sales_orders=2
kill
webhook       10:03:00  paid order=o3 amount=40.00 site=blog
redis-restart
webhook       10:03:01  paid order=o3 amount=4.00
webhook       10:03:02  paid order=o4 amount=80.00 site=blog
reload
webhook       10:03:03  paid order=o5 amount=160.00 site=blog
at            10:04:00
expect        rpv:shop:24h:total sales=7.00 sales_orders=3
expect        rpv:blog:24h:total sales=310.00 sales_orders=5
