# 791 a log that two patterns fit, its hard link, and its rotated file that is configured, too: each line counts once
config  log 'DIR/logs/acc*.log' { format = 'FORMAT' } log 'DIR/logs/*.log' { format = 'FORMAT' } log 'DIR/logs/access.log.1' { format = 'FORMAT' }
log     10:00:00  visitor=a  GET /lamp
at      10:00:10
said    "access.log is the same file as"
status  lines=1 visits=1
stop
link    access.log hard.log
start
said    "hard.log is the same file as"
log     10:01:00  visitor=b  GET /lamp
at      10:01:10
status  lines=2 visits=2
# tomorrow another file has the name access.log.1
rotate
log     10:02:00  visitor=c  GET /lamp
at      10:02:10
status  lines=3 visits=3
log     10:03:00  visitor=a  GET /desk  file=access.log.1
at      10:03:10
status  lines=4 visits=3 log_2=
