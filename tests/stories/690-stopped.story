# 690 the status says when rpvd was stopped, and nothing of an earlier run that is no longer so
log     10:00:00  visitor=a  GET /lamp
webhook 10:01:00  paid order=o1 amount=25.00 visitor=a
at      10:02:00
status  state=live webhook_generic_200=1
stop
status  state=stopped lines=1 orders=1
start
at      10:03:00
status  state=live lines=1 orders=1 webhook_generic_200=
