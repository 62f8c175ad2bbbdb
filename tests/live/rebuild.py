#!/usr/bin/env python3
"""rebuild: figures made anew from rotated logs, order files and journal are those that were there.

    rebuild.py [--seed N]

The made-up day and a half of case.py is lived through, with rotations, half of the rotated
files compressed.  Then the figures are made anew in every way there is, and looked at: by
`rpvd --rebuild`, with and without kill -9 at any moment; by the daemon, after Redis was emptied;
and with the replacement of the old state stopped at each of its steps.  Until the new figures are
whole every public key stays what it was.
"""

import argparse
import glob
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import equality
from driver import Findings, Redis, differences, public_keys, rig, wait_for

NEW, BASE = "rpvd:{shop.0}:new:", "rpvd:{shop.0}:"
KEYS = ("1h:total", "30d:total", "30d:source", "24h:landing:/cart")


class World(equality.World):
    def rebuild(self, *more, conf="rpvd.conf", log="rebuild.log"):
        return self.start([rig.RPVD, "-c", self.path(conf), "--clock", self.path("clock"), *(more or ("--rebuild",))], log)

    def rebuilt(self, *more, **how):
        """The exit code of one that runs to its end."""
        child = self.rebuild(*more, **how)
        wait_for(lambda: child.poll() is not None, lambda: self.read("rebuild.log")[-2000:], 60)
        return child.returncode

    def same(self, want, what):
        wait_for(lambda: not differences(want, self.dump()), lambda: f"{what}: " + "\n".join(differences(want, self.dump())))

    def records(self, prefix=BASE):
        return [k for k in self.redis("KEYS", "rpvd:*") if k.startswith(prefix)]

    def note(self, text):
        print(f"rebuild: {text}", flush=True)


class Watch:
    """Looks again and again at public keys of the old figures: none may be gone, or be another."""

    def __init__(self, w, want):
        self.redis, self.want, self.wrong, self.looks = Redis(w.sock), want, [], 0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.end.set()
        self.thread.join()

    def run(self):
        while not self.end.wait(0.02):
            now = public_keys(self.redis, "shop")
            self.looks += 1
            self.wrong += differences(self.want, now, 3)


def by_command(w, want, findings):
    """To the end, watched."""
    w.end(w.daemon)
    with Watch(w, want) as watch:
        findings.equal(w.rebuilt(), 0, "exit of --rebuild")
    findings.check(watch.looks > 20 and not watch.wrong, f"while it was built ({watch.looks} looks): {watch.wrong[:3]}")
    w.same(want, "after --rebuild")
    said = w.read("rebuild.log")
    findings.check("built from the logs, rotated ones too" in said and "taken the place" in said, said)
    findings.check("could not be rebuilt" not in said, said)
    findings.equal(w.records(NEW), [], "left of the build")
    status = w.status()
    findings.equal(status.get("state"), "stopped", "state")
    findings.check(status.get("rebuilt") and "rebuild" not in status, f"status: {status}")
    w.rpvd_start()
    w.settle()
    w.same(want, "the daemon after it")
    w.note(f"{len(want)} keys equal, and the same at {watch.looks} looks on the way")


def by_kill(w, want, findings):
    """kill -9 again and again; the daemon ends it, and takes webhooks meanwhile."""
    w.end(w.daemon)
    kills = 0
    with Watch(w, want) as watch:
        for _ in range(6):
            child = w.rebuild()
            time.sleep(w.rng.uniform(0.05, 0.7))
            if child.poll() is None and w.records(NEW):
                kills += 1
            w.end(child, signal.SIGKILL)
        w.rpvd_start()
        wait_for(lambda: not w.records(NEW) and w.status().get("state") == "live", lambda: w.status())
    findings.check(not watch.wrong, f"while it was built: {watch.wrong[:3]}")
    findings.check(kills > 1, f"only {kills} kills hit it: the case proves nothing")
    w.settle()
    w.same(want, "after kills")
    w.note(f"equal after {kills} kills of the build, ended by the daemon")


def by_steps(w, want, findings):
    """The replacement, stopped at each of its steps: what Redis holds then is made by hand."""
    for phase in ("clear", "move"):
        w.end(w.daemon)
        keys = [k for k in w.records() if k not in (BASE + "lease",)]
        for n, key in enumerate(keys):
            if key == BASE + "forget" or (phase == "move" and n % 2 and key != BASE + "meta"):
                continue                # has its name already
            w.redis("RENAME", key, NEW + key[len(BASE):])
        w.redis("HSET", NEW + "meta", "phase", phase)
        if phase == "clear":            # of the old state
            w.redis("HSET", BASE + "meta", "schema", "2", "epoch", "7", "seq", "9", "engine", "damaged")
            w.redis("HSET", BASE + "open", "x", "y")
            w.redis("SET", BASE + "o:generic:gone", "x")
            w.redis("HSET", BASE + "forget", "asked", "of a later version")
            w.redis("HSET", NEW + "forget", "known", "of a later version")
        w.rpvd_start()
        wait_for(lambda: not w.records(NEW) and w.status().get("state") == "live", lambda: w.read("rpvd.log")[-2000:])
        findings.equal(w.redis("EXISTS", BASE + "o:generic:gone"), 0, "a record of the old state")
        asked = sorted(w.redis.hash(BASE + "forget"))
        findings.equal(asked, ["asked", "known"], f"{phase}: persons to be forgotten")
        findings.equal(sorted(k for k in keys if not w.redis("EXISTS", k)), [], f"{phase}: records that are gone")
        w.same(want, f"broken off at {phase}")
    w.note("equal after the replacement was broken off at each step")


def other_version(w, want, findings):
    """What another version began is thrown away and begun anew; a damaged state in use is no hindrance."""
    w.end(w.daemon)
    w.redis("HSET", NEW + "meta", "phase", "build", "schema", "0", "epoch", "5")
    w.redis("SET", NEW + "o:generic:odd", "x")
    w.redis("HSET", BASE + "meta", "engine", "damaged", "schema", "0")
    findings.equal(w.rebuilt(), 0, "exit over states of another version")
    w.same(want, "over states of another version")
    findings.equal(w.redis("EXISTS", BASE + "o:generic:odd"), 0, "a record of the other version's")
    w.rpvd_start()


def by_nobody(w, want, findings):
    """Begun, and given up: the old figures go on."""
    w.end(w.daemon)
    child = w.rebuild()
    wait_for(lambda: len(w.records(NEW)) > 3, "records of the build")
    w.end(child, signal.SIGKILL)
    findings.equal(w.rebuilt("--rebuild-cancel=shop"), 0, "exit of --rebuild-cancel")
    findings.check("given up" in w.read("rebuild.log"), w.read("rebuild.log")[-300:])
    before = len(w.read("rpvd.log"))
    with Watch(w, want) as watch:
        w.rpvd_start()
        wait_for(lambda: "state loaded" in w.read("rpvd.log")[before:] and not w.records(NEW), lambda: w.read("rpvd.log")[before:])
        w.settle()
    findings.check(not watch.wrong and "a new state" not in w.read("rpvd.log")[before:], f"given up: {watch.wrong[:3]} {w.read('rpvd.log')[before:]}")
    w.same(want, "after a build that was given up")


def other_windows(w, want, findings):
    """Of other windows: refused; made anew, and what there was of the old ones is gone; another program's is not."""
    w.end(w.daemon)
    usual = w.read("rpvd.conf")
    w.configure(w.site(w.logs, "orders.ndjson", 'windows = {"25h/25m", "24h/15m"}\n' + equality.GENERIC % w.path("secret")))
    w.redis("HSET", "rpv:shop:7d:page:/foreign", "owner", "another")
    before = w.redis.hash(BASE + "meta")
    w.rpvd_start()
    wait_for(lambda: "windows" in w.status().get("state", ""), lambda: w.status())
    findings.equal(w.status().get("windows"), "1h 24h 7d 30d", "windows that have figures")
    findings.equal(w.redis.hash(BASE + "meta"), before, "the state, refused")
    w.end(w.daemon)
    w.same({**want, "rpv:shop:7d:page:/foreign": {"owner": "another"}}, "refused")
    findings.equal(w.rebuilt(), 0, "exit of --rebuild with other windows")
    left = [k for k in w.redis("KEYS", "rpv:shop:*") if k.split(":")[2] not in ("25h", "24h", "status")]
    findings.equal(left, ["rpv:shop:7d:page:/foreign"], "left of other windows")
    findings.check("replaced" not in w.redis.hash(BASE + "meta"), "it is still to be swept")
    day = {k: v for k, v in want.items() if k.startswith("rpv:shop:24h:")}
    same = {k: v for k, v in w.dump().items() if k.startswith("rpv:shop:24h:")}
    findings.check(day and not differences(day, same), f"24h: {differences(day, same)[:3]}")
    swept_later(w, findings)
    w.redis("DEL", "rpv:shop:7d:page:/foreign")
    w.write("rpvd.conf", usual)
    findings.equal(w.rebuilt(), 0, "exit of --rebuild with the usual windows")
    w.same(want, "back at the usual windows")
    w.rpvd_start()
    w.note("equal after other windows and back")


def swept_later(w, findings):
    """Killed between the new state and the sweep: what Redis holds then is made by hand, with more names than go at once."""
    w.redis("HSET", BASE + "meta", "replaced", "2 2h/1m 24h/1h;1;2 5h/1h")
    w.redis("HSET", "rpv:shop:2h:total", "visits", "1", "currency", "EUR", "coverage", "1")
    w.redis("HSET", "rpv:shop:5h:page:/1", "visits", "1", "owner", "another")
    w.redis("SET", "rpv:shop:2h:country", "of a later version")
    for page in range(600):
        w.redis("ZADD", "rpv:shop:2h:page", "1", f"/{page}")
        w.redis("ZADD", "rpv:shop:2h:page@rpv", "1", f"/{page}")
        w.redis("HSET", f"rpv:shop:2h:page:/{page}", "visits", "1", "updated", "x")
    w.redis("ZADD", "rpv:shop:5h:page", "1", "/1")
    w.redis("ZADD", "rpv:shop:5h:source.first@visits", "1", "a/b")
    w.redis("ZADD", "rpv:shop:5h:source.first", "1", "a/b")
    w.rpvd_start()
    wait_for(lambda: "replaced" not in w.redis.hash(BASE + "meta"), lambda: f"{w.redis.hash(BASE + 'meta').get('replaced')} {w.read('rpvd.log')[-500:]}")
    left = sorted(k for k in w.redis("KEYS", "rpv:shop:*") if k.split(":")[2] in ("2h", "5h"))
    findings.equal(left, ["rpv:shop:2h:country", "rpv:shop:5h:page:/1"], "left of the windows")
    findings.equal(w.redis.hash("rpv:shop:5h:page:/1"), {"owner": "another"}, "another program's field")
    w.redis("DEL", *left)
    w.end(w.daemon)


def on_terminal(w, want, findings):
    """How far it is, on one line; and by root, in the directory of somebody else."""
    w.end(w.daemon)
    if os.geteuid() == 0:
        for at, _, names in os.walk(w.path("state")):
            for name in [at, *(os.path.join(at, n) for n in names)]:
                shutil.chown(name, "nobody")
        os.unlink(w.path("state/lock"))
    ours, theirs = pty.openpty()
    child = subprocess.Popen([rig.RPVD, "-c", w.path("rpvd.conf"), "--clock", w.path("clock"), "--rebuild=shop"], stderr=theirs, cwd=w.dir)
    w.children.append(child)
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:                 # the other end is closed
            break
    findings.equal(child.wait(30), 0, "exit on a terminal")
    findings.check(re.search(rb"\r\x1b\[K[0-9]+% of [0-9.]+ [kM]B, [0-9,]+ lines/s", said) and
                   re.search(rb"\r\x1b\[Krpvd: [0-9,]+ lines \([0-9.]+ [kM]B\) in [0-9.]+ s", said), f"progress: {said[-2000:]}")
    if os.geteuid() == 0:
        owners = {os.stat(os.path.join(at, n)).st_uid for at, _, names in os.walk(w.path("state")) for n in names}
        findings.equal(owners, {os.stat(w.path("state")).st_uid}, "owners in the state directory")
    w.same(want, "after it")
    w.rpvd_start()


def refused(w, findings):
    """While somebody works."""
    findings.equal(w.rebuilt(), 1, "exit while the daemon runs")
    findings.check("another rpvd" in w.read("rebuild.log").splitlines()[-1], w.read("rebuild.log"))
    shutil.copytree(w.path("state"), w.path("spare"), ignore=shutil.ignore_patterns("id", "journal", "lock"))
    w.configure(w.site(w.logs, "orders.ndjson"), state="spare", listen=None, name="spare.conf")
    before = w.records(NEW)
    findings.equal(w.rebuilt(conf="spare.conf"), 1, "exit while another host's daemon runs")
    findings.check("keeps this site" in w.read("rebuild.log").splitlines()[-1], w.read("rebuild.log"))
    findings.equal(w.records(NEW), before, "what the refused one left")
    w.end(w.daemon)
    w.configure(w.site(w.logs, "orders.ndjson"), state="strange", listen=None, name="strange.conf")
    findings.equal(w.rebuilt(conf="strange.conf"), 1, "exit of another installation's, which has other keys")
    findings.check("another installation" in w.read("rebuild.log").splitlines()[-1], w.read("rebuild.log")[-500:])
    findings.equal(w.records(NEW), before, "what that one left")
    w.rpvd_start()
    findings.equal(w.rebuilt("--rebuild=nowhere", conf="spare.conf"), 2, "exit for a site that is not there")
    w.check_daemon()


def by_flush(w, want, findings):
    """Redis is emptied while nobody runs, and the daemon is killed while it reads."""
    w.end(w.daemon)
    w.redis("FLUSHALL")
    for _ in range(5):
        w.rpvd_start()
        time.sleep(w.rng.uniform(0.02, 0.4))
        w.end(w.daemon, signal.SIGKILL)
    w.rpvd_start()
    w.settle()
    w.same(want, "after FLUSHALL and kills")
    wait_for(lambda: w.status().get("state") == "live" and w.status().get("rebuilt"), lambda: w.status())
    findings.check("rebuild" not in w.status(), f"status: {w.status()}")
    w.note("equal after FLUSHALL and kills")


def by_request(w, want, findings):
    """The daemon is asked, while it runs: a reload does it, and webhooks are taken all the while."""
    findings.equal(w.rebuilt("--rebuild-later"), 0, "exit of --rebuild-later")
    findings.equal(w.rebuilt("--rebuild-later=nowhere"), 2, "exit for a site that is not there")
    before = w.read("rpvd.log")
    with Watch(w, want) as watch:
        w.reload()
        wait_for(lambda: "a new state is built" in w.read("rpvd.log")[len(before):], lambda: w.read("rpvd.log")[len(before):])
        told = dict(w.case.events[0][1])
        findings.equal(w.hook(told, w.now), 200, "a webhook meanwhile")
        wait_for(lambda: "taken the place" in w.read("rpvd.log")[len(before):], lambda: w.read("rpvd.log")[len(before):])
    findings.check(not watch.wrong, f"while it was built: {watch.wrong[:3]}")
    wait_for(lambda: w.status().get("state") == "live", lambda: w.status())
    w.same(want, "after a request")
    findings.equal(w.records(NEW), [], "left of the build")
    w.note("equal after a request and a reload")


def with_a_loss(w, findings):
    """The oldest rotated file is gone: said in the log, in the status, by rpvctl, and under its tables."""
    oldest = sorted(glob.glob(w.path("access0.log.*.gz")), key=lambda p: int(p.split(".")[-2]))[-1]
    w.end(w.daemon)
    os.unlink(oldest)
    findings.equal(w.rebuilt(), 0, "exit where logs are gone")
    said = w.read("rebuild.log")
    findings.check("could not be rebuilt: no log reaches back further" in said, said[-1000:])
    status = w.status()
    findings.check("could not be rebuilt" in status.get("rebuild", ""), f"status: {status}")
    findings.equal(status.get("partial_windows"), "7d 30d", "partial windows")
    since = status["rebuild"].split()[2]
    code, out, err = rig.run([rig.RPVCTL, "-c", w.path("rpvd.conf"), "status"])
    findings.check(f"Figures before {since} could not be rebuilt" in out, f"{code} {out} {err}")
    code, out, err = rig.run([rig.RPVCTL, "-c", w.path("rpvd.conf"), "total"], env={"TZ": "UTC"})
    findings.check(f"7d and 30d are not whole: the figures begin at {since[:10]} {since[11:16]}" in out, f"{code} {out} {err}")
    code, out, err = rig.run([rig.RPVCTL, "-c", w.path("rpvd.conf"), "total", "--json"])
    told = {row["window"]: row.get("figures_since", "")[:16] for row in json.loads(out)["windows"]}
    findings.equal(told, {"1h": "", "24h": "", "7d": since[:16], "30d": since[:16]}, "in JSON")
    code, out, err = rig.run([rig.RPVCTL, "-c", w.path("rpvd.conf"), "top", "--window", "1h"])
    findings.check("not whole" not in out, f"{code} {out} {err}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(os.environ.get("RPVD_SEED", "1")))
    options = parser.parse_args()
    rig.need("redis-server")
    findings = Findings()
    begun = time.monotonic()
    with World("rebuild", options.seed, visitors=250) as w:
        try:
            want = w.reference()
            w.begin()
            w.live(lambda piece: w.rename() if piece in (20, 45, 70) else None)
            w.finish(want)
            for step in (by_command, by_kill, by_steps, other_version, by_request, by_nobody, other_windows, on_terminal, by_flush):
                step(w, want[0], findings)
            refused(w, findings)
            with_a_loss(w, findings)
        except AssertionError as e:
            findings.fail(f"rebuild (seed {options.seed}): {e}\n{w.read('rebuild.log')[-2000:]}\n-- rpvd:\n{w.read('rpvd.log')[-2000:]}")
    print(f"{time.monotonic() - begun:.1f} s")
    findings.end()


if __name__ == "__main__":
    sys.exit(main())
