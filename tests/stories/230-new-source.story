# 230 another source within the timeout begins a new visit; none does not
log     10:00:00  visitor=a  GET /  referrer=https://www.google.com/
log     10:05:00  visitor=a  GET /lamp
log     10:10:00  visitor=a  GET /offer?utm_source=news&utm_medium=email
log     10:11:00  visitor=a  GET /cart?utm_source=news&utm_medium=email
at      10:15:00
expect  rpv:shop:24h:source:google/organic visits=1
expect  rpv:shop:24h:source:news/email     visits=1
expect  rpv:shop:24h:total                 visits=2
absent  rpv:shop:24h:source:(direct)/(none)
