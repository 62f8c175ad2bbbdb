# 185 behind proxies: the client is the first in the list, from the right, that is none of ours
config  log 'DIR/logs/access.log' { format = '$http_x_forwarded_for - - [$time_local] "$request" $status 0 "$http_referer" "$http_user_agent" "$cookie_rpv" $msec' }
geo     203.0.113.9/32=DE 203.0.113.10/32=FR 10.0.0.0/8=US
config  trusted_proxies = {"10.0.0.0/8", "unix:"}
config  ignore_networks = {"198.51.100.0/24"}
log     10:00:00  GET /lamp  ip="203.0.113.9, 10.0.0.1"
log     10:00:10  GET /lamp  ip="203.0.113.10, 10.0.0.1"
# what the client wrote itself, another way through the proxies, and a port: the same two
log     10:00:20  GET /desk  ip="198.51.100.7, 203.0.113.9:4711, 10.0.0.2, 10.0.0.1"
log     10:00:30  GET /desk  ip="for=203.0.113.10;proto=https, 10.0.0.2"
# the monitoring is ignored where it is the client, not where somebody says so
log     10:00:40  GET /lamp  ip="198.51.100.7, 10.0.0.1"
webhook 10:05:00  paid order=o1 amount=30.00 ip=203.0.113.9 agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
at      10:10:00
expect  rpv:shop:24h:total visits=2 orders=1 revenue=30.00
expect  rpv:shop:24h:page:/desk visits=2 revenue=30.00
expect  rpv:shop:24h:country:DE visits=1 revenue=30.00
expect  rpv:shop:24h:country:FR visits=1
absent  rpv:shop:24h:country:US
status  ignored_network=1 joined_ip_ua=1 crowd_percent=0
