# 180 telephones, tablets and the rest; no database, no country
log     10:00:00  visitor=a  GET /  agent="Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"
log     10:00:01  visitor=b  GET /  agent="Mozilla/5.0 (Linux; Android 14; SM-X700) Safari/537.36"
log     10:00:02  visitor=c  GET /
at      10:05:00
expect  rpv:shop:24h:device:mobile     visits=1
expect  rpv:shop:24h:device:tablet     visits=1
expect  rpv:shop:24h:device:desktop    visits=1
expect  rpv:shop:24h:country:(unknown) visits=3
