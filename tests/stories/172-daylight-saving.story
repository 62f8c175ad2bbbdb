# 172 the hour that is left out, and the one that comes twice: the line's own offset decides
config  log 'DIR/logs/access.log' { format = "combined" }
clock   +27d01:00:02
part    '192.0.2.1 - - [29/Mar/2026:01:59:59 +0100] "GET /lamp HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0"\n'
part    '192.0.2.1 - - [29/Mar/2026:03:00:01 +0200] "GET /desk HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0"\n'
at      +27d01:00:10
status  lines=2 visits=1 late=0 last_line=2026-03-29T01:00:01Z
clock   +237d01:30:02
part    '192.0.2.1 - - [25/Oct/2026:02:30:00 +0200] "GET /lamp HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0"\n'
part    '192.0.2.1 - - [25/Oct/2026:02:30:00 +0100] "GET /desk HTTP/1.1" 200 0 "-" "Mozilla/5.0 (X11) Firefox/128.0"\n'
at      +237d01:30:10
status  lines=4 visits=3 late=0 last_line=2026-10-25T01:30:00Z
expect  rpv:shop:24h:landing:/desk visits=1
