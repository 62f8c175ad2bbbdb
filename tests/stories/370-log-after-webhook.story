# 370 the webhook is there before the lines of its visit: nothing is lost to an older visit
log     09:00:00  visitor=a  GET /old
webhook 10:00:20  paid order=o1 amount=30.00 visitor=a
log     10:00:00  visitor=a  GET /new
log     10:00:40  visitor=b  GET /other
at      10:02:00
expect  rpv:shop:24h:landing:/new revenue=30.00
expect  rpv:shop:24h:landing:/old revenue=0
