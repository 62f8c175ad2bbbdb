#!/usr/bin/env python3
"""bad: what goes wrong at a stranger's, and what rpvd says to it.

Each case has one exit code and one sentence: 2 for mistakes in the command line or the
configuration, 1 for the world outside.  A daemon that is up stays up, whatever comes.
"""

import gzip
import os
import re
import socket
import stat
import sys
import time

import rig
from rig import RPVD, SECRETS, Findings, Redis, Rig, as_json, rfc3339, run, send, until

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def line(seconds, target="/", agent=AGENT):
    when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))
    return f'192.0.2.7 - - [{when}] "GET {target} HTTP/1.1" 200 7 "https://www.google.com/" "{agent}"\n'


def paid(order, total="10.00", seconds=None):
    at = rfc3339(int(time.time()) - 60 if seconds is None else seconds)
    return {"id": "evt_" + order, "time": at, "type": "order.paid",
            "order": {"id": order, "total": total, "currency": "EUR"}}


class Bad:
    def __init__(self, rig_):
        self.rig = rig_
        self.f = Findings()
        self.now = int(time.time())
        rig_.write("a.log", line(self.now - 100))
        for name, secret in SECRETS.items():
            rig_.write(name + ".secret", secret + "\n", 0o600)
        self.redis = rig_.redis()
        self.confs = 0

    def conf(self, site="", top="", log=None, url=None, fmt="combined", state=None, redis="", webhook=None, orders=()):
        """Writes a configuration; its path."""
        r = self.rig
        self.confs += 1
        if state is None:
            state = r.path(f"state{self.confs}")
        text = f"redis {{ url = '{url or 'unix:' + r.path('redis.sock')}' {redis} }}\n"
        text += f"state_dir = '{state}'\n{top}\n"
        if webhook:
            text += f"webhook {{ listen = '{webhook}' }}\n"
        text += "site \"shop\" {\n\tcurrency = \"EUR\"\n"
        text += f"\tlog '{log or r.path('a.log')}' {{ format = '{fmt}' }}\n"
        for path in orders:
            text += f"\torders '{path}' {{}}\n"
        return r.write(f"rpvd{self.confs}.conf", text + "\t" + site + "\n}\n")

    def says(self, why, argv, code, *sentences, lines=None):
        """The exit code is that, and each sentence stands in what was said."""
        got, out, err = run([RPVD, *argv])
        said = out + err
        self.f.equal(got, code, f"{why}: exit code ({said.strip()})")
        for sentence in sentences:
            self.f.check(re.search(sentence, said), f"{why}: does not say {sentence!r}: {said.strip()}")
        if lines is not None:
            self.f.equal(len(said.splitlines()), lines, f"{why}: lines of {said.strip()!r}")
        self.f.check("ERROR: AddressSanitizer" not in said and "must(" not in said, f"{why}: {said}")
        return said

    def mistake(self, why, conf, *sentences):
        """A configuration that -t and a start refuse alike, a line for each mistake."""
        n = len(sentences)
        tested = self.says(why + " (-t)", ["-t", "-c", conf], 2, *sentences, lines=n)
        self.f.equal(self.says(why, ["-c", conf], 2), tested, f"{why}: said at the start, and by -t")

    def replay(self, why, conf, code, *sentences, lines=None):
        self.redis("FLUSHALL")
        return self.says(why + " (replay)", ["-c", conf, "--replay"], code, *sentences, lines=lines)

    def counted(self, why, want, **total):
        got = self.redis.hash("rpv:shop:30d:total")
        total = {"visits": str(want), **total}
        self.f.equal({k: got.get(k) for k in total}, total, f"{why}: figures")


# ---- the command line and the configuration -----------------------------------------

def options(b):
    b.says("--version", ["--version"], 0, r"^rpvd \S+\nlibevent \d\S*, hiredis \d\S*, jansson \d\S*, libsodium \d\S*, zlib \d\S*, libmaxminddb \d\S*\n$")
    b.says("--help", ["--help"], 0, r"^usage: rpvd ", r"--replay")
    b.says("unknown option", ["--relpay"], 2, r"unrecognized option '--relpay'", r"usage: rpvd ")
    b.says("an argument too many", ["shop.conf"], 2, r'unexpected argument "shop.conf"', r"usage: rpvd ")
    b.says("-c without a file", ["-c"], 2, r"requires an argument")


def configuration(b):
    r = b.rig
    here = re.escape(r.dir)
    b.mistake("missing configuration", r.path("none.conf"), here + r"/none.conf: cannot be opened: No such file or directory; .* -c")
    b.mistake("a directory as configuration", r.dir, here + r": is a directory; expected a configuration file")
    if os.geteuid() != 0:
        b.mistake("unreadable configuration", r.write("shut.conf", "", 0), r"shut.conf: cannot be opened: Permission denied")
    b.mistake("empty configuration", r.write("empty.conf", ""), r'empty.conf:1: no site; expected site "NAME"')
    b.mistake("a brace too few", r.write("syntax.conf", 'site "shop" {\n\tcurrency = "EUR"\n\tlog "/x" {}\n'),
              r"syntax.conf:1: the \{ of this line has no \}")
    b.mistake("several mistakes", r.write("several.conf", """site "shop" {
	currency = EURO
	lookbak = "3d"
	session_timeout = "30x"
	log "/x" { format = "combi" }
	provider "strip" { secret_file = "x" }
	provider "stripe" { secret_file = "nosuch" }
}
redsi {}
"""), r"several.conf:2: .*EURO.*such as EUR", r"several.conf:3: unknown option lookbak in site; did you mean lookback\?",
              r"several.conf:4: session_timeout = \"30x\": expected a duration .*30m",
              r"several.conf:5: log \"/x\": log format: \"combi\" is none of auto, combined, ",
              r"several.conf:6: there is no provider \"strip\"; known are adyen, bigcommerce, .*, stripe, woocommerce",
              r"several.conf:7: the secret file of provider \"stripe\" cannot be read: .*/nosuch: No such file",
              r"several.conf:9: unknown option redsi; did you mean redis\?")
    everything_at_once(b)
    r.write("empty.secret", "\n\n")
    r.write("good.secret", "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\n")
    b.mistake("empty secret file", b.conf("provider \"stripe\" { secret_file = 'empty.secret' }"),
              r"conf:7: the secret file of provider \"stripe\" is empty: expected .* one a line")
    b.mistake("no secret file", b.conf('provider "stripe" {}'),
              r"conf:7: provider \"stripe\" has no secret: set secret_file, or .*LoadCredential=stripe.secret")
    r.write("junk.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for what, block, sentence in (
            ("an address that is signed", "square\" { secret_file = 'good.secret' ", r"needs notification_url: the address as it was typed"),
            ("a seller", "gumroad\" { path = '/hooks/gumroad-8f14e45fceea167a' ", r"needs seller_id: the seller's id"),
            ("a webhook", 'paypal" { ', r"needs webhook_id: the id that PayPal shows"),
            ("an address that can be guessed", 'gumroad" { seller_id = abc ', r"needs a path that nobody can guess, since pings are not signed"),
            ("no secret of Gumroad's", "gumroad\" { path = '/hooks/gumroad-8f14e45fceea167a' seller_id = abc secret_file = 'empty.secret' ", r"has no secrets: take secret_file out"),
            ("how Adyen counts", "adyen\" { secret_file = 'good.secret' count = payment_intents ", r"cannot count by payment_intents: payment_intents is for stripe, capture for adyen"),
            ("a missing certificate", "paypal\" { webhook_id = WH1 certificate_file = 'none.pem' ", r"certificate file of provider \"paypal\" cannot be read: .*No such file"),
            ("a certificate that is none", "paypal\" { webhook_id = WH1 certificate_file = 'junk.pem' ", r"junk.pem: expected a certificate in PEM with an RSA key")):
        b.mistake(what, b.conf(f'provider "{block} }}'), r"conf:7: .*" + sentence)
    for fmt, sentence in {
            "$remote_addr$status": r"\$remote_addr and \$status need a separator between them",
            "$status $request $http_user_agent $remote_addr": r"needs a time: \$msec, \$time_local or \$time_iso8601",
            "$msec $request $http_user_agent $remote_addr": r"needs \$status",
            "common": r"needs \$http_user_agent, without which every hit counts as a bot's",
            "$msec $status $request $http_user_agent": r"\$remote_addr is needed, or another identity"}.items():
        b.mistake("format " + fmt, b.conf(fmt=fmt), r"conf:6: log \".*/a.log\": log format: " + sentence)
    b.mistake("uid that is not logged", b.conf('visitor = {"uid"}'), r"conf:6: .*\$uid_got, .*is needed, or another identity in visitor")
    b.mistake("cookie that is not logged", b.conf('visitor = {"cookie:rpv"}'), r"conf:6: .*\$cookie_rpv is needed, or another")
    r.write("rates.csv", "Date,USD,JPY,\n2026-01-06,1.17,182.1,\n2026-01-05,1.16,hello,\n")
    b.mistake("corrupt rates", b.conf('rates = "rates.csv"'), r"conf:7: site \"shop\": rates: .*/rates.csv:3: the rate of JPY is no positive number")
    b.mistake("missing rates", b.conf('rates = "none.csv"'), r"conf:7: site \"shop\": rates: .*/none.csv: No such file or directory")
    r.write("geo.mmdb", b"\0" * 5000)
    b.mistake("corrupt country database", b.conf(top='geo = "geo.mmdb"'), r"conf:3: geo: .*/geo.mmdb: no usable database: ")
    b.mistake("corrupt network database", b.conf(top='asn = "geo.mmdb"'), r"conf:3: asn: .*/geo.mmdb: no usable database: ")
    b.mistake("missing country database", b.conf(top='geo = "none.mmdb"'), r"conf:3: geo: .*/none.mmdb: No such file or directory")
    b.mistake("missing tables", b.conf(top='data_dir = "/none"'), r"conf:3: data_dir: /none/sources.tsv: No such file or directory")


def in_lines(b, why, conf, *expected):
    """All that is said, in the order of the file: (line, beginning of its sentence)."""
    said = b.says(why, ["-t", "-c", conf], 2)
    for got, (number, sentence) in zip(said.splitlines(), expected):
        b.f.check(re.match(rf"{re.escape(conf)}:{number}: {sentence}", got), f"{why}: expected {number}: {sentence}, it says {got!r}")
    b.f.equal(len(said.splitlines()), len(expected), f"{why}: lines of {said}")
    b.f.equal(b.says(why, ["-c", conf], 2), said, f"{why}: said at the start, and by -t")


def everything_at_once(b):
    """No mistake hides another, whichever part of rpvd finds it; each has its own line."""
    r = b.rig
    outside = """state_dir = "/none"
geo = "none.mmdb"
data_dir = "/none"
redis {
	ca = "none.pem"
	certificate_key = "none.key"
	password_file = "none.password"
	url = "%s"
}
"""
    site = """site "shop" {
	currency = %s
	visitor = %s
	session_timeout = "%s"
	rates =
	    "none.csv"
	log "/x" {
		format = "%s"
	}
	provider "stripe" {
		path = "/hook"
		secret_file = "none.secret"
	}
	provider "generic" {
		path = "/%s"
		secret_file = "generic.secret"
	}
	provider "shopify" {}
	provider "square" {}
}
"""
    last = [(27, 'provider "shopify" has no secret'), (28, 'provider "square" has no secret'), (28, 'provider "square" needs notification_url')]
    files = [(2, "geo: .*/none.mmdb: No such file"), (3, "data_dir: /none/sources.tsv: No such file"), (5, "redis: cannot read .*/none.pem"),
             (6, r"redis: .*certificate"), (7, "redis: cannot read the Redis password from .*/none.password")]
    rest = [(15, r'site "shop": rates: .*/none.csv: No such file'), (21, r"the secret file of provider .stripe. cannot be read")]
    in_lines(b, "only files that are not there", r.write("all.conf", outside % "rediss://h" + site % ("EUR", '{"ip_ua"}', "30m", "combined", "g")),
             *files, *rest, *last)
    in_lines(b, "a format without the visitor", r.write("all.conf", outside % "rediss://h" + site % ("EUR", '{"uid"}', "30m", "combined", "g")),
             *files, rest[0], (17, r'log "/x": log format: \$uid_got'), rest[1], *last)
    in_lines(b, "mistakes in all parts", r.write("all.conf", outside % "http://u:pw@h" + site % ("EURO", '{"uidd"}', "30x", "combi", "hook")),
             *files, (8, "url: expected unix:"), (11, 'currency = "EURO"'), (12, 'visitor = "uidd"'), (13, 'session_timeout = "30x"'), rest[0],
             (17, r'log "/x": log format: "combi"'), rest[1], (24, 'provider "generic" has the path /hook'),
             *last)
    in_lines(b, "said twice", r.write("all.conf", 'redis { url = "a:" }\nredis {\n url = "b:" }\nsite s {\n currency = "EUR"\n log "/x" {}\n'
             ' lookback = "30x"\n lookback = "30d"\n lookback = "30y"\n}\n'),
             (1, "url: expected"), (2, "redis stands twice here"), (3, "url: expected"), (7, 'lookback = "30x"'), (8, "lookback stands twice here"),
             (9, 'lookback = "30y"'), (9, "lookback stands twice here"))


def checked_logs(b):
    """What can never be a live log is told by -t; what may come or be mended is not."""
    r = b.rig
    os.mkfifo(r.path("pipe.log"))
    b.says("-t, a FIFO as log", ["-t", "-c", b.conf(log=r.path("pipe.log"))], 1,
           r"conf:6: \S+/pipe.log is a FIFO; rpvd reads regular files only: have the web server log to a file", lines=1)
    r.write("packed.log", gzip.compress(b"x\n"))
    b.says("-t, a live log that is packed", ["-t", "-c", b.conf(log=r.path("pack*.log"))], 1,
           r"conf:6: \S+/packed.log is packed with gzip: the live log must be plain \(nginx: access_log without gzip\)", lines=1)
    r.write("old.log.2.gz", gzip.compress(b"x\n"))
    b.says("-t, a packed log for a replay", ["-t", "-c", b.conf(log=r.path("old.log*"))], 0, r"conf: fine", lines=1)
    b.says("-t, a log that is not there", ["-t", "-c", b.conf(log=r.path("none.log"))], 0, r"conf: fine", lines=1)


# ---- replay --------------------------------------------------------------------------

def replay_inputs(b):
    r = b.rig
    b.replay("all is well", b.conf(), 0, lines=0)
    b.counted("all is well", 1)
    b.replay("missing log", b.conf(log=r.path("none.log")), 1, r"/none.log: no such file: correct its path in \S+conf", lines=1)
    b.replay("a pattern that fits no log", b.conf(log=r.path("none*.log")), 1, r"/none\*.log: no such file: correct its path", lines=1)
    b.replay("missing order file", b.conf(orders=["none.ndjson"]), 1, r"/none.ndjson: no such file: correct its path", lines=1)
    b.replay("two files missing", b.conf(log=r.path("none.log"), orders=["none.ndjson"]), 1, r"/none.log: ", r"/none.ndjson: ", lines=2)
    b.f.equal(b.redis("DBSIZE"), 0, "keys after a replay that did not begin")
    b.replay("a directory as log", b.conf(log=r.dir), 1, r" is a directory; rpvd reads regular files only", lines=1)
    os.mkfifo(r.path("fifo"))
    b.replay("a FIFO as log", b.conf(log=r.path("fifo")), 1, r"/fifo is a FIFO; rpvd reads regular files only", lines=1)
    b.replay("a packer that is not known", b.conf(log=r.write("a.log.xz", b"\xfd7zXZ\0" + bytes(90))), 1,
             r"/a.log.xz is packed with xz: unpack it first", lines=1)
    if os.geteuid() != 0:
        b.replay("unreadable log", b.conf(log=r.write("shut.log", line(b.now), 0)), 1, r"shut.log.*: .*read", lines=1)
    lines = "".join(line(b.now - 5000 + i).replace("192.0.2.7", f"192.0.{i >> 8}.{i & 255}") for i in range(2000))
    whole = gzip.compress(lines.encode())
    b.replay("a whole gzip file", b.conf(log=r.write("whole.gz", whole)), 0, lines=0)
    b.counted("a whole gzip file", 2000)
    b.replay("a gzip file cut short", b.conf(log=r.write("cut.gz", whole[:len(whole) // 2])), 1,
             r"cut.gz: it is cut after \d+ bytes: what came before was read, the rest is lost", lines=1)
    n = int(b.redis.hash("rpv:shop:30d:total").get("visits", 0))
    b.f.check(500 < n < 1500, f"a gzip file cut in its middle: {n} of 2000 visits")
    r.write("orders.ndjson", b"\n".join([
        as_json(paid("1", "45.20")), as_json(paid("2"))[:60], b"", b"nonsense", b"\xff\xfe",
        as_json({**paid("3"), "time": "yesterday"}), as_json({**paid("4"), "order": {"id": "4", "currency": "EUR"}}),
        as_json(paid("5", "-1")), as_json(paid("6", "4.80"))]) + b"\n")
    b.replay("broken lines of orders", b.conf(orders=["orders.ndjson"]), 0, r"orders.ndjson:2: not JSON; line skipped",
             r"orders.ndjson:4: not JSON", r"orders.ndjson:5: ", r"orders.ndjson:6: time: is no time such as 20",
             r"orders.ndjson:7: .*total", r"orders.ndjson:8: .*total", lines=6)
    b.counted("broken lines of orders", 1, sales="50.00", sales_orders="2")
    b.f.equal(b.redis.hash("rpv:shop:status").get("events_rejected"), "6", "events_rejected")
    r.write("wild.log", b"\0\0\0\n" + b"x" * 70000 + b"\nGET /\n" + bytes(range(256)) * 4 + b"\n" + line(b.now - 90).encode())
    b.replay("a log of rubbish and one line", b.conf(log=r.path("wild.log")), 0, lines=0)
    b.counted("a log of rubbish and one line", 1)
    r.write("common.log", "".join(line(b.now - 90).rsplit(' "', 2)[0] + "\n" for _ in range(30)))
    said = b.replay("a log of another format", b.conf(log=r.path("common.log")), 0,
                    r"20 of 20 lines are not of the log's format, .* preset common: .* 999.9.9.9 - - \[99/aaa", lines=1)
    b.f.check("192.0.2.7" not in said, "an address is told: " + said)
    r.write("future.log", line(b.now - 100) + line(b.now + 40 * 86400 + 100) + line(b.now - 90))
    b.replay("a line from the future", b.conf(log=r.path("future.log")), 0,
             r"a line that is dated 40 days ahead of this machine's clock: .*take it out", lines=1)
    b.f.equal(b.redis.hash("rpv:shop:status").get("late"), "1", "a replay has no clock but the lines' own")


def replay_redis(b):
    r = b.rig
    b.replay("no Redis socket", b.conf(url="unix:" + r.path("none.sock")), 1, r"redis: there is no socket \S+/none.sock: start Redis, or", lines=1)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        b.replay("no Redis at the port", b.conf(url=f"redis://127.0.0.1:{s.getsockname()[1]}"), 1,
                 r"redis: nothing listens on 127.0.0.1 port \d+ .*: start Redis there, or correct the URL", lines=1)
    b.replay("no such database", b.conf(url=f"unix:{r.path('redis.sock')}?db=99"), 1,
             r"redis: Redis has no database 99: correct the URL", lines=1)
    b.redis("CONFIG", "SET", "requirepass", "sesame")
    b.replay("no password", b.conf(), 1, r"redis: Redis wants a password and none is configured: add it", lines=1)
    r.write("redis.password", "open\n", 0o600)
    said = b.replay("wrong password", b.conf(redis=f"password_file = '{r.path('redis.password')}'"), 1,
                    r"redis: Redis refused the user or password: correct", lines=1)
    b.f.check("open" not in said.replace("opened", ""), "a password is shown: " + said)
    b.redis("CONFIG", "SET", "requirepass", "")
    b.redis("FLUSHALL")
    for key, sentence in {"rpvd:{shop.0}:meta": r"key rpvd:\{shop.0\}:meta holds a string where rpvd keeps a hash; .*remove or rename that key",
                          "rpv:shop:24h:total": r"key rpv:shop:24h:total: .*another program's key is in the way: remove or rename it"}.items():
        b.redis("SET", key, "mine")
        b.says("foreign key " + key, ["-c", b.conf(), "--replay"], 1, sentence, lines=1)
        b.f.equal(b.redis("GET", key), "mine", "the foreign key")
        b.redis("FLUSHALL")


# ---- state directory, sockets -----------------------------------------------------------

def places(b):
    r = b.rig
    r.write("file", "")
    b.says("a file as state_dir", ["-c", b.conf(state=r.path("file"))], 1, r"^state_dir: \S+/file: .*Not a directory", lines=1)
    b.says("state_dir that cannot be made", ["-c", b.conf(state="/proc/none/rpvd")], 1, r"^state_dir: /proc/none: cannot create", lines=1)
    if os.geteuid() != 0:
        os.mkdir(r.path("shut"), 0o500)
        b.says("state_dir that is not writable", ["-c", b.conf(state=r.path("shut"))], 1, r"^state_dir: \S+/shut.*Permission denied", lines=1)
    sock = r.path("first.sock")
    first = r.rpvd(b.conf(state=r.path("shared"), webhook="unix:" + sock), log="first.log")
    b.f.check(until(lambda: rig.hook_up(sock), 5) is not None, "the first daemon: " + r.read("first.log"))
    b.says("a second daemon on one state_dir", ["-c", b.conf(state=r.path("shared"))], 1,
           rf"^state_dir: \S+/shared: in use by another rpvd, process {first.pid}: stop that one, or", lines=1)
    b.says("a socket that is in use", ["-c", b.conf(webhook="unix:" + sock)], 1, r"^webhook: unix:\S+/first.sock: another process listens there", lines=1)
    b.says("a file in the socket's place", ["-c", b.conf(webhook="unix:" + r.path("file"))], 1, r"^webhook: .*there is a file that is no socket", lines=1)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        b.says("a port that is in use", ["-c", b.conf(webhook=f"127.0.0.1:{port}")], 1, rf"^webhook: 127.0.0.1:{port}: cannot listen: Address already in use", lines=1)
    b.f.check(first.poll() is None and rig.hook_up(sock), "the first daemon is gone")
    first.terminate()
    b.f.equal(first.wait(10), 0, "exit code after SIGTERM")
    b.f.check(not os.path.exists(sock), "the socket is left behind")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(sock)
    stale.close()           # as a crash leaves it
    again = r.rpvd(b.conf(state=r.path("shared"), webhook="unix:" + sock), log="again.log")
    b.f.check(until(lambda: rig.hook_up(sock), 5) is not None, "a stale socket is in the way: " + r.read("again.log"))
    b.f.equal(stat.S_IMODE(os.stat(sock).st_mode), 0o660, "mode of the socket")
    again.terminate()
    again.wait(10)
    b.redis("FLUSHALL")


# ---- a daemon that is up -------------------------------------------------------------------

def live(b):
    """Each in a daemon of its own, all at once; none of them ends."""
    r = b.rig
    other = r.redis("other")                # of those that touch what it holds
    up = {}

    def start(name, **conf):
        up[name] = r.rpvd(b.conf(**conf), log=name + ".log")

    def told(name, pattern, seconds=6):
        ok = until(lambda: re.search(pattern, r.read(name + ".log")), seconds) is not None
        b.f.check(ok, f"{name}: does not say {pattern!r}: {r.read(name + '.log')}")

    def running(name):
        b.f.equal(up[name].poll(), None, f"{name}: ended: {r.read(name + '.log')}")

    os.mkdir(r.path("logs"))
    start("log that comes later", log=r.path("logs/late.log"), orders=[r.path("logs/late.ndjson")])
    start("no Redis", url="unix:" + r.path("later.sock"), webhook="unix:" + r.path("later-hook.sock"),
          site="provider \"generic\" { secret_file = 'generic.secret' }")
    os.mkfifo(r.path("logs/fifo"))
    start("a FIFO as log", log=r.path("logs/fifo"), url=f"unix:{r.path('redis.sock')}?db=1")
    other("CONFIG", "SET", "requirepass", "sesame")
    start("wrong password", url="unix:" + r.path("other.sock"))
    start("wrong database", url=f"unix:{r.path('redis.sock')}?db=99")
    b.redis("SET", "rpv:shop:24h:total", "mine")

    told("log that comes later", r"/logs/late.log: no such file \(yet\); rpvd waits for it")
    told("log that comes later", r"/logs/late.ndjson: no such file \(yet\); rpvd waits for it")
    told("a FIFO as log", r"/logs/fifo is a FIFO; rpvd reads regular files only: have the web server log to a file")
    told("wrong password", r"Redis wants a password and none is configured")
    told("wrong database", r"Redis has no database 99")
    told("no Redis", r"there is no socket \S+later.sock: .*logs wait, webhooks are still accepted, trying again")

    ok = until(lambda: "rpvd waits for it" in b.redis.hash("rpv:shop:status").get("log_1", "") and
               "rpvd waits for it" in b.redis.hash("rpv:shop:status").get("orders_1", ""), 4)
    b.f.check(ok is not None, f"status of a log that is not there: {b.redis.hash('rpv:shop:status')}")
    told("log that comes later", r"key rpv:shop:24h:total: WRONGTYPE.*another program's key is in the way: remove or rename it")
    b.f.equal(b.redis("GET", "rpv:shop:24h:total"), "mine", "the foreign key")
    b.redis("DEL", "rpv:shop:24h:total")
    r.write("logs/late.log", line(time.time()) + line(time.time(), "/cart"))
    r.write("logs/late.ndjson", as_json(paid("9")) + b"\nbroken\n")
    ok = until(lambda: (b.redis("TYPE", "rpv:shop:24h:total") == "hash" and
                        [b.redis("HGET", "rpv:shop:24h:total", f) for f in ("visits", "sales")] == ["1", "10.00"]), 5)
    b.f.check(ok is not None, f"a log that came: {b.redis.hash('rpv:shop:24h:total')} {r.read('log that comes later.log')}")
    told("log that comes later", r"late.log can be read now")
    told("log that comes later", r"late.ndjson:2: not JSON; line skipped")
    until(lambda: b.redis.hash("rpv:shop:status").get("log_1") == "ok", 5)      # written once a second
    b.f.equal(b.redis.hash("rpv:shop:status").get("log_1"), "ok", "status of a log that came")

    # Redis is away: webhooks are taken, and counted when it comes.
    hook = r.path("later-hook.sock")
    body = as_json(paid("away"))
    b.f.equal(send(hook, "POST", "/hooks/generic", rig.sign_generic(SECRETS["generic"], body, int(time.time())), body), 200,
              "a webhook without Redis")
    later = r.redis("later")
    ok = until(lambda: later("HGET", "rpv:shop:24h:total", "sales") == "10.00", 15)
    b.f.check(ok is not None, f"what was sent without Redis: {later.hash('rpv:shop:24h:total')} {r.read('no Redis.log')}")
    told("no Redis", r"redis: connected")

    # A key of its own that another program wrote over: everything stops, and goes on when it is gone.
    other("AUTH", "sesame")
    other("CONFIG", "SET", "requirepass", "")
    other("SET", "rpvd:{shop.0}:meta", "mine")
    told("wrong password", r"key rpvd:\{shop.0\}:meta holds a string where rpvd keeps a hash; .*remove or rename that key", 15)
    other("DEL", "rpvd:{shop.0}:meta")
    ok = until(lambda: other("HGET", "rpv:shop:24h:total", "visits") == "1", 12)
    b.f.check(ok is not None, f"after the foreign key is gone: {other.hash('rpv:shop:24h:total')} {r.read('wrong password.log')}")

    for name in up:
        running(name)
    for name in ("wrong database", "no Redis"):
        up[name].terminate()
    for name in ("wrong database", "no Redis"):
        b.f.equal(up[name].wait(10), 0, f"{name}: exit code after SIGTERM")
    for child in up.values():
        if child.poll() is None:
            child.terminate()
            child.wait(10)
    b.redis("FLUSHALL")


def webhooks(b):
    r = b.rig
    sock = r.path("hook.sock")
    providers = " ".join(f"provider \"{name}\" {{ secret_file = '{name}.secret' }}" for name in SECRETS)
    conf = b.conf(site=providers, webhook="unix:" + sock)
    daemon = r.rpvd(conf, log="webhooks.log")
    b.f.check(until(lambda: rig.hook_up(sock), 5) is not None, "no socket: " + r.read("webhooks.log"))
    now = int(time.time())

    def answers(why, status, method="POST", path="/hooks/generic", body=None, headers=None):
        body = as_json(paid("w1")) if body is None else body
        if headers is None:
            headers = rig.sign_generic(SECRETS["generic"], body, now)
        try:
            got = send(sock, method, path, headers, body)
        except OSError as broken:
            got = str(broken)
        b.f.equal(got, status, why)

    body = as_json(paid("w1"))
    signed = rig.sign_generic(SECRETS["generic"], body, now)
    answers("a bad signature", 401, headers=rig.sign_generic(SECRETS["generic"], body + b" ", now))
    answers("no signature", 401, headers=[])
    answers("a signature of ten minutes ago", 401, headers=rig.sign_generic(SECRETS["generic"], body, now - 600))
    answers("a malformed signature", 400, headers=signed[:2] + [("webhook-signature", "v1,!!!")])
    answers("broken JSON", 400, body=b'{"id": "evt_1", ')
    answers("no JSON at all", 400, body=b"\xff\x00")
    answers("an empty body", 400, body=b"")
    answers("a body of 2 MiB", 400, body=b"x" * (2 << 20))     # signed, and no JSON
    answers("a body over 2 MiB", 413, body=b"x" * ((2 << 20) + 1))
    answers("an announcement of 10 GB", 413, headers=[("Content-Length", "10000000000")], body=b"x")
    answers("GET", 405, method="GET", body=b"")
    answers("PUT", 405, method="PUT")
    answers("unknown path", 404, path="/hooks/none")
    answers("GET of an unknown path", 404, method="GET", path="/", body=b"")
    answers("a total that is none", 400, body=as_json(paid("w2", "ten")))
    for name in ("stripe", "woocommerce", "shopify"):
        junk = b"[1, 2"
        answers(name + ": broken JSON", 400, path="/hooks/" + name, body=junk, headers=rig.SIGNERS[name](SECRETS[name], junk, now))
        answers(name + ": no signature", 401, path="/hooks/" + name, headers=[])
    for junk in (b"\0\0\0\0", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\n" * 40000, b"POST /hooks/generic HTTP/1.1\r\nContent-Length: -1\r\n\r\n"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        try:
            s.connect(sock)
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            reply = s.recv(100)
        except OSError as broken:
            reply = str(broken).encode()
        s.close()
        b.f.check(re.match(rb"HTTP/1.1 4\d\d |.*[Bb]roken pipe|.*reset|$", reply), f"to {junk[:20]!r}: {reply!r}")
    answers("a good one after all that", 200)
    ok = until(lambda: [b.redis("HGET", "rpv:shop:24h:total", f) for f in ("sales", "sales_orders")] == ["10.00", "1"], 4)
    b.f.check(ok is not None, f"a good one after all that: {b.redis.hash('rpv:shop:24h:total')}")
    want = {"webhook_generic_200": "1", "webhook_generic_401_bad_signature": "1", "webhook_generic_401_missing_signature": "1",
            "webhook_generic_401_timestamp_too_old": "1", "webhook_generic_400_malformed_signature": "1", "webhook_stripe_400_bad_body": "1",
            "webhook_generic_413_Content-Length_over_the_limit": "2"}
    until(lambda: want.items() <= b.redis.hash("rpv:shop:status").items(), 3)
    status = b.redis.hash("rpv:shop:status")
    b.f.equal({k: status.get(k) for k in want}, want, "counters of the status")
    log = r.read("webhooks.log")
    b.f.check(re.search(r"webhook: answered 401 provider=generic reason=bad_signature", log), "the log does not tell of a refusal: " + log)
    b.f.check(log.count("webhook: answered") <= 3, "strangers fill the log: " + log)
    b.f.check(not any(s in log for s in SECRETS.values()), "a secret is in the log")

    # A reload with mistakes: the old configuration stays.
    text = open(conf, encoding="utf-8").read()
    open(conf, "w", encoding="utf-8").write(text.replace('"EUR"', '"EURO"'))
    daemon.send_signal(1)
    ok = until(lambda: re.search(r"configuration not reloaded, the old one stays; mistakes follow\n.*conf:\d+: currency = \"EURO\"",
                                 r.read("webhooks.log")), 3)
    b.f.check(ok is not None, "a reload with mistakes: " + r.read("webhooks.log"))
    answers("after a reload with mistakes", 200, body=as_json(paid("w3")))
    os.unlink(conf)
    daemon.send_signal(1)
    ok = until(lambda: re.search(r"cannot be opened: No such file", r.read("webhooks.log")), 3)
    b.f.check(ok is not None, "a reload without a file: " + r.read("webhooks.log"))
    answers("after a reload without a file", 200, body=as_json(paid("w4")))
    daemon.terminate()
    b.f.equal(daemon.wait(10), 0, "exit code after SIGTERM")


def main():
    rig.need("redis-server")
    with Rig("bad") as r:
        b = Bad(r)
        for part in (options, configuration, checked_logs, replay_inputs, replay_redis, places, live, webhooks):
            start, before = time.monotonic(), b.f.checks
            part(b)
            print(f"{part.__name__}: {b.f.checks - before} checks, {time.monotonic() - start:.1f} s", flush=True)
    b.f.end()


if __name__ == "__main__":
    sys.exit(main())
