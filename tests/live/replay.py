#!/usr/bin/env python3
"""A replay that is killed (-9) again and again while it runs, and goes on where its last commit
was, publishes what a replay in one go does: also of what its readers had read ahead.

Its logs, one or several, plain and packed, are merged by time.  A kill before anything was
committed would prove nothing.
"""

import argparse
import gzip
import os
import random
import signal
import sys
import time

from driver import RPVD, Findings, Live, differences, rig, wait_for

MAKE_LOG = os.path.join(rig.BUILD, "tests/bench/make-log")
LINES = 500000                          # a commit on the way, and one at the end
KILLS, TRIES = 4, 20
CASES = {"one": (1, 0), "several": (3, 60)}             # logs; reorder in seconds
FORMAT = ('$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
          ' $msec "$cookie_rpv"')
SITE = """site "shop" {
	hosts = {"shop.example"}
	currency = "EUR"
	visitor = {"cookie:rpv", "ip_ua"}
	reorder = "%ds"
	%s
	orders '%s' {}
	token "/checkout/thanks*" { param = "order" }
}
"""


class Replay(Live):
    def __init__(self, name, seed):
        super().__init__("replay-" + name)
        self.rng = random.Random(seed)
        code, _, said = rig.run([MAKE_LOG, str(LINES), str(seed), self.path("access.log"), self.path("orders.ndjson")])
        if code != 0:
            raise AssertionError(said)
        self.redis_start()

    def split(self, logs):
        """The names of so many logs with one line each in turn; the first is packed."""
        if logs == 1:
            return ["access.log"]
        with open(self.path("access.log"), encoding="utf-8") as f:
            lines = f.readlines()
        for k in range(1, logs):
            self.write(f"server{k}.log", "".join(lines[k::logs]))
        with gzip.open(self.path("server0.log.gz"), "wt", compresslevel=1) as packed:
            packed.writelines(lines[0::logs])
        return ["server0.log.gz"] + [f"server{k}.log" for k in range(1, logs)]

    def configured(self, names, reorder, state):
        logs = "\n\t".join(f"log '{self.path(n)}' {{ format = '{FORMAT}' }}" for n in names)
        return self.configure(SITE % (reorder, logs, self.path("orders.ndjson")), state=state, name=state + ".conf", listen=None)

    def committed(self):
        return int(self.redis("HGET", "rpvd:{shop.0}:meta", "seq") or 0)

    def killed(self, conf):
        """The number of kills that fell between the first commit and the end."""
        kills = 0
        for tries in range(TRIES + 1):
            child = self.start([RPVD, "-c", conf, "--replay"], "killed.log")
            if kills < KILLS and tries < TRIES:
                wait_for(lambda: child.poll() is not None or self.committed() > 0, "a commit", 120)
                time.sleep(self.rng.uniform(0, 0.15))
            else:
                child.wait(120)
            if child.poll() is not None:
                if child.returncode != 0:
                    raise AssertionError(f"replay: exit {child.returncode}: {self.read('killed.log')[-2000:]}")
                return kills
            self.end(child, signal.SIGKILL)
            kills += 1
        raise AssertionError("a replay does not end")


def run(name, seed, findings):
    logs, reorder = CASES[name]
    with Replay(name, seed) as live:
        names = live.split(logs)
        live.replay(live.configured(names, reorder, "whole"))
        want, counted = live.dump(), live.status()
        live.redis("FLUSHALL")
        kills = live.killed(live.configured(names, reorder, "killed"))
        found = differences(want, live.dump())
        findings.check(not found, f"{name} (seed {seed}): after {kills} kills: {found}")
        for counter in ("lines", "pageviews", "visits", "orders"):
            findings.equal(live.status()[counter], counted[counter], f"{name} (seed {seed}): {counter}")
        findings.check(kills >= 2, f"{name}: killed {kills} times: the case proves nothing")
        print(f"{name} (seed {seed}): {len(want)} keys equal after {kills} kills", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(os.environ.get("RPVD_SEED", "1")))
    parser.add_argument("cases", nargs="*", default=[])
    options = parser.parse_args()
    rig.need("redis-server")
    findings = Findings()
    for name in options.cases or CASES:
        try:
            run(name, options.seed, findings)
        except AssertionError as e:
            findings.fail(f"{name} (seed {options.seed}): {e}")
    findings.end()


if __name__ == "__main__":
    sys.exit(main())
