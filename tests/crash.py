#!/usr/bin/env python3
"""crash: whatever happens at any one call by which rpvd changes the world, the figures are the same.

    crash.py [--every K] [-j N] [--series HOW,...] [--n N]

A small shop lives four days under a driven clock: visits, a rotated log, an order file,
webhooks, a midnight with its new keys, a journal that begins a new file and removes an old one.
Before rpvd's n-th call that writes, syncs, renames, removes or sends something, for each n until a run
has fewer, something happens (crash_calls.c): it is killed, or the host loses power and with it what was
not synced, or the call fails, or a signal comes.  Whatever the provider was not told 200 for
it sends again.  Then rpvd is started once more without that, and every public key must be what an
undisturbed life gives.

--every K: one n of K, another one each day; CRASH_EVERY in the environment does the same.
"""

import argparse
import collections
import concurrent.futures
import glob
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "live"), os.path.join(HERE, "e2e")]
import rig                                                              # noqa: E402
from driver import differences, public_keys                             # noqa: E402

CALLS = os.path.join(rig.BUILD, "tests", "crash_calls.so")
MEMORY = os.path.join(rig.BUILD, "tests", "crash_memory.so")
SANITIZED = bool(os.environ.get("RPVD_SANITIZED"))
DEADLINE = 30.0
DAY = 86400
BASE = 1772409600               # 2026-03-02
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SECRET = rig.SECRETS["generic"]
FORMAT = '$remote_addr - - [$time_local] "$request" $status 0 "$http_referer" "$http_user_agent" "$cookie_rpv" $msec'
CONF = """redis {{ url = 'unix:{dir}/redis.sock' }}
webhook {{ listen = 'unix:{dir}/webhook.sock' }}
state_dir = '{dir}/state'
commit_interval = "50ms"
journal_keep = "1d"
site "shop" {{
	hosts = {{"shop.example"}}
	currency = "EUR"
	visitor = {{"cookie:rpv", "ip_ua"}}
	log '{dir}/access.log' {{ format = '{format}' }}
	orders '{dir}/orders.ndjson' {{}}
	token "/thanks*" {{ param = "order" }}
	provider "generic" {{ secret_file = '{dir}/generic.secret' }}
}}
"""
# What undisturbed days come to, computed by hand: the reference must not be wrong itself.
BY_HAND = {
    "rpv:shop:30d:total": {"visits": "6", "orders": "4.0000", "revenue": "140.00", "refunds": "20.00", "sales": "145.00"},
    "rpv:shop:30d:source:news/email": {"visits": "1", "orders": "2.0000", "revenue": "70.00"},
    "rpv:shop:30d:page:/chair": {"visits": "1", "orders": "1.0000", "revenue": "20.00"},
    "rpv:shop:30d:landing:/globe": {"visits": "1", "orders": "1.0000", "revenue": "50.00"},
    "rpv:shop:24h:total": {"visits": "1", "revenue": "0.00"},
}


# All public keys but the status, without the times of writing, in one number: there are hundreds of keys.
DIGEST = """
local keys, sum = redis.call('KEYS', 'rpv:shop:*'), ''
table.sort(keys)
for _, key in ipairs(keys) do
  if key ~= 'rpv:shop:status' then
    local flat, parts = redis.call('TYPE', key).ok == 'zset' and redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') or redis.call('HGETALL', key), {}
    for i = 1, #flat, 2 do
      if flat[i] ~= 'updated' then parts[#parts + 1] = flat[i] .. '=' .. flat[i + 1] end
    end
    table.sort(parts)
    sum = redis.sha1hex(sum .. key .. table.concat(parts, ' '))
  end
end
return sum
"""


class Wrong(Exception):
    """What did not hold."""


def clock_of(day, text):
    h, m, s = (int(x) for x in text.split(":"))
    return BASE + (day - 1) * DAY + 3600 * h + 60 * m + s


class Shop(rig.Rig):
    """One Redis, one shop, lived through again and again."""

    def __init__(self):
        super().__init__("crash")
        self.redis_conn = self.redis()
        self.daemon = None

    # ---- one life -------------------------------------------------------------------

    def begin(self, how, n):
        """Nothing is left of the last life."""
        self.redis_conn("FLUSHALL")
        shutil.rmtree(self.path("state"), ignore_errors=True)
        for path in glob.glob(self.path("*.log*")) + glob.glob(self.path("crash*")):
            if not path.endswith("/redis.log"):
                os.unlink(path)
        os.mkdir(self.path("state"))
        for name, text in (("clock", "0"), ("orders.ndjson", ""), ("access.log", ""), ("generic.secret", SECRET + "\n"),
                           ("rpvd.conf", CONF.format(dir=self.dir, format=FORMAT)),
                           ("bad.conf", CONF.format(dir=self.dir, format=FORMAT) + "session_timeout = \"30x\"\n")):
            self.write(name, text)
        self.told = 0
        self.seq = None
        self.how, self.was, self.n = how, how, n
        self.met_before = None          # of met(), some time before the end
        self.disturbed = self.stopped = False           # it came to the n-th call, and rpvd ended
        self.clock(clock_of(1, "23:49:00"))
        self.start_rpvd(how, n)

    def start_rpvd(self, how=None, n=0):
        env = None
        if how == "memory":
            env = {"LD_PRELOAD": MEMORY, "CRASH_MEMORY": str(n), "CRASH_LOG": self.path("crash.txt")}
        elif how is not None:
            env = {"LD_PRELOAD": CALLS, "CRASH": f"{how} {n}", "CRASH_LOG": self.path("crash.txt"), "CRASH_DIR": self.path("state"),
                   "CRASH_BAD": self.path("bad.conf"), "CRASH_CONF": self.path("rpvd.conf")}
        with open(self.path("rpvd.log"), "ab") as out:
            self.daemon = subprocess.Popen([rig.RPVD, "-c", self.path("rpvd.conf"), "--clock", self.path("clock")], stdout=out,
                                           stderr=out, stdin=subprocess.DEVNULL, cwd=self.dir, env={**os.environ, **(env or {})})
        self.children.append(self.daemon)

    def alive(self):
        return self.daemon is not None and self.daemon.poll() is None

    def ended(self):
        """Looks how it ended, if it did; True where it did."""
        if self.daemon is None or self.alive():
            return self.daemon is None
        code, self.daemon = self.daemon.returncode, None
        # What fails before it has begun is told to whoever starts it: 1, or 2 where it is the configuration.
        # libConfuse does not look what it gets: for want of memory it ends while it reads the configuration.
        want = {"term": {0}, "fail": {1}, "memory": {-signal.SIGABRT, 1, 2}}.get(self.how, {-signal.SIGKILL})
        if self.how == "memory" and self.read("rpvd.log") == "":
            want.add(-signal.SIGSEGV)
        if self.disturbed or code not in want:
            raise Wrong(f"rpvd ended with {code}")
        self.disturbed = True
        self.stopped = code not in (0, -signal.SIGSEGV)
        return True

    def kill(self):
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
        self.daemon = None

    def clock(self, t):
        self.now = t
        fd = os.open(self.path("clock"), os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(fd, b"%d" % (t * 1000), 0)
        os.close(fd)

    def hit(self, t, target, visitor="-", ip="192.0.2.1", referrer="-", file="access.log"):
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(t))
        self.append(file, f'{ip} - - [{stamp}] "GET {target} HTTP/1.1" 200 0 "{referrer}" "{AGENT}" "{visitor}" {t}.000\n')

    def event(self, t, kind, **fields):
        self.told += 1
        what = "refund" if kind == "refunded" else "order"
        return {"id": f"evt_{self.told}", "time": rig.rfc3339(t), "type": "order." + kind, what: {"currency": "EUR", **fields}}

    def hook(self, t, kind, **fields):
        """Sent until it is answered 200, by whichever rpvd."""
        event = self.event(t, kind, **fields)
        body = rig.as_json(event)
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if self.ended():
                self.start_rpvd()
            try:
                status = rig.send(self.path("webhook.sock"), "POST", "/hooks/generic", rig.sign_generic(SECRET, body, self.now, event["id"]), body)
                if status == 200:
                    return
                if status != 503:
                    raise Wrong(f"webhook {event['id']} answered {status}")
            except (OSError, rig.http.client.HTTPException):
                time.sleep(0.005)
        raise Wrong(f"webhook {event['id']} is not answered")

    def pace(self, look=None):
        """Lets the disturbed rpvd come so far; afterwards there is nothing to wait for."""
        end = time.monotonic() + (3.0 if look else 0.4)
        while self.alive() and not self.disturbed and time.monotonic() < end:
            if look is not None and look():
                return
            seq = self.redis_conn("HGET", "rpvd:{shop.0}:meta", "seq") if look is None else self.seq
            if seq != self.seq:
                self.seq = seq
                return
            time.sleep(0.005)

    def has_begun(self):
        if self.ended():
            self.start_rpvd()
        return self.redis_conn("HGET", "rpvd:{shop.0}:meta", "seq") not in (None, "0")

    # ---- what happens to the shop -------------------------------------------------------

    def first_day(self):
        at = lambda text: clock_of(1, text)                             # noqa: E731
        self.hit(at("23:50:00"), "/lamp?utm_source=news&utm_medium=email", "a")
        self.hit(at("23:50:10"), "/chair", ip="192.0.2.7")
        self.clock(at("23:50:30"))
        self.pace()
        self.hook(at("23:51:00"), "paid", id="o1", total="80.00", visitor="a")
        self.hit(at("23:52:00"), "/cart", "a")
        self.clock(at("23:52:00"))
        self.pace()
        self.append("orders.ndjson", rig.as_json(self.event(at("23:52:30"), "paid", id="o3", total="10.00", visitor="a")) + b"\n")
        self.hook(at("23:53:00"), "paid", id="o2", total="20.00", ip="192.0.2.7", user_agent=AGENT)
        self.clock(at("23:55:00"))
        self.pace()

    def rotation(self):
        at = lambda text: clock_of(1, text)                             # noqa: E731
        # A log is followed from the first commit on.
        if rig.until(self.has_begun, DEADLINE) is None:
            raise Wrong("it commits nothing")
        # Who looks on takes a second to go on from a file that was renamed.  So others are away, and it is
        # compressed when they come back.
        if self.disturbed:
            self.kill()
        os.rename(self.path("access.log"), self.path("access.log.1"))
        self.hit(at("23:56:00"), "/late", "f", file="access.log.1")
        if self.disturbed:
            with open(self.path("access.log.1"), "rb") as f, gzip.open(self.path("access.log.1.gz"), "wb") as out:
                out.write(f.read())
            os.unlink(self.path("access.log.1"))
        self.hit(at("23:57:00"), "/globe", "c", referrer="https://www.google.com/")
        self.hit(at("23:58:30"), "/thanks?order=t4", "c")
        self.pace(lambda: self.redis_conn("EXISTS", "rpv:shop:30d:page:/thanks"))
        self.hook(at("23:58:00"), "paid", id="o4", total="50.00", token="t4")
        self.clock(at("23:59:30"))
        self.pace()

    def midnight(self):
        at = lambda text: clock_of(2, text)                             # noqa: E731
        self.hit(at("00:06:00"), "/table", ip="192.0.2.7")              # by yesterday's key still the same visit
        self.hit(at("00:07:00"), "/table", ip="192.0.2.8")
        self.hook(at("00:08:00"), "refunded", id="r1", order_id="o1", amount="20.00")
        self.clock(at("00:10:00"))
        self.pace()

    def later(self):
        """A new file of the journal, yesterday's key forgotten; then the first file removed."""
        self.met_before = self.met()
        self.clock(clock_of(4, "00:30:00"))
        self.pace(lambda: len(glob.glob(self.path("state/journal/*.log"))) == 2)
        self.hook(clock_of(4, "00:31:00"), "paid", id="o5", total="5.00")
        self.clock(clock_of(4, "00:32:00"))
        self.pace()
        self.hit(clock_of(5, "00:30:00"), "/again", "d")
        self.clock(clock_of(5, "00:30:10"))
        self.pace(lambda: not os.path.exists(self.path("state/journal/00000000000000000001.log")))

    def live(self, how, n):
        self.begin(how, n)
        for part in (self.first_day, self.rotation, self.midnight, self.later):
            part()
        self.stop()

    def stop(self):
        self.ended()
        if self.daemon is None:
            return
        rig.until(lambda: not self.alive() or rig.hook_up(self.path("webhook.sock")), DEADLINE)
        begun = time.monotonic()
        self.daemon.send_signal(signal.SIGTERM)
        try:
            self.daemon.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise Wrong("SIGTERM: it does not end") from None
        took = time.monotonic() - begun
        self.how = "term" if self.daemon.returncode == 0 else self.how
        if self.how == "term" and took > (20 if SANITIZED else 5):
            raise Wrong(f"SIGTERM: it took {took:.1f} s")
        self.disturbed = False
        self.ended()

    def by_hand(self):
        got = self.dump()
        return {key: {f: got.get(key, {}).get(f) for f in fields} for key, fields in BY_HAND.items()}

    def digest(self):
        return self.redis_conn("EVAL", DIGEST, 0)

    def dump(self):
        return public_keys(self.redis_conn, "shop")

    def finish(self, want):
        """One more start, undisturbed: from what is there the same figures come.  What was published before may
        be all of them already, so that one window, to which the last line belongs, is taken away."""
        self.redis_conn("EVAL", "for _, key in ipairs(redis.call('KEYS', 'rpv:shop:1h:*')) do redis.call('DEL', key) end", 0)
        self.write("rpvd.conf", CONF.format(dir=self.dir, format=FORMAT))
        self.start_rpvd()
        self.how = "last"
        if rig.until(lambda: not self.alive() or self.digest() == want.digest, DEADLINE, 0.03) is None or not self.alive():
            raise Wrong("\n  ".join(["the figures differ:", *differences(want.keys, self.dump()), str(self.redis_conn.hash("rpv:shop:status"))]))
        self.how = "term"
        self.stop()
        if self.digest() != want.digest:
            raise Wrong("\n  ".join(["the figures differ after the end:", *differences(want.keys, self.dump())]))
        said = self.read("rpvd.log")
        for word in ("AddressSanitizer", "runtime error:", "must("):
            if word in said:
                raise Wrong("it said: " + said[said.index(word) - 200:][:2000])

    def disturb(self, how, n, want):
        """What was met, "write .../journal/..1.log"; None where the run has no n-th call."""
        self.live(how, n)
        met = self.met()
        self.finish(want)
        check = CHECKS.get(how)
        if met and check:
            check(self)
        return met

    def met(self):
        return next((line.split(" ", 2)[2] for line in self.read("crash.txt").splitlines() if line.startswith(f"{self.was} {self.n} ")), None)

    def counted(self, word):
        """So many calls in a whole life."""
        return next(int(line.split()[1]) for line in self.read("crash.txt").splitlines() if line.startswith(word + " "))


# ---- series --------------------------------------------------------------------------------

def check_said(text):
    """Where there was time for it before the end."""
    def look(shop):
        if shop.met_before and text not in shop.read("rpvd.log"):
            raise Wrong(f"it did not say: {text}")
    return look


def check_memory(shop):
    """A stop has its sentence; a library that copes goes on.  Those that would not ask rpvd for their memory."""
    said, log = shop.read("rpvd.log"), shop.read("crash.txt").split("\n")
    if not any(re.match(r"ranges \d+ [2-9]", line) for line in log):
        raise Wrong("libevent and jansson were not found: " + log[0])
    if any(line.startswith("theirs ") for line in log):
        raise Wrong("libevent or jansson asks for memory by itself, and rpvd would not know that it gets none")
    if shop.stopped and "emory" not in said:
        raise Wrong("it ended without a sentence: " + said[-500:])


CHECKS = {"hup": check_said("configuration reloaded"), "badhup": check_said("configuration not reloaded, the old one stays"),
          "memory": check_memory}
# (how, one n of so many): each call for those that end it, and power lost; a sample of the rest.
# CRASH_ALL: each of all, which takes hours.
SERIES = (("before", 1), ("power", 1), ("torn", 1), ("after", 3), ("fail", 3), ("short", 5), ("hup", 7), ("badhup", 20), ("term", 7), ("memory", 500))


class Series:
    """Numbers for the workers, until one finds that there are no more."""

    def __init__(self, how, step, offset, expected):
        self.how, self.step, self.expected = how, min(step, expected // 4), expected
        self.next = 1 + offset % self.step
        self.searching = False          # someone looks whether there is a call beyond those expected
        self.ended = False              # there was none
        self.lock = threading.Lock()
        self.met = collections.Counter()
        self.lives = 0

    def take(self):
        with self.lock:
            if self.next > self.expected:
                if self.ended or self.searching:
                    return None
                self.searching = True
            n, self.next = self.next, self.next + self.step
            return n

    def result(self, n, met):
        with self.lock:
            self.lives += 1
            if n > self.expected:
                self.searching = False
                self.ended = met is None
            if met is not None:
                self.met[kind_of(self.how, met)] += 1


def kind_of(how, met):
    if how == "memory":
        return "requests"
    call, path = met.split(" ", 1)
    name = os.path.basename(path)
    return f"{call} {'journal' if name.endswith('.log') else 'socket' if 'socket:' in path else name.removesuffix('.new')}"


def work(todo, want, findings):
    with Shop() as shop:
        for series in todo:
            while (n := series.take()) is not None and findings.n < 10:
                try:
                    series.result(n, shop.disturb(series.how, n, want))
                except Exception as why:                                # pylint: disable=broad-except
                    findings.fail(f"{series.how} {n} ({shop.met()}): {type(why).__name__}: {why}\n" + shop.read("rpvd.log")[-1500:])
                    shop.kill()
                    series.result(n, shop.met())


Reference = collections.namedtuple("Reference", "keys digest calls writes")


def reference(findings):
    with Shop() as shop:
        shop.live("count", 0)
        shop.start_rpvd()
        rig.until(lambda: shop.by_hand() == BY_HAND, DEADLINE, 0.05)
        findings.equal(shop.by_hand(), BY_HAND, "an undisturbed life")
        shop.stop()
        want = Reference(shop.dump(), shop.digest(), shop.counted("calls"), shop.counted("writes"))
        shop.finish(want)
        return want


def requests(want):
    """For memory, in a whole life."""
    with Shop() as shop:
        shop.live("memory", 0)
        shop.finish(want)
        check_memory(shop)
        return shop.counted("calls")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=int(os.environ.get("CRASH_EVERY", "1")))
    parser.add_argument("-j", type=int, default=28)
    parser.add_argument("--series", default="")
    parser.add_argument("--n", type=int)
    options = parser.parse_args()
    rig.need("redis-server")
    findings = rig.Findings()
    begun = time.monotonic()
    want = reference(findings)
    if findings.n:
        findings.end()
    if options.n:
        with Shop() as shop:
            print(shop.disturb(options.series, options.n, want))
        return
    today = int(time.time()) // DAY
    wanted = options.series.split(",") if options.series else [how for how, _ in SERIES if not SANITIZED or how != "memory"]
    expected = {"torn": want.writes, "short": want.writes, "memory": requests(want) if "memory" in wanted else 0}
    every_one = bool(os.environ.get("CRASH_ALL"))
    todo = [Series(how, 1 if every_one else step * options.every, today, expected.get(how, want.calls)) for how, step in SERIES if how in wanted]
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        list(pool.map(lambda _: work(todo, want, findings), range(options.j)))
    for series in todo:
        print(f"{series.how}: {series.lives} lives; " + ", ".join(f"{n} {what}" for what, n in sorted(series.met.items())), flush=True)
        findings.check(series.met, f"{series.how}: nothing happened")
    print(f"{time.monotonic() - begun:.1f} s")
    findings.end()


if __name__ == "__main__":
    main()
