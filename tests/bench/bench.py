#!/usr/bin/env python3
"""bench: how fast, how large, how soon; beside wc -l and GoAccess in the same run.

	bench.py [--lines N] [--most N] [--only PART[,PART...]] [--keep FILE]

Finds the programs in $abs_builddir (make bench sets it); needs redis-server.  Times are the
medians of three runs, CPU seconds those of rpvd and of its Redis; quote the ratios, since the
machine decides the rest.  --lines: of the main case (2,000,000).  --most: of the longest log of
the curve (10,000,000; 100,000,000 takes forty gigabytes of disk and some minutes).  --keep: the
table goes into that file as well, with the machine it was measured on.  Parts: main, formats,
lines, pages, live, hooks, rest.  --guard: a small case alone, which fails where a bound is passed (tests/speed.sh).
"""

import argparse
import base64
import hashlib
import hmac
import os
import platform
import random
import resource
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("abs_builddir", ".")
RPVD = os.environ.get("RPVD", BUILD + "/src/rpvd")
MAKE_LOG = BUILD + "/tests/bench/make-log"
OWN = ('$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
       ' $msec "$cookie_rpv"')
# What make-log can write, and what rpvd calls it.  One more is a row here and one there.
FORMATS = {"combined": "combined", "common": "common", "vhost_combined": "vhost_combined", "traefik": "traefik", "json": "json",
           "caddy": "caddy", "ltsv": "ltsv", "rpvd": OWN}
FORMAT_LINES = 500_000
GOACCESS = ["--no-progress", "--log-format=%h - - [%d:%t %^] \"%r\" %s %b \"%R\" \"%u\" %^", "--date-format=%d/%b/%Y", "--time-format=%T"]
PAGES = (10, 1_000, 100_000, 1_000_000)
LIVE_LINES, LIVE_SECONDS = 20_000, 20       # a second; so long
HOOKS, HOOK_SECONDS, HOOKS_AT_ONCE = 2_000, 10, 100
REST_SECONDS = 20
SECRET = b"a secret for the benchmark alone"
RUNS = 3

CONF = """redis {{ url = "unix:{dir}/redis.sock" }}
webhook {{ listen = "unix:{dir}/hook.sock" }}
state_dir = "{dir}/state"
site "shop" {{
	hosts = {{"shop.example"}}
	currency = "EUR"
	visitor = {{{visitor}}}
	log "{dir}/access.log" {{ format = '{format}' }}
	orders "{dir}/orders.ndjson" {{}}
	token "/checkout/thanks*" {{ param = "order" }}
	provider "generic" {{ path = "/hooks/generic"  secret_file = "{dir}/secret" }}
}}
"""


class Table:
    """What is said, line by line; and once more at the end, for the file."""

    def __init__(self):
        self.lines = []

    def head(self, text, *columns):
        self.say("")
        self.say(f"{text:34}" + "".join(f"{c:>13}" for c in columns))

    def row(self, name, *cells):
        self.say(f"  {name:32}" + "".join(f"{c:>13}" for c in cells))

    def say(self, text):
        print(text, flush=True)
        self.lines.append(text)


class Place:
    """A directory with a Redis of its own."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rpvd-bench-")
        self.server = None

    def __enter__(self):
        self.redis_start()
        return self

    def __exit__(self, *unused):
        self.redis_stop()
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def redis_start(self):
        with open(self.path("redis.log"), "ab") as log:
            self.server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.path("redis.sock"), "--save", "",
                                            "--appendonly", "no", "--dir", self.dir], stdout=log)
        while self.cli("PING") != "PONG":
            time.sleep(0.02)

    def redis_stop(self):
        self.server.terminate()
        self.server.wait()

    def cli(self, *argv):
        done = subprocess.run(["redis-cli", "-s", self.path("redis.sock"), *argv], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def info(self, section, *fields):
        said = dict(line.split(":", 1) for line in self.cli("INFO", section).splitlines() if ":" in line)
        return sum(float(said[f]) for f in fields)

    def redis_cpu(self):
        return self.info("cpu", "used_cpu_sys", "used_cpu_user")

    def empty(self):
        """A new Redis: one that was full keeps its pages."""
        self.redis_stop()
        self.redis_start()
        shutil.rmtree(self.path("state"), ignore_errors=True)

    def make_log(self, lines, form="rpvd", *pages):
        subprocess.run([MAKE_LOG, str(lines), "1", self.path("access.log"), self.path("orders.ndjson"), form, *map(str, pages)],
                       check=True, stdout=subprocess.DEVNULL)
        with open(self.path("access.log"), "rb") as f:        # into the cache, as it would be for the second run
            while f.read(1 << 24):
                pass

    def configure(self, form=OWN, visitor='"cookie:rpv", "ip_ua"'):
        with open(self.path("rpvd.conf"), "w", encoding="utf-8") as f:
            f.write(CONF.format(dir=self.dir, format=form, visitor=visitor))
        with open(self.path("secret"), "wb") as f:
            f.write(b"whsec_" + base64.b64encode(SECRET))
        os.chmod(self.path("secret"), 0o600)


def timed(argv):
    """Wall seconds, CPU seconds, peak in bytes, exit code."""
    begun = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"bench: {argv[0]} failed: {said.decode(errors='replace')[-400:]}")
    return time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


class Replay:
    """The medians of some replays of the place's log."""

    def __init__(self, place, lines, runs=RUNS):
        seconds, cpu, redis_cpu, peak = [], [], [], []
        for _ in range(runs):
            place.empty()
            before, memory = place.redis_cpu(), place.info("memory", "used_memory")
            s, c, p = timed([RPVD, "-c", place.path("rpvd.conf"), "--replay"])
            seconds.append(s)
            cpu.append(c)
            peak.append(p)
            redis_cpu.append(place.redis_cpu() - before)
            self.redis_bytes = place.info("memory", "used_memory") - memory
        self.lines = lines
        self.seconds, self.cpu, self.redis_cpu = map(statistics.median, (seconds, cpu, redis_cpu))
        self.peak = max(peak)
        self.visits = int(place.cli("HGET", "rpv:shop:status", "visits") or 0)
        self.orders = int(float(place.cli("HGET", "rpv:shop:30d:total", "sales_orders") or 0))

    def cpu_a_line(self):
        return (self.cpu + self.redis_cpu) / self.lines

    def cells(self):
        return (f"{self.seconds:.2f} s", f"{self.lines / self.seconds:,.0f}", f"{1e9 * self.cpu_a_line():,.0f} ns",
                f"{self.peak / 2**20:.0f} MB")


COLUMNS = ("time", "lines/s", "CPU a line", "peak")


def count_lines(path):
    with open(path, "rb") as f:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: f.read(1 << 24), b""))


def visit_bytes(place):
    """What Redis has of visits that are over, with everything that belongs to a key; from every 16th one."""
    total = 0
    names = place.cli("--scan", "--pattern", "rpvd:{shop.0}:[va]:*").split()
    some = names[::16]
    with subprocess.Popen(["redis-cli", "-s", place.path("redis.sock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as cli:
        said, _ = cli.communicate("".join(f"MEMORY USAGE {name}\n" for name in some))
    total = sum(int(n) for n in said.split() if n.isdigit())
    return total * len(names) / max(len(some), 1)


def main_case(place, table, lines):
    place.make_log(lines)
    place.configure()
    lines = count_lines(place.path("access.log"))
    wc = statistics.median(timed(["wc", "-l", place.path("access.log")])[0] for _ in range(RUNS))
    r = Replay(place, lines)
    table.head(f"{lines:,} lines, {r.orders:,} orders", *COLUMNS)
    table.row("wc -l", f"{wc:.3f} s", f"{lines / wc:,.0f}", "", "")
    table.row("rpvd --replay", *r.cells())
    table.row("of that CPU: rpvd, redis-server", f"{r.cpu:.2f} s", f"{r.redis_cpu:.2f} s")
    if shutil.which("goaccess"):
        s, c, p = timed(["goaccess", place.path("access.log"), *GOACCESS, "-o", place.path("report.json")])
        table.row("goaccess, report", f"{s:.2f} s", f"{lines / s:,.0f}", f"{1e9 * c / lines:,.0f} ns", f"{p / 2**20:.0f} MB")
        table.say(f"  rpvd is {s / r.seconds:.1f} times as fast as goaccess ({c / r.lines / r.cpu_a_line():.1f} times by CPU seconds, its Redis "
                  f"included), and takes {r.seconds / wc:.1f} times as long as wc -l")
    else:
        table.say(f"  rpvd takes {r.seconds / wc:.1f} times as long as wc -l; goaccess is not installed")
    table.say(f"  {r.visits:,} visits; Redis: {visit_bytes(place) / max(r.visits, 1):.0f} bytes a visit, "
              f"{r.redis_bytes / max(r.visits, 1):.0f} with orders, customers and all figures")


def formats(place, table, _):
    table.head(f"formats, {FORMAT_LINES:,} lines", *COLUMNS, "speed by CPU")
    first = None
    for name, form in FORMATS.items():
        place.make_log(FORMAT_LINES, name)
        place.configure(form, '"cookie:rpv", "ip_ua"' if name == "rpvd" else '"ip_ua"')
        if subprocess.run([RPVD, "-t", "-c", place.path("rpvd.conf")], capture_output=True, check=False).returncode != 0:
            table.row(name, "refused: it tells no visitors apart")
            continue
        r = Replay(place, count_lines(place.path("access.log")))
        first = first or r.cpu_a_line()
        table.row(name, *r.cells(), f"{first / r.cpu_a_line():.2f}")


def lines_curve(place, table, most):
    table.head("lines", *COLUMNS)
    n = 100_000
    while n <= most:
        place.make_log(n)
        place.configure()
        table.row(f"{n:,}", *Replay(place, count_lines(place.path("access.log")), RUNS if n <= 1_000_000 else 1).cells())
        n *= 10


def pages_curve(place, table, _):
    table.head("pages, 1,000,000 lines", *COLUMNS)
    for pages in PAGES:
        place.make_log(1_000_000, "rpvd", pages)
        place.configure()
        table.row(f"{pages:,}", *Replay(place, count_lines(place.path("access.log"))).cells())


# ---- a daemon at work ----------------------------------------------------------------


class Daemon:
    """rpvd with a log, an order file and a webhook listener; begins with an empty log."""

    def __init__(self, place):
        self.place = place
        place.empty()
        place.configure()
        for name in ("access.log", "orders.ndjson"):
            with open(place.path(name), "w", encoding="utf-8"):
                pass

    def __enter__(self):
        with open(self.place.path("rpvd.log"), "wb") as log:
            self.rpvd = subprocess.Popen([RPVD, "-c", self.place.path("rpvd.conf")], stdout=log, stderr=log)
        while self.place.cli("HGET", "rpv:shop:status", "state") != "live":
            if self.rpvd.poll() is not None:
                raise SystemExit("bench: rpvd does not start: " + self.said())
            time.sleep(0.05)
        return self

    def __exit__(self, *unused):
        self.rpvd.terminate()
        self.rpvd.wait()

    def said(self):
        with open(self.place.path("rpvd.log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-400:]

    def cpu(self):
        with open(f"/proc/{self.rpvd.pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e9

    def memory(self):
        with open(f"/proc/{self.rpvd.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p))]


def tell(table, name, seconds, more=""):
    table.row(name, *(f"{1000 * percentile(seconds, p):.1f} ms" for p in (0.5, 0.99)), f"{1000 * max(seconds):.1f} ms", more)


class Watcher(threading.Thread):
    """When keys that are waited for are first written: Redis tells, so that nobody has to ask again and again."""

    def __init__(self, place):
        super().__init__(daemon=True)
        place.cli("CONFIG", "SET", "notify-keyspace-events", "Kh")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(place.path("redis.sock"))
        self.sock.sendall(b"PSUBSCRIBE __keyspace@0__:rpv:shop:1h:landing:/marker-*\r\n")
        self.seen = {}

    def run(self):
        rest = b""
        while True:
            got = self.sock.recv(1 << 16)
            now = time.monotonic()
            if not got:
                return
            *whole, rest = (rest + got).split(b"\r\n")
            for word in whole:
                if b"landing:/marker-" in word and not word.startswith(b"__keyspace@0__:rpv:shop:1h:landing:/marker-*"):
                    self.seen.setdefault(int(word.rsplit(b"-", 1)[1]), now)


AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"


def live_line(now, who, page):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
    return f'192.0.2.{who % 250} - - [{stamp}] "GET {page} HTTP/1.1" 200 512 "-" "{AGENT}" {now:.3f} "v{who}"\n'


def live(place, table, _):
    """Every tick some hundred lines, now and then one by somebody new on a page of its own."""
    written, tick = {}, 0.02
    with Daemon(place) as d, open(place.path("access.log"), "a", encoding="ascii") as log:
        watcher = Watcher(place)
        watcher.start()
        cpu, begun = d.cpu(), time.monotonic()
        for k in range(int(LIVE_SECONDS / tick)):
            now = time.time()
            batch = [live_line(now, random.randrange(20_000), f"/p/{i % 50}") for i in range(int(LIVE_LINES * tick))]
            if k % 5 == 0:
                batch.insert(random.randrange(len(batch)), live_line(now, 1_000_000 + k, f"/marker-{k}"))
            log.write("".join(batch))
            log.flush()
            if k % 5 == 0:
                written[k] = time.monotonic()
            time.sleep(max(0, begun + (k + 1) * tick - time.monotonic()))
        cpu = (d.cpu() - cpu) / (time.monotonic() - begun)
        until = time.monotonic() + 10
        while len(watcher.seen) < len(written) and time.monotonic() < until:
            time.sleep(0.05)
        lost = len(written) - len(watcher.seen)
        table.head("live", "p50", "p99", "most")
        tell(table, f"a line is seen, of {LIVE_LINES:,}/s", [watcher.seen[k] - t for k, t in written.items() if k in watcher.seen],
             f"{100 * cpu:.0f} % CPU" + (f", {lost} NOT SEEN" if lost else ""))


def webhook(n):
    """A whole signed request."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body = (f'{{"id":"evt_{n}","time":"{when}","type":"order.paid","order":{{"id":"{n}","total":"{5 + n % 90}.00","currency":"EUR",'
            f'"customer":"c{n % 1000}"}}}}').encode()
    stamp = str(int(time.time()))
    mac = hmac.new(SECRET, f"evt_{n}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return (f"POST /hooks/generic HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"webhook-id: evt_{n}\r\nwebhook-timestamp: {stamp}\r\nwebhook-signature: v1,{base64.b64encode(mac).decode()}\r\n\r\n").encode() + body


class Caller:
    """Sends at fixed times, whether or not what was sent before is answered; each by a connection of its own."""

    def __init__(self, path, requests):
        self.path, self.requests = path, requests
        self.select = selectors.DefaultSelector()
        self.answers, self.refused, self.sent, self.under_way = [], 0, 0, 0

    def send(self, due):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.path)
        s.sendall(self.requests[self.sent])
        self.select.register(s, selectors.EVENT_READ, due)
        self.sent += 1
        self.under_way += 1

    def take(self, key):
        said = key.fileobj.recv(4096)
        if said.startswith(b"HTTP/1.1 2"):
            self.answers.append(time.monotonic() - key.data)
        else:
            self.refused += 1
        self.select.unregister(key.fileobj)
        key.fileobj.close()
        self.under_way -= 1

    def run(self, per_second):
        begun = time.monotonic()
        while self.sent < len(self.requests) or self.under_way > 0:
            due = begun + self.sent / per_second
            while self.sent < len(self.requests) and due <= time.monotonic() and self.under_way < HOOKS_AT_ONCE:
                self.send(due)
                due = begun + self.sent / per_second
            may_send = self.sent < len(self.requests) and self.under_way < HOOKS_AT_ONCE
            for key, _ in self.select.select(max(0, due - time.monotonic()) if may_send else 1):
                self.take(key)
        return time.monotonic() - begun


def hooks(place, table, _):
    with Daemon(place) as d:
        caller = Caller(place.path("hook.sock"), [webhook(n) for n in range(HOOKS * HOOK_SECONDS)])
        cpu = d.cpu()
        took = caller.run(HOOKS)
        cpu = (d.cpu() - cpu) / took
        table.head("webhooks", "p50", "p99", "most")
        tell(table, f"answered after the sync, at {HOOKS:,}/s", caller.answers,
             f"{100 * cpu:.0f} % CPU" + (f", {caller.refused} REFUSED" if caller.refused else ""))


def rest(place, table, _):
    with Daemon(place) as d:
        time.sleep(2)
        cpu, begun = d.cpu(), time.monotonic()
        time.sleep(REST_SECONDS)
        table.head("at rest", "CPU", "memory")
        table.row("rpvd, nothing to do", f"{100 * (d.cpu() - cpu) / (time.monotonic() - begun):.3f} %", f"{d.memory() / 2**20:.1f} MB")


# ---- bounds that hold on any machine -------------------------------------------------


def guard(place):
    """A tenth of the main case, once.  No bound is a time by the clock; that of CPU seconds is five times what it takes."""
    place.make_log(200_000)
    place.configure()
    r = Replay(place, count_lines(place.path("access.log")), 1)
    names = place.cli("--scan", "--pattern", "rpvd:{shop.0}:[va]:*").split()
    with subprocess.Popen(["redis-cli", "-s", place.path("redis.sock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as cli:
        said, _ = cli.communicate("".join(f"STRLEN {name}\n" for name in names))
    stats = dict(line.split(":", 1) for line in place.cli("INFO", "commandstats").splitlines() if ":" in line)
    appends = int(stats["cmdstat_append"].split(",")[0].split("=")[1])
    bounds = (
        ("memory at its peak, MB", r.peak / 2**20, 64),
        ("bytes of records a visit", sum(map(int, said.split())) / r.visits, 58),
        ("writes to blocks a commit", appends / int(place.cli("HGET", "rpvd:{shop.0}:meta", "seq")), 2 * 4096 + 512),
        ("CPU of rpvd, microseconds a line", 1e6 * r.cpu / r.lines, 6),
        ("CPU of Redis, microseconds a line", 1e6 * r.redis_cpu / r.lines, 3),
    )
    for what, value, bound in bounds:
        print(f"{what}: {value:.2f}, at most {bound}{'' if value <= bound else ': TOO MUCH'}")
    if r.visits < 40_000 or r.orders < 3_000:
        print(f"{r.visits} visits, {r.orders} orders: that cannot be all")
        return 1
    return int(any(value > bound for _, value, bound in bounds))


# ---- all ---------------------------------------------------------------------------


def version(*argv):
    try:
        said = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return (said.stdout + said.stderr).splitlines()[0].strip()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB; Linux {platform.release()}; load average {os.getloadavg()[0]:.1f} before the run",
             version(RPVD, "--version"), version("redis-server", "--version"), version("goaccess", "--version")]
    return [line for line in lines if line]


PARTS = {"main": main_case, "formats": formats, "lines": lines_curve, "pages": pages_curve, "live": live, "hooks": hooks, "rest": rest}

HEAD = """# How fast, how large, how soon

Measured by `make bench`, which writes this file anew.  The log is made up (`tests/bench/make-log.c`): fourteen days of
a shop's visitors, with pages, assets, bots, carts and thank-you pages; an order for sixty lines.  Each replay begins with an
empty Redis and ends when the last figure is published.  Time is by the clock, the median of three runs; CPU is rpvd's and
its Redis' together, per line; peak is the most memory that rpvd held.  By CPU is what counts where the machine had other things to
do: its load average before the run stands below.  A line is seen when its page's public key is written, a webhook is
answered when it is synced to disk, both from the moment they were due.  At rest is a daemon with an empty log, over twenty
seconds.
"""


def keep(path, table):
    with open(path, "w", encoding="utf-8") as f:
        f.write(HEAD + "\n" + time.strftime("%Y-%m-%d", time.gmtime()) + "\n\n```\n" + "\n".join(table.lines) + "\n```\n")


def main():
    parser = argparse.ArgumentParser(description="rpvd's benchmark")
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--most", type=int, default=10_000_000)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--keep")
    parser.add_argument("--guard", action="store_true")
    options = parser.parse_args()
    for tool in ("redis-server", "redis-cli"):
        if not shutil.which(tool):
            raise SystemExit(f"bench: {tool} is missing (Debian: redis-server, redis-tools)")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.guard:
        with Place() as place:
            return guard(place)
    table = Table()
    for line in machine():
        table.say(line)
    with Place() as place:
        for part in options.only.split(","):
            PARTS[part](place, table, options.lines if part == "main" else options.most)
    if options.keep:
        keep(options.keep, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
