#!/usr/bin/env python3
"""flood: a shop under attack keeps its figures, and rpvd its memory.

make-flood writes a log of which nineteen of twenty lines are made up, and says what it has
to come to.  It is replayed, and the daemon reads it while signed webhooks with order ids of
their own come in, a hundred lines a second.  RPVD_FLOOD: how many lines (120000); ten million take a
quarter of an hour, as much disk as 300 bytes each, and a Redis of more than a gigabyte.
"""

import os
import resource
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["abs_srcdir"], "tests", "e2e"))
import rig
from rig import Findings, Rig, until

LINES = int(os.environ.get("RPVD_FLOOD", "120000"))
MAX_SERIES = 1000
MEMORY = 64 << 20
MEMORY_OF_KEY = 1024            # rpvd(8), WHAT BOUNDS MEMORY: about what a public key takes of Redis at most
MEMORY_OF_ORDER = 1024         # of the shop's own: its record, its places in the lists
HISTORY = 64 << 20 if LINES <= 400000 else 2 << 30      # below four fifths of it all is kept, and every figure exact
WINDOWS, MODELS = 4, 6
FORMAT = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $msec "$cookie_rpv"'

CONF = """redis {{ url = "unix:{dir}/{redis}.sock" }}
webhook {{ listen = "unix:{dir}/hook.sock" }}
state_dir = "{dir}/state-{redis}"
memory_limit = {memory}
site "shop" {{
	hosts = {{"shop.example"}}
	currency = "EUR"
	visitor = {{"cookie:rpv", "ip_ua"}}
	max_series = {max_series}
	history_limit = {history}
	log '{dir}/{log}' {{ format = '{format}' }}
	token "/checkout/thanks*" {{ param = "order" }}
	{more}
}}
"""


class Facts:
    def __init__(self, path):
        self.rows = {}
        for line in open(path):
            dim, name, visits, cents = line.split()
            self.rows.setdefault(dim, []).append((name, int(visits), int(cents)))

    def one(self, dim):
        return self.rows[dim][0]

    def top(self, dim, n):
        return sorted(self.rows[dim], key=lambda row: -row[2])[:n]


def is_sanitized():
    with open(rig.RPVD, "rb") as f:
        return b"__asan_init" in f.read()


def cents(text):
    whole, part = text.split(".")
    return int(whole) * 100 + int(part)


def flood(r, name, lines, begin_ms):
    make = os.path.join(os.environ["abs_builddir"], "tests", "flood", "make-flood")
    subprocess.run([make, str(lines), str(begin_ms), str(max(20, lines // 6000)), r.path(name + ".log"), r.path(name + ".ndjson"), r.path(name + ".facts")], check=True)
    return Facts(r.path(name + ".facts"))


def members(redis, key):
    flat = redis("ZRANGE", key, 0, -1, "WITHSCORES")
    return dict(zip(flat[0::2], flat[1::2]))


def expect_figures(f, redis, facts, what):
    total = redis.hash("rpv:shop:30d:total")
    _, visits, revenue = facts.one("total")
    f.equal(int(total["visits"]), visits, f"{what}: visits")
    f.equal(cents(total["revenue"]), revenue, f"{what}: revenue")
    f.equal(cents(total["unattributed"]), facts.one("unattributed")[2], f"{what}: unattributed")
    f.equal(int(total["sales_orders"]), facts.one("unattributed")[1], f"{what}: orders")
    for dim in ("source", "landing", "campaign"):
        by_visits = members(redis, f"rpv:shop:30d:{dim}@visits")
        f.check("(other)" in by_visits, f"{what}: {dim} has no (other)")
        f.equal(sum(int(float(n)) for n in by_visits.values()), visits, f"{what}: visits of all {dim}, (other) too")
        f.equal(sum(round(float(n) * 100) for n in members(redis, f"rpv:shop:30d:{dim}").values()), revenue, f"{what}: revenue of all {dim}")
        f.check(len(by_visits) <= MAX_SERIES + 1, f"{what}: {len(by_visits)} series of {dim}")
    for dim in ("source", "landing"):
        top = facts.top(dim, 5)
        f.equal(redis("ZREVRANGE", f"rpv:shop:30d:{dim}", 0, 4), [row[0] for row in top], f"{what}: the first of {dim}")
        for name, _, revenue in top:
            f.equal(cents(redis.hash(f"rpv:shop:30d:{dim}:{name}")["revenue"]), revenue, f"{what}: {dim} {name}")


def expect_bounds(f, redis, lines, peak_kb, what):
    status = redis.hash("rpv:shop:status")
    full = WINDOWS * (2 + 2 * MODELS) * (MAX_SERIES + 1)        # landing, page; source, campaign
    public = sum(1 for key in redis("KEYS", "rpv:*"))
    memory = int(next(line.split(":")[1] for line in redis("INFO", "memory").splitlines() if line.startswith("used_memory:")))
    print(f"{what}: {lines} lines, rpvd's peak {peak_kb >> 10} MB of {MEMORY >> 20} MB, {public} public keys, Redis {memory >> 20} MB; " +
          " ".join(f"{name}={status.get(name)}" for name in ("visits_early", "visits_unkept", "pages_over", "series_merged")))
    f.check(public <= full + WINDOWS * 500, f"{what}: {public} public keys")
    bound = full * MEMORY_OF_KEY + HISTORY + int(status["orders"]) * MEMORY_OF_ORDER
    f.check(memory <= bound, f"{what}: Redis takes {memory} bytes of {bound}")
    if not is_sanitized():
        f.check(peak_kb * 1024 <= MEMORY, f"{what}: rpvd took {peak_kb} KB")
    for name in ("visits_early", "series_merged", "pages_over"):
        f.check(int(status.get(name, 0)) > 0, f"{what}: {name} is {status.get(name)}: there was no pressure")


def replay(r, f):
    facts = flood(r, "replay", LINES, 1772409600000)
    redis = r.redis("replay")
    conf = r.write("replay.conf", CONF.format(dir=r.dir, redis="replay", log="replay.log", memory=MEMORY, max_series=MAX_SERIES, history=HISTORY, format=FORMAT,
                                              more=f"orders '{r.path('replay.ndjson')}' {{}}"))
    # What asks for more than the limit gets no memory, and would end.
    limit = "" if is_sanitized() else f"ulimit -d {(MEMORY >> 10) + 16384} && "
    child = r.start(["sh", "-c", limit + 'exec "$0" -c "$1" --replay', rig.RPVD, conf], "replay.out")
    if not f.equal(child.wait(), 0, "rpvd --replay ends: " + r.read("replay.out")):
        return
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    expect_figures(f, redis, facts, "replay")
    expect_bounds(f, redis, LINES, peak_kb, "replay")


def post(r, f, bodies):
    for n, body in bodies:
        status = rig.send(r.path("hook.sock"), "POST", "/hooks/generic", rig.sign_generic(rig.SECRETS["generic"], body, int(time.time()), f"evt_{n}"), body)
        if status != 200:
            f.fail(f"webhook {n}: answered {status}")


def live(r, f):
    lines = min(LINES, 60000)
    facts = flood(r, "live", lines, (int(time.time()) - 21 * 60) * 1000)
    secret = r.write("secret", rig.SECRETS["generic"] + "\n", 0o600)
    conf = r.write("live.conf", CONF.format(dir=r.dir, redis="live", log="live.log", memory=MEMORY, max_series=MAX_SERIES, history=HISTORY, format=FORMAT,
                                            more=f"provider \"generic\" {{ secret_file = '{secret}' }}"))
    redis = r.redis("live")
    child = r.rpvd(conf)
    f.check(until(lambda: rig.hook_up(r.path("hook.sock")), 20) is not None, "rpvd does not listen")
    bodies = list(enumerate(open(r.path("live.ndjson"), "rb").read().splitlines()))
    posters = [threading.Thread(target=post, args=(r, f, bodies[i::4])) for i in range(4)]
    for poster in posters:
        poster.start()
    for poster in posters:
        poster.join()

    def done():
        status, total = redis.hash("rpv:shop:status"), redis.hash("rpv:shop:30d:total")
        return (int(status.get("pageviews", 0)) == lines and int(status.get("events", 0)) == len(bodies) and status.get("state") == "live" and
                int(total.get("visits", 0)) == facts.one("total")[1] and cents(total.get("revenue", "0.00")) == facts.one("total")[2])
    f.check(until(done, 120, 0.2) is not None, f"live: not there after two minutes: {redis.hash('rpv:shop:status')}")
    with open(f"/proc/{child.pid}/status") as status:
        peak_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    child.terminate()
    f.equal(child.wait(30), 0, "rpvd ends: " + r.read("rpvd.log"))
    expect_figures(f, redis, facts, "live")
    expect_bounds(f, redis, lines, peak_kb, "live")


def main():
    rig.need("redis-server")
    f = Findings()
    with Rig("flood") as r:
        replay(r, f)
        live(r, f)
    f.end()


main()
