# 502 other windows than those of the state: refused in a sentence, until the figures are made anew
log     10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
at      10:10:00
expect  rpv:shop:7d:source.first:news/email visits=1 revenue=80.00
status  "windows=1h 24h 7d 30d"
redis   HSET rpv:shop:7d:landing:/mine owner another
redis   HSET rpv:shop:30d:total owner another
config  windows = {"24h/1h", "1h/1m", "3h/5m"}
reload
said    "and configured are"
restart
said    "the state in Redis has the windows 1h/1m 24h/15m 7d/1h 30d/6h, and configured are 1h/1m 3h/5m 24h/1h; nothing was written"
said    "rpvd --rebuild-later && systemctl reload rpvd"
status  "windows=1h 24h 7d 30d" state~=windows
log     10:20:00  visitor=b  GET /desk
webhook 10:21:00  paid order=o2 amount=20.00 visitor=b
expect  rpv:shop:24h:total visits=1 revenue=80.00
absent  rpv:shop:3h:total
ctl     0 "top --window 7d" "last 7d" "news/email"
rebuild-later
reload
at      10:30:00
expect  rpv:shop:3h:total            visits=2 orders=2 revenue=100.00
expect  rpv:shop:24h:landing:/desk   visits=1 orders=1 revenue=20.00
absent  rpv:shop:7d:total
absent  rpv:shop:7d:source.first:news/email
absent  rpv:shop:7d:source.first@visits
absent  rpv:shop:30d:landing
expect  rpv:shop:7d:landing:/mine    owner=another
expect  rpv:shop:30d:total           owner=another visits=
status  "windows=1h 3h 24h"
ctl     2 "top --window 7d" "there is no window 7d; there are: 1h 3h 24h"
# and back, which is one more rebuild
config  windows = {"1h/1m", "24h/15m", "7d/1h", "30d/6h"}
reload
said    "the state in Redis has the windows 1h/1m 3h/5m 24h/1h, and configured are 1h/1m 24h/15m 7d/1h 30d/6h"
rebuild-later
reload
at      10:40:00
expect  rpv:shop:7d:total            visits=2 orders=2 revenue=100.00
expect  rpv:shop:24h:landing:/desk   visits=1 orders=1 revenue=20.00
absent  rpv:shop:3h:total
absent  rpv:shop:3h:page
