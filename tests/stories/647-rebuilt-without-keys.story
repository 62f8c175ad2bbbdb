# 647 after days Redis is emptied: visits are counted again, and orders that had only address and browser are told
log      10:00:00  ip=192.0.2.7  GET /lamp
webhook  10:05:00  paid order=o1 amount=80.00 ip=192.0.2.7 agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
webhook  10:06:00  paid order=o2 amount=5.00 customer=c1
at       10:10:00
expect   rpv:shop:24h:total visits=1 orders=1 revenue=80.00
log      +3d09:00:00  ip=192.0.2.8  GET /desk
webhook  +3d09:05:00  paid order=o3 amount=20.00 ip=192.0.2.8 agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
at       +3d09:10:00
expect   rpv:shop:7d:total visits=2 orders=2 revenue=100.00
flushall
at       +3d09:20:00
expect   rpv:shop:7d:total visits=2 orders=1 revenue=20.00 sales=105.00
status   rebuild~="1 order up to 2026-03-02T10:05Z can be joined by nothing better than address and browser" state=live
said     "daily keys are forgotten"
