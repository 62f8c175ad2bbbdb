# 482 a signed webhook that cannot be understood is kept apart, tried again, and gone after a week
log          10:00:00  visitor=a  GET /
junk         10:05:00  '{"time":"2026-03-02T10:05:00Z","type":"order.paid","order":{"id":"o1","total":"ten","currency":"EUR","customer":"jane@shop.example"}}'
junk         10:05:01  'no JSON, but of jane@shop.example'
webhook      10:06:00  paid order=o2 amount=10.00 visitor=a customer=joe@shop.example
at           10:10:00
status       webhook_generic_400_bad_body=2 webhook_generic_200=1 quarantine=2 events=1 journal_last=1
expect       rpv:shop:24h:total orders=1 revenue=10.00
on-disk      jane@shop.example
not-on-disk  joe@shop.example
restart
at           11:00:00
status       quarantine=2
at           +6d10:00:00
status       quarantine=2
on-disk      jane@shop.example
at           +7d10:06:00
status       quarantine=0 quarantine_bytes=0 quarantine_forgotten=2
not-on-disk  jane@shop.example
# A machine that boots with a clock of long ago forgets nothing for it.
junk         +8d10:00:00  'again of jane@shop.example'
at           +8d10:00:10
stop
set-back     +1d10:00:00
start
clock        +1d10:00:05
on-disk      jane@shop.example
clock        +8d10:01:00
at           +8d10:02:00
status       quarantine=1
