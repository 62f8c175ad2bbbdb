# 220 the own host and the payment page are no sources: the visit goes on
log     10:00:00  visitor=a  GET /  referrer=https://www.bing.com/search
log     10:01:00  visitor=a  GET /cart  referrer=https://shop.example/
log     10:06:00  visitor=a  GET /thanks  referrer=https://checkout.stripe.com/pay
log     10:07:00  visitor=b  GET /cart  referrer=https://shop.example/
at      10:10:00
expect  rpv:shop:24h:source:bing/organic    visits=1
expect  rpv:shop:24h:source:(direct)/(none) visits=1
expect  rpv:shop:24h:total                  visits=2
