# 751 a file that was read before a restart, and is emptied after it, has new lines, which count as such
log     10:00:00  visitor=a  GET /one
log     10:01:00  visitor=a  GET /two
at      10:02:00
restart
copytruncate
log     10:03:00  visitor=a  GET /three
part    "no line at all\n"
at      10:04:00
status  lines=4 malformed=1 pageviews=3 truncations=1
