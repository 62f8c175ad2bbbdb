# 161 a line dated days ahead (a forged time, a wrong clock) is no hit, and those after it are not late
log     10:00:00  visitor=a  GET /lamp
part    '192.0.2.7 - - [05/Mar/2026:10:00:01 +0000] "GET /forged HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0" "z" 1772704801.000\n'
log     10:01:00  visitor=a  GET /desk
log     10:02:00  visitor=b  GET /chair
at      10:05:00
status  future=1 late=0 lines=4 last_line=2026-03-02T10:02:00Z
expect  rpv:shop:24h:total        visits=2
absent  rpv:shop:24h:page:/forged
# it stays that way where all of it is read again
flushall
at      10:06:00
status  future=1 late=0 last_line=2026-03-02T10:02:00Z
expect  rpv:shop:24h:total        visits=2
# half a day ahead is a wrong time zone: it is taken for what it says
part    '192.0.2.8 - - [02/Mar/2026:22:00:00 +0000] "GET /zone HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0" "y" 1772488800.000\n'
at      10:07:00
status  future=1 last_line=2026-03-02T22:00:00Z visits=3
