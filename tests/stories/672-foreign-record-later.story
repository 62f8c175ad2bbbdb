# 672 another program takes the name of a record of ours that was empty and so not there: nothing is written, then nothing is missing
log     10:00:00  visitor=a  GET /lamp
webhook 10:01:00  paid order=o1 amount=25.00 token=t1
log     10:02:00  visitor=a  GET /thanks?order=t1
at      10:32:00
orders  o1 join=token
redis   SET rpvd:{shop.0}:waiting mine
webhook 10:33:00  paid order=o2 amount=10.00 token=t2
said    "rpvd:{shop.0}:waiting holds a string where rpvd keeps a set; nothing was written: remove or rename that key"
status  "state~=waiting holds a string" state_refused>=1
redis   DEL rpvd:{shop.0}:waiting
said    "state loaded"
log     10:34:00  visitor=b  GET /thanks?order=t2
at      11:10:00
orders  o2 join=token
expect  rpv:shop:24h:total sales=35.00 orders=2 unattributed=0.00
status  state=live
