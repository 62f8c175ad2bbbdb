# 760 the new log may not be read: that is said, no order is joined past it, and all is right afterwards
unprivileged
log     10:00:00  visitor=a  GET /lamp
at      10:00:10
rotate
chmod   000 access.log
log     10:01:00  visitor=b  GET /desk
webhook 10:01:30  paid order=o1 amount=20.00 visitor=b
said    "may not read it"
status  "log_1~=may not read it"
clock   10:05:00
status  updated=2026-03-02T10:05:00Z journal_depth=0 orders_waiting=1
expect  rpv:shop:24h:total visits=1 sales=20.00 unattributed=20.00
kill
said    "may not read it"
chmod   644 access.log
said    "can be read now"
at      10:06:00
expect  rpv:shop:24h:total         visits=2 unattributed=0
expect  rpv:shop:24h:landing:/desk revenue=20.00
