#!/usr/bin/env python3
"""logs: whatever a host does to a log, each of its lines is read once.

    logs.py [CASE...]

A case writes lines, each with a number of its own, while the disk fails, handles die,
inotify is at its limits, rpvd is stopped for long, disks fill up, logrotate empties the
file under a writer, hundreds of logs are reloaded.  At the end the counters must be those of
somebody who saw all lines; what is wrong meanwhile must be said in the status.
"""

import concurrent.futures
import glob
import gzip
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

from driver import Findings, Live, program, rig, wait_for

NOW = 1772445600                # 2026-03-02T10:00:00Z, where the clock stands
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
FORMAT = '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
LINE = '192.0.2.%d - - [02/Mar/2026:10:00:00 +0000] "GET /p/%07d HTTP/1.1" 200 512 "-" "' + AGENT + '"\n'
WHOLE = re.compile(rb'192\.0\.2\.\d+ - - \[02/Mar/2026:10:00:00 \+0000\] "GET /p/\d{7} HTTP/1\.1" 200 512 "-" "[^"]*"')


def line(n):
    return LINE % (n % 250 + 1, n)


class Logs(Live):
    def __init__(self, name, shim=None):
        super().__init__(name)
        self.shim = shim
        self.n = 0                      # lines written
        self.log = self.path("logs", "access.log")

    def site(self, logs=("access.log",), more=""):
        inputs = "\n".join(f"\tlog '{self.path('logs', name)}' {{ format = '{FORMAT}' }}" for name in logs) + more
        return f'site "shop" {{\n\tcurrency = "EUR"\n\tvisitor = {{"ip_ua"}}\n{inputs}\n}}\n'

    def begin(self, *marks, logs=("access.log",), state="live", more=""):
        os.makedirs(self.path("logs"), exist_ok=True)
        os.makedirs(self.path("marks"))
        for mark in marks:
            self.mark(mark)
        self.redis_start()
        self.configure(self.site(logs, more), listen=None)
        self.clock(NOW)
        env = dict(os.environ)
        if self.shim:                   # a sanitizer wants to be first, and need not be
            options = env.get("ASAN_OPTIONS", "")
            env.update(LD_PRELOAD=self.shim, SHIM_DIR=self.path("marks"), ASAN_OPTIONS=options + ":verify_asan_link_order=0")
        with open(self.path("rpvd.log"), "ab") as out:
            self.daemon = subprocess.Popen([rig.RPVD, "-c", self.path("rpvd.conf"), "--clock", self.path("clock")],
                                           stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env)
        self.children.append(self.daemon)
        self.wait("state", state)

    def mark(self, what, text=""):
        self.write("marks/" + what, text)

    def unmark(self, what):
        os.unlink(self.path("marks", what))

    def put(self, count, name="access.log"):
        self.append("logs/" + name, "".join(line(self.n + i) for i in range(count)))
        self.n += count

    def wait(self, field, value, seconds=None):
        wait_for(lambda: self.status().get(field) == str(value),
                 lambda: f"{field} = {value}: {self.status()}\n{self.read('rpvd.log')[-1500:]}", seconds)

    def wait_part(self, field, part):
        wait_for(lambda: part in self.status().get(field, ""), lambda: f"{field} ~ {part}: {self.status()}")

    def all_read(self, lines=None, pageviews=None):
        """Every line once, and nothing is left to be said."""
        self.wait("lines", self.n if lines is None else lines)
        self.wait("pageviews", self.n if pageviews is None else pageviews)
        self.wait("log_1", "ok")
        self.wait("behind_bytes", 0)
        self.check_daemon()

    def said(self, text, times=1):
        got = self.read("rpvd.log").count(text)
        if got != times:
            raise AssertionError(f"said {got} times, not {times}: {text}\n{self.read('rpvd.log')}")

    def rss_kb(self, what="VmHWM"):
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as f:
            return int(re.search(what + r":\s+(\d+) kB", f.read())[1])

    def fd_of_log(self):
        fds = f"/proc/{self.daemon.pid}/fd"
        return next(fd for fd in os.listdir(fds) if os.readlink(os.path.join(fds, fd)) == self.log)


# ---- the disk -------------------------------------------------------------------------------

def read_error(w):
    """L33: reading fails in mid-file."""
    w.begin()
    w.put(300)
    w.all_read()
    w.mark("eio")
    w.put(300)
    w.wait_part("log_1", "reading failed at byte ")
    w.wait_part("log_1", "Input/output error; rpvd tries again")
    w.unmark("eio")
    w.all_read()
    w.said("Input/output error")


def nothing_is_decided(w):
    """L33: what cannot be read may decide about an order, and about lines that are held back: both wait, however
    late it gets, and nobody's order is credited to what was there before."""
    def hit(when, ip, target):
        w.append("logs/access.log", f'192.0.2.{ip} - - [02/Mar/2026:10:{when} +0000] "GET {target} HTTP/1.1" 200 9 "-" "{AGENT}"\n')

    def later(*clocks):
        for seconds in clocks:          # a look at the logs, with each of them
            w.clock(NOW + seconds)
            w.wait("updated", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + seconds)))
    w.write("orders.ndjson", "")
    w.begin(more=f"\n\torders '{w.path('orders.ndjson')}' {{}}\n\treorder = \"5m\"\n")
    hit("00:00", 1, "/old?utm_source=old")
    later(400)
    w.wait("pageviews", 1)
    hit("06:30", 2, "/held")
    w.wait("lines", 2)
    w.mark("eio")
    hit("05:30", 1, "/new?utm_source=new")
    w.append("orders.ndjson", '{"id":"e1","type":"order.paid","time":"2026-03-02T10:06:00Z","order":{"id":"o1","total":"20.00",'
             f'"currency":"EUR","ip":"192.0.2.1","user_agent":"{AGENT}"}}}}\n')
    w.wait_part("log_1", "reading failed at byte ")
    later(1800, 1801)
    if (w.status()["pageviews"], w.status()["orders_waiting"]) != ("1", "1"):
        raise AssertionError(f"something was decided: {w.status()}")
    w.unmark("eio")
    w.wait("pageviews", 3)
    w.wait("late", 0)
    wait_for(lambda: w.redis.hash("rpv:shop:24h:landing:/new").get("revenue") == "20.00",
             lambda: f"{w.redis.hash('rpv:shop:24h:landing:/new')}, {w.redis.hash('rpv:shop:24h:landing:/old')}")
    w.check_daemon()


def stale_handle(w):
    """L30: the handle is dead for good; no birth times, no inotify."""
    w.begin("nobirth", "noinotify")
    w.put(300)
    w.all_read()
    w.mark("stale", w.fd_of_log())
    w.put(300)
    w.wait("lines", w.n)
    w.unmark("stale")           # the number may be another's soon
    # The same without birth times: a file that is gone, and one in its place.
    os.rename(w.log, w.log + ".1")
    w.put(50)
    w.wait("lines", w.n)
    os.unlink(w.log)
    w.put(50)
    w.all_read()


def full_disk(w):
    """L12, L29: a torn line, and the next one glued to it."""
    os.makedirs(w.path("logs"))
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", w.path("logs")],
                                           stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return "not here: no tmpfs can be mounted"
    try:
        w.write("logs/filler", b"x" * 40000)
        w.begin()
        fd = os.open(w.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for k in range(400):
            if k == 300:
                os.unlink(w.path("logs/filler"))
            try:
                os.write(fd, line(k).encode())          # as nginx: what was not written is not tried again
            except OSError:
                pass
        os.close(fd)
        with open(w.log, "rb") as f:
            lines = f.read().split(b"\n")[:-1]
        whole = sum(WHOLE.fullmatch(x) is not None for x in lines)
        if not len(lines) - 2 <= whole < len(lines) < 390:
            raise AssertionError(f"no torn line: {whole} of {len(lines)}")
        w.all_read(len(lines), whole)
        wait_for(lambda: sum(int(w.status()[f]) for f in ("malformed", "bad_time", "bad_status")) == len(lines) - whole,
                 lambda: f"{len(lines) - whole} torn lines: {w.status()}")
        w.end(w.daemon)
    finally:
        subprocess.run(["umount", "-l", w.path("logs")], check=False)
    return None


def holes_and_long_lines(w):
    """L13, L14: a hole of 100 GB and lines of 100 MB cost no memory."""
    w.begin()
    w.put(200)
    w.all_read()
    before = w.rss_kb()
    os.truncate(w.log, 100 << 30)
    w.put(200)
    w.wait("lines", w.n)
    with open(w.log, "ab") as f:
        for _ in range(100):
            f.write(b"x" * (1 << 20))
        f.write(b"\n")
        for _ in range(100):
            f.write(b"\0" * (1 << 20))
    w.put(200)
    w.all_read()
    w.wait("overlong", 1)
    if int(w.status()["nul_bytes"]) < 100 << 30:
        raise AssertionError(f"nul_bytes: {w.status()}")
    # A sanitizer keeps what was freed; for the others it is a few pages.
    if w.rss_kb() - before > (4096 if "asan" not in os.popen(f"ldd {rig.RPVD}").read() else 300000):
        raise AssertionError(f"{before} kB became {w.rss_kb()} kB")


def catch_up(w):
    """L36: how much there still is to be read, and for how long, while it is read."""
    os.makedirs(w.path("logs"))
    w.n = 300000
    w.write("logs/access.log", line(1) * w.n)
    w.begin("slow", state="catching up")
    seconds, behind = [], []

    def look():
        s = w.status()
        behind.append(int(s.get("behind_bytes", 0)))
        seconds.append(int(s.get("catch_up_seconds", -1)))
        return s.get("state") == "live"
    wait_for(look, lambda: w.status())
    told = sorted(set(seconds) - {-1})
    if not told or told[-1] > 600 or len(set(behind)) < 3 or behind != sorted(behind, reverse=True):
        raise AssertionError(f"seconds {told}, bytes {sorted(set(behind))}")
    w.unmark("slow")
    w.all_read()
    if "catch_up_seconds" in w.status():
        raise AssertionError(w.status())


# ---- rotation ---------------------------------------------------------------------------------

def stopped(w):
    """L4, L19, L20, L21: rpvd sleeps through three rotations, by date, compressed."""
    w.begin()
    w.put(500)
    w.all_read()
    w.daemon.send_signal(signal.SIGSTOP)
    w.put(500)
    for k in (1, 2, 3):
        old = f"{w.log}-2026030{k}"
        os.rename(w.log, old)
        w.put(300)
        if k < 3:
            with open(old, "rb") as f, gzip.open(old + ".gz", "wb") as out:
                shutil.copyfileobj(f, out)
            shutil.copystat(old, old + ".gz")
            os.unlink(old)
    w.daemon.send_signal(signal.SIGCONT)
    w.all_read()


def copytruncate(w):
    """L2: the file is copied and emptied under a writer; only what falls between the two is lost."""
    w.begin()
    w.append("logs/access.log", "")
    w.wait("log_1", "ok")
    done = threading.Event()
    written = []

    def writer():
        n = 0
        with open(w.log, "ab", buffering=0) as f:
            while not done.is_set():
                f.write(line(n).encode())
                written.append(n)
                n += 1
                if n % 50 == 0:
                    time.sleep(0.002)
    thread = threading.Thread(target=writer)
    thread.start()
    for k in range(12):
        time.sleep(0.15)
        for old in range(k, 0, -1):
            os.rename(f"{w.log}.{old}", f"{w.log}.{old + 1}")
        shutil.copyfile(w.log, w.log + ".1")
        os.truncate(w.log, 0)
    time.sleep(0.15)
    done.set()
    thread.join()
    seen = set()
    for path in glob.glob(w.log + "*"):
        with open(path, "rb") as f:
            seen.update(re.findall(rb"/p/(\d{7}) HTTP/1.1\" 200 512 \"-\" \"[^\"]*\"\n", f.read()))
    w.wait("state", "live")
    # What lies between copy and truncate rpvd may have read in time: it then knows more than the copies.
    wait_for(lambda: len(seen) <= int(w.status().get("pageviews", 0)) <= len(written) and w.status()["behind_bytes"] == "0",
             lambda: f"{len(seen)} to {len(written)} lines: {w.status()}")
    if len(seen) < 2000 or int(w.status()["truncations"]) < 6:      # two at once may be seen as one
        raise AssertionError(f"{len(seen)} lines: {w.status()}")
    # No line twice: each page is one visitor's only view of it.
    views = sum(int(v) for v in [w.redis.hash("rpv:shop:24h:total")["visits"]])
    if views > 250:
        raise AssertionError(f"{views} visits of 250 visitors")


def swapped(w):
    """L6, L8, L34: a link in the log's place is refused; the directory goes and comes back."""
    w.begin()
    w.put(100)
    w.all_read()
    w.write("secret", line(9999999))
    os.rename(w.log, w.log + ".1")
    os.symlink(w.path("secret"), w.log)
    w.wait_part("log_1", "it became a symbolic link")
    os.unlink(w.log)
    w.put(100)
    w.all_read()
    shutil.rmtree(w.path("logs"))
    w.wait_part("log_1", "no such file (yet)")
    os.mkdir(w.path("logs"))
    w.put(100)
    w.all_read()


# ---- inotify, and many logs ---------------------------------------------------------------------

def no_watch(w):
    """L32: no watch is left: the poll goes on, and that is said once."""
    w.begin("nowatch")
    w.put(300)
    w.all_read()
    time.sleep(2.2)             # two more polls
    w.put(300)
    w.all_read()
    w.said("fs.inotify.max_user_watches")


def overflow(w):
    """L31: more happened than inotify remembers."""
    w.begin()
    w.put(100)
    w.all_read()
    w.daemon.send_signal(signal.SIGSTOP)
    for k in range(20000):
        with open(w.path("logs", f"other{k % 2}"), "ab"):
            pass
        if k == 10000:
            os.rename(w.log, w.log + ".1")
            w.put(100)
    w.put(100)
    w.daemon.send_signal(signal.SIGCONT)
    w.all_read()


def many(w):
    """L37: 1,000 logs, reloaded in a loop under load."""
    names = [f"{k}.log" for k in range(1000)]
    for name in names:
        os.makedirs(w.path("logs"), exist_ok=True)
        w.put(1, name)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, soft), hard))
    try:
        w.begin(logs=["*.log"])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    w.wait("lines", w.n)
    for k in range(4):
        for name in names[k::3]:
            w.put(2, name)
        w.daemon.send_signal(signal.SIGHUP)
        for name in names[k::5]:
            w.put(1, name)
        wait_for(lambda: w.read("rpvd.log").count("configuration reloaded") > k, lambda: w.read("rpvd.log")[-500:])
    w.all_read()
    wrong = {v for k, v in w.status().items() if re.fullmatch(r"log_\d+", k) and v != "ok"}
    if wrong:
        raise AssertionError(wrong)


CASES = [read_error, nothing_is_decided, stale_handle, catch_up, full_disk, holes_and_long_lines, stopped, copytruncate, swapped, no_watch, overflow, many]
WITH_SHIM = {read_error, nothing_is_decided, stale_handle, catch_up, no_watch}


def compile_shim(directory):
    """Its path, or None: no compiler."""
    cc = (os.environ.get("CC") or "cc").split()[-1]
    if not program(cc):
        return None
    out = os.path.join(directory, "shim.so")
    subprocess.run([cc, "-shared", "-fPIC", "-O1", "-o", out, os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim.c")],
                   check=True)
    return out


def run(case, shim, findings):
    begun = time.monotonic()
    why = None
    with Logs(case.__name__, shim if case in WITH_SHIM else None) as w:
        try:
            why = "not here: no compiler" if case in WITH_SHIM and not shim else case(w)
            findings.check(True, "")
        except Exception as wrong:              # pylint: disable=broad-except
            kind = "" if isinstance(wrong, AssertionError) else traceback.format_exc()
            findings.check(False, f"{case.__name__}: {kind}{wrong}")
        if w.daemon is not None and w.daemon.poll() is None:
            w.daemon.send_signal(signal.SIGCONT)
    print(f"{case.__name__}: {why or f'{time.monotonic() - begun:.1f} s'}", flush=True)


def main():
    rig.need("redis-server")
    wanted = sys.argv[1:]
    findings = Findings()
    with rig.Rig("shim") as r, concurrent.futures.ThreadPoolExecutor(4) as pool:
        shim = compile_shim(r.dir)
        list(pool.map(lambda case: run(case, shim, findings), [c for c in CASES if not wanted or c.__name__ in wanted]))
    findings.end()


if __name__ == "__main__":
    main()
