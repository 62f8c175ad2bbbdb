# 120 bots, files, errors and forms are no pageviews, and are counted by reason
log     10:00:00  visitor=a  GET /
log     10:00:01  visitor=b  GET /  agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
log     10:00:02  visitor=c  GET /  agent=-
log     10:00:03  visitor=a  GET /style.css
log     10:00:04  visitor=a  GET /gone status=404
log     10:00:05  visitor=a  POST /cart
log     10:00:06  visitor=a  GET /old status=301
log     10:00:07  visitor=a  GET /cached status=304
at      10:05:00
status  lines=8 bot=2 asset=1 status=2 method=1 pageviews=2 visits=1
expect  rpv:shop:24h:total        visits=1
expect  rpv:shop:24h:page:/cached visits=1
absent  rpv:shop:24h:page:/gone
absent  rpv:shop:24h:page:/cart
absent  rpv:shop:24h:page:/style.css
