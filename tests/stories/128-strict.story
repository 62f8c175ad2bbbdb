# 128 the same where the owner is strict: no figure has it, a buyer's visits come back, and a crash changes nothing
config  bots = "strict"
log     10:00:00  GET /robots.txt  ip=192.0.2.7
log     10:00:01  GET /lamp?utm_source=news&utm_medium=email  ip=192.0.2.7
log     10:00:02  GET /lamp  visitor=a
log     10:00:03  GET /robots.txt  visitor=b
log     10:00:04  GET /chair  visitor=b
at      10:01:00
expect  rpv:shop:24h:total      visits=1 visits_lenient=3 visits_strict=1
expect  rpv:shop:24h:page:/lamp visits=1
absent  rpv:shop:24h:source:news/email
absent  rpv:shop:24h:page:/chair
kill
log     10:02:00  GET /table  ip=192.0.2.7
webhook 10:03:00  paid order=o1 amount=80.00 visitor=b
at      10:40:00
expect  rpv:shop:24h:total       visits=2 visits_lenient=3 visits_strict=2 orders=1 rpv=40 evidence_robots=2
expect  rpv:shop:24h:page:/chair visits=1 orders=1 revenue=80.00
absent  rpv:shop:24h:page:/table

# Lenient from now on: who is left out stays so, who comes counts.
config  bots = "lenient"
reload
log     10:41:00  GET /robots.txt  ip=192.0.2.9
log     10:41:01  GET /table  ip=192.0.2.9
at      10:42:00
expect  rpv:shop:24h:total       visits=3 visits_lenient=4 visits_strict=2
expect  rpv:shop:24h:page:/table visits=1
