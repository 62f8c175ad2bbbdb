# 311 the page that thanks is seen after the webhook; a form counts as well
log     10:00:00  visitor=a  GET /?utm_source=news&utm_medium=email
webhook 10:05:00  paid order=o1 amount=25.00 token=cs_1
at      10:07:00
expect  rpv:shop:24h:total visits=1 orders=0 sales=25.00
log     10:08:00  visitor=a  POST /thanks?order=cs_1 status=303
at      10:10:00
orders  o1 join=token
expect  rpv:shop:24h:source:news/email orders=1 revenue=25.00
