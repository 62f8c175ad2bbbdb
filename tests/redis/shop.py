"""shop: what the tests of this directory share: a shop so small that its figures fit into a line.

Three lines of a log and two webhooks' worth of an order file; a Redis and the programs under
test are the end-to-end tests' rig.
"""

import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name) for name in ("e2e", "live")]
import case                                                             # noqa: E402
import rig                                                              # noqa: E402
from driver import differences, public_keys                             # noqa: E402,F401
from rig import Findings, Redis, RedisError, Rig, program, until        # noqa: E402,F401

PATIENCE = float(os.environ.get("RPVD_PATIENCE", "20"))
START = case.START
WHO = ("192.0.2.1", case.AGENTS[0], "v1")
LOG = (case.line(START, WHO, "/lamp?utm_source=news&utm_medium=email") + case.line(START + 60, WHO, "/cart") +
       case.line(START + 4000, ("192.0.2.9", "curl/8.5.0", "-"), "/"))
ORDERS = [
    {"id": "e1", "type": "order.paid", "time": case.rfc3339(START + 120),
     "order": {"id": "o1", "total": "80.00", "currency": "EUR", "visitor": "v1"}},
    {"id": "e2", "type": "order.refunded", "time": case.rfc3339(START + 600),
     "refund": {"id": "r1", "order_id": "o1", "amount": "20.00", "currency": "EUR"}},
]
TOTAL = {"visits": "1", "orders": "1.0000", "revenue": "60.00", "refunds": "20.00"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Shop(Rig):
    """A directory with the shop's files and a configuration."""

    def __init__(self, name):
        super().__init__("redis-" + name)
        os.mkdir(self.path("logs"))
        self.write("logs/access.log", LOG)
        self.write("orders.ndjson", "".join(case.as_line(e) for e in ORDERS))
        self.write("clock", "%013d" % ((START + 4000) * 1000))

    def configure(self, redis, more="", state="state", name="rpvd.conf", options=""):
        """redis: what stands in that section."""
        os.makedirs(self.path(state), exist_ok=True)
        site = case.SITE % {"reorder": "", "more": more,
                            "inputs": f"log '{self.path('logs/access.log')}' {{ format = '{case.FORMAT}' }}\n"
                                      f"orders '{self.path('orders.ndjson')}' {{}}"}
        return self.write(name, f"redis {{ {redis} }}\nstate_dir = '{self.path(state)}'\n{options}\n{site}")

    def replay(self, conf="rpvd.conf"):
        """(exit code, what it said)"""
        code, _, said = rig.run([rig.RPVD, "-c", self.path(conf), "--replay"], timeout=60)
        return code, said

    def live(self, conf="rpvd.conf", log="rpvd.log"):
        return self.start([rig.RPVD, "-c", self.path(conf), "--clock", self.path("clock")], log)

    def ctl(self, *words, conf="rpvd.conf"):
        return rig.run([rig.RPVCTL, "-c", self.path(conf), *words])

    def clock(self, seconds):
        fd = os.open(self.path("clock"), os.O_WRONLY)
        os.pwrite(fd, b"%013d" % (seconds * 1000), 0)
        os.close(fd)

    def end(self, child):
        child.terminate()
        try:
            return child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            return None

    def says(self, text, log="rpvd.log"):
        """Within some seconds."""
        return until(lambda: text in self.read(log), PATIENCE) is not None


def total(redis):
    try:
        got = redis.hash("rpv:shop:30d:total")
    except (OSError, RedisError):
        return None
    return {f: got.get(f) for f in TOTAL}
