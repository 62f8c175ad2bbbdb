# 480 a forged webhook is refused, counted, and changes nothing
log         10:00:00  visitor=a  GET /
bad-webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
bad-webhook 10:05:01  paid order=o1 amount=80.00 visitor=a
webhook     10:06:00  paid order=o1 amount=10.00 visitor=a
at          10:10:00
status      webhook_generic_401_bad_signature=2 webhook_generic_200=1 events=1
expect      rpv:shop:24h:total orders=1 revenue=10.00
