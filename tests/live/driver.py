"""driver: a live rpvd under a driven clock, and everything that can happen to it.

Starts a private Redis that keeps an append-only file, and rpvd with `--clock FILE`, whose
wall time is what that file says; writes logs, sends signed webhooks, kills by process id,
and compares public keys.  The standard library only.  What is not about live operation (HTTP
over unix sockets, signatures, a small Redis client) is the end-to-end tests' rig.
"""

import glob
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "e2e"))
import rig  # noqa: E402
from rig import RPVD, Findings, Redis, RedisError, Rig, program, until  # noqa: E402,F401

PATIENCE = float(os.environ.get("RPVD_PATIENCE", "20"))     # until something that must come has come


def wait_for(probe, what, seconds=None):
    """Fails the test where it does not come."""
    if until(probe, seconds or PATIENCE, 0.01) is None:
        raise AssertionError(f"waited in vain: {what() if callable(what) else what}")


class Live(Rig):
    """One Redis, one rpvd (or several), one clock."""

    def __init__(self, name, real_clock=False):
        super().__init__("live-" + name)
        self.name = name
        self.real_clock = real_clock
        self.server = self.daemon = self.redis = None
        self.hook_sock = "hook.sock"    # of the daemon to which webhooks go
        self.write("clock", "0")
        self.sock = self.path("redis.sock")

    # ---- Redis -----------------------------------------------------------------

    def redis_start(self):
        self.server = self.start(
            [program("redis-server"), "--port", "0", "--unixsocket", self.sock, "--save", "", "--appendonly", "yes",
             "--appendfsync", "everysec", "--dir", self.dir], "redis.log")
        self.redis = Redis(self.sock)
        wait_for(self.redis.is_up, lambda: "Redis: " + self.read("redis.log")[-500:])

    def redis_kill(self, lose=0):
        """kill -9; lose: so many bytes of what it wrote last are lost, too."""
        self.end(self.server, signal.SIGKILL)
        for aof in glob.glob(self.path("appendonlydir", "*.incr.aof")) if lose else []:
            os.truncate(aof, max(0, os.path.getsize(aof) - lose))

    # ---- rpvd ------------------------------------------------------------------

    def configure(self, site, state="state", listen="hook.sock", name="rpvd.conf", redis=None):
        os.makedirs(self.path(state), exist_ok=True)
        hook = f"webhook {{ listen = 'unix:{self.path(listen)}' }}\n" if listen else ""
        return self.write(name, f"redis {{ url = 'unix:{redis or self.sock}' }}\n{hook}"
                                f"state_dir = '{self.path(state)}'\n{site}")

    def rpvd_start(self, conf="rpvd.conf", log="rpvd.log"):
        clock = [] if self.real_clock else ["--clock", self.path("clock")]
        self.daemon = self.start([RPVD, "-c", self.path(conf), *clock], log)
        return self.daemon

    def end(self, child, how=signal.SIGTERM):
        """The seconds that it took."""
        begun = time.monotonic()
        if child.poll() is None:
            child.send_signal(how)
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{child.args[0]} does not end") from None
        return time.monotonic() - begun

    def replay(self, conf):
        code, _, said = rig.run([RPVD, "-c", conf, "--replay"], timeout=120)
        if code != 0:
            raise AssertionError(f"replay: exit {code}: {said}")

    def check_daemon(self):
        """It neither crashed nor said something that no rpvd should say."""
        if self.daemon is not None and self.daemon.poll() not in (None, 0, -signal.SIGKILL, -signal.SIGTERM):
            raise AssertionError(f"rpvd ended with {self.daemon.returncode}: {self.read('rpvd.log')[-3000:]}")

    # ---- time and inputs ---------------------------------------------------------

    def clock(self, t):
        """Wall time, in seconds.  Whole or not at all: rpvd keeps the file open."""
        with open(self.path("clock"), "r+b") as f:
            f.write(b"%013d" % round(t * 1000))

    def hook(self, event, now, path="/hooks/generic", secret=rig.SECRETS["generic"]):
        """Posts until it is answered, as a provider does; the status."""
        body = rig.as_json(event)
        headers = rig.sign_generic(secret, body, int(now), event["id"])
        end = time.monotonic() + PATIENCE
        while True:
            try:
                status = rig.send(self.path(self.hook_sock), "POST", path, headers, body)
                if status < 500:
                    return status
            except OSError:
                status = None
            if time.monotonic() > end:
                raise AssertionError(f"webhook {event['id']}: {status}")
            time.sleep(0.02)

    # ---- what there is -------------------------------------------------------------

    def status(self, site="shop"):
        try:
            return self.redis.hash(f"rpv:{site}:status")
        except (OSError, RedisError):
            return {}

    def dump(self, site="shop", redis=None):
        """All public keys but the status, without the times at which they were written."""
        return public_keys(redis or self.redis, site)


def public_keys(redis, site):
    out = {}
    for key in sorted(redis("KEYS", f"rpv:{site}:*")):
        if key == f"rpv:{site}:status":
            continue
        kind = redis("TYPE", key)
        if kind == "hash":
            out[key] = {f: v for f, v in redis.hash(key).items() if f != "updated"}
        elif kind == "zset":
            flat = redis("ZRANGE", key, 0, -1, "WITHSCORES")
            if flat:
                out[key] = dict(zip(flat[::2], flat[1::2]))
    return out


def differences(want, got, limit=12):
    """Lines of text; none where both are equal."""
    out = [f"{k}: missing" for k in want if k not in got] + [f"{k}: not expected" for k in got if k not in want]
    for key in want:
        if key in got and want[key] != got[key]:
            for field in sorted(set(want[key]) | set(got[key])):
                a, b = want[key].get(field), got[key].get(field)
                if a != b:
                    out.append(f"{key} {field}: {b}, expected {a}")
    return out[:limit] + ([f"... {len(out) - limit} more"] if len(out) > limit else [])
