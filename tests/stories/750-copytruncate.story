# 750 copied and truncated at a quiet moment: no line is lost, none counts twice
log          10:00:00  visitor=a  GET /one
at           10:00:10
copytruncate
log          10:01:00  visitor=b  GET /two
at           10:01:10
kill
log          10:02:00  visitor=c  GET /three
at           10:02:10
expect       rpv:shop:24h:total visits=3
status       lines=3
