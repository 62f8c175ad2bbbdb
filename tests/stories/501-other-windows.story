# 501 windows of the owner's own: so many buckets, called as they are written
config  windows = {"3h/5m", "2d/1d", "30m/10m"}
log     10:02:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
webhook 10:05:00  paid order=o1 amount=80.00 visitor=a
at      10:07:00
expect  rpv:shop:30m:source:news/email visits=1 orders=1 revenue=80.00
expect  rpv:shop:3h:source:news/email  visits=1 orders=1 revenue=80.00
expect  rpv:shop:2d:source:news/email  visits=1 orders=1 revenue=80.00
absent  rpv:shop:24h:total
absent  rpv:shop:1h:total
status  "windows=30m 3h 2d"
ctl     0 "status" "windows 30m 3h 2d"
ctl     0 "total" "30m 1 1 80.00" "3h 1 1 80.00" "2d 1 1 80.00" "!24h"
ctl     0 "top" "last 2d" "news/email"
ctl     0 "top --window 3h" "last 3h" "news/email"
ctl     2 "top --window 24h" "there is no window 24h; there are: 30m 3h 2d"
# in steps of ten minutes: of 10:00 to 10:10, for as long as it is one of the last three
at      10:29:30
expect  rpv:shop:30m:total            visits=1 revenue=80.00
at      10:30:00
expect  rpv:shop:30m:total            visits=0 revenue=0.00 sales=0.00
absent  rpv:shop:30m:source:news/email
log     12:04:00  visitor=b  GET /desk
at      12:59:30
restart
expect  rpv:shop:3h:total             visits=2 orders=1 revenue=80.00
expect  rpv:shop:3h:landing:/lamp     visits=1 orders=1 revenue=80.00
at      13:00:00
expect  rpv:shop:3h:total             visits=1 orders=0 revenue=0.00 sales=80.00
absent  rpv:shop:3h:landing:/lamp
expect  rpv:shop:3h:landing:/desk     visits=1
at      13:05:00
expect  rpv:shop:3h:total             sales=0.00
# two days, that is today and yesterday
at      +1d23:59:30
expect  rpv:shop:2d:total             visits=2 revenue=80.00
at      +2d00:00:00
expect  rpv:shop:2d:total             visits=0 revenue=0.00
absent  rpv:shop:2d:source:news/email
