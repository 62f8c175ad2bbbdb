# 310 an id in the address of the page that thanks
log     10:00:00  visitor=a  GET /?utm_source=news&utm_medium=email
log     10:05:00  visitor=a  GET /thanks?order=cs_1  referrer=https://checkout.stripe.com/
log     10:05:30  visitor=b  GET /thanks?order=cs_1
webhook 10:06:00  paid order=o1 amount=25.00 token=cs_1
at      10:10:00
orders  o1 join=token
expect  rpv:shop:24h:source:news/email orders=1 revenue=25.00
expect  rpv:shop:24h:total visits=2 orders=1 revenue=25.00
