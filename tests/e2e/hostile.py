#!/usr/bin/env python3
"""hostile: what strangers write does nothing to who reads it, and makes no money.

Terminal commands, line breaks, changes of writing direction and characters of no width come in
paths, campaigns, referrers, order ids, request lines and headers, raw and escaped.  All that rpvd
logs and rpvctl prints must be plain ASCII, a log line one line that begins as ours do, and a name
in Redis without control bytes.  Log lines that speak of orders make no sale.
"""

import json
import os
import re
import socket
import time
import urllib.parse

import rig
from rig import RPVCTL, RPVD, SECRETS, Findings, Rig, as_json, rfc3339, run, send, until

# Each with what a terminal, a log or a reader would make of it.
HOSTILE = ["\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "\u202egnp.exe", "\u2066", "\u200b", "\ufeff", "\r\nrpvd: all is well", "\nrpvd: owned",
           "\x00", "\x08\x08\x08", "\x7f", "\u2028", "%s%n", "'|`;$(reboot)", '"><script>alert(1)</script>', "=1+1", "x|y", "x y", "\\x1b[2J"]
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def line(when, target, referrer="-"):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(when))
    return f'192.0.2.{when % 250} - - [{stamp}] "GET {target} HTTP/1.1" 200 0 "{referrer}" "{AGENT}"\n'.encode("utf-8", "surrogateescape")


def as_nginx(text):
    """log_format's own escapes."""
    return "".join(chr(b) if 0x20 <= b < 0x7f and b not in b'"\\' else f"\\x{b:02X}" for b in text.encode())


def log_of(now):
    out = b""
    for i, text in enumerate(HOSTILE):
        quoted = urllib.parse.quote(text)
        one_line = text.replace("\n", "").replace("\r", "")
        for k, form in enumerate((quoted, as_nginx(text), one_line)):
            out += line(now - 900 + i, f"/p{k}{form}?utm_source={form}&utm_medium={form}&utm_campaign=c{form}")
            out += line(now - 900 + i, f"/q{k}?order={form}", f"https://blog{k}{form}.example/{form}")
    # A sale by URL, as a stranger would have it.
    for target in ("/thanks?order=o1&total=1000.00&currency=EUR", "/hooks/generic?type=order.paid&id=o1&total=1000",
                   "/?utm_source=x&revenue=1000&value=1000&order_id=o1", "/thanks?session_id=cs_1&amount_total=100000"):
        out += line(now - 100, target)
    return out + line(now - 50, "/u/anna@mail.example/x") + line(now - 49, "/?utm_source=n&utm_campaign=to-bert@mail.example")


class Hostile:
    def __init__(self, rig_):
        self.rig = rig_
        self.f = Findings()
        self.redis = rig_.redis()
        self.hook = rig_.path("hook.sock")
        rig_.write("generic.secret", SECRETS["generic"] + "\n", 0o600)
        rig_.write("access.log", log_of(int(time.time())))
        self.conf = rig_.write("rpvd.conf", f"""redis {{ url = 'unix:{rig_.path("redis.sock")}' }}
webhook {{ listen = 'unix:{self.hook}' }}
state_dir = '{rig_.path("state")}'
site "shop" {{ currency = "EUR" visitor = {{"ip_ua"}}
token "/thanks*" {{ param = "order" }}
log '{rig_.path("access.log")}' {{ format = 'combined' }}
orders '{rig_.path("orders.ndjson")}' {{}}
provider "generic" {{ secret_file = '{rig_.path("generic.secret")}' }} }}
""")
        rig_.write("orders.ndjson", b"\n".join(as_json({"id": t, "time": t, "type": t, "order": {"id": t}}) for t in HOSTILE) + b"\n" +
                   b"\n".join(t.replace("\n", "").encode() for t in HOSTILE) + b"\n")

    def plain(self, where, data):
        """Printable ASCII, lines and nothing else."""
        bad = re.search(rb"[^\n\x20-\x7e]", data)
        self.f.check(bad is None, f"{where}: {data[max(0, (bad.start() if bad else 0) - 60):][:100]!r}")

    def webhooks(self):
        for i, text in enumerate(HOSTILE):
            event = {"id": f"evt_{i}", "time": rfc3339(int(time.time())), "type": "order.paid",
                     "order": {"id": f"o{text}", "total": "1.00", "currency": "EUR", "customer": text, "visitor": text, "tokens": [text], "aliases": [f"a{text}"]}}
            for body in (as_json(event), as_json({**event, "type": text}), as_json({**event, "order": {"id": "x", "total": text, "currency": text}}), text.encode()):
                headers = rig.sign_generic(SECRETS["generic"], body, int(time.time()))
                self.f.check(send(self.hook, "POST", "/hooks/generic", headers, body) in (200, 400), f"webhook with {text!r}")
            for raw in (f"GET /{text} HTTP/1.1\r\n\r\n", f"POST /hooks/{text} HTTP/1.1\r\nHost: {text}\r\n\r\n", f"{text} / HTTP/1.1\r\n\r\n"):
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(5)
                    s.connect(self.hook)
                    try:
                        s.sendall(raw.encode())
                        s.shutdown(socket.SHUT_WR)
                        s.recv(200)
                    except OSError:
                        pass

    def rpvctl(self, *words, codes=(0,)):
        code, out, err = run([RPVCTL, "-c", self.conf, *words], env={"COLUMNS": "400", "LC_ALL": "C.UTF-8"})
        self.f.check(code in codes, f"rpvctl {words}: {code} {err}")
        self.plain(f"rpvctl {' '.join(words)!r}", out.encode(errors="surrogateescape") + err.encode(errors="surrogateescape"))
        return out

    def commands(self):
        for dim in ("landing", "page", "source", "channel", "campaign", "bot", "bot_page"):
            for form in ([], ["--json"]):
                self.rpvctl(*form, "top", dim, "--limit", "500")
        for form in ([], ["--json"]):
            for words in (["orders", "--all"], ["journal", "--all"], ["journal", "--quarantine", "--all"], ["status"], ["total"]):
                self.rpvctl(*form, *words)
        self.f.equal(json.loads(self.rpvctl("--json", "status"))["email_names"], 2, "names with an e-mail address")
        self.f.check("2 names of pages, campaigns or sources have an e-mail address" in self.rpvctl("status"), "status does not tell of e-mail addresses")
        shown = json.loads(self.rpvctl("--json", "orders", "--all"))["orders"]
        self.f.check(len(shown) >= 10, f"only {len(shown)} orders")
        for text in HOSTILE:
            if "\0" not in text:
                self.rpvctl("orders", f"generic:o{text}", codes=(0, 1, 2))
                self.rpvctl("get", "24h:page:/p" + text, codes=(0, 1, 2))
                self.rpvctl("-s", text, "total", codes=(1, 2))
                self.rpvctl("--window", text, "top", codes=(1, 2))

    def look(self):
        log = self.rig.read("rpvd.log")
        with open(self.rig.path("rpvd.log"), "rb") as f:
            self.plain("the log", f.read())
        for said in log.splitlines():
            self.f.check(said.startswith("rpvd: ") and not said.startswith(("rpvd: owned", "rpvd: all is well")), f"a line that is none of ours: {said!r}")
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.rig.path("redis.sock"))
        sock.sendall(b"*2\r\n$4\r\nKEYS\r\n$6\r\nrpv:*:\r\n*2\r\n$4\r\nKEYS\r\n$5\r\nrpv:*\r\n*1\r\n$4\r\nQUIT\r\n")
        data = b""
        while chunk := sock.recv(65536):
            data += chunk
        names = [name for name in data.split(b"\r\n") if name.startswith(b"rpv:")]
        self.f.check(len(names) > 50, f"only {len(names)} names in Redis")
        for name in names:
            self.f.check(not re.search(rb"[\x00-\x1f\x7f]", name), f"a name in Redis with control bytes: {name!r}")
        total = self.redis.hash("rpv:shop:24h:total")
        paid = len(HOSTILE) * 100
        self.f.check(0 < float(total["sales"]) * 100 <= paid, f"sales {total['sales']}, of which none is by URL")
        self.f.equal(total["revenue"], "0.00", "revenue")

    def tell(self):
        daemon = self.rig.start([RPVD, "-v", "-c", self.conf], "rpvd.log")
        self.f.check(until(lambda: rig.hook_up(self.hook), 10) is not None, "rpvd: " + self.rig.read("rpvd.log"))
        self.webhooks()
        self.f.check(until(lambda: int(self.redis.hash("rpv:shop:status").get("visits", 0)) > 20 and
                           float(self.redis.hash("rpv:shop:24h:total").get("sales", 0)) > 5, 15) is not None, str(self.redis.hash("rpv:shop:status")))
        self.commands()
        daemon.terminate()
        self.f.equal(daemon.wait(15), 0, "exit code after SIGTERM")
        self.look()
        self.f.end()


if __name__ == "__main__":
    rig.need("redis-server")
    with Rig("hostile") as r:
        Hostile(r).tell()
