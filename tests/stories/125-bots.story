# Bots make no visit; what they fetch is counted by class and rule, and beside a page's visits.
log     10:00:00  /lamp  visitor=a
log     10:00:01  /lamp  agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
log     10:00:02  /lamp  agent="Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot"
log     10:00:03  /lamp  agent="Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"
log     10:00:04  /robots.txt  agent="Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"
log     10:00:05  /.env  status=404  agent=zgrab/0.x
at      10:01:00
expect  rpv:shop:24h:total               visits=1
expect  rpv:shop:24h:page:/lamp          visits=1
expect  rpv:shop:24h:bot:search/googlebot  fetches=1 pages=1 errors=0
expect  rpv:shop:24h:bot:ai_crawler/gptbot  fetches=2 pages=1 errors=0
expect  rpv:shop:24h:bot:scanner/zgrab   fetches=1 pages=0 errors=1
expect  rpv:shop:24h:bot_page:/lamp      fetches=3 search=1 ai_crawler=1 ai_assistant=1
absent  rpv:shop:24h:bot_page:/.env
absent  rpv:shop:24h:bot@rpv
status  bot=5 bot_search=1 bot_ai_crawler=2 bot_ai_assistant=1 bot_scanner=1 bot_other=0
ctl     0 "top --by bot"  "shop: bot by fetches, last 24h" "ai_crawler/gptbot 2 1 0" "search/googlebot 1 1 0" "scanner/zgrab 1 0 1" "!total"
ctl     0 "top bot_page"  "/lamp 3 1 1 1"
ctl     0 "top page"      "crawlers assistants" "/lamp 1 0"
ctl     0 "--json top page"  '"bots"'
ctl     0 "top device"    "!assistants"
ctl     2 "top bot --sort rpv"  "it is sorted by fetches"
ctl     2 "top page --by bot"  "which?"
ctl     0 "get 24h:bot:search/googlebot"  "fetches: 1"
ctl     0 "status"        "bots, ai_crawler 2"

# A crash changes nothing, and what left the window is gone.
kill
log     11:30:00  /lamp  agent=Googlebot
at      11:30:30
expect  rpv:shop:24h:bot:search/googlebot  fetches=2 pages=2
expect  rpv:shop:1h:bot_page:/lamp       fetches=1 search=1 ai_crawler=0
absent  rpv:shop:1h:bot:ai_crawler/gptbot
status  bot=6 bot_search=2
