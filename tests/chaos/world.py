"""world: one shop that lives while everything around it breaks.

The web server that writes the logs, the provider that sends webhooks until they are
answered, two Redis servers, the proxies before them, and rpvd itself: started, stopped and
looked at here.  What goes wrong with them is in acts.py.

What is assumed of the world, since time passes a thousand times faster than in life: a line
is written before the clock reaches its time, and after a rotation the clock waits until rpvd
has found the new file (tests/live/equality.py says why).
"""

import glob
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "live"))
import case as cases                                                    # noqa: E402
import driver                                                           # noqa: E402
from driver import Live, Redis, RedisError, differences, program, rig, wait_for     # noqa: E402
from proxy import Proxy                                                 # noqa: E402

COUNTERS = ("lines empty malformed bad_time bad_status bot asset status method pageviews visits late adopted tokens orders"
            " joined_visitor joined_token joined_ip_ua joined_customer").split()
# Of a status at the end of a round: nothing of this has happened, and it says so.
SOUND = {"lost_bytes": "0", "journal_damaged": "0", "damaged": "0", "overlong": "0", "torn": "0", "events_rejected": "0", "log_dropped": "0",
         "other_currency": "0", "unconverted": "0"}
NEVER_SAID = re.compile(r".*(must\(|AddressSanitizer|LeakSanitizer|runtime error:| (is|are) lost|damaged).*")
SILENT = "for a minute no more is said of it"       # of a connection to Redis that comes and goes
REWOUND = "Redis has lost the last"
# What the status counts since rpvd, or its configuration, began: the model knows at least, and at most.
FAULTS = ("truncations", "redis_lost", "redis_rewinds", "state_refused")
MANY = 10 ** 9
GONE = re.compile(r".* is gone \(deleted, .*")


class Failed(AssertionError):
    """What was promised does not hold."""


class Place(int):
    """Bytes of a log, and when it had so many."""
    at = 0.0


class ChaosCase(cases.Case):
    """A shop's day and a half.  Each order has a customer of its own, but for renewals: webhooks may come
    hours late here, and an order that is told before an earlier one of the same customer may be joined
    otherwise than where both are known from the start."""

    def event(self, t, kind, delay, **fields):
        if "order" in fields:
            order = fields["order"]
            own = order["customer"].split("-")[0] + "-" + order["id"].removesuffix("-r")
            fields["order"] = {**order, "customer": own}
        super().event(t, kind, delay, **fields)


class Server:
    """A redis-server: an append-only file, a unix socket for clients, a port for its replica."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.dir = world.path(name)
        self.sock = world.path(name + ".sock")
        self.client = Redis(self.sock)
        self.child = None
        self.port = 0
        self.sizes = []                 # of its append-only file, with the time

    def start(self, replica_of=None):
        os.makedirs(self.dir, exist_ok=True)
        for _ in range(5):
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                self.port = s.getsockname()[1]
            self.child = self.world.start(
                [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.sock, "--save", "",
                 "--appendonly", "yes", "--appendfsync", "everysec", "--repl-diskless-sync-delay", "0", "--dir", self.dir]
                + (["--replicaof", "127.0.0.1", str(replica_of)] if replica_of else []), self.name + ".log")
            self.client = Redis(self.sock)
            wait_for(lambda: self.client.is_up() or self.child.poll() is not None, lambda: "Redis: " + self.world.read(self.name + ".log")[-500:])
            if self.child.poll() is None:
                break                   # else somebody else has the port by now
        self.sizes = []

    def info(self, section):
        try:
            return dict(line.split(":", 1) for line in self.client("INFO", section).split("\r\n") if ":" in line)
        except (OSError, RedisError):
            return {}

    def wait_synced(self):
        """A replica that has all of its primary, and an append-only file of its own again."""
        wait_for(lambda: self.info("replication").get("master_link_status") == "up", lambda: f"replica: {self.info('replication')}")
        wait_for(lambda: self.info("persistence").get("aof_rewrite_in_progress") == "0" and
                 self.info("persistence").get("aof_rewrite_scheduled") == "0", lambda: f"replica: {self.info('persistence')}")
        self.sizes = []

    def aof(self):
        files = sorted(glob.glob(os.path.join(self.dir, "appendonlydir", "*.incr.aof")), key=os.path.getmtime)
        return files[-1] if files else None

    def note_size(self):
        if self.aof():
            self.sizes.append((time.monotonic(), self.aof(), os.path.getsize(self.aof())))

    def kill(self, share=None):
        """kill -9.  share: so much (0 to 1) of what the last second brought is lost, too."""
        self.world.end(self.child, signal.SIGKILL)
        aof = self.aof()
        old = [size for t, name, size in self.sizes if name == aof and t < time.monotonic() - 1]
        lost = 0
        if share is not None and old:
            size = os.path.getsize(aof)
            lost = int((size - old[-1]) * share)
            os.truncate(aof, size - lost)
        return lost


class Log:
    """One access log and its writer, which keeps the file open as a web server does."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.path = world.path("logs", name)
        self.fd = None
        self.rest = b""                 # of a line of which the first part is written
        self.is_known = False           # rpvd has seen bytes of it since it was emptied, or rpvd began to read, last
        self.reopen()

    def reopen(self):
        if self.fd is not None:
            os.close(self.fd)
        self.fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def rotated(self):
        """All its rotated files, in no order."""
        return [p for p in glob.glob(glob.escape(self.path) + "[.-]*")]


class World(Live):
    def __init__(self, seed, pieces, visitors=None):
        super().__init__(f"chaos-{seed}")
        self.seed = seed
        self.rng = rng = random.Random(seed)
        self.style = rng.choice(["numbers", "numbers", "dates", "copytruncate"])
        self.reorder = rng.choice([0, 0, 3600])
        n_logs = rng.choice([1, 2]) if self.reorder else 1
        self.case = ChaosCase(seed, visitors or rng.choice([60, 120, 250]), self.reorder)
        self.home = [rng.randrange(n_logs) for _ in self.case.lines]
        self.names = [f"access{k}.log" for k in range(n_logs)]
        self.marks = self.times(pieces)
        self.logs = []
        self.written = self.told = 0
        self.now = cases.START - 60
        self.due = []                   # webhooks without a 2xx
        self.unsettled = False          # after a rotation: the clock is to wait
        self.story = []                 # what was done
        self.begun = time.monotonic()
        self.piece = -1
        self.frozen = self.disk_full = False
        self.redis_is = "up"            # as rpvd sees it: up, away, stubborn (answers, but refuses)
        self.spare = None               # a second rpvd
        self.journal_is_small = False   # it can be filled up
        self.commit_ms = rng.choice([50, 200, 1000])
        self.answered = {}              # HTTP status: how many, of this life of rpvd
        self.faults = {name: [0, 0] for name in FAULTS}         # of this life: at least, at most
        self.life = 0                   # where its log begins
        self.silences, self.silent_until = 0, 0.0
        self.unanswered = self.reloaded = False         # in this life: one was not waited for; counters began anew
        self.may_forget = True          # everything ever written is still on disk, so that Redis may lose it

    def times(self, pieces):
        width = (self.case.now - cases.START) / pieces
        return [cases.START + (k + self.rng.random()) * width for k in range(pieces)] + [self.case.now]

    # ---- telling ---------------------------------------------------------------------

    def note(self, what):
        self.story.append(f"{time.monotonic() - self.begun:6.2f} s  piece {self.piece:2}  "
                          f"{time.strftime('%d %H:%M', time.gmtime(self.now))}  {what}")

    def mark(self, log="rpvd.log"):
        """A place in the log, for must_say()."""
        self.look_for_silence()
        place = Place(len(self.read(log)))
        place.at = time.monotonic()
        return place

    def look_for_silence(self):
        silences = self.read("rpvd.log").count(SILENT)
        if silences > self.silences:
            self.silences, self.silent_until = silences, time.monotonic() + 60

    def must_say(self, pattern, since, log="rpvd.log"):
        """Of the connection to Redis: where it has not said that it will be silent for a minute, in which this falls."""
        def heard():
            self.look_for_silence()
            return (re.search(pattern, self.read(log)[since:]) or
                    (pattern.startswith("redis: ") and log == "rpvd.log" and self.silent_until > getattr(since, "at", 0.0)))
        wait_for(heard, lambda: f"rpvd does not say /{pattern}/, but: {self.read(log)[since:][-3000:]}")

    def fault(self, name, least, most=MANY):
        """What was done comes to at least and at most so many more of what the status counts."""
        self.faults[name][0] += least
        self.faults[name][1] += most

    def check_faults(self):
        """The counters of this life say what the model knows, neither less nor more."""
        def wrong():
            status, log = self.status(), self.read("rpvd.log")[self.life:]
            said = {name: int(status.get(name, -1)) for name in FAULTS}
            bad = [f"{name} is {said[name]}, not {0 if self.reloaded else least} to {most}" for name, (least, most) in self.faults.items()
                   if not (0 if self.reloaded else least) <= said[name] <= most]
            told = log.count(REWOUND)
            if said["redis_rewinds"] > told or (said["redis_rewinds"] < told and not self.reloaded):
                bad.append(f"redis_rewinds is {said['redis_rewinds']}, the log tells of {told}")
            for code, field in ((200, "webhook_generic_200"), (503, "webhook_generic_503_not_stored")):
                counted, answered = int(status.get(field, 0)), self.answered.get(code, 0)
                if counted < answered and not self.reloaded or (counted > answered and not self.unanswered):
                    bad.append(f"{field} is {counted}, and {answered} were answered so")
            return bad
        wait_for(lambda: not wrong(), lambda: f"faults that the status tells: {wrong()}")

    # ---- the model -------------------------------------------------------------------

    def site(self, logs, orders, more=""):
        inputs = "\n".join(f"log '{path}' {{ format = '{cases.FORMAT}' }}" for path in logs)
        return cases.SITE % {"inputs": f"{inputs}\norders '{self.path(orders)}' {{}}", "more": more,
                             "reorder": f'reorder = "{self.reorder}s"' if self.reorder else ""}

    def whole(self):
        """All lines and events, as files for who reads them in one go."""
        for k, name in enumerate(self.names):
            self.write("whole-" + name, "".join(t for (_, t), home in zip(self.case.lines, self.home) if home == k))
        self.write("whole.ndjson", "".join(cases.as_line(e) for _, e in self.case.events))

    def reference(self):
        """The public keys and counters of a fresh rpvd that reads all in one go."""
        self.whole()
        self.redis = self.rig_redis = self.redis_alone("whole")
        self.replay(self.configure(self.site([self.path("whole-" + n) for n in self.names], "whole.ndjson"), state="replayed",
                                   name="replay.conf", listen=None, redis=self.redis.sock))
        keys = self.dump()
        counters = {c: self.status()[c] for c in COUNTERS if c != "status" or not self.reorder}
        if len(keys) < 100:
            raise Failed(f"only {len(keys)} keys: the case proves nothing")
        return keys, counters

    def redis_alone(self, name):
        sock = self.path(name + ".sock")
        self.alone = self.start([program("redis-server"), "--port", "0", "--unixsocket", sock, "--save", "", "--appendonly", "no",
                                 "--dir", self.dir], name + ".log")
        wait_for(lambda: Redis(sock).is_up(), lambda: self.read(name + ".log")[-500:])
        return Redis(sock)

    # ---- life ---------------------------------------------------------------------------

    def begin(self):
        os.makedirs(self.path("logs"))
        os.makedirs(self.path("state", "journal"), 0o700)
        self.logs = [Log(self, name) for name in self.names]
        self.write("orders.ndjson", "")
        self.write("secret", rig.SECRETS["generic"], 0o600)
        self.mount_journal()
        self.primary, self.replica = Server(self, "redis-a"), Server(self, "redis-b")
        self.primary.start()
        self.redis = self.primary.client
        self.proxy = Proxy(self.path("proxy.sock"), self.primary.sock)
        self.link = Proxy(None, ("127.0.0.1", self.primary.port))
        self.replica.start(self.link.port)
        self.replica.wait_synced()
        self.write_conf()
        self.clock(self.now)
        # A log that is rotated before rpvd has ever seen a line of it is not its log.
        self.write_lines(next(self.case.lines[k][0] for k in range(len(self.home)) if len(set(self.home[:k + 1])) == len(self.logs)))
        self.rpvd_up()
        self.wait_status(lambda s: s.get("lines") == str(self.written) and s.get("commits", "0") != "0", "the first lines are committed")

    def mount_journal(self):
        """A disk of its own, small enough to be filled."""
        if os.geteuid() != 0:
            return
        path = self.path("state", "journal")
        code, _, _ = rig.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "rpvd-chaos", path])
        self.journal_is_small = code == 0

    def __exit__(self, *error):
        super().__exit__(*error) if not self.journal_is_small else self.unmount_after(error)

    def unmount_after(self, error):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        journal = self.path("state", "journal")
        kept = {name: open(os.path.join(journal, name), "rb").read() for name in os.listdir(journal) if name != "filler"}
        rig.run(["umount", journal])
        for name, data in kept.items():
            self.write(os.path.join("state", "journal", name), data)
        super().__exit__(*error)

    def write_conf(self, mistake=""):
        provider = f"provider \"generic\" {{ path = '/hooks/generic'  secret_file = '{self.path('secret')}' }}"
        site = self.site([log.path for log in self.logs], "orders.ndjson", provider + mistake)
        top = f'commit_interval = "{self.commit_ms}ms"\n'
        self.configure(top + site, redis=self.proxy_path())
        return top + site

    def proxy_path(self):
        return self.path("proxy.sock")

    @property
    def is_up(self):
        return self.daemon is not None and self.daemon.poll() is None

    @property
    def is_reading(self):
        """Nothing keeps it from reading on."""
        return self.is_up and not self.frozen and self.redis_is == "up" and self.spare is None

    def rpvd_up(self):
        self.look_for_silence()
        self.answered, self.silent_until, self.life = {}, 0.0, self.mark()
        # What a life before left to be found again may be found as an emptied file.
        self.faults = {name: [0, MANY if name == "redis_lost" or (name == "truncations" and self.style == "copytruncate") else 0]
                       for name in FAULTS}
        self.unanswered = self.reloaded = False
        self.rpvd_start()

    def wait_up(self):
        wait_for(lambda: rig.hook_up(self.path(self.hook_sock)), lambda: "the webhook socket: " + self.read("rpvd.log")[-2000:])

    def look_at_daemon(self):
        """It has ended only where somebody ended it."""
        if self.daemon is not None and self.daemon.poll() not in (None, 0, -signal.SIGKILL):
            raise Failed(f"rpvd ended with {self.daemon.returncode}")

    # ---- the web server --------------------------------------------------------------------

    def write_lines(self, upto):
        """All lines up to a time, and none is late."""
        self.complete()
        while self.written < len(self.case.lines) and self.case.lines[self.written][0] <= upto:
            self.logs[self.home[self.written]].write(self.case.lines[self.written][1].encode())
            self.written += 1

    def half_line(self, share):
        """The first part of the next line."""
        if self.written >= len(self.case.lines) or any(log.rest for log in self.logs):
            return False
        log, text = self.logs[self.home[self.written]], self.case.lines[self.written][1].encode()
        cut = 1 + int(share * (len(text) - 1))
        log.write(text[:cut])
        log.rest = text[cut:]
        return True

    def complete(self):
        for log in self.logs:
            if log.rest:
                log.write(log.rest)
                log.rest = b""
                self.written += 1

    # ---- the provider ------------------------------------------------------------------------

    def tell(self, upto):
        """What happened up to a time: a third by the order file, the others as webhooks."""
        events = self.case.events
        while self.told < len(events) and events[self.told][0] <= upto:
            event = events[self.told][1]
            if self.told % 3 == 0:
                self.append("orders.ndjson", cases.as_line(event))
            else:
                self.due.append(event)
            self.told += 1
        self.deliver()

    def deliver(self):
        """Each webhook until it is answered 2xx; what is not now, later.  A rpvd that runs and can write
        its journal answers, whatever Redis does."""
        insist = self.is_up and not self.frozen and not self.disk_full
        end = time.monotonic() + driver.PATIENCE
        while self.due:
            status = self.post(self.due[0])
            if status == 200:
                self.due.pop(0)
                continue
            if status is not None and status != 503:
                raise Failed(f"webhook {self.due[0]['id']} was answered {status}")
            if not insist:
                return
            self.look_at_daemon()
            if time.monotonic() > end:
                raise Failed(f"webhook {self.due[0]['id']} is not taken: {status}")
            time.sleep(0.02)

    def post(self, event):
        body = rig.as_json(event)
        conn = rig.UnixHTTP(self.path(self.hook_sock), 0.2 if self.frozen else driver.PATIENCE)
        try:
            conn.request("POST", "/hooks/generic", body, dict(rig.sign_generic(rig.SECRETS["generic"], body, int(self.now), event["id"])))
            status = conn.getresponse().status
        except (OSError, rig.http.client.HTTPException):
            self.unanswered = True
            return None
        finally:
            conn.close()
        self.answered[status] = self.answered.get(status, 0) + 1
        return status

    # ---- time ------------------------------------------------------------------------------------

    def advance(self, mark):
        self.tell(mark)
        if len(self.logs) > 1 and self.unsettled and self.is_reading:
            self.settle()               # what follows may be more than an hour ahead
        self.write_lines(mark)
        if self.unsettled and self.is_reading:
            self.settle()
        self.unsettled = False
        self.now = mark
        self.clock(mark)

    def settle(self):
        """Every line that was written is read."""
        self.wait_status(lambda s: s.get("lines") == str(self.written), f"{self.written} lines")
        for log in self.logs:
            log.is_known = os.path.getsize(log.path) > 0

    def settle_in_step(self):
        """Of two logs: all is read, and committed, so that nobody has to find his way again from before a rotation.  The
        second in which a new file is not begun yet is hours here, and one log would be far ahead of the other."""
        if len(self.logs) > 1:
            self.settle()
            time.sleep(2 * self.commit_ms / 1000 + 0.3)

    def unknown(self):
        """rpvd may have begun to read anew."""
        for log in self.logs:
            log.is_known = False

    def wait_status(self, fits, what):
        def look():
            self.look_at_daemon()
            status = self.status()
            if status.get("late", "0") != "0":
                raise Failed(f"{status['late']} lines came late, where none was")
            return fits(status)
        wait_for(look, lambda: f"{what}: {self.status()}\n{self.read('rpvd.log')[-3000:]}")

    def attentive(self):
        """rpvd is connected and at work, now."""
        self.redis("DEL", "rpv:shop:status")
        self.wait_status(lambda s: s.get("state") in ("live", "catching up"), "the status is written again")

    # ---- the end -----------------------------------------------------------------------------------

    def told_apart(self, want, got):
        keys, counters = want
        status = self.status()
        return "\n".join(differences(keys, got) + [f"{key}: {value}" for key, value in got.items() if key not in keys][:12]
                         + [f"{c} is {status.get(c)}, expected {v}" for c, v in counters.items() if status.get(c) != v])

    def finish(self, want):
        keys, counters = want
        self.wait_up()
        self.deliver()
        self.settle()
        wait_for(lambda: not differences(keys, self.dump()), lambda: "public keys:\n" + self.told_apart(want, self.dump()))
        self.wait_status(lambda s: all(s.get(c) == v for c, v in counters.items()),
                         "counters " + ", ".join(f"{c}={v}" for c, v in counters.items()))
        quiet = {"state": "live", "journal_depth": "0", "behind_bytes": "0", "lag_seconds": "0"} | SOUND
        if self.may_forget:
            quiet |= {f"log_{k + 1}": "ok" for k in range(len(self.logs))}
        self.wait_status(lambda s: quiet.items() <= s.items(), f"the status says that all is well ({quiet})")
        self.check_faults()
        for wrong in NEVER_SAID.finditer(self.read("rpvd.log")):
            if self.may_forget or not GONE.match(wrong.group(0)):       # it was deleted indeed
                raise Failed(f"rpvd says: {wrong.group(0)}")
        took = self.end(self.daemon)
        if self.daemon.returncode != 0:
            raise Failed(f"SIGTERM: rpvd ended with {self.daemon.returncode} after {took:.1f} s")
