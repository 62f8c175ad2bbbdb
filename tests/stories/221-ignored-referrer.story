# 221 a host from which visitors only come back is no source, and its subdomains are none
config  ignore_referrers = {"pay.example"}
log     10:00:00  visitor=a  GET /  referrer=https://www.bing.com/search
log     10:05:00  visitor=a  GET /thanks  referrer=https://pay.example/done
log     10:06:00  visitor=a  GET /again  referrer=https://eu.pay.example/done
log     10:07:00  visitor=b  GET /  referrer=https://notpay.example/
at      10:10:00
expect  rpv:shop:24h:total                         visits=2
expect  rpv:shop:24h:source:bing/organic           visits=1
expect  rpv:shop:24h:source:notpay.example/referral visits=1
absent  rpv:shop:24h:source:pay.example/referral
absent  rpv:shop:24h:source:eu.pay.example/referral
