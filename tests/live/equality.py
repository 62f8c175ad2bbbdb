#!/usr/bin/env python3
"""equality: whatever happens on the way, the figures at the end are those of a replay.

    equality.py [--seed N] [-j N] [CASE...]

A case is a made-up day and a half (case.py).  It is replayed once; then it is lived through:
the log is written in pieces, a third of the order events are appended to an order file, the
others come as signed webhooks, and meanwhile rpvd and Redis are killed, logs are
rotated, and so on.  Then every public key must be the same, to the last digit, and so must
the counters of the state.

What is assumed, since time passes a thousand times faster than in life: a line is written
before the clock reaches its time, as a web server does, and a webhook is told before lines
from after its delivery.  After a rotation the clock waits until the new file is begun, which
takes rpvd a second; in life no more than that second passes meanwhile.

Where live and replay differ by nature, no case goes: a replay knows all orders from the
start, so that an order which is told hours late may lend its visitor to the customer's next
order; live, that one may have been joined otherwise by then, and stays so.
"""

import argparse
import concurrent.futures
import gzip
import os
import random
import shutil
import signal
import sys
import time

import case as cases
from driver import Findings, Live, differences, rig, wait_for

COUNTERS = ("lines empty malformed bad_time bad_status bot asset status method pageviews visits late adopted tokens orders"
            " joined_visitor joined_token joined_ip_ua joined_customer").split()
GENERIC = "provider \"generic\" { path = '/hooks/generic'  secret_file = '%s' }"


class World(Live):
    """One case, lived through."""

    def __init__(self, name, seed, servers=1, reorder=0, visitors=120, pieces=90, cookies=0.6):
        super().__init__(name)
        self.rng = random.Random(f"{name} {seed}")
        self.reorder, self.pieces = reorder, pieces
        self.case = cases.Case(seed, visitors, reorder, cookies)
        self.logs = [f"access{k}.log" for k in range(servers)]
        self.home = [self.rng.randrange(servers) for _ in self.case.lines]     # which server wrote it
        self.written = 0
        self.now = cases.START - 60
        self.sizes = []                 # of the append-only file, with the time
        self.done = {}                  # what was done to it, for the report

    def site(self, logs, orders, more=""):
        inputs = "\n".join(f"log '{self.path(name)}' {{ format = '{cases.FORMAT}' }}" for name in logs)
        return cases.SITE % {"inputs": f"{inputs}\norders '{self.path(orders)}' {{}}", "more": more,
                             "reorder": f'reorder = "{self.reorder}s"' if self.reorder else ""}

    # ---- the reference ------------------------------------------------------------

    def reference(self):
        """The replay's public keys and counters."""
        self.redis_start()
        for k, name in enumerate(self.logs):
            self.write("whole-" + name, "".join(t for (_, t), home in zip(self.case.lines, self.home) if home == k))
        self.write("whole.ndjson", "".join(cases.as_line(e) for _, e in self.case.events))
        self.replay(self.configure(self.site(["whole-" + n for n in self.logs], "whole.ndjson"), state="replayed",
                                   name="replay.conf", listen=None))
        want = self.dump(), {c: self.status()[c] for c in COUNTERS if c != "status" or not self.reorder}
        self.redis("FLUSHALL")
        return want

    # ---- living -----------------------------------------------------------------------

    def begin(self):
        for name in self.logs:
            self.write(name, "")
        self.write("orders.ndjson", "")
        self.write("secret", rig.SECRETS["generic"], 0o600)
        self.configure(self.site(self.logs, "orders.ndjson", GENERIC % self.path("secret")))
        self.clock(self.now)
        self.rpvd_start()

    def write_lines(self, upto):
        """All lines up to a time; the last one now and then in two pieces."""
        texts = ["" for _ in self.logs]
        while self.written < len(self.case.lines) and self.case.lines[self.written][0] <= upto:
            texts[self.home[self.written]] += self.case.lines[self.written][1]
            self.written += 1
        for name, text in zip(self.logs, texts):
            cut = len(text) - self.rng.randrange(1, 80) if self.rng.random() < 0.3 and len(text) > 80 else len(text)
            self.append(name, text[:cut])
            if cut < len(text):
                time.sleep(0.01)
                self.append(name, text[cut:])

    def tell(self, events):
        for n, event in events:
            if n % 3 == 0:
                self.append("orders.ndjson", cases.as_line(event))
                continue
            status = self.hook(event, self.now)
            if status != 200:
                raise AssertionError(f"webhook {event}: {status}")

    def live(self, between):
        """between(piece): what else happens."""
        events = list(enumerate(e for _, e in self.case.events))
        times = [t for t, _ in self.case.events]
        told = 0
        width = (self.case.now - cases.START) / self.pieces
        marks = [cases.START + (k + self.rng.random()) * width for k in range(self.pieces)] + [self.case.now]
        for piece, mark in enumerate(marks):
            upto = told + sum(t <= mark for t in times[told:])
            self.tell(events[told:upto])
            told = upto
            self.write_lines(mark)
            self.now = mark
            self.clock(mark)
            between(piece)
            time.sleep(self.rng.uniform(0, 0.03))

    def settle(self):
        """Every line written is read."""
        wait_for(lambda: self.status().get("lines") == str(self.written), lambda: f"{self.written} lines: {self.status()}")

    # ---- what can happen -----------------------------------------------------------

    def count(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def wait_up(self):
        wait_for(lambda: rig.hook_up(self.path(self.hook_sock)), "the webhook socket")

    def kill(self):
        time.sleep(self.rng.uniform(0, 0.05))
        self.end(self.daemon, signal.SIGKILL)
        self.rpvd_start()
        self.count("kill -9")

    def stop(self):
        self.wait_up()
        took = self.end(self.daemon)
        if self.daemon.returncode != 0 or took > 5:
            raise AssertionError(f"SIGTERM: {self.daemon.returncode} after {took:.1f} s")
        self.rpvd_start()
        self.count("SIGTERM")

    def reload(self):
        self.wait_up()
        time.sleep(self.rng.uniform(0, 0.05))
        self.daemon.send_signal(signal.SIGHUP)
        self.count("SIGHUP")

    def rebuild(self):
        """The daemon makes the state anew, beside the old one, while all goes on."""
        self.wait_up()
        code, _, said = rig.run([rig.RPVD, "-c", self.path("rpvd.conf"), "--rebuild-later"])
        if code != 0:
            raise AssertionError(f"--rebuild-later: {code}: {said}")
        self.daemon.send_signal(signal.SIGHUP)
        self.count("rebuild")

    def redis_restart(self, lossy=False):
        """With lossy, what the last second brought is lost, cut off at any byte."""
        aof = self.path("appendonlydir", "appendonly.aof.1.incr.aof")
        size = os.path.getsize(aof)
        old = [s for t, s in self.sizes if t < time.monotonic() - 1]
        self.redis_kill(self.rng.randrange(size - old[-1] + 1) if lossy and old else 0)
        time.sleep(self.rng.uniform(0, 0.3))
        self.sizes = []
        self.redis_start()
        self.count("Redis kill -9" + (", last second lost" if lossy and old else ""))

    def note_size(self):
        self.sizes.append((time.monotonic(), os.path.getsize(self.path("appendonlydir", "appendonly.aof.1.incr.aof"))))

    def flushall(self):
        self.redis("FLUSHALL")
        self.count("FLUSHALL")

    def rename(self):
        """As logrotate does: numbers go up, what is older than one is compressed.  The web server
        still writes to the old file for a moment."""
        for name in self.logs:
            for k in range(8, 0, -1):
                for end in ("", ".gz"):
                    if os.path.exists(self.path(f"{name}.{k}{end}")):
                        os.rename(self.path(f"{name}.{k}{end}"), self.path(f"{name}.{k + 1}{end}"))
            if os.path.exists(self.path(name + ".2")):
                with open(self.path(name + ".2"), "rb") as f, gzip.open(self.path(name + ".2.gz"), "wb") as out:
                    out.write(f.read())
                os.unlink(self.path(name + ".2"))
            os.rename(self.path(name), self.path(name + ".1"))
        names, self.logs = self.logs, [name + ".1" for name in self.logs]
        self.write_lines(self.now + 300)
        self.logs = names
        for name in self.logs:
            self.write(name, "")
        self.write_lines(self.now + 600)
        self.settle()
        self.count("rename")

    def copytruncate(self):
        self.settle()
        for name in self.logs:
            shutil.copyfile(self.path(name), self.path(name + ".1"))
            os.truncate(self.path(name), 0)
        self.count("copytruncate")

    def finish(self, want):
        keys, counters = want
        self.settle()
        wait_for(lambda: not differences(keys, self.dump()), lambda: "\n".join(differences(keys, self.dump())))
        wait_for(lambda: all(self.status().get(c) == v for c, v in counters.items()), lambda: "counters: " + ", ".join(
            f"{c} is {self.status().get(c)}, expected {v}" for c, v in counters.items() if self.status().get(c) != v))
        quiet = {"state": "live", "journal_depth": "0", "behind_bytes": "0", "lag_seconds": "0", "log_1": "ok"}
        wait_for(lambda: quiet.items() <= self.status().items(), lambda: f"status: {self.status()}")
        self.check_daemon()


# ---- cases ----------------------------------------------------------------------------------

def every(n, *acts):
    """One of them every n pieces."""
    def between(w, piece):
        w.note_size()
        if piece % n == n - 1:
            w.rng.choice(acts)(w)
    return between


def at(pieces, act):
    def between(w, piece):
        if piece in pieces:
            act(w)
    return between


def chaos(w, piece):
    """All of it."""
    w.note_size()
    for chance, act in ((0.15, World.kill), (0.08, World.reload), (0.04, World.redis_restart),
                        (0.04, lambda w: w.redis_restart(True)), (0.03, World.stop), (0.03, World.rename), (0.04, World.rebuild)):
        if w.rng.random() < chance:
            act(w)
    if piece == 40:
        w.flushall()


def rebuilds(w, piece):
    """Whole ones, and one that is killed on its way."""
    if piece in (15, 40, 70):
        w.rebuild()
    if piece == 41:
        w.kill()
    if piece in (25, 55):
        w.rename()


def burst(w, piece):
    """Thousands of lines are waiting, and rpvd is killed in the middle of them."""
    for _ in range(4):
        w.kill()


CASES = {
    "plain": ({}, lambda w, piece: None),
    "kill": ({}, every(4, World.kill)),
    "redis": ({}, every(12, World.redis_restart)),
    "redis-loss": ({}, every(12, lambda w: w.redis_restart(True))),
    "flushall": ({}, at({30, 62}, World.flushall)),
    "reload": ({}, every(5, World.reload)),
    "stop": ({}, every(6, World.stop)),
    "rebuild": ({}, rebuilds),
    "rename": ({}, every(17, World.rename)),
    "copytruncate": ({}, every(40, World.copytruncate)),
    "servers": ({"servers": 2, "reorder": 3600}, every(5, World.kill)),
    "burst": ({"visitors": 3000, "pieces": 6}, burst),
    "chaos": ({}, chaos),
}


def run(name, seed, findings):
    options, between = CASES[name]
    begun = time.monotonic()
    with World(name, seed, **options) as w:
        try:
            want = w.reference()
            w.begin()
            w.live(lambda piece: between(w, piece))
            w.finish(want)
            done = ", ".join(f"{n} {what}" for what, n in sorted(w.done.items())) or "nothing special"
            findings.check(len(want[0]) > 300, f"{name}: only {len(want[0])} keys: the case proves nothing")
            print(f"{name} (seed {seed}): {len(want[0])} keys equal after {done}; {time.monotonic() - begun:.1f} s", flush=True)
        except AssertionError as e:
            findings.fail(f"{name} (seed {seed}): {e}\n" + w.read("rpvd.log")[-4000:])


def takeover(seed, findings):
    """Two daemons for one site, by mistake or as a spare: one works, the other waits, and goes on
    when the first is gone.  The spare has a copy of the key by which it knows visitors' cookies; the
    keys of a day for those without one it could not have."""
    begun = time.monotonic()
    with World("takeover", seed, cookies=1) as w:
        try:
            want = w.reference()
            w.begin()
            wait_for(lambda: "reading the logs" in w.read("rpvd.log"), "the first daemon")
            first = w.daemon
            shutil.copytree(w.path("state"), w.path("spare"), ignore=shutil.ignore_patterns("id", "journal", "lock"))
            spare = w.site(w.logs, "orders.ndjson", GENERIC % w.path("secret"))
            w.configure(spare, state="spare", listen="spare.sock", name="spare.conf")
            second = w.rpvd_start("spare.conf", "spare.log")
            wait_for(lambda: "keeps this site; waiting" in w.read("spare.log"), lambda: w.read("spare.log"))

            def between(piece):
                # Some webhooks come to the spare while it waits.
                w.hook_sock = "spare.sock" if piece in (10, 11) or piece >= 30 else "hook.sock"
                if piece == 30:
                    w.settle()
                    wait_for(lambda: w.status().get("journal_depth") == "0", "the first one's journal")
                    w.end(first, signal.SIGKILL)
                    wait_for(lambda: "state loaded" in w.read("spare.log"), lambda: w.read("spare.log"), 30)
                if piece == 60:
                    w.rpvd_start()
            w.live(between)
            w.finish(want)
            wait_for(lambda: w.read("rpvd.log").count("keeps this site; waiting") == 1, lambda: w.read("rpvd.log"))
            # A clean end gives the site up at once.
            w.end(second)
            took = rig.until(lambda: "state loaded" in w.read("rpvd.log"), 30)
            findings.check(took is not None and took < 4, f"takeover: the lease was given back only after {took} s")
            w.finish(want)
            print(f"takeover (seed {seed}): equal after two; {time.monotonic() - begun:.1f} s", flush=True)
        except AssertionError as e:
            findings.fail(f"takeover (seed {seed}): {e}\n" + w.read("rpvd.log")[-2000:] + "-- spare:\n" + w.read("spare.log")[-2000:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(os.environ.get("RPVD_SEED", "1")))
    parser.add_argument("-j", type=int, default=4)
    parser.add_argument("cases", nargs="*", default=[])
    options = parser.parse_args()
    rig.need("redis-server")
    findings = Findings()

    def one(name):
        if name == "takeover":
            takeover(options.seed, findings)
        else:
            run(name, options.seed, findings)
    # They wait more than they work.  The longest first.
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        list(pool.map(one, options.cases or ["takeover", *CASES]))
    findings.end()


if __name__ == "__main__":
    sys.exit(main())
