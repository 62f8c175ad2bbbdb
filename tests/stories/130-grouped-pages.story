# 130 grouped pages, ignored paths and networks
config  page "/p/*" { as = "/p/:product" }
config  ignore_paths = {"/healthz", "/wp-json/*"}
config  ignore_networks = {"198.51.100.0/24"}
log     10:00:00  visitor=a  GET /p/lamp
log     10:01:00  visitor=a  GET /p/chair
log     10:02:00  visitor=a  GET /healthz
log     10:03:00  visitor=a  GET /wp-json/x
log     10:04:00  visitor=b  GET /p/lamp  ip=198.51.100.7
at      10:05:00
expect  rpv:shop:24h:page:/p/:product    visits=1
expect  rpv:shop:24h:landing:/p/:product visits=1
absent  rpv:shop:24h:page:/p/lamp
absent  rpv:shop:24h:page:/healthz
status  ignored_path=2 ignored_network=1 pageviews=2 visits=1
