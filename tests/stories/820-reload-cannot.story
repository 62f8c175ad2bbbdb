# 820 what was opened at the start cannot be changed by a reload, and then nothing else of that file is taken
log       10:00:00  visitor=a  GET /lamp
at        10:00:10
state-dir elsewhere
config    currency = "USD"
reload
said      "state_dir cannot be changed by a reload: restart rpvd"
at        10:01:00
expect    rpv:shop:24h:total currency=EUR visits=1
