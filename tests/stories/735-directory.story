# 735 a directory in place of a log is named, and holds no order up
config  log 'DIR/logs/access.log' { format = 'FORMAT' }  log 'DIR/logs' { format = 'FORMAT' }
log     10:00:00  visitor=a  GET /lamp
webhook 10:05:00  paid order=o1 amount=10.00 visitor=a
at      10:10:00
expect  rpv:shop:24h:total visits=1 orders=1 revenue=10.00
status  log_1=ok log_2~="is a directory; rpvd reads regular files only"
said    "is a directory; rpvd reads regular files only"
