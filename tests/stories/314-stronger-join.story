# 314 the cookie beats the token, and the token beats the address
log     10:00:00  visitor=a  GET /a
log     10:01:00  visitor=b  GET /thanks?order=cs_1
log     10:02:00  GET /c  ip=192.0.2.9
webhook 10:05:00  paid order=o1 amount=1.00 token=cs_1 visitor=a
webhook 10:06:00  paid order=o2 amount=2.00 token=cs_1 ip=192.0.2.9 agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
webhook 10:07:00  paid order=o3 amount=4.00 visitor=nobody ip=192.0.2.9 agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
at      10:10:00
orders  o1 join=visitor
orders  o2 join=token
orders  o3 join=ip_ua
expect  rpv:shop:24h:landing:/a      revenue=1.00
expect  rpv:shop:24h:landing:/thanks revenue=2.00
expect  rpv:shop:24h:landing:/c      revenue=4.00
