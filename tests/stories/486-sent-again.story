# 486 a genuine request that is sent again: within its time a duplicate, later refused; either changes nothing
log     10:00:00  visitor=a  GET /
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
resend  200 10:10:00
resend  401 10:10:01
resend  401 10:30:00
resend  401 11:30:00
resend  401 +1d10:00:00
at      +1d10:01:00
status  webhook_generic_401_timestamp_too_old=4 webhook_generic_duplicate=1 webhook_generic_clock= events=2 orders=1
expect  rpv:shop:7d:total orders=1 revenue=80.00
