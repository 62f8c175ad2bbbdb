# 390 a list without orders is a list, for a program; a window that there is not is told which there are
log      10:00:00  visitor=a  GET /
at       10:01:00
ctl      1 "orders" "site shop has no orders yet"
ctl      0 "--json orders" '"site": "shop"' '"model": "last_non_direct"' '"orders": []'
ctl      1 "--json orders o1" "site shop has no order o1"
ctl      1 "-s other --json orders" "there is no site other"
ctl      2 "total --window 2h" "there is no window 2h; there are: 1h 24h 7d 30d"
ctl      2 "top page --window all" "there is no window all; there are: 1h 24h 7d 30d"
ctl      0 "total --window all" "1h" "30d"
webhook  10:02:00  paid order=o1 amount=1.00 visitor=a
at       10:05:00
ctl      0 "--json orders" '"orders": [ {'
