# 730 half a line is none until its other half comes; rpvd may be killed between the two
log     10:00:00  visitor=a  GET /lamp
at      10:00:10
part    '192.0.2.7 - - [02/Mar/2026:10:00:01 +0000] "GET /desk HTTP/1.1" 200 0 "-" "Mozilla/5.0 '
clock   10:00:20
status  updated=2026-03-02T10:00:20Z lines=1
kill
part    '(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" "b" 1772445601.000\n'
at      10:01:00
status  lines=2 malformed=0
expect  rpv:shop:24h:landing:/desk visits=1
