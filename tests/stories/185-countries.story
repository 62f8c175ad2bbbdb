# 185 the country of an address, as the database has it
geo     198.51.100.0/24=DE 2001:db8::/32=flat:JP
log     10:00:00  visitor=a  GET /  ip=198.51.100.7
log     10:00:01  visitor=b  GET /  ip=2001:db8::1
log     10:00:02  visitor=c  GET /  ip=192.0.2.1
log     10:00:03  visitor=d  GET /  ip=198.51.100.255
webhook 10:00:10  paid order=o1 amount=10.00 visitor=b
at      10:05:00
expect  rpv:shop:24h:country:DE        visits=2 revenue=0
expect  rpv:shop:24h:country:JP        visits=1 revenue=10.00
expect  rpv:shop:24h:country:(unknown) visits=1
