# 479 how long a webhook that was not understood is kept is the owner's to say
top          quarantine_keep = "2h"
log          10:00:00  visitor=a  GET /
junk         10:05:00  'of jane@shop.example'
at           12:04:00
status       quarantine=1
on-disk      jane@shop.example
at           12:06:00
status       quarantine=0 quarantine_forgotten=1
not-on-disk  jane@shop.example
