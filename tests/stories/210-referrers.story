# 210 search, social, AI assistants, click ids, other hosts, and nothing
log     10:00:00  visitor=a  GET /  referrer=https://www.google.com/
log     10:00:01  visitor=b  GET /  referrer=https://l.facebook.com/
log     10:00:02  visitor=c  GET /  referrer=https://chatgpt.com/
log     10:00:03  visitor=d  GET /?gclid=x
log     10:00:04  visitor=e  GET /  referrer=https://www.blog.example/best-lamps
log     10:00:05  visitor=f  GET /
at      10:05:00
expect  rpv:shop:24h:source:google/organic        visits=1
expect  rpv:shop:24h:source:facebook/social       visits=1
expect  rpv:shop:24h:source:chatgpt/ai            visits=1
expect  rpv:shop:24h:source:google/cpc            visits=1
expect  rpv:shop:24h:source:blog.example/referral visits=1
expect  rpv:shop:24h:source:(direct)/(none)       visits=1
expect  rpv:shop:24h:total                        visits=6
