# 315 a provider brings its payment pages, and the id in its success URL
config  provider "creem" { secret_file = 'DIR/generic.secret' }
log     10:00:00  visitor=a  GET /?utm_source=news&utm_medium=email
log     10:05:00  visitor=a  GET /thanks?checkout_id=ch_1  referrer=https://www.creem.io/payment/prod_1
log     10:05:30  visitor=b  GET /  referrer=https://www.gumroad.com/
webhook 10:06:00  paid order=o1 amount=25.00 token=ch_1
at      10:10:00
orders  o1 join=token
expect  rpv:shop:24h:source:news/email visits=1 orders=1 revenue=25.00
# not a provider of this site's: a page as any other
expect  rpv:shop:24h:source:gumroad.com/referral visits=1
expect  rpv:shop:24h:total visits=2 orders=1 revenue=25.00
