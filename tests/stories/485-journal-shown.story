# 485 rpvctl shows the journal: what came, in full, and whether it is whole; nobody's name is in it
log      10:00:00  visitor=a  GET /
ctl      0 "journal" "the journal is empty"
ctl      0 "--json journal" '"records": []'
ctl      0 "journal --quarantine" "the quarantine is empty"
ctl      1 "journal 1" "the journal has no record 1"
ctl      0 "--json journal" '"records": []'
ctl      1 "--json journal 1" "the journal has no record 1"
webhook  10:05:00  paid order=o1 amount=80.00 visitor=cookie-of-jane customer=email:jane@shop.example token=tok1 alias=pi_1 tax=8.00 ip=192.0.2.1 agent=Firefox
webhook  10:05:01  refunded id=r1 order=o1 amount=20.00
webhook  10:05:02  disputed id=d1 order=o1 amount=5.00
webhook  10:05:03  dispute_won id=d1 order=o1 amount=5.00
webhook  10:05:04  alias order=o1 alias=pi_2
junk     10:06:00  '{"type":"order.paid","time":"2026-03-02T10:06:00Z","order":{"id":"o2","customer":"joe@shop.example"}}'
at       10:10:00
ctl      0 "journal" "generic:o1 1 2026-03-02 10:05:00" "shop order.paid 80.00 EUR" "order.refunded 20.00 EUR" "order.dispute_won" "5 2026-03-02" !jane
ctl      0 "journal --kind refunded" order.refunded !order.paid !disputed
ctl      0 "journal --order pi_2" order.alias !order.paid
ctl      0 "journal --order generic:o1 --limit 2" order.dispute_won order.alias !order.disputed
ctl      0 "journal --provider generic --since 400d --all" order.paid order.alias
ctl      1 "journal --provider stripe" "no such record"
ctl      1 "journal -s other" "no such record"
ctl      0 "journal 1" "event id evt_9" "order generic:o1" "alias pi_1" "amount 80.00 EUR" "tax 8.00 EUR" "recurring no" "customer hash" "(of an e-mail address)" "visitor hash" "browser hash" "tokens hash" !jane !cookie-of !Firefox !192.0.2.1 !tok1
ctl      0 "journal 2" "event order.refunded" "refund r1" "amount 20.00 EUR" !visitor
ctl      0 "--json journal 2" '"part": "r1"' '"amount": "20.00"' '"customer_hash": []'
ctl      0 "--json journal" '"records": [ {' '"visitor_hashes": [ "' !jane
ctl      1 "journal 6" "the journal has no record 6"
ctl      0 "journal verify" "journal: 5 records in 1 file," "all of it is whole"
ctl      0 "journal --quarantine" "what is wrong" "order.currency: is missing" "waiting" !joe
ctl      0 "--json journal --quarantine 1" '"waiting": true' '"path": "/hooks/generic"' !joe
ctl      2 "journal seven" "a record is a number"
ctl      2 "journal --kind sold" "--kind is paid"
ctl      2 "journal --since yesterday" "--since is a duration"
ctl      2 "orders --kind paid" "orders takes no --kind"
ctl      2 "journal --all 2" "--all and --limit are for lists"
# It needs no Redis, and no rpvd.
stop
redis-stop
ctl      0 "journal verify" "all of it is whole"
ctl      0 "journal 5" "event order.alias"
flip     journal/00000000000000000001.log 60
ctl      1 "journal verify" "journal: 4 records in 1 file," "1 is damaged or missing between numbers 1 and 5: send again from the provider"
ctl      1 "--json journal verify" '"damaged": 1' '"whole": false'
ctl      0 "journal" !order.paid order.refunded
