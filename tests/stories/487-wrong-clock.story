# 487 this machine's clock is wrong: not the signature's fault, and said so, until it is right again
log      10:00:00  visitor=a  GET /
answered 401 10:05:00  paid order=o1 amount=1.00 signed=12:05:00
answered 401 10:05:10  paid order=o2 amount=2.00 signed=12:05:10
at       10:05:20
status   webhook_generic_401_timestamp_too_new=2 webhook_generic_clock=
answered 401 10:05:30  paid order=o3 amount=3.00 signed=12:05:31
at       10:06:00
said     "webhook: this machine's clock is 7201 s behind that of generic; its webhooks are refused until the clock is set"
status   webhook_generic_401_timestamp_too_new=3 webhook_generic_401_bad_signature= "webhook_generic_clock~=This machine's clock is 7201 s behind that of generic"
ctl      0 status "* This machine's clock is 7201 s behind that of generic, whose webhooks are refused for that: set the clock."
# The clock is set; the provider sends again.
webhook  12:07:00  paid order=o1 amount=1.00 time=10:05:00
said     "webhook: the clock agrees with that of generic again"
webhook  12:07:01  paid order=o2 amount=2.00 time=10:05:10
webhook  12:07:02  paid order=o3 amount=3.00 time=10:05:31
at       12:10:00
status   webhook_generic_clock= webhook_generic_200=3
ctl      0 status "!clock is"
expect   rpv:shop:24h:total sales=6.00 sales_orders=3
