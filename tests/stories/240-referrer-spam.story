# 240 referrer spam is no pageview; who sent it may go on, and no order is lost by it
log     10:00:00  visitor=a  GET /  referrer=https://semalt.com/
log     10:00:01  visitor=b  GET /  referrer=https://www.semalt.com/crawler
log     10:01:00  visitor=a  GET /lamp  referrer=https://shop.example/
log     10:02:00  visitor=a  GET /thanks?order=cs_1  referrer=https://semalt.com/
log     10:03:00  visitor=c  GET /?utm_source=news&utm_medium=email  referrer=https://semalt.com/
webhook 10:04:00  paid order=o1 amount=25.00 token=cs_1
webhook 10:04:00  paid order=o2 amount=10.00 visitor=b
at      10:40:00
orders  o1 join=token
orders  o2 join=none
expect  rpv:shop:24h:source:(direct)/(none) visits=1 orders=1 revenue=25.00
expect  rpv:shop:24h:source:news/email      visits=1
expect  rpv:shop:24h:total                  visits=2 orders=1 revenue=25.00 sales=35.00
absent  rpv:shop:24h:source:semalt.com/referral
status  spam_referrer=3 pageviews=2 visits=2
