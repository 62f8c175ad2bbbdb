#!/usr/bin/env python3
"""gate: the door at which webhooks arrive, as strangers and slow senders find it.

A real rpvd, by itself and behind a real nginx with the snippets that are shipped
(contrib/nginx): requests that two readers could understand differently, slow and huge ones,
scanners, bursts, a proxy that changes bodies, an rpvd that dies before it answers.
"""

import http.client
import os
import re
import selectors
import signal
import socket
import sys
import time

import rig
from rig import SECRETS, Findings, Rig, as_json, rfc3339, until

SLOW = 4 if os.environ.get("RPVD_SANITIZED") else 1
BURST = 10000
AT_ONCE = 100

NGINX = """{user}
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log;
events {{ worker_connections 2048; }}
http {{
	client_body_temp_path {dir}/tmp-body;
	proxy_temp_path {dir}/tmp-proxy;
	fastcgi_temp_path {dir}/tmp-fastcgi;
	uwsgi_temp_path {dir}/tmp-uwsgi;
	scgi_temp_path {dir}/tmp-scgi;
	access_log off;
	include {dir}/rpvd-nginx.conf;
	server {{
		listen 127.0.0.1:{port};
		server_name shop.example;
		include {dir}/rpvd-hooks.conf;
		# What goes wrong with proxies that mean well.
		location = /lost/generic {{ proxy_pass http://rpvd/hooks/generic; proxy_pass_request_body off; proxy_set_header Content-Length 0; }}
		location = /longer/generic {{ client_body_buffer_size 1m; proxy_set_body "$request_body\\n"; proxy_pass http://rpvd/hooks/generic; }}
		location = /other/generic {{ proxy_set_body "{{}}"; proxy_pass http://rpvd/hooks/generic; }}
	}}
}}
"""
RPVD = """redis {{ url = 'unix:{dir}/redis.sock' }}
webhook {{ listen = 'unix:{dir}/webhook.sock' }}
state_dir = '{dir}/state'
site "shop" {{
	currency = "EUR"
	log '{dir}/shop.log' {{ format = "combined" }}
{providers}
}}
"""


class Gate:
    def __init__(self, rig_):
        self.rig = rig_
        self.f = Findings()
        self.hook = rig_.path("webhook.sock")
        self.orders = 0
        self.n = 0
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.tcp = ("127.0.0.1", s.getsockname()[1])

    def start(self):
        r = self.rig
        for name in ("rpvd.conf", "hooks.conf"):
            with open(f"{rig.TREE}/contrib/nginx/{name}", encoding="utf-8") as f:
                r.write("rpvd-" + name.replace("rpvd", "nginx"), f.read().replace("/run/rpvd/webhook.sock", self.hook))
        user = "user root;" if os.geteuid() == 0 else ""
        r.write("nginx.conf", NGINX.format(dir=r.dir, port=self.tcp[1], user=user))
        r.write("shop.log", "")
        providers = ""
        for name, secret in SECRETS.items():
            r.write(name + ".secret", secret + "\n", 0o600)
            providers += f"\tprovider \"{name}\" {{ secret_file = '{r.path(name)}.secret' }}\n"
        r.write("rpvd.conf", RPVD.format(dir=r.dir, providers=providers))
        self.redis = r.redis()
        self.start_rpvd()
        self.nginx = r.start([rig.program("nginx"), "-p", r.dir, "-e", r.path("nginx-error.log"), "-c", r.path("nginx.conf")], "nginx.out")

        def open_for_all():
            try:
                socket.create_connection(self.tcp, 1).close()
                return True
            except OSError:
                return False
        if until(open_for_all, 10) is None:
            raise RuntimeError("nginx did not start: " + r.read("nginx-error.log") + r.read("nginx.out"))

    def start_rpvd(self):
        self.rpvd = self.rig.rpvd(self.rig.path("rpvd.conf"))
        if until(lambda: self.rpvd.poll() is not None or rig.hook_up(self.hook), 10) is None or self.rpvd.poll() is not None:
            raise RuntimeError("rpvd did not start: " + self.rig.read("rpvd.log"))

    def event(self, order=None):
        """A body of a sale of 1.00, and its signature."""
        self.n += 1
        name = order or f"o{self.n}"
        body = as_json({"time": rfc3339(int(time.time()) - 40), "type": "order.paid", "order": {"id": name, "total": "1.00", "currency": "EUR"}})
        return body, rig.sign_generic(SECRETS["generic"], body, int(time.time()), "evt_" + name)

    def request(self, order=None, head="", path="/hooks/generic"):
        """A whole one; a sale more if it is taken."""
        body, signed = self.event(order)
        lines = "".join(f"{k}: {v}\r\n" for k, v in signed)
        return (f"POST {path} HTTP/1.1\r\nHost: shop.example\r\n{lines}{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body

    def status(self):
        return self.redis.hash("rpv:shop:status")

    def settled(self, what):
        """Every sale that was answered for is counted, and none more."""
        def right():
            return self.redis("HGET", "rpv:shop:24h:total", "sales_orders") == str(self.orders)
        ok = until(right, 15 * SLOW)
        self.f.check(ok is not None, f"{what}: {self.redis.hash('rpv:shop:24h:total').get('sales_orders')} of {self.orders} orders"
                     f" {self.status()}")

    def count_of(self, name):
        """As the status has it that was begun after all that was asked for so far was answered."""
        now = rfc3339(int(time.time()) + 1)
        until(lambda: self.status().get("updated", "") >= now, 5 * SLOW)
        return int(self.status().get(name, 0))

    def counter(self, name, want, what):
        self.f.equal(self.count_of(name), want, f"{what}: {name}")


def connect(address, timeout=15.0):
    s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    s.settimeout(timeout)
    s.connect(address)
    return s


def ask(address, raw, patience=15.0):
    """All that is answered to these bytes.  rpvd is told that nothing follows; nginx, which takes that for
    leaving, is not."""
    s = connect(address, patience)
    got = b""
    try:
        s.sendall(raw)
        if isinstance(address, str):
            s.shutdown(socket.SHUT_WR)
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        pass
    finally:
        s.close()
    return got


def statuses(answer):
    return [int(n) for n in re.findall(rb"(?:^|\r\n\r\n|\n)HTTP/1\.1 (\d\d\d) ", answer) if n != b"100"]


# ---- requests that two readers could understand differently -------------------------------

def probes(g):
    """(what, bytes, status without nginx, what nginx may make of it).  TAKEN: a sale."""
    body, signed = g.event()
    sig = "".join(f"{k}: {v}\r\n" for k, v in signed).encode()
    post = b"POST /hooks/generic HTTP/1.1\r\n"
    host = b"Host: shop.example\r\nConnection: close\r\n"
    n = len(body)
    length = b"Content-Length: %d\r\n" % n
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n"
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (n, body)
    refused = (400, 401, 405, 408, 411, 413, 414, 415, 417, 431, 494, 501, 505)
    yield "a plain one", post + host + sig + length + b"\r\n" + body, 200, (200,)
    yield "chunked", post + host + sig + chunked + b"\r\n" + chunks, 200, (200,)
    yield "chunked, with an extension", post + host + sig + chunked + b"\r\n" + b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (n, body), 200, (200,)
    yield "chunked, with a trailer", post + host + sig + chunked + b"\r\n" + b"%x\r\n%s\r\n0\r\nwebhook-id: other\r\n\r\n" % (n, body), 200, (200,)
    yield "HTTP/1.0", b"POST /hooks/generic HTTP/1.0\r\n" + sig + length + b"\r\n" + body, 200, (200,)
    yield "a second request behind it", post + host + sig + length + b"\r\n" + body + smuggled, 200, (200,)
    yield "any content type", post + host + sig + b"Content-Type: text/html\r\n" + length + b"\r\n" + body, 200, (200,)
    yield "two lengths", post + host + sig + length + b"Content-Length: 5\r\n\r\n" + body + smuggled, 400, refused
    yield "two equal lengths", post + host + sig + length + length + b"\r\n" + body, 400, refused
    yield "a list of lengths", post + host + sig + b"Content-Length: %d, %d\r\n\r\n" % (n, n) + body, 400, refused
    yield "length and chunked", post + host + sig + length + chunked + b"\r\n" + chunks + smuggled, 400, refused
    yield "chunked and length", post + host + sig + chunked + b"Content-Length: 3\r\n\r\n" + chunks + smuggled, 400, refused
    yield "a coding that only looks like it", post + host + sig + b"Transfer-Encoding: xchunked\r\n\r\n" + chunks + smuggled, 501, refused
    yield "chunked twice", post + host + sig + chunked + chunked + b"\r\n" + chunks, 400, refused
    for text in (b"+5", b"-5", b"0x5", b"5 5", b"", b"1e2", b"\xd9\xa5"):
        yield f"a length of {text!r}", post + host + sig + b"Content-Length: " + text + b"\r\n\r\n" + body + smuggled, 400, refused
    yield "a length of 10^20", post + host + sig + b"Content-Length: 100000000000000000000\r\n\r\n" + body, 413, refused
    yield "a length of 2^64 + n", post + host + sig + b"Content-Length: %d\r\n\r\n" % (2**64 + n) + body, 413, refused
    for text in (b"+%x", b"0x%x", b" %x", b"%x ", b"-%x"):
        yield f"a chunk size of {text!r}", post + host + sig + chunked + b"\r\n" + text % n + b"\r\n" + body + b"\r\n0\r\n\r\n", 400, (200,) + refused
    yield "a chunk longer than it says", post + host + sig + chunked + b"\r\n3\r\n" + body + b"\r\n0\r\n\r\n" + smuggled, 400, refused
    yield "a chunk of 2 GB", post + host + sig + chunked + b"\r\n80000000\r\n" + body, 413, refused
    yield "bare LF", (post + host + sig + length + b"\r\n").replace(b"\r\n", b"\n") + body, 400, (200,) + refused
    yield "one bare LF", post + host + sig + b"X: y\n" + length + b"\r\n" + body, 400, (200,) + refused
    yield "bare CR", post + host + sig + b"X: y\rZ: a\r\n" + length + b"\r\n" + body, 400, (200,) + refused
    yield "a folded header", post + host + sig + b"X: y\r\n z\r\n" + length + b"\r\n" + body, 400, (200,) + refused
    yield "a folded length", post + host + sig + b"Content-Length:\r\n %d\r\n\r\n" % n + body, 400, refused
    yield "a space before the colon", post + host + sig + b"Content-Length : %d\r\n\r\n" % n + body, 400, refused
    yield "a tab before the colon", post + host + sig + b"Transfer-Encoding\t: chunked\r\n" + length + b"\r\n" + body, 400, (200,) + refused
    yield "NUL in a header", post + host + sig + b"X: a\0b\r\n" + length + b"\r\n" + body, 400, refused
    yield "NUL in a name", post + host + sig + b"X\0Y: a\r\n" + length + b"\r\n" + body, 400, refused
    yield "ESC in a header", post + host + sig + b"X: \x1b[2J\r\n" + length + b"\r\n" + body, 400, (200,) + refused
    yield "no Host", post + sig + length + b"\r\n" + body, 400, refused
    yield "two Hosts", post + host + b"Host: other\r\n" + sig + length + b"\r\n" + body, 400, refused
    yield "a whole address as target", b"POST http://shop.example/hooks/generic HTTP/1.1\r\n" + host + sig + length + b"\r\n" + body, 400, (200,) + refused
    yield "no length", post + host + sig + b"\r\n" + body, 411, refused
    yield "a compressed body", post + host + sig + b"Content-Encoding: gzip\r\n" + length + b"\r\n" + body, 415, (415,)
    yield "another expectation", post + host + sig + b"Expect: 200-ok\r\n" + length + b"\r\n" + body, 417, (200,) + refused
    yield "a header of 64 KB", post + host + sig + b"X: " + b"y" * 65536 + b"\r\n" + length + b"\r\n" + body, 431, refused
    yield "10,000 headers", post + host + sig + b"a: b\r\n" * 10000 + length + b"\r\n" + body, 431, refused
    yield "a path of 20,000 bytes", b"POST /hooks/" + b"a" * 20000 + b" HTTP/1.1\r\n" + host + length + b"\r\n" + body, 414, refused
    yield "HTTP/2 without TLS", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, refused
    yield "HTTP/1.2", b"POST /hooks/generic HTTP/1.2\r\n" + host + sig + length + b"\r\n" + body, 505, (200,) + refused
    yield "TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 50, 400, refused


def ambiguous(g):
    """The same order each time: however many are taken, it counts once."""
    asked = list(probes(g))
    for what, raw, status, _ in asked:
        g.f.equal(statuses(ask(g.hook, raw)), [status], f"{what}: rpvd's answer")
    g.orders += 1
    g.settled("probes")
    # nginx makes one clean request of what it takes; never two, and never one that nobody sent.
    before = g.count_of("request_404_unknown_path")
    for what, raw, _, through in asked:
        got = statuses(ask(g.tcp, raw, 1.0))
        # What follows a whole request is a request of its own, to nginx: it is not one of ours.
        g.f.check(got and got[0] in through, f"{what}: through nginx {got}, expected one of {through}")
        g.f.check(len(got) < 2 or got[1] in (404, 400), f"{what}: through nginx {got}")
    g.settled("probes through nginx")
    g.counter("request_404_unknown_path", before, "nothing is smuggled through nginx")
    print(f"{len(asked)} requests that two readers could understand differently, and through nginx", flush=True)


def expectation(g):
    """100 is said once, before the body; and a body that is refused is not asked for."""
    for address, what in ((g.hook, "rpvd"), (g.tcp, "nginx")):
        head, _, body = g.request(head="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
        s = connect(address)
        s.sendall(head + b"\r\n\r\n")
        got = s.recv(1000)
        g.f.equal(got, b"HTTP/1.1 100 Continue\r\n\r\n", f"{what}: asked to go on")
        s.sendall(body)
        rest = b""
        while more := s.recv(1000):
            rest += more
        s.close()
        g.f.equal((statuses(rest), rest.count(b"100 Continue")), ([200], 0), f"{what}: after it went on")
        g.orders += 1
        huge = head.replace(b"Content-Length: ", b"Content-Length: 9999999")
        g.f.equal(statuses(ask(address, huge + b"\r\n\r\n", 1.0)), [413], f"{what}: a body that is too large is not asked for")
    g.settled("after 100-continue")


def too_large(g):
    """A little over the limit: nginx lets it through, so that the provider's owner is told, and by whom."""
    name = "webhook_generic_413_Content-Length_over_the_limit"
    head = b"POST /hooks/generic HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 2500000\r\n\r\n"
    for address in (g.hook, g.tcp):
        got = ask(address, head + b"x" * 2500000)
        g.f.equal(statuses(got), [413], f"2.5 MB to {address}")
        g.f.check(b"The body is larger than 2 MiB." in got, f"2.5 MB to {address}: {got[-200:]!r}")
    g.counter(name, 2, "bodies that are too large")


# ---- the slow --------------------------------------------------------------------------------

class Drippers:
    """200 who send a header, or a byte of a body, now and then."""

    def __init__(self, g):
        self.begun = self.last = time.monotonic()
        self.all = []
        for i in range(200):
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            s.connect(g.hook)
            s.send(b"POST /hooks/generic HTTP/1.1\r\nHost: a\r\n" + (b"Content-Length: 5000\r\n\r\n" if i % 2 else b""))
            self.all.append(s)

    def drip(self):
        """Five times a second: in 10 s fewer than the headers that a request may have."""
        if time.monotonic() - self.last < 0.2:
            return
        self.last = time.monotonic()
        for i, s in enumerate(self.all):
            try:
                s.send(b"x" if i % 2 else b"X: y\r\n")
            except OSError:
                pass

    def left(self):
        n = 0
        for s in self.all:
            try:
                n += s.recv(100) != b""
            except BlockingIOError:
                n += 1
            except OSError:
                pass
        return n


def slow(g, drippers):
    """Others are served meanwhile, by way of nginx and without."""
    took = []
    while time.monotonic() - drippers.begun < 3:
        drippers.drip()
        for address in (g.hook, g.tcp):
            begun = time.monotonic()
            g.f.equal(statuses(ask(address, g.request())), [200], "a webhook among 200 slow clients")
            g.orders += 1
            took.append(time.monotonic() - begun)
    g.f.check(max(took) < 3 * SLOW, f"a webhook among 200 slow clients took {max(took):.1f} s")
    print(f"{len(took)} webhooks beside 200 slow clients: slowest {1000 * max(took):.0f} ms", flush=True)
    # nginx waits for slow senders itself: rpvd hears nothing of them.
    s = connect(g.tcp)
    s.sendall(b"POST /hooks/generic HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5000\r\n\r\nx")
    before = g.count_of("request_closed_too_slow")
    time.sleep(0.2)
    g.f.equal(g.count_of("request_closed_too_slow"), before, "a slow sender at nginx is no matter of rpvd's")
    s.close()


def deadline(g, drippers):
    """An absolute one: 10 s, whatever trickles in."""
    def gone():
        drippers.drip()
        return drippers.left() == 0
    ok = until(gone, 10 + 5 * SLOW - (time.monotonic() - drippers.begun), 0.1)
    took = time.monotonic() - drippers.begun
    g.f.check(ok is not None, f"{drippers.left()} slow clients are still there after {took:.0f} s")
    print(f"200 slow clients are gone after {took:.1f} s", flush=True)

    def closed():
        return sum(int(v) for k, v in g.status().items() if k.startswith("request_closed_"))
    until(lambda: closed() >= 200, 3 * SLOW)
    g.f.check(closed() >= 200, f"{closed()} closed requests are counted of 200")


# ---- scanners ----------------------------------------------------------------------------------

WORDS = """/ /admin /.env /.git/config /wp-login.php /xmlrpc.php /phpmyadmin/ /hooks /hooks/ /hooks/stripe/ /hooks/Stripe
/hooks/%73tripe /hooks/stripe%00 /hooks//stripe /hooks/../etc/passwd /hooks/stripe/../../etc/passwd /cgi-bin/luci /actuator/health
/api/v1/users /server-status /console /owa/ /solr/ /HNAP1 /boaform/admin /vendor/phpunit /?x=${jndi:ldap://a} /hooks/none /robots.txt""".split()


def scanners(g):
    """404 or 405, cheap, counted, and a line in the log at most."""
    said = len(g.rig.read("rpvd.log"))
    before = g.count_of("request_404_unknown_path")
    unknown = 0
    for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "PROPFIND"):
        for word in WORDS:
            raw = f"{method} {word} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode()
            answer = ask(g.hook, raw)
            g.f.equal(statuses(answer), [404], f"{method} {word}")
            unknown += 1
        answer = ask(g.hook, f"{method} /hooks/stripe HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
        g.f.equal(statuses(answer), [401 if method == "POST" else 405], f"{method} /hooks/stripe")
        if method == "HEAD":
            g.f.check(answer.endswith(b"\r\n\r\n"), f"HEAD with a body: {answer!r}")
        if method not in ("POST", "HEAD"):
            g.f.check(b"\r\nAllow: POST\r\n" in answer, f"{method}: no Allow: {answer!r}")
    g.counter("request_404_unknown_path", before + unknown, "scanners")
    lines = g.rig.read("rpvd.log")[said:].count("answered 404")
    g.f.check(lines <= 1, f"{lines} lines about scanners in the log")
    g.f.equal(statuses(ask(g.tcp, b"GET /hooks/stripe HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")), [405], "GET through nginx")


# ---- bursts ------------------------------------------------------------------------------------

def pour(address, requests, at_once):
    """Sends all, so many at a time, each over a connection of its own; a (status, seconds) each."""
    sel = selectors.DefaultSelector()
    waiting = iter(requests)
    done = []
    open_now = 0

    def begin():
        raw = next(waiting, None)
        if raw is None:
            return 0
        s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        begun = time.monotonic()
        s.setblocking(False)
        try:
            s.connect(address)
        except BlockingIOError:
            if isinstance(address, str):        # the queue is full: a sender waits
                s.setblocking(True)
                s.connect(address)
                s.setblocking(False)
        sel.register(s, selectors.EVENT_WRITE, [begun, raw, b""])
        return 1

    for _ in range(at_once):
        open_now += begin()
    while open_now > 0:
        for key, event in sel.select(20):
            s, state = key.fileobj, key.data
            if event & selectors.EVENT_WRITE:
                s.send(state[1])
                sel.modify(s, selectors.EVENT_READ, state)
                continue
            try:
                more = s.recv(4096)
            except ConnectionResetError:
                more = b""
            state[2] += more
            if more:
                continue
            done.append((int(state[2][9:12] or 0), time.monotonic() - state[0]))
            sel.unregister(s)
            s.close()
            open_now += begin() - 1
    return done


def ticks(pid):
    """CPU time so far, in seconds."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def burst(g, address, what, at_once=AT_ONCE):
    requests = [g.request() for _ in range(BURST)]
    begun, used = time.monotonic(), ticks(g.rpvd.pid)
    done = pour(address, requests, at_once)
    took, used = time.monotonic() - begun, ticks(g.rpvd.pid) - used
    answers = {status: sum(1 for s, _ in done if s == status) for status in {s for s, _ in done}}
    g.f.equal(answers, {200: BURST}, f"{what}: answers")
    g.orders += answers.get(200, 0)
    g.settled(what)
    times = sorted(t for _, t in done)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{BURST} webhooks {what}, {at_once} at a time: {BURST / took:.0f}/s, p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms,"
          f" slowest {1000 * times[-1]:.0f} ms, {1000000 * used / BURST:.0f} us of rpvd's CPU each", flush=True)
    # How long it takes is the machine's affair, which may be busy with other things; what it costs is rpvd's: this is
    # 2,000 a second on one core, with all that comes behind the answer.  Shopify hangs up after 5 s.
    g.f.check(used / BURST < 0.0005 * SLOW, f"{what}: {used:.1f} s of CPU")
    g.f.check(p99 < 2 * SLOW and times[-1] < 5 * SLOW, f"{what}: p99 {p99:.3f} s, slowest {times[-1]:.1f} s")


def bursts(g):
    burst(g, g.hook, "straight to rpvd")
    burst(g, g.tcp, "through nginx")
    g.f.equal(g.status().get("journal_damaged"), "0", "damage")


# ---- a proxy that changes bodies -----------------------------------------------------------------

def changed(g):
    """Whose fault it is that a signature does not fit is said, where it can be known."""
    for path, hint in (("/longer/generic", "the end of the body was changed on the way"), ("/lost/generic", "the body is empty"),
                       ("/other/generic", None)):
        time.sleep(2.1 if path != "/longer/generic" else 0)         # not for everybody who asks
        body, signed = g.event()
        conn = http.client.HTTPConnection(*g.tcp, timeout=15)
        conn.request("POST", path, body, {**dict(signed), "Host": "shop.example"})
        g.f.equal(conn.getresponse().status, 401, f"{path}: answer")
        conn.close()
        if hint:
            ok = until(lambda h=hint: h in g.status().get("webhook_generic_hint", ""), 3 * SLOW)
            g.f.check(ok is not None, f"{path}: the hint is {g.status().get('webhook_generic_hint')!r}")
    code, out, _ = rig.run([rig.RPVCTL, "-c", g.rig.path("rpvd.conf"), "status"])
    g.f.check(code == 0 and "* Webhooks of generic do not fit their signatures: the body is empty" in out, f"rpvctl status: {out}")
    g.f.equal(statuses(ask(g.tcp, g.request())), [200], "the same without the change")
    g.orders += 1
    g.settled("after changed bodies")
    until(lambda: "webhook_generic_hint" not in g.status(), 3 * SLOW)
    g.f.equal(g.status().get("webhook_generic_hint"), None, "the hint, after a signature that fits")


# ---- dying ------------------------------------------------------------------------------------------

def journal_size(g):
    d = g.rig.path("state/journal")
    return sum(os.path.getsize(os.path.join(d, name)) for name in os.listdir(d))


def unanswered(g):
    """Killed when the event is on disk; the provider, who has no answer, sends again."""
    until(lambda: g.status().get("journal_depth") == "0", 10)
    for _ in range(5):
        raw = g.request()
        before = journal_size(g)
        s = connect(g.hook)
        s.sendall(raw)
        g.f.check(until(lambda b=before: journal_size(g) > b, 10, 0) is not None, "the event is not written")
        g.rpvd.send_signal(signal.SIGKILL)
        g.rpvd.wait()
        s.close()
        g.start_rpvd()
        g.f.equal(statuses(ask(g.hook, raw)), [200], "sent again")
        g.orders += 1
    g.settled("killed before the answer")
    until(lambda: int(g.status().get("webhook_generic_duplicate", 0)) > 0, 3 * SLOW)
    g.f.check(int(g.status().get("webhook_generic_duplicate", 0)) > 0, "no duplicate is told: the events were not on disk")


def without_redis(g):
    """1,000 while Redis is away, which then has forgotten everything: the journal has not."""
    server = g.rig.children[0]
    server.kill()
    server.wait()
    answers = [status for status, _ in pour(g.hook, [g.request() for _ in range(1000)], 20)]
    g.f.equal(answers.count(200), 1000, "webhooks without Redis")
    g.orders += 1000
    g.redis = g.rig.redis()
    g.settled("after Redis came back, empty")


def main():
    rig.need("nginx", "redis-server")
    with Rig("gate") as r:
        g = Gate(r)
        g.start()
        drippers = Drippers(g)
        parts = ((slow, drippers), (too_large,), (ambiguous,), (expectation,), (scanners,), (deadline, drippers), (bursts,), (changed,), (unanswered,),
                 (without_redis,))
        for part, *more in parts:
            begun, before, found = time.monotonic(), g.f.checks, g.f.n
            part(g, *more)
            print(f"{part.__name__}: {g.f.checks - before} checks, {time.monotonic() - begun:.1f} s", flush=True)
            if g.f.n > found:
                print(r.read("rpvd.log")[-2000:], r.read("nginx-error.log")[-2000:], flush=True)
        g.f.equal(g.rpvd.poll(), None, "rpvd ended")
    g.f.end()


if __name__ == "__main__":
    sys.exit(main())
