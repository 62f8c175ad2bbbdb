#!/usr/bin/env python3
"""line: between rpvd and Redis the line is cut after any byte, is slow, goes dead, or leads to another
Redis that lacks the last seconds: at the end the figures are those of a replay, to the last digit.

    line.py [--seed N] [CASE...]

The made-up case, the replay that is its reference and the comparison are tests/live/equality.py's.
"""

import argparse
import concurrent.futures
import os
import re
import time

from proxy import DOWN, UP, Proxy
from shop import Findings, free_port, rig, until

import case as cases
import equality
from driver import wait_for

PIECES = 24
FAILOVER = "failover to a replica that lacks commits"


class Line(equality.World):
    """A world whose rpvd reaches Redis by a proxy."""

    def __init__(self, name, seed, **options):
        super().__init__(name, seed, pieces=PIECES, **options)
        self.proxy = Proxy(self.path("line.sock"), self.sock)

    def __exit__(self, *unused):
        self.proxy.end()
        return super().__exit__(*unused)

    def configure(self, site, state="state", listen="hook.sock", name="rpvd.conf", redis=None):
        redis = redis or (self.path("line.sock") if name == "rpvd.conf" else None)
        return super().configure(site, state, listen, name, redis)

    # ---- what can happen ----------------------------------------------------------

    def cut(self, limits=(6000, 4000)):
        """After some byte, this way or that; the next cut finds the line mended."""
        before = self.proxy.cuts
        way = self.rng.choice([UP, DOWN])
        self.proxy.cut_after(way, self.rng.randrange(1, limits[way]))
        self.hurry()
        wait_for(lambda: self.proxy.cuts > before, lambda: f"{self.proxy.left} bytes before the cut: {self.read('rpvd.log')[-500:]}")
        self.count("cuts on the way " + ("to Redis", "back")[way])

    def hurry(self):
        """Something to commit: the next lines."""
        self.write_lines(self.now + 600)

    def dead(self):
        """Nothing goes through any more, and nobody says so."""
        before = self.read("rpvd.log").count("timed out")
        self.proxy.holds = True
        wait_for(lambda: self.read("rpvd.log").count("timed out") > before, lambda: "the dead line: " + self.read("rpvd.log")[-500:])
        self.proxy.holds = False
        self.count("dead line")


def cuts(w, piece):
    """Three cuts that rpvd lives through, then one that it does not: so that it need not wait for long."""
    w.cut()
    if piece % 3 == 2:
        w.kill()


def slow(w, piece):
    w.proxy.delay = 0.1


def slower(w, piece):
    """A second for each answer, until two commits were made so."""
    w.proxy.delay = 1.0
    if piece == PIECES - 4:
        wait_for(lambda: commits(w.redis) >= 2, lambda: f"{commits(w.redis)} commits", 90)
        w.proxy.delay = 0.0


def dead(w, piece):
    if piece in (5, 15):
        w.dead()


class Failover(Line):
    """Two servers, one a replica of the other; what the primary got last, the replica has not."""

    def begin(self):
        self.other = self.redis_named("other")
        self.servers = [(self.redis, self.sock, rig_port(self.redis)), (self.other, self.path("other.sock"), rig_port(self.other))]
        self.follow()
        super().begin()

    def redis_named(self, name):
        return rig.Rig.redis(self, name, "--port", str(free_port()), "--repl-diskless-sync-delay", "0")

    def redis_start(self):
        """The first one needs a port for its replica."""
        self.redis = rig.Rig.redis(self, "redis", "--port", str(free_port()), "--repl-diskless-sync-delay", "0")

    def follow(self):
        """The second of the pair becomes a replica of the first."""
        (_, _, port), (replica, _, _) = self.servers
        replica("REPLICAOF", "127.0.0.1", port)
        wait_for(lambda: "master_link_status:up" in replica("INFO", "replication"), "the replica")

    def part(self):
        """The replica hears no more; the primary is still written to."""
        primary, replica = self.servers[0][0], self.servers[1][0]
        until(lambda: offset(primary, "master_repl_offset") == offset(replica, "slave_repl_offset"), 5)
        replica("REPLICAOF", "NO", "ONE")

    def fail_over(self):
        """To the one that was left behind; the old primary loses what only it knows."""
        wait_for(lambda: commits(self.servers[0][0]) > commits(self.servers[1][0]) + 1,
                 lambda: f"{commits(self.servers[0][0])} commits, {commits(self.servers[1][0])} at the replica; {self.status()}")
        self.servers.reverse()
        self.redis = self.servers[0][0]
        self.proxy.switch(self.servers[0][1])
        wait_for(lambda: self.status().get("state") in ("live", "catching up"), lambda: "after the failover: " + self.read("rpvd.log")[-500:])
        wait_for(lambda: self.status().get("redis_rewinds") == str(self.done.get(FAILOVER, 0) + 1),
                 lambda: f"nothing told of what was lost: {self.status()} {self.read('rpvd.log')}")
        self.follow()
        self.count(FAILOVER)


def commits(redis):
    return int(redis("HGET", "rpvd:{shop.0}:meta", "seq") or 0)


def rig_port(redis):
    return int(re.search(r"tcp_port:(\d+)", redis("INFO", "server"))[1])


def offset(redis, name):
    found = re.search(name + r":(\d+)", redis("INFO", "replication"))
    return int(found[1]) if found else -1


def failover(w, piece):
    time.sleep(0.3)             # more than a commit
    if piece % 7 == 2:
        w.part()
    if piece % 7 == 5:
        w.fail_over()


def peak_of(child):
    """The most memory that it had in use, in KB; looked at until it has ended."""
    peak = 0
    while child.poll() is None:
        with open(f"/proc/{child.pid}/status", encoding="ascii") as f:
            found = re.search(r"VmHWM:\s*(\d+)", f.read())
        peak = int(found[1]) if found else peak
        time.sleep(0.01)
    return peak


def flood(seed, findings):
    """A log of 40,000 visitors: a slow Redis holds rpvd back, and its memory does not grow by what waits."""
    begun, peaks, keys = time.monotonic(), [], []
    with Line("flood", seed) as w:
        w.redis_start()
        w.write("big.log", "".join(
            cases.line(cases.START + n / 20, (f"198.51.{n % 250}.{n // 250}", cases.AGENTS[n % 40], f"v{n}"), cases.PAGES[n % 8])
            for n in range(40000)))
        w.write("orders.ndjson", "")
        conf = w.configure(w.site(["big.log"], "orders.ndjson"), listen=None)
        for w.proxy.delay in (0, 0.15):
            w.redis("FLUSHALL")
            child = w.start([rig.RPVD, "-c", conf, "--replay"], "rpvd.log")
            peaks.append(peak_of(child))
            findings.check(child.returncode == 0, f"flood: exit {child.returncode}: {w.read('rpvd.log')}")
            keys.append(w.dump())
    findings.check(keys[0] == keys[1] and len(keys[0]) > 50, f"flood: {len(keys[0])} and {len(keys[1])} keys")
    findings.check(peaks[1] < peaks[0] * 1.3, f"flood: peak of memory {peaks} KB")
    print(f"flood: equal; at its peak {peaks[0]} KB, by a slow line {peaks[1]} KB; {time.monotonic() - begun:.1f} s", flush=True)


CASES = {"cuts": (Line, cuts), "slow": (Line, slow), "slower": (Line, slower), "dead": (Line, dead), "failover": (Failover, failover)}


def run(name, seed, findings):
    world, between = CASES[name]
    begun = time.monotonic()
    # Each visitor who is not in memory costs an answer.
    with world(name, seed, visitors=40 if name == "slower" else 120) as w:
        try:
            want = w.reference()
            w.begin()
            w.live(lambda piece: between(w, piece))
            w.finish(want)
            findings.check(len(want[0]) > 300, f"{name}: only {len(want[0])} keys: the case proves nothing")
            done = ", ".join(f"{n} {what}" for what, n in sorted(w.done.items())) or "all that"
            print(f"{name} (seed {seed}): {len(want[0])} keys equal after {done}; {time.monotonic() - begun:.1f} s", flush=True)
        except AssertionError as e:
            findings.fail(f"{name} (seed {seed}): {e}\n" + w.read("rpvd.log")[-4000:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(os.environ.get("RPVD_SEED", "1")))
    parser.add_argument("cases", nargs="*", default=[])
    options = parser.parse_args()
    rig.need("redis-server")
    findings = Findings()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: flood(options.seed, findings) if name == "flood" else run(name, options.seed, findings),
                      options.cases or ["flood", *CASES]))
    findings.end()


if __name__ == "__main__":
    main()
