#!/usr/bin/env python3
"""latency: how soon a line is seen, what idling costs, how an end under load looks from outside.

The only tests by the real clock.  The bounds are those that are promised, the figures that are
printed are mostly far better; a machine that is busy with other things, or sanitizers
(RPVD_SANITIZED), get more patience.
"""

import os
import signal
import socket
import statistics
import sys
import threading
import time

import case as cases
from driver import Findings, Live, rig, wait_for

SLOW = 4 if os.environ.get("RPVD_SANITIZED") else 1
SITE = """site "shop" {
	hosts = {"lamps.example"}
	currency = "EUR"
	visitor = {"cookie:rpv"}
	log '%s' { format = '%s' }
	provider "generic" { secret_file = '%s' }
}
"""


class Now(Live):
    def __init__(self, name):
        super().__init__(name, real_clock=True)
        self.write("access.log", "")
        self.write("secret", rig.SECRETS["generic"], 0o600)
        self.configure(SITE % (self.path("access.log"), cases.FORMAT, self.path("secret")))
        self.n = 0

    def begin(self):
        self.redis_start()
        self.rpvd_start()
        wait_for(lambda: self.status().get("state") == "live", lambda: self.read("rpvd.log"))

    def view(self, page):
        """Somebody new looks at a page."""
        self.n += 1
        return cases.line(time.time(), ("192.0.2.1", cases.AGENTS[0], f"v{self.n}"), page)

    def pour(self, per_second, stop):
        """So many lines a second until told otherwise."""
        while not stop.wait(0.02):
            self.append("access.log", "".join(self.view(f"/p{k % 50}") for k in range(per_second // 50)))


def tell(findings, what, seconds):
    """The promise: visible within a second, mostly within 0.4."""
    middle, worst = statistics.median(seconds), max(seconds)
    # On a quiet machine a fifth of that; here other tests run beside this one.
    findings.check(middle < 1.0 * SLOW and worst < 5.0 * SLOW, f"{what}: median {middle:.3f} s, slowest {worst:.3f} s")
    print(f"{what}: median {1000 * middle:.0f} ms, slowest {1000 * worst:.0f} ms of {len(seconds)}", flush=True)


def seen_after(w, page):
    """From the append to the public key."""
    begun = time.monotonic()
    w.append("access.log", w.view(page))
    wait_for(lambda: w.redis("HGET", f"rpv:shop:1h:landing:{page}", "visits") == "1", page)
    return time.monotonic() - begun


def latency(findings):
    with Now("latency") as w:
        w.begin()
        alone = []
        for k in range(25):
            time.sleep(0.1 + 0.5 * (k * 0.618 % 1))
            alone.append(seen_after(w, f"/alone{k}"))
        tell(findings, "a line now and then is seen after", alone)
        stop = threading.Event()
        thread = threading.Thread(target=w.pour, args=(2000, stop))
        thread.start()
        try:
            time.sleep(0.5)
            crowd = []
            for k in range(25):
                time.sleep(0.05)
                crowd.append(seen_after(w, f"/crowd{k}"))
        finally:
            stop.set()
            thread.join()
        tell(findings, "a line among 2,000 a second is seen after", crowd)


def ticks(pid):
    """CPU time so far, in seconds."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(findings):
    with Now("idle") as w:
        w.begin()
        w.append("access.log", "".join(w.view(f"/p{k % 100}") for k in range(2000)))
        wait_for(lambda: w.status().get("lines") == "2000", "2000 lines")
        time.sleep(1)
        before = ticks(w.daemon.pid)
        time.sleep(6)
        used = ticks(w.daemon.pid) - before
        findings.check(used <= 0.2 * SLOW, f"idle: {used:.2f} s of CPU in 6 s")
        print(f"idle: {used:.2f} s of CPU in 6 s", flush=True)


def stop_under_load(findings):
    """Every line and every answered webhook counts once, after an end in the middle of it."""
    with Now("stop") as w:
        w.begin()
        stop, told = threading.Event(), []

        def hooks():
            while not stop.is_set():
                event = {"id": f"e{len(told)}", "type": "order.paid", "time": cases.rfc3339(time.time()),
                         "order": {"id": f"o{len(told)}", "total": "1.00", "currency": "EUR"}}
                if w.hook(event, time.time()) == 200:
                    told.append(event)
        threads = [threading.Thread(target=w.pour, args=(10000, stop)), threading.Thread(target=hooks)]
        for t in threads:
            t.start()
        took = []
        try:
            for _ in range(3):
                time.sleep(0.7)
                took.append(w.end(w.daemon))
                findings.equal(w.daemon.returncode, 0, "exit after SIGTERM under load")
                w.rpvd_start()
        finally:
            stop.set()
            for t in threads:
                t.join()
        findings.check(max(took) < 5, f"SIGTERM under load: {max(took):.1f} s")
        wait_for(lambda: w.status().get("lines") == str(w.n), lambda: f"{w.n} lines: {w.status()}")
        wait_for(lambda: w.redis("HGET", "rpv:shop:24h:total", "sales_orders") == str(len(told)),
                 lambda: f"{len(told)} orders: {w.redis.hash('rpv:shop:24h:total')}")
        findings.equal(w.redis("HGET", "rpv:shop:24h:total", "visits"), str(w.n), "visits")
        print(f"SIGTERM under 10,000 lines a second and webhooks: {max(took):.2f} s at most;"
              f" {w.n} lines and {len(told)} orders counted once", flush=True)


def stop_while_redis_hangs(findings):
    with Now("hang") as w:
        w.begin()
        w.server.send_signal(signal.SIGSTOP)
        try:
            w.append("access.log", w.view("/"))
            time.sleep(0.5)
            took = w.end(w.daemon)
        finally:
            w.server.send_signal(signal.SIGCONT)
        findings.equal(w.daemon.returncode, 0, "exit while Redis hangs")
        findings.check(took < 5.5, f"SIGTERM while Redis hangs: {took:.1f} s")
        print(f"SIGTERM while Redis hangs: {took:.1f} s", flush=True)
        w.rpvd_start()
        wait_for(lambda: w.status().get("lines") == "1", lambda: f"{w.status()}")


def manager(findings):
    """What the service manager is told: ready without Redis, why it waits, the end."""
    with Now("manager") as w:
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(w.path("notify"))
        notify.settimeout(5 * SLOW)
        os.environ["NOTIFY_SOCKET"] = w.path("notify")
        try:
            w.rpvd_start()
        finally:
            del os.environ["NOTIFY_SOCKET"]

        def hears(text, what):
            try:
                while text not in notify.recv(4096).decode():
                    pass
                ok = True
            except TimeoutError:
                ok = False
            findings.check(ok, f"the service manager was not told {text!r}: {what}")
        hears("READY=1", "rpvd is ready before Redis is")
        hears("STATUS=shop: Redis: ", "why it waits")
        hears("WATCHDOG=1", "it is alive")
        w.redis_start()
        hears("STATUS=shop: 0 lines", "it works")
        w.daemon.send_signal(signal.SIGHUP)
        hears("RELOADING=1", "a reload begins")
        hears("READY=1", "a reload ends")
        w.daemon.send_signal(signal.SIGTERM)
        hears("STOPPING=1", "the end")
        w.daemon.wait(10)
        notify.close()


def main():
    rig.need("redis-server")
    findings = Findings()
    for test in latency, idle, stop_under_load, stop_while_redis_hangs, manager:
        try:
            test(findings)
        except AssertionError as e:
            findings.fail(f"{test.__name__}: {e}")
    findings.end()


if __name__ == "__main__":
    sys.exit(main())
