# 125 the owner's list of files that are no pages takes the place of the built-in one
config  assets = {"htmx", "CSV"}
log     10:00:00  visitor=a  GET /
log     10:00:01  visitor=a  GET /part.htmx
log     10:00:02  visitor=a  GET /prices.csv
log     10:00:03  visitor=a  GET /style.css
at      10:05:00
status  lines=4 asset=2 pageviews=2
expect  rpv:shop:24h:page:/style.css visits=1
absent  rpv:shop:24h:page:/part.htmx
absent  rpv:shop:24h:page:/prices.csv
