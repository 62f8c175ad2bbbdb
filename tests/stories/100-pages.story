# 100 pages of one visit, and what they are called
log     10:00:00  visitor=a  GET /lamp/index.html
log     10:01:00  visitor=a  GET //lamp/?colour=red  referrer=https://shop.example/lamp
log     10:02:00  visitor=a  GET /%63art  referrer=https://shop.example/lamp
at      10:05:00
expect  rpv:shop:24h:total         visits=1 orders=0 revenue=0.00 rpv=0
expect  rpv:shop:24h:landing:/lamp visits=1
expect  rpv:shop:24h:page:/lamp    visits=1
expect  rpv:shop:24h:page:/cart    visits=1
absent  rpv:shop:24h:landing:/cart
status  pageviews=3 visits=1 lines=3
