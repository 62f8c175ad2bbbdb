# 670 another program's key where a record of ours belongs: nothing is written, it is named, and then all goes on
log     10:00:00  visitor=a  GET /lamp
at      10:00:10
crash
redis   SET rpvd:{shop.0}:open x
start
said    "rpvd:{shop.0}:open holds a string where rpvd keeps a hash"
status  "state~=open holds a string"
webhook 10:01:00  paid order=o1 amount=25.00 visitor=a
redis   DEL rpvd:{shop.0}:open
said    "state loaded"
at      10:05:00
expect  rpv:shop:24h:total visits=1 sales=25.00
status  state=live
