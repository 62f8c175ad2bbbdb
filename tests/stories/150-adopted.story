# 150 the line that sets the cookie does not have it yet: the cookie adopts that visit
log     10:00:00  GET /?utm_source=news&utm_medium=email
log     10:01:00  visitor=a  GET /cart  referrer=https://shop.example/
webhook 10:05:00  paid order=o1 amount=30.00 visitor=a
at      10:10:00
expect  rpv:shop:24h:total visits=1 orders=1 revenue=30.00
expect  rpv:shop:24h:source:news/email visits=1 revenue=30.00
status  adopted=1 visits=1
