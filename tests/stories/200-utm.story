# 200 utm beats the referrer; case and escapes are put right
log     10:00:00  visitor=a  GET /?utm_source=News%20Letter&utm_medium=EMail&utm_campaign=Spring+Sale  referrer=https://www.google.com/
at      10:05:00
expect  "rpv:shop:24h:source:news letter/email" visits=1
expect  rpv:shop:24h:channel:Email visits=1
expect  "rpv:shop:24h:campaign:spring sale" visits=1
absent  rpv:shop:24h:source:google/organic
