# 488 a secret is replaced: both fit meanwhile, which one did is shown, and the one that is not used any more is named
second-secret
log      10:00:00  visitor=a  GET /
webhook  10:05:00  paid order=o1 amount=1.00 secret=second
webhook  10:06:00  paid order=o2 amount=2.00
at       10:07:00
status   webhook_generic_secret_1=1 webhook_generic_secret_2=1 webhook_generic_secret_2_unused_days=
webhook  +3d10:00:00  paid order=o3 amount=3.00
restart
webhook  +6d10:00:00  paid order=o4 amount=4.00
at       +7d10:04:00
status   webhook_generic_secret_1=1 webhook_generic_secret_2=0 webhook_generic_secret_2_unused_days=
ctl      0 status "!was not used"
at       +9d10:06:00
status   webhook_generic_secret_2_unused_days=9 webhook_generic_secret_1_unused_days=
ctl      0 status "* Secret 2 of generic was not used for 9 days: where it was replaced, take it out of the secret file."
# Over a crash and a reload, too.
kill
at       +10d10:06:00
status   webhook_generic_secret_2_unused_days=10
reload
at       +10d10:08:00
status   webhook_generic_secret_2_unused_days=10
webhook  +10d10:10:00  paid order=o5 amount=5.00 secret=second
at       +10d10:11:00
status   webhook_generic_secret_2=1 webhook_generic_secret_2_unused_days=
