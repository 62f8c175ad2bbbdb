#!/usr/bin/env python3
"""canary: nothing of a person, and no secret, comes to light.

Each thing that may not is a canary: addresses, browsers, cookies, e-mail addresses in URLs
and bodies, names, streets, telephone numbers, signing secrets, the password of Redis.  They
are planted in logs, order files, webhooks of all providers, in what is refused, what cannot
be read and what is mistaken, through a replay, a lost Redis, reloads and every command of
rpvctl.  Then all that rpvd has written is searched for them, as they are and in other
letters, in hexadecimal, base64, percent-escapes and, for addresses, as bytes.

What may be kept: a signed body that was not understood, in quarantine/, which is asserted,
too: it shows that the search finds what is there.
"""

import base64
import ipaddress
import json
import os
import re
import socket
import sys
import time
import urllib.parse

import rig
from rig import RPVCTL, RPVD, Findings, Rig, as_json, rfc3339, run, send, until

SECRETS = {
    "stripe": "whsec_CanaryOfStripe31415926535",
    "woocommerce": "canary secret of WooCommerce 2718281828",
    "shopify": "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",
    "generic": "whsec_" + base64.b64encode(b"canary of generic events, 32 b.").decode(),
    "lemonsqueezy": "canary secret of Lemon Squeezy 14142135", "razorpay": "canary secret of Razorpay 17320508",
    "paystack": "sk_live_canary22360679", "dodo": "whsec_" + base64.b64encode(b"canary of Dodo Payments, 24 b.").decode(),
}
PASSWORD = "CanaryOfRedis-1618033988"
MAIL = "anna{}.canarius@vogel-mail.example"
V4, V6 = "198.51.100.213", "2001:db8:c0de:ca1:a21::77"
BROWSER = "Mozilla/5.0 (X11; Feather 77.31; rv:128.0) Gecko/20100101 Kanari/77.31"
COOKIE = "canarycookie-0123456789abcdef"
UID = "CA4A47000102030405060708090A0B0C"
NAME, STREET, CITY, PHONE = "Annabell Canarius", "Kanarienweg 7713", "Vogelhausen", "+49 30 555017313"

CANARIES = {"address": V4, "IPv6 address": V6, "IPv6 address in full": ipaddress.ip_address(V6).exploded, "browser": BROWSER,
            "part of a browser": "Kanari/77.31", "cookie": COOKIE, "uid": UID, "name": NAME, "street": STREET, "city": CITY,
            "telephone": PHONE, "password of Redis": PASSWORD, "e-mail address": "canarius@vogel-mail", "host of it": "vogel-mail.example",
            **{"secret of " + k: v for k, v in SECRETS.items()},
            "key in a secret": "canary of generic events"}


def forms(text):
    """What the text may look like, in lower case; base64 at each of three alignments."""
    raw = text.encode()
    out = {raw.lower(), raw.hex().encode(), json.dumps(text)[1:-1].lower().encode()}
    out |= {urllib.parse.quote(text, safe=safe).lower().encode() for safe in ("", "/", "/@:;()")}
    for pad in range(3):
        b64 = base64.b64encode(b"\0" * pad + raw).rstrip(b"=")
        out |= {b64[4 if pad else 0:-2].lower(), b64[4 if pad else 0:-2].lower().replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in out if len(form) >= 8}


def patterns():
    out = [(what, form) for what, text in CANARIES.items() for form in forms(text)]
    out.append(("IPv6 address as bytes", ipaddress.ip_address(V6).packed))
    out.append(("uid as bytes", bytes.fromhex(UID)))
    return out


PATTERNS = patterns()


def found_in(data):
    low = data.lower()
    return sorted({what for what, form in PATTERNS if form in low or form in data})


class Bytes(rig.Redis):
    """Replies as bytes, and the two commands that read everything."""

    def reply(self):
        line = self.conn.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise rig.RedisError(rest.decode())
        if kind in b"+:":
            return rest
        if kind == b"$":
            return b"" if rest == b"-1" else self.conn.read(int(rest) + 2)[:-2]
        return [self.reply() for _ in range(int(rest))]

    def everything(self):
        """(key, its bytes): as a dump, and value by value, since dumps compress."""
        read = {b"string": ["GET"], b"hash": ["HGETALL"], b"set": ["SMEMBERS"], b"zset": ["ZRANGE", "0", "-1"], b"list": ["LRANGE", "0", "-1"]}
        for key in self("KEYS", "*"):
            command, *more = read[self("TYPE", key)]
            value = self(command, key, *more)
            yield key, key + b"\n" + (b"\n".join(value) if isinstance(value, list) else value) + b"\n" + self("DUMP", key)


# ---- the shop ---------------------------------------------------------------------------

FORMAT = '$remote_addr - - [$time_local] "$request" $status 0 "$http_referer" "$http_user_agent" "$cookie_rpv" "$uid_got"'


def line(when, target, addr=V4, referrer="-", agent=BROWSER, cookie=COOKIE, uid="-", status=200):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(when))
    return f'{addr} - - [{stamp}] "GET {target} HTTP/1.1" {status} 0 "{referrer}" "{agent}" "{cookie}" "{uid}"\n'


def mail(n=0):
    return MAIL.format(n)


def log_of(now):
    quoted = urllib.parse.quote(mail(3))
    return "".join([
        line(now - 900, f"/?email={mail(1)}&utm_source=news&utm_medium=email", referrer=f"https://www.google.com/search?q={mail(2)}"),
        line(now - 890, f"/cart?name={urllib.parse.quote(NAME)}&tel={urllib.parse.quote(PHONE)}", referrer=f"https://shop.example/u/{mail(2)}"),
        line(now - 880, f"/thanks?order={quoted}", addr=V6, cookie="-", uid="uid=" + UID),
        line(now - 870, f"/unsubscribe/{mail(4)}", referrer=f"https://blog.example/{quoted}?m={quoted}#{mail(1)}"),
        line(now - 860, f"/cart?u={mail(5)}", addr=V6, cookie="-", status=404),
        line(now - 850, "/", agent="Googlebot " + BROWSER),
        # What cannot be read: no time, no request, cut, too long, glued, not of the format.
        f'{V4} - - [yesterday] "GET /?m={mail(6)} HTTP/1.1" 200 0 "-" "{BROWSER}" "{COOKIE}" "-"\n',
        f'{V4} - - [01/Jan/2026:10:00:00 +0000] "{mail(6)}" 200 0 "-" "{BROWSER}" "{COOKIE}" "-"\n',
        f'{V4} {BROWSER} {mail(6)}\n', f'{V4} - - ["{COOKIE}\n', f"{mail(7)} " * 4000 + "\n",
        line(now - 840, "/")])


def person(n):
    return {"first_name": "Annabell", "last_name": "Canarius", "name": NAME, "phone": PHONE, "email": mail(n),
            "address_1": STREET, "address1": STREET, "line1": STREET, "city": CITY}


def stripe(n, now):
    return {"id": f"evt_{n}", "object": "event", "type": "checkout.session.completed", "created": now, "livemode": True, "data": {"object": {
        "id": f"cs_{n}", "object": "checkout.session", "payment_status": "paid", "currency": "eur", "amount_total": 4520, "invoice": None,
        "payment_intent": f"pi_{n}", "metadata": {"rpv": COOKIE, "note": mail(8)}, "customer_details": {**person(8), "address": person(8)},
        "success_url": f"https://shop.example/thanks?email={mail(8)}"}}}


def woocommerce(n, now):
    return {"id": n, "status": "processing", "currency": "EUR", "total": "30.00", "total_tax": "0", "shipping_total": "0", "customer_id": 0,
            "date_paid_gmt": rfc3339(now, ""), "date_modified_gmt": rfc3339(now, ""), "order_key": f"wc_order_{n}", "refunds": [],
            "meta_data": [{"key": "rpv", "value": COOKIE}], "billing": person(9), "shipping": person(9), "customer_note": f"{NAME} {mail(9)}",
            "customer_ip_address": V4, "customer_user_agent": BROWSER}


def shopify(n, now):
    return {"id": n, "financial_status": "paid", "test": False, "total_price": "12.34", "currency": "EUR", "total_tax": "0.00",
            "processed_at": rfc3339(now), "customer": person(1), "email": mail(1), "note_attributes": [{"name": "rpv", "value": COOKIE}],
            "billing_address": person(1), "shipping_address": person(1), "shipping_lines": [], "refunds": [], "browser_ip": V6,
            "client_details": {"browser_ip": V6, "user_agent": BROWSER}}


def generic(n, now):
    return {"id": f"evt_{n}", "time": rfc3339(now), "type": "order.paid", "order": {
        "id": str(n), "total": "10.00", "currency": "EUR", "customer": "email:" + mail(2), "visitor": COOKIE, "ip": V6, "user_agent": BROWSER,
        "tokens": [mail(3)]}, "person": person(2)}


def lemonsqueezy(n, now):
    return {"meta": {"event_name": "order_created", "custom_data": {"rpv": COOKIE, "mail": mail(3)}}, "data": {"id": str(n), "attributes": {
        "status": "paid", "total": 4520, "currency": "EUR", "test_mode": False, "user_name": NAME, "user_email": mail(3), "created_at": rfc3339(now)}}}


def razorpay(n, now):
    return {"event": "payment.captured", "created_at": now, "payload": {"payment": {"entity": {
        "id": f"pay_{n}", "amount": 4520, "currency": "EUR", "order_id": f"order_{n}", "email": mail(4), "contact": PHONE, "description": NAME,
        "notes": {"rpv": COOKIE, "address": STREET}}}}}


def paystack(n, now):
    return {"event": "charge.success", "data": {"domain": "live", "reference": f"ref_{n}", "amount": 4520, "currency": "EUR", "paid_at": rfc3339(now),
                                                "ip_address": V4, "metadata": {"rpv": COOKIE, "agent": BROWSER}, "customer": person(5)}}


def dodo(n, now):
    return {"type": "payment.succeeded", "timestamp": rfc3339(now), "data": {
        "payment_id": f"pay_{n}", "total_amount": 4520, "currency": "EUR", "customer": person(6), "billing": person(6), "metadata": {"rpv": COOKIE}}}


EVENTS = {"stripe": stripe, "woocommerce": woocommerce, "shopify": shopify, "generic": generic, "lemonsqueezy": lemonsqueezy,
          "razorpay": razorpay, "paystack": paystack, "dodo": dodo}


class Shop:
    def __init__(self, rig_):
        self.rig = rig_
        self.f = Findings()
        self.said = b""             # by every program that was run to its end
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.hook = rig_.path("hook.sock")
        for name, secret in SECRETS.items():
            rig_.write(f"secrets/{name}", secret + "\n", 0o600)
        self.now = int(time.time())
        self.numbers = iter(range(9000, 9999))
        rig_.write("logs/access.log", log_of(self.now))
        rig_.write("logs/orders.ndjson", b"\n".join([as_json(generic(8999, self.now - 800)), as_json({**generic(1, 0), "time": mail(1)}),
                                                    as_json({**generic(1, 0), "order": {"id": "1", "total": mail(2), "currency": NAME}}),
                                                    f"{mail(3)} {V4}".encode(), as_json({**generic(2, 0), "type": mail(4)})]) + b"\n")
        os.mkdir(rig_.path("state"))
        self.start_redis()

    def start_redis(self):
        r = self.rig
        r.write("redis/redis.conf", f"requirepass {PASSWORD}\n", 0o600)
        self.server = r.start([rig.program("redis-server"), r.path("redis/redis.conf"), "--port", str(self.port), "--bind", "127.0.0.1",
                               "--unixsocket", r.path("redis.sock"), "--save", "", "--appendonly", "yes", "--dir", r.path("redis")], "redis.log")
        self.redis = Bytes(r.path("redis.sock"), PASSWORD)
        if until(self.is_up, 10) is None:
            raise RuntimeError("redis-server did not start: " + r.read("redis.log"))

    def is_up(self):
        try:
            return self.redis("PING") == b"PONG"
        except (OSError, rig.RedisError):
            return False

    def stop_redis(self):
        self.server.kill()
        self.server.wait()

    def conf(self, name="rpvd.conf", url=None, more=""):
        r = self.rig
        providers = "\n".join(f"provider \"{p}\" {{ secret_file = '{r.path('secrets', p)}' }}" for p in SECRETS)
        return r.write(name, f"""redis {{ url = '{url or f"redis://:{PASSWORD}@127.0.0.1:{self.port}"}' }}
webhook {{ listen = 'unix:{self.hook}' }}
state_dir = '{r.path("state")}'
site "shop" {{ hosts = {{"shop.example"}} currency = "EUR" visitor = {{"cookie:rpv", "uid", "ip_ua"}}
page "/unsubscribe/*" {{ as = "/unsubscribe/:email" }}
token "/thanks*" {{ param = "order" }}
log '{r.path("logs/access.log")}' {{ format = '{FORMAT}' }}
orders '{r.path("logs/orders.ndjson")}' {{}}
{providers}
{more}
}}
""", 0o600)

    def run(self, *argv, code=0):
        got, out, err = run(list(argv))
        self.f.check(got == code, f"{argv[1:]}: exit code {got}: {err}")
        self.said += (out + err).encode(errors="replace")
        return out

    def post(self, provider, event, status, secret=None, path=None):
        body = event if isinstance(event, bytes) else as_json(event)
        headers = rig.SIGNERS[provider](secret or SECRETS[provider], body, int(time.time()))
        got = send(self.hook, "POST", path or "/hooks/" + provider, headers + [("Cookie", COOKIE), ("X-Forwarded-For", V4), ("User-Agent", BROWSER)], body)
        self.f.check(got == status, f"{provider}: {got}, expected {status}: {body[:80]!r}")

    # ---- what happens ------------------------------------------------------------------

    def good(self, provider):
        n = next(self.numbers)
        self.post(provider, EVENTS[provider](n, int(time.time())), 200)
        return n

    def refused(self):
        now = int(time.time())
        for provider, make in EVENTS.items():
            self.post(provider, make(1, now), 401, secret="whsec_" + base64.b64encode(b"a key that is another one's!").decode())
            self.post(provider, (mail(1) + NAME).encode(), 400)
            self.post(provider, b'{"email": "' + mail(2).encode() + b'", ', 400)
        self.post("generic", {**generic(1, now), "order": {"id": "1", "total": mail(3), "currency": "EUR"}}, 400)
        self.post("generic", {**generic(1, now), "order": {"id": "1", "total": "1", "currency": NAME}}, 400)
        self.post("generic", generic(1, now), 404, path=f"/hooks/{mail(4)}?email={mail(4)}")

    def live(self):
        r = self.rig
        daemon = r.start([RPVD, "-v", "-c", self.conf()], "rpvd.log")
        self.f.check(until(lambda: rig.hook_up(self.hook), 10) is not None, "rpvd: " + r.read("rpvd.log"))
        orders = {provider: self.good(provider) for provider in SECRETS}
        self.refused()
        self.good("stripe")
        for provider in SECRETS:
            self.good(provider)
        r.append("logs/access.log", log_of(int(time.time())) + line(self.now + 400 * 86400, f"/?m={mail(7)}"))
        self.f.check(until(lambda: self.counted(2 * len(SECRETS) + 1), 15) is not None, f"orders: {self.status()} {r.read('rpvd.log')}")
        self.look_process(daemon.pid)
        return daemon, orders

    def status(self):
        flat = self.redis("HGETALL", "rpv:shop:status")
        return dict(zip(flat[::2], flat[1::2]))

    def counted(self, n):
        return int(self.status().get(b"orders", b"0")) >= n

    def trouble(self, daemon):
        """Redis away, reloads with mistakes, a kill."""
        r = self.rig
        self.stop_redis()
        self.good("shopify")
        self.good("woocommerce")
        for url in (f"redis://:{PASSWORD}@127.0.0.1:{self.port}/x", f"redi://:{PASSWORD}@127.0.0.1", f"redis://user:{PASSWORD}@:::", f"unix:{PASSWORD}"):
            self.conf(url=url, more=f'secret = "{SECRETS["stripe"]}"\nemail = {mail(6)}')
            before = len(r.read("rpvd.log"))
            daemon.send_signal(1)
            until(lambda: "not reloaded" in r.read("rpvd.log")[before:], 5)
            self.run(RPVD, "-t", "-c", r.path("rpvd.conf"), code=2)
            self.run(RPVCTL, "-c", r.path("rpvd.conf"), "status", code=2)
        self.conf()
        self.run(RPVCTL, "-c", r.path("rpvd.conf"), "status", code=3)
        daemon.send_signal(1)
        self.start_redis()
        self.f.check(until(lambda: self.counted(2 * len(SECRETS) + 3), 20) is not None, f"orders: {self.status()} {r.read('rpvd.log')[-2000:]}")
        self.redis("CONFIG", "SET", "requirepass", "another")
        self.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        self.f.check(until(lambda: "refused the user or password" in r.read("rpvd.log"), 10) is not None, "a wrong password is not told")
        self.redis("CONFIG", "SET", "requirepass", PASSWORD)

    def commands(self, orders):
        conf = self.rig.path("rpvd.conf")
        plain = [["top"], ["top", "page"], ["top", "campaign"], ["top", "landing", "--window", "30d"], ["total"], ["get", "30d:total"],
                 ["orders"], ["orders", "--all"], ["orders", f"woocommerce:{orders['woocommerce']}"], ["status"],
                 ["journal"], ["journal", "1"], ["journal", "--all"], ["journal", "--quarantine"], ["journal", "verify"],
                 ["forget", "--order", f"shopify:{orders['shopify']}"]]
        for words in plain:
            for form in ([], ["--json"]) if words[0] != "forget" else [[]]:
                self.run(RPVCTL, "-c", conf, *form, *words)
        self.run(RPVCTL, "-c", conf, "journal", "--quarantine", "1")
        self.options_are_hidden()

    def options_are_hidden(self):
        """A forget that waits, since rpvd does: what it was asked for is not for everyone's eyes."""
        conf = self.rig.path("rpvd.conf")
        for words in ([["-c", conf, "forget", "--customer", mail(2), "--visitor", COOKIE]],
                      [["-u", f"redis://:{PASSWORD}@127.0.0.1:{self.port}", "watch"]]):
            child = self.rig.start([RPVCTL, *words[0]], "rpvctl.log")
            cmdline = f"/proc/{child.pid}/cmdline"
            ok = until(lambda: not found_in(open(cmdline, "rb").read()), 5)
            self.f.check(ok is not None and child.poll() is None, f"rpvctl {words[0][2]}: its command line: {open(cmdline, 'rb').read()!r}")
            child.terminate()
            child.wait()

    # ---- where it is looked for -----------------------------------------------------------

    def clean(self, where, data):
        found = found_in(data)
        self.f.check(not found, f"{where}: holds the {', the '.join(found)}")

    def look_process(self, pid):
        """What others may see of it; memory of course has all."""
        for name in ("cmdline", "environ", "status", "comm"):
            with open(f"/proc/{pid}/{name}", "rb") as f:
                self.clean("/proc/PID/" + name, f.read())
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                self.clean("/proc/PID/fd", os.readlink(f"/proc/{pid}/fd/{name}").encode())
            except FileNotFoundError:
                pass

    def look_redis(self):
        keys = 0
        for key, data in self.redis.everything():
            keys += 1
            self.clean("Redis, " + key.decode(errors="replace"), data)
        self.f.check(keys > 50, f"only {keys} keys in Redis")
        folder = self.rig.path("redis/appendonlydir")
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                self.clean("Redis's file " + name, f.read())

    def look_state(self):
        names = []
        for folder, _, files in os.walk(self.rig.path("state")):
            for name in files:
                path = os.path.join(folder, name)
                short = os.path.relpath(path, self.rig.path("state"))
                with open(path, "rb") as f:
                    data = f.read()
                self.f.equal(oct(os.stat(path).st_mode & 0o077), "0o0", f"mode of {short}, for others")
                names.append(short)
                if short.startswith("quarantine/"):
                    if data:
                        self.f.check("e-mail address" in found_in(data), "the body that was kept apart is not found")
                else:
                    self.clean(short, data)
        for want in (r"keys-shop$", r"journal/\d+\.log$", r"quarantine/\d+\.log$"):
            self.f.check(any(re.match(want, name) for name in names), f"no {want} in state_dir: {names}")

    def look(self):
        with open(os.path.join(rig.TREE, "systemd/rpvd.service.in"), encoding="utf-8") as f:
            self.f.check("\nLimitCORE=0\n" in f.read(), "the unit allows a core file, which would hold everything")
        self.look_redis()
        self.look_state()
        with open(self.rig.path("rpvd.log"), "rb") as f:
            self.clean("the log", f.read())
        self.clean("what rpvd and rpvctl said", self.said)


def search_finds(f):
    """A search that finds nothing proves nothing."""
    for what, text in CANARIES.items():
        for data in (text.encode(), text.upper().encode(), text.encode().hex().encode(), b"x" + base64.b64encode(text.encode()) + b"y",
                     base64.b64encode(b"12" + text.encode() + b"345"), urllib.parse.quote(text).encode()):
            f.check(what in found_in(b"\0 " + data + b" \xff"), f"the search does not find the {what} in {data!r}")
    f.check(found_in(ipaddress.ip_address(V6).packed), "the search does not find an address as bytes")
    f.equal(found_in(b"nothing of that kind, 127.0.0.1, 2001:db8::1, a@mail.example"), [], "found where nothing is")


def main():
    rig.need("redis-server")
    with Rig("canary") as r:
        shop = Shop(r)
        search_finds(shop.f)
        shop.run(RPVD, "-v", "-c", shop.conf(), "--replay")
        shop.f.check(int(shop.status()[b"visits"]) >= 3, f"the replay: {shop.status()}")
        daemon, orders = shop.live()
        shop.trouble(daemon)
        shop.commands(orders)
        daemon.terminate()
        shop.f.equal(daemon.wait(15), 0, "exit code after SIGTERM")
        shop.look()
        shop.f.end()


if __name__ == "__main__":
    main()
