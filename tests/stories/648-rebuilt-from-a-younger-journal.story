# 648 webhooks older than journal_keep are gone: what that means for the figures is told, and no longer than it matters
log      10:00:00  visitor=a  GET /lamp
webhook  10:05:00  paid order=o1 amount=80.00 visitor=a
at       10:10:00
at       +20d10:00:00
webhook  +20d10:05:00  paid order=o2 amount=5.00 visitor=b
at       +20d10:10:00
at       +36d09:00:00
log      +36d10:00:00  visitor=c  GET /desk
webhook  +36d10:01:00  paid order=o3 amount=7.00 visitor=c
at       +36d10:10:00
flushall
at       +36d10:20:00
expect   rpv:shop:30d:total visits=1 orders=1 revenue=7.00 sales=12.00
status   rebuild="figures before 2026-03-22T10:05Z could not be rebuilt: the journal of webhooks reaches back no further" partial_windows=30d
clock    +52d10:00:00
at       +52d10:10:00
status   rebuild= partial_windows= state=live
