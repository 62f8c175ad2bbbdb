# 850 a person is forgotten: nothing leads to them any more, and no figure changes
log      10:00:00  visitor=a  GET /lamp?utm_source=news&utm_medium=email
webhook  10:05:00  paid order=o1 amount=80.00 visitor=a customer=email:anna@mail.example
log      10:20:00  visitor=b  GET /chair
webhook  10:21:00  paid order=o2 amount=10.00 visitor=b customer=email:bert@mail.example
at       10:30:00
expect   rpv:shop:24h:total             visits=2 orders=2 revenue=90.00 sales=90.00
orders   generic:o1 join=visitor forgotten=false
forget   10:31:00  --customer Anna@Mail.Example
orders   generic:o1 join=visitor forgotten=true visit_start=null paid=80.00
orders   generic:o2 join=visitor forgotten=false
status   forgotten=1 forgetting=0
expect   rpv:shop:24h:total             visits=2 orders=2 revenue=90.00 sales=90.00
expect   rpv:shop:24h:source:news/email visits=1 orders=1 revenue=80.00
# told again, as providers do
webhook  10:32:00  paid order=o1 amount=80.00 visitor=a customer=email:anna@mail.example
webhook  10:33:00  refunded order=o1 id=r1 amount=20.00
at       11:10:00
orders   generic:o1 forgotten=true net=60.00
expect   rpv:shop:24h:total             revenue=90.00 sales=70.00 unattributed=0
# back without a cookie and by another address, as a stranger
webhook  11:20:00  paid order=o3 amount=7.00 customer=email:anna@mail.example
at       12:00:00
expect   rpv:shop:24h:total             revenue=90.00 sales=77.00 unattributed=7.00
# Redis is emptied: made anew from journal and log, they are forgotten again; the refund, which the
# journal tells before that now, is taken from the visit
flushall
at       12:10:00
expect   rpv:shop:24h:total             visits=2 orders=2 revenue=70.00 sales=77.00 unattributed=7.00
orders   generic:o1 join=visitor forgotten=true
status   forgotten=1 forgetting=0
# by order
forget   12:20:00  --order o2
orders   generic:o2 forgotten=true
kill
at       12:30:00
orders   generic:o2 forgotten=true
expect   rpv:shop:24h:total             visits=2 orders=2 revenue=70.00
