# 241 ad and affiliate networks are sources with their own media and channels
log     10:00:00  visitor=a  GET /  referrer=https://trc.taboola.com/
log     10:00:01  visitor=b  GET /  referrer=https://www.awin1.com/cread.php
log     10:00:02  visitor=c  GET /?gclid=x  referrer=https://googleads.g.doubleclick.net/
at      10:05:00
expect  rpv:shop:24h:source:taboola/cpc     visits=1
expect  rpv:shop:24h:source:awin/affiliate  visits=1
expect  rpv:shop:24h:source:google/cpc      visits=1
expect  rpv:shop:24h:channel:'Paid Other'   visits=1
expect  rpv:shop:24h:channel:Affiliates     visits=1
expect  rpv:shop:24h:channel:'Paid Search'  visits=1
