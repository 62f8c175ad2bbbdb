# 127 what passes for a browser and is none: evidence beside the figures; lenient, nothing is left out
log     10:00:00  GET /robots.txt  ip=192.0.2.7
log     10:00:01  GET /lamp  ip=192.0.2.7
log     10:00:02  GET /lamp  visitor=a
webhook 10:01:00  paid order=o1 amount=80.00 visitor=a
times   25 '192.0.2.8 - - [02/Mar/2026:10:02:00 +0000] "GET /desk HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0" "-" 1772445720.000\n'
at      10:40:00
expect  rpv:shop:24h:total      visits=3 orders=1 revenue=80.00 visits_lenient=3 visits_strict=1 rpv_lenient=26.6667 rpv_strict=80 evidence_robots=1 evidence_rate=1 evidence_no_assets=0 evidence_errors=0 evidence_hosting=0
expect  rpv:shop:24h:page:/desk visits=1
status  evidence_robots=1 evidence_rate=1
ctl     0 "total"  "window lenient rpv strict rpv robots rate" "24h 3 26.6667 1 80.0000 1 1"
ctl     0 "status" "visits that asked for robots.txt 1"
