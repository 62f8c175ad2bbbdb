# 481 what is signed but not wanted is accepted, and counted by its type; scanners are counted as nobody's
config provider "generic" { path = "/hooks/second"  secret_file = 'DIR/generic.secret' }
log      10:00:00  visitor=a  GET /
webhook  10:05:00  paid order=o1 amount=80.00 visitor=a
webhook  10:05:01  shipped order=o1 id=s1
webhook  10:05:02  shipped order=o1 id=s2
webhook  10:05:03  loved order=o1 id=l1
webhook  10:05:04  paid order=o2 amount=0.00
get      404 /wp-login.php
get      405 /hooks/generic
webhook  10:05:05  paid order=o1 amount=80.00 site=second
at       10:10:00
status   webhook_generic_200=1 webhook_generic_200_irrelevant_type=3 webhook_generic_type_order.shipped=2 webhook_generic_type_order.loved=1
status   webhook_generic_200_zero_amount=1 request_404_unknown_path=1 webhook_generic_405_method=1 journal_last=2 events=2 webhook_generic-2_200=1 webhook_generic_duplicate=1
ctl      0 status "!webhooks of" "generic: type order.shipped 2" "nobody's: 404 unknown path 1"
