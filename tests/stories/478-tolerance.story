# 478 how far a signed time may be from now is the owner's to say
provider "generic" { secret_file = 'DIR/generic.secret'  tolerance = "20s" }
log      10:00:00  visitor=a  GET /
webhook  10:05:00  paid order=o1 amount=1.00 signed=10:04:40
answered 401 10:05:10  paid order=o2 amount=2.00 signed=10:04:49
at       10:10:00
expect   rpv:shop:24h:total sales=1.00
status   webhook_generic_401_timestamp_too_old=1
