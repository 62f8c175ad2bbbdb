# 477 what an owner says of a provider: the visitor's key, the test mode, what an order is
provider "stripe" { secret_file = 'DIR/stripe.secret'  visitor_key = "shopper"  test = true  count = "payment_intents" }
log     10:00:00  visitor=a  GET /  referrer=https://www.bing.com/search
log     10:00:00  visitor=b  GET /
stripe  10:05:00  payment_intent.succeeded '{"id":"pi_1","amount_received":1000,"currency":"eur","metadata":{"shopper":"a","rpv":"b"}}' live=false
stripe  10:05:01  payment_intent.succeeded '{"id":"pi_2","amount_received":200,"currency":"eur","metadata":{"shopper":"a"}}'
stripe  10:05:02  checkout.session.completed '{"id":"cs_3","payment_status":"paid","payment_intent":"pi_3","amount_total":30,"currency":"eur","metadata":{"shopper":"a"}}' live=false
at      10:10:00
expect  rpv:shop:24h:total sales=10.00 sales_orders=1 revenue=10.00
orders  pi_1 join=visitor
expect  rpv:shop:24h:source:bing/organic revenue=10.00
status  webhook_stripe_200=1 webhook_stripe_200_test_mode=1 webhook_stripe_200_same_money=1
