#!/usr/bin/env python3
"""run: tells rpvd the stories of this directory, and looks whether they end as written.

usage: run.py [STORY ...]

Each story has a Redis and an rpvd of its own, with a clock that stands still until the
story moves it.  One line, one thing that happens; `#` begins a comment.  Times are of
2026-03-02 (UTC); +1d10:00:00 is the next day.

what is there before anything happens:
  config LINE                  an option of the site, in place of the usual one of that name;
                               later on: from the next reload
                               (DIR is the directory of the run, FORMAT its log format);
                               `config provider ...` is one more
  provider NAME { OPTIONS }    in place of the generic one
  top LINE                     one more option outside of all sections
  geo NETWORK=COUNTRY...       a database of countries
  rates LINE                   a line of the rates file; one with Date begins it anew
  without redis|log            not there yet
  other-site NAME              a second site, with a log NAME.log; webhooks to it have site=NAME
  second-secret                the secret file has two; webhooks with secret=second are signed with the other
  small-disk                   the state directory is a file system of its own, of 256 KiB
  unprivileged                 rpvd runs as nobody, where this is root, whom no mode keeps out
what happens:
  log TIME [METHOD] TARGET [visitor=] [status=] [referrer=] [agent=] [ip=] [file=]
  part TEXT                    of a line of the log, as it is; \n is a newline
  times N TEXT                 the same N times
  crowd N TIME NAME            N visitors NAME0, NAME1, ..., of one pageview each
  order TIME KIND KEY=VALUE... a line of DIR/orders.ndjson, otherwise as a webhook
  webhook TIME KIND KEY=VALUE...   a signed event; rpvd answers 200
      paid order= amount= [currency= visitor= token= customer= ip= agent= recurring= tax= shipping= alias=]
      refunded id= order= amount= [cumulative=]     disputed, dispute_won id= order= amount=
      alias order= alias=      any: event=ID (as sent again), time= (when it happened; else now), signed= (when; else now)
  answered CODE TIME KIND ...  likewise, where rpvd answers otherwise
  stripe TIME TYPE OBJECT [live=false]    a signed event of Stripe's, its object as JSON
  copies N TIME KIND ...       the very same webhook, N times at once
  get CODE PATH                of the webhook socket
  resend CODE TIME             the last webhook once more, byte for byte
  bad-webhook TIME KIND ...    signed with another secret; rpvd answers 401
  junk TIME TEXT [CODE]        a signed body that cannot be understood; rpvd answers 400
  kept TIME KIND ...           rpvd is stopped, and one before it had kept this webhook, not understanding it
  stop, start, restart         rpvd
  crash, kill                  rpvd, -9; kill starts it again
  redis-stop, redis-start, redis-restart (kill -9; it has an append-only file), flushall
  redis COMMAND ARGUMENT...
  rotate                       the log is renamed to .1
  copytruncate                 it is copied to .1 and emptied
  gzip FILE                    in the directory of the logs, as logrotate does it
  age FILE                     of the logs was last written to an hour ago
  remove FILE, link FILE NEW, chmod MODE FILE   in the directory of the logs; a file to be chmodded is made
  empty-journal                rpvd is stopped, its journal gone; crash, stop and start are still to be said
  disk-full, disk-free         of the state directory (small-disk), after some aliases of nothing
  flip FILE OFFSET             a byte of a file of the state directory is damaged
  state-dir NAME               of the next reload
  reload [bad]                 SIGHUP; bad: with a mistake in the configuration
  rebuild-later                rpvd --rebuild-later: what runs does it at its next load
  at TIME                      the clock moves on, and rpvd has caught up
  forget TIME OPTION VALUE     rpvctl forget, and the clock goes on until it is done
  forget-later OPTION VALUE    it is only asked for: rpvd is away
  clock TIME                   the clock moves on
  set-back TIME                it is set back (rpvd is stopped)
what must be so within some seconds:
  expect KEY FIELD=VALUE...    a hash; 3 = 3.00 = 3.0000; FIELD= is not there
  absent KEY
  holds KEY TEXT               a string: another program's
  status FIELD=VALUE FIELD>=N FIELD~=PART...   of rpv:shop:status; FIELD= is not there
  said TEXT                    in its log, since the last start
  orders ORDER FIELD=VALUE...  as rpvctl tells it
  ctl CODE "ARGUMENTS" TEXT... rpvctl ends with that code, and says each TEXT; !TEXT not.  Blanks are one blank
  on-disk TEXT, not-on-disk TEXT   in a file of the state directory
"""

import concurrent.futures
import datetime
import decimal
import glob
import gzip
import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import mmdb                                                             # noqa: E402
import rig                                                              # noqa: E402

MIDNIGHT = int(datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc).timestamp())
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SECRET = rig.SECRETS["generic"]
FORGED = SECRET.replace("A", "B")
DEADLINE = 10.0
AT_ONCE = 6

CONF = """redis {{ url = 'unix:{dir}/redis.sock' }}
webhook {{ listen = 'unix:{dir}/webhook.sock' }}
state_dir = '{dir}/{state}'
commit_interval = "50ms"
{top}site "shop" {{
	token "/thanks*" {{ param = "order" }}
{options}
}}
"""
FORMAT = '$remote_addr - - [$time_local] "$request" $status 0 "$http_referer" "$http_user_agent" "$cookie_rpv" $msec'
OTHER = """site "{name}" {{
	hosts = {{"{name}.example"}}
	currency = "EUR"
	log 'DIR/logs/{name}.log' {{ format = 'FORMAT' }}
	provider "generic" {{ path = "/hooks/{name}"  secret_file = 'DIR/generic.secret' }}
}}
"""


class Failed(Exception):
    """A line of the story does not hold."""


class Skipped(Exception):
    """The story cannot be told here."""


def seconds(text):
    """10:00:00, +1d10:00:00, 10:00:00.250 -> Unix seconds."""
    m = re.fullmatch(r"(?:\+(\d+)d)?(\d\d):(\d\d):(\d\d(?:\.\d{1,3})?)", text)
    if not m:
        raise Failed(f"{text!r} is no time")
    return MIDNIGHT + 86400 * int(m[1] or 0) + 3600 * int(m[2]) + 60 * int(m[3]) + decimal.Decimal(m[4])


def rfc3339(when):
    return rig.rfc3339(int(when), f".{int(when % 1 * 1000):03d}Z")


def same(got, want):
    """Numbers as numbers."""
    try:
        return got is not None and decimal.Decimal(got) == decimal.Decimal(want)
    except decimal.InvalidOperation:
        return got == want


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def pairs(words):
    return dict(word.split("=", 1) for word in words)


# ---- webhooks ----------------------------------------------------------------------

ORDER = {"amount": "total", "agent": "user_agent", "order": "id"}


def event_of(kind, f):
    if kind == "paid":
        order = {"currency": "EUR", **{ORDER.get(k, k): v for k, v in f.items()}}
        if "alias" in order:
            order["aliases"] = [order.pop("alias")]
        if "recurring" in order:
            order["recurring"] = order["recurring"] == "true"
        return {"order": order}
    if kind == "alias":
        return {"alias": {"order_id": f["order"], "alias": f["alias"]}}
    part = {"currency": "EUR", **f}
    part["order_id"] = part.pop("order")
    if "cumulative" in part:
        part["cumulative"] = part["cumulative"] == "true"
    return {"refund" if kind == "refunded" else "dispute": part}


# ---- a story -----------------------------------------------------------------------

class Story:
    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as f:
            self.lines = f.read().splitlines()
        self.options = {"log": "log 'DIR/logs/access.log' { format = 'FORMAT' }", "hosts": 'hosts = {"shop.example"}', "currency": 'currency = "EUR"',
                        "visitor": 'visitor = {"cookie:rpv", "ip_ua"}', "provider": "provider \"generic\" { secret_file = 'DIR/generic.secret' }"}
        self.top = ""
        self.without = set()
        self.others = self.user = None
        self.program = rig.RPVD
        self.state = "state"
        self.secrets = SECRET + "\n"
        self.within = []
        self.begun = False
        self.now = decimal.Decimal(0)
        self.daemon = None
        self.failures = []

    def tell(self):
        """What did not hold, as file:line and a sentence."""
        with rig.Rig("story") as self.rig:
            for number, line in enumerate(self.lines, 1):
                words = shlex.split(line, comments=True)
                if words and not self.line(words, number):
                    break
            said = self.rig.read("rpvd.log")
        for sentence in re.findall(r"must\(.*|ERROR: AddressSanitizer.*|.*runtime error:.*", said):
            self.failures.append(f"{self.path}: rpvd: {sentence}")
        return self.failures

    def line(self, words, number):
        verb, self.number = words[0], number
        try:
            if verb not in SETUP and not self.begun:
                self.begin()
            VERBS[verb](self, *words[1:])
        except Skipped as why:
            print(f"{self.path}: skipped: {why}", flush=True)
            return False
        except Failed as why:
            self.failures.append(f"{self.path}:{number}: {' '.join(words)}: {why}")
            return verb in LOOKS
        except Exception as why:        # pylint: disable=broad-except
            log = self.rig.read("rpvd.log")[-1000:]
            self.failures.append(f"{self.path}:{number}: {' '.join(words)}: {type(why).__name__}: {why}\n{log}")
            return False
        return True

    # What is there before.

    def config(self, *words):
        name = "another" if words[0] == "provider" else words[0]
        self.options[name] = words[0] + self.lines[self.number - 1].split(words[0], 1)[1]

    def provider(self, *words):
        self.options["provider"] = self.lines[self.number - 1]

    def top_option(self, *words):
        self.top += words[0] + self.lines[self.number - 1].split(words[0], 1)[1] + "\n"

    def geo(self, *words):
        self.top += f"geo = '{self.rig.path('geo.mmdb')}'\n"
        self.rig.write("geo.mmdb", mmdb.database(pairs(words)))

    def rates(self, *words):
        os.makedirs(self.rig.path("logs"), exist_ok=True)
        self.options["rates"] = f"rates = '{self.rig.path('rates.csv')}'"
        text = " ".join(words) + "\n"
        (self.rig.write if words[0].startswith("Date") else self.rig.append)("rates.csv", text)

    def leave_out(self, what):
        self.without.add(what)

    def other_site(self, name):
        self.others = OTHER.format(name=name)

    def second_secret(self):
        self.secrets = SECRET + "\n" + FORGED + "\n"

    def small_disk(self):
        """A mount that this process alone sees: it goes with it, however that ends."""
        state = self.rig.path("state")
        unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        self.within = unshare + ["sh", "-c", 'mount -t tmpfs -o size=256k,mode=700 none "$0" && exec "$@"', state]
        os.mkdir(state)
        if rig.run(self.within + ["true"])[0] != 0:
            raise Skipped("a file system of its own cannot be mounted here")

    def ballast(self):
        return f"/proc/{self.daemon.pid}/root{self.rig.path('state/ballast')}"

    def disk_full(self):
        with open(self.ballast(), "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass
        self.fill_block(240)
        self.fill_block(1)

    def fill_block(self, width):
        """Into the rest of the journal's last block, until one is refused."""
        for n in range(100):
            try:
                self.post(SECRET, 200, self.posted_at, "alias", f"order={n:0{width}}", f"alias=a{n}", f"event=e{n}")
            except Failed:
                return
        raise Failed("the disk does not get full")

    def disk_free(self):
        os.unlink(self.ballast())

    def unprivileged(self):
        if os.geteuid() != 0:
            return
        # A copy: the tree may lie where nobody has no way in.
        self.program = shutil.copy(rig.RPVD, self.rig.path("rpvd"))
        self.user = "nobody"

    def begin(self):
        self.begun = True
        os.makedirs(self.rig.path("logs"), exist_ok=True)
        os.makedirs(self.rig.path("state"), exist_ok=True)
        self.rig.write("generic.secret", self.secrets, 0o600)
        self.rig.write("stripe.secret", rig.SECRETS["stripe"], 0o600)
        self.write_conf()
        self.set_clock(decimal.Decimal(MIDNIGHT))
        if "log" not in self.without:
            self.rig.append("logs/access.log", "")
        if "redis" not in self.without:
            self.start_redis()
        self.start()

    def write_conf(self, more=""):
        options = "\n".join("\t" + option for option in self.options.values()) + more
        text = CONF.format(dir=self.rig.dir, state=self.state, top=self.top, options=options) + (self.others or "")
        self.rig.write("rpvd.conf", text.replace("DIR", self.rig.dir).replace("FORMAT", FORMAT))

    # What happens.

    def set_clock(self, when):
        """In place: rpvd has the file open.  Never back: a line may be late."""
        when = max(when, self.now)
        fd = os.open(self.rig.path("clock"), os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(fd, b"%d" % int(when * 1000), 0)
        os.close(fd)
        self.now = when

    def log(self, time, *words):
        when = seconds(time)
        self.set_clock(when)
        target = next(w for w in words if w.startswith("/"))
        bare = [w for w in words if w.isupper()]
        f = pairs(w for w in words if w != target and w not in bare)
        method = bare[0] if bare else f.get("method", "GET")
        stamp = rig.time.strftime("%d/%b/%Y:%H:%M:%S +0000", rig.time.gmtime(int(when)))
        self.rig.append("logs/" + f.get("file", "access.log"),
                        f'{f.get("ip", "192.0.2.1")} - - [{stamp}] "{method} {target} HTTP/1.1" {f.get("status", 200)} 0 '
                        f'"{f.get("referrer", "-")}" "{f.get("agent", AGENT)}" "{f.get("visitor", "-")}" {when:.3f}\n')

    def post(self, secret, want, time, kind, *words, copies=1):
        self.set_clock(seconds(time))
        self.posted_at = time
        f = pairs(words)
        path = "/hooks/" + f.pop("site", "generic")
        event_id = f.pop("event", f"evt_{self.number}")
        when, signed = seconds(f.pop("time", time)), int(seconds(f.pop("signed", time)))
        if f.pop("secret", "") == "second":
            secret = FORGED
        body = rig.as_json({"time": rfc3339(when), "type": "order." + kind, **event_of(kind, f)})
        self.posted = (path, rig.sign_generic(secret, body, signed, event_id), body)
        self.send_posted(want, copies)

    def send_posted(self, want, copies=1):
        path, headers, body = self.posted

        def send(_):
            return rig.send(self.rig.path("webhook.sock"), "POST", path, headers, body)
        with concurrent.futures.ThreadPoolExecutor(copies) as pool:
            got = set(pool.map(send, range(copies)))
        if got != {want}:
            raise Failed(f"expected {want}, got {got}")

    def answered(self, code, *words):
        self.post(SECRET, int(code), *words)

    def copies(self, n, *words):
        self.post(SECRET, 200, *words, copies=int(n))

    def get(self, code, path):
        got = rig.send(self.rig.path("webhook.sock"), "GET", path)
        if got != int(code):
            raise Failed(f"expected {code}, got {got}")

    def resend(self, code, time):
        self.set_clock(seconds(time))
        self.send_posted(int(code))

    def junk(self, time, text, want="400"):
        self.set_clock(seconds(time))
        body = text.encode()
        headers = rig.sign_generic(SECRET, body, int(self.now), f"evt_{self.number}")
        got = rig.send(self.rig.path("webhook.sock"), "POST", "/hooks/generic", headers, body)
        if got != int(want):
            raise Failed(f"expected {want}, got {got}")

    def kept(self, time, kind, *words):
        """A file of the quarantine (src/io/journal.c, quarantine.c) with this one body in it."""
        when = seconds(time)
        self.set_clock(when)
        body = rig.as_json({"time": rfc3339(when), "type": "order." + kind, **event_of(kind, pairs(words))})
        texts = (b"generic", b"/hooks/generic", b"evt_%d" % self.number, b"order: is of an unknown kind", body)
        payload = struct.pack("<QBQ", 1, 2, int(when * 1000)) + varint(4) + b"shop\1" + b"".join(varint(len(t)) + t for t in texts)
        head = b"\x89rpj" + struct.pack("<I", len(payload))
        crc = zlib.crc32(struct.pack("<QQ", 1, 0) + head + payload)
        self.rig.write("state/quarantine/00000000000000000001.log", head + struct.pack("<I", crc) + payload, 0o600)

    def webhook(self, *words):
        self.post(SECRET, 200, *words)

    def stripe(self, time, kind, obj, live="live=true"):
        self.set_clock(seconds(time))
        body = rig.as_json({"id": f"evt_{self.number}", "object": "event", "type": kind, "created": int(self.now),
                            "livemode": live == "live=true", "data": {"object": json.loads(obj)}})
        self.posted = ("/hooks/stripe", rig.sign_stripe(rig.SECRETS["stripe"], body, int(self.now)), body)
        self.send_posted(200)

    def bad_webhook(self, *words):
        self.post(FORGED, 401, *words)

    def part(self, text):
        self.rig.append("logs/access.log", text.replace("\\n", "\n"))

    def times(self, n, text):
        self.part(int(n) * text)

    def crowd(self, n, time, name):
        when = seconds(time)
        self.set_clock(when)
        stamp = rig.time.strftime("%d/%b/%Y:%H:%M:%S +0000", rig.time.gmtime(int(when)))
        self.part("".join(f'192.0.2.1 - - [{stamp}] "GET / HTTP/1.1" 200 0 "-" "{AGENT}" "{name}{i}" {when:.3f}\n' for i in range(int(n))))

    def order_line(self, time, kind, *words):
        event = {"id": f"evt_{self.number}", "time": rfc3339(seconds(time)), "type": "order." + kind, **event_of(kind, pairs(words))}
        self.rig.append("orders.ndjson", rig.as_json(event) + b"\n")
        self.set_clock(seconds(time))

    def start(self):
        self.said_before = len(self.rig.read("rpvd.log"))
        if "redis" not in self.without:
            self.redis("DEL", "rpv:shop:status")        # the one before's
        argv = self.within + [self.program, "-c", self.rig.path("rpvd.conf"), "--clock", self.rig.path("clock")]
        if self.user is not None:
            for path in (".", "state", "rpvd.conf", "generic.secret"):
                shutil.chown(self.rig.path(path), self.user)
        self.daemon = self.rig.start(argv, "rpvd.log", self.user)
        up = rig.until(lambda: self.daemon.poll() is not None or rig.hook_up(self.rig.path("webhook.sock")), DEADLINE)
        if up is None or self.daemon.poll() is not None:
            raise Failed("rpvd did not start: " + self.rig.read("rpvd.log"))

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        if self.daemon.wait(DEADLINE) != 0:
            raise Failed(f"rpvd ended with {self.daemon.returncode}")

    def restart(self):
        self.stop()
        self.start()

    def crash(self):
        self.daemon.kill()
        self.daemon.wait()

    def kill(self):
        self.crash()
        self.start()

    def start_redis(self):
        self.without.discard("redis")
        self.redis = self.rig.redis("redis", "--appendonly", "yes", "--unixsocketperm", "777")
        self.server = self.rig.children[-1]

    def stop_redis(self):
        self.without.add("redis")
        self.server.kill()
        self.server.wait()

    def restart_redis(self):
        self.stop_redis()
        self.start_redis()

    def flushall(self):
        self.redis("FLUSHALL")

    def redis_command(self, *words):
        self.redis(*words)

    def copytruncate(self):
        shutil.copyfile(self.rig.path("logs/access.log"), self.rig.path("logs/access.log.1"))
        os.truncate(self.rig.path("logs/access.log"), 0)

    def gzip(self, name):
        path = self.rig.path("logs", name)
        with open(path, "rb") as f, gzip.open(path + ".gz", "wb") as out:
            out.write(f.read())
        shutil.copystat(path, path + ".gz")
        os.unlink(path)

    def remove(self, name):
        os.unlink(self.rig.path("logs", name))

    def link(self, name, new):
        os.link(self.rig.path("logs", name), self.rig.path("logs", new))

    def age(self, name):
        then = os.stat(self.rig.path("logs", name)).st_mtime - 3600
        os.utime(self.rig.path("logs", name), (then, then))

    def chmod(self, mode, name):
        self.rig.append("logs/" + name, "")
        os.chmod(self.rig.path("logs", name), int(mode, 8))

    def empty_journal(self):
        shutil.rmtree(self.rig.path("state/journal"))

    def flip(self, name, offset):
        with open(self.rig.path(self.state, name), "r+b") as f:
            f.seek(int(offset))
            byte = f.read(1)[0]
            f.seek(int(offset))
            f.write(bytes([byte ^ 0x40]))

    def state_dir(self, name):
        self.state = name

    def set_back(self, time):
        self.now = decimal.Decimal(0)
        os.unlink(self.rig.path("clock"))
        self.set_clock(seconds(time))

    def clock(self, time):
        self.set_clock(seconds(time))

    def rotate(self):
        os.rename(self.rig.path("logs/access.log"), self.rig.path("logs/access.log.1"))

    def reload(self, how=""):
        self.write_conf("\n\tsession_timeout = \"30x\"" if how == "bad" else "")
        before = self.rig.read("rpvd.log")
        self.daemon.send_signal(signal.SIGHUP)
        if rig.until(lambda: "reload" in self.rig.read("rpvd.log")[len(before):], DEADLINE) is None:
            raise Failed("rpvd says nothing of a reload: " + self.rig.read("rpvd.log")[len(before):])

    def rebuild_later(self):
        code, _, said = rig.run([rig.RPVD, "-c", self.rig.path("rpvd.conf"), "--rebuild-later"])
        if code != 0:
            raise Failed(f"rpvd --rebuild-later: {code} {said}")

    def at(self, time):
        """Twice: what the first look has read is committed and published at the second."""
        for step in (0, 1):
            self.set_clock(seconds(time) + step)
            if rig.until(self.has_caught_up, DEADLINE) is None:
                raise Failed(f"rpvd has not caught up: {self.redis.hash('rpv:shop:status')}\n{self.rig.read('rpvd.log')}")

    def forget(self, time, *words):
        self.set_clock(seconds(time))
        asked = self.rig.start([rig.RPVCTL, "-c", self.rig.path("rpvd.conf"), "forget", *words], "rpvctl.log")

        def is_done():
            self.set_clock(self.now + 1)
            return asked.poll() is not None
        if rig.until(is_done, 3 * DEADLINE) is None or asked.returncode != 0:
            raise Failed(f"rpvctl: {asked.returncode} {self.rig.read('rpvctl.log')}")

    def forget_later(self, *words):
        asked = self.rig.start([rig.RPVCTL, "-c", self.rig.path("rpvd.conf"), "forget", *words], "rpvctl.log")
        if rig.until(lambda: self.redis("HLEN", "rpvd:{shop.0}:forget") == 1, DEADLINE) is None:
            raise Failed(f"rpvctl did not ask: {self.rig.read('rpvctl.log')}")
        asked.kill()
        asked.wait()

    def has_caught_up(self):
        try:
            s = self.redis.hash("rpv:shop:status")
        except (OSError, rig.RedisError):
            return False
        return (s.get("updated", "") >= rig.rfc3339(int(self.now)) and s.get("behind_bytes") == "0" and
                s.get("journal_depth") == "0")

    # What must be so.

    def soon(self, look):
        """look() returns what is wrong, or nothing."""
        wrong = []

        def is_right():
            wrong[:] = look()
            return not wrong
        if rig.until(is_right, 1.0 if self.failures else DEADLINE) is None:
            raise Failed("; ".join(wrong))

    def expect(self, key, *words):
        want = pairs(words)

        def look():
            got = self.redis.hash(key)
            if not got:
                return [f"there is no {key}"]
            return [f"expected {f}={w}, got {got.get(f)}" for f, w in want.items() if not same(got.get(f, "" if w == "" else None), w)]
        self.soon(look)

    def ctl(self, code, arguments, *texts):
        def look():
            got, out, err = rig.run([rig.RPVCTL, "-c", self.rig.path("rpvd.conf"), *shlex.split(arguments)])
            said = " ".join((out + err).split())
            wrong = [] if got == int(code) else [f"it ends with {got}: {said}"]
            return wrong + [f"{text!r}: {said}" for text in texts if text.startswith("!") == (text.lstrip("!") in said)]
        self.soon(look)

    def is_on_disk(self, text):
        for directory, _, names in os.walk(self.rig.path(self.state)):
            for name in names:
                with open(os.path.join(directory, name), "rb") as f:
                    if text.encode() in f.read():
                        return name
        return None

    def on_disk(self, text):
        self.soon(lambda: [] if self.is_on_disk(text) else ["it is not there"])

    def not_on_disk(self, text):
        self.soon(lambda: ["it is in " + self.is_on_disk(text)] if self.is_on_disk(text) else [])

    def absent(self, key):
        self.soon(lambda: ["it is there: %r" % self.redis.hash(key)] if self.redis("EXISTS", key) else [])

    def holds(self, key, text):
        self.soon(lambda: [] if self.redis("GET", key) == text else ["it does not"])

    def status(self, *words):
        def look():
            got = self.redis.hash("rpv:shop:status")
            wrong = []
            for word in words:
                field, how, want = re.fullmatch(r"([^=>~]+)([>~]?)=(.*)", word).groups()
                value = got.get(field)
                ok = (int(value or 0) >= int(want) if how == ">" else want in (value or "") if how == "~" else
                      value is None if want == "" else same(value, want))
                if not ok:
                    wrong.append(f"expected {word}, got {value}")
            return wrong
        self.soon(look)

    def said(self, text):
        self.soon(lambda: [] if text in self.rig.read("rpvd.log")[self.said_before:] else
                  ["it said: " + self.rig.read("rpvd.log")[self.said_before:]])

    def orders(self, order, *words):
        def look():
            code, out, err = rig.run([rig.RPVCTL, "-c", self.rig.path("rpvd.conf"), "--json", "orders", order])
            if code != 0:
                return [f"rpvctl: {err.strip() or code}"]
            got = json.loads(out)
            got = got.get("orders", [got])[0] if isinstance(got, dict) else got[0]
            told = {k: v if isinstance(v, str) else json.dumps(v) for k, v in got.items()}
            return [f"expected {f}={w}, got {told.get(f)}" for f, w in pairs(words).items() if not same(told.get(f), w)]
        self.soon(look)


SETUP = {"second-secret", "small-disk", "config", "provider", "top", "geo", "rates", "without", "other-site", "unprivileged"}
LOOKS = {"expect", "absent", "holds", "status", "said", "orders", "on-disk", "not-on-disk", "ctl"}
VERBS = {
    "config": Story.config, "provider": Story.provider, "top": Story.top_option, "geo": Story.geo, "stripe": Story.stripe, "crowd": Story.crowd, "rates": Story.rates, "without": Story.leave_out,
    "log": Story.log, "webhook": Story.webhook, "bad-webhook": Story.bad_webhook, "junk": Story.junk, "kept": Story.kept,
    "second-secret": Story.second_secret, "small-disk": Story.small_disk, "disk-full": Story.disk_full, "disk-free": Story.disk_free,
    "answered": Story.answered, "copies": Story.copies, "resend": Story.resend, "get": Story.get,
    "ctl": Story.ctl, "flip": Story.flip, "set-back": Story.set_back, "on-disk": Story.on_disk, "not-on-disk": Story.not_on_disk,
    "start": Story.start, "stop": Story.stop, "restart": Story.restart, "kill": Story.kill, "crash": Story.crash,
    "redis-start": Story.start_redis, "redis-stop": Story.stop_redis, "redis-restart": Story.restart_redis,
    "flushall": Story.flushall, "rotate": Story.rotate, "reload": Story.reload, "rebuild-later": Story.rebuild_later, "at": Story.at, "forget": Story.forget, "forget-later": Story.forget_later,
    "other-site": Story.other_site, "unprivileged": Story.unprivileged, "part": Story.part, "times": Story.times, "order": Story.order_line,
    "redis": Story.redis_command, "copytruncate": Story.copytruncate, "gzip": Story.gzip, "remove": Story.remove, "link": Story.link, "age": Story.age, "chmod": Story.chmod,
    "empty-journal": Story.empty_journal, "state-dir": Story.state_dir, "clock": Story.clock, "said": Story.said,
    "expect": Story.expect, "absent": Story.absent, "holds": Story.holds, "status": Story.status, "orders": Story.orders,
}


def main():
    rig.need("redis-server")
    stories = sys.argv[1:] or sorted(glob.glob(os.path.join(HERE, "*.story")))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for failures in pool.map(lambda path: Story(path).tell(), stories):
            failed += bool(failures)
            for failure in failures:
                print(failure, flush=True)
    print(f"{len(stories)} stories, {failed} failed")
    sys.exit(1 if failed or not stories else 0)


if __name__ == "__main__":
    main()
