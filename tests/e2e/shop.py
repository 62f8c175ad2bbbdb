#!/usr/bin/env python3
"""shop: a small shop from the browser to the published keys.

A real nginx with the snippets that are shipped (contrib/nginx), a real Redis, rpvd with
the real clock.  Shoppers browse, buy, pay on another host and come back; their payment
providers send signed webhooks through nginx.  What each visit must be worth is
written down beside what the shopper does, and added up here, by other code than rpvd's.

Orders are dated half a minute back: rpvd decides on an order when its log has passed
the order's time by 30 s, and the test does not want to wait for that.
"""

import base64
import http.client
import json
import os
import re
import socket
import sys
import threading
import time

import rig
from rig import Findings, Rig, as_json, rfc3339, until

SOON = 2.0          # seconds within which the keys have to be right
HOOKS = 1000
THREADS = 8

NGINX = """{user}
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log;
events {{}}
http {{
	client_body_temp_path {dir}/tmp-body;
	proxy_temp_path {dir}/tmp-proxy;
	fastcgi_temp_path {dir}/tmp-fastcgi;
	uwsgi_temp_path {dir}/tmp-uwsgi;
	scgi_temp_path {dir}/tmp-scgi;
	include {dir}/rpvd-nginx.conf;
	server {{
		listen 127.0.0.1:{port};
		server_name shop.example;
		userid on;
		userid_name rpv;
		userid_path /;
		userid_expires 395d;
		userid_flags httponly secure samesite=lax;
		access_log {dir}/shop.log rpvd;
		include {dir}/rpvd-hooks.conf;
		location / {{ return 200 "a page\\n"; }}
		location = /gone {{ return 404; }}
		location = /buy {{ return 303 http://checkout.stripe.com/pay?session_id=$arg_session_id; }}
	}}
	server {{
		listen 127.0.0.1:{port};
		server_name checkout.stripe.com;
		access_log off;
		location = /pay {{ return 303 http://shop.example/checkout/thanks?session_id=$arg_session_id; }}
	}}
}}
"""

RPVD = """redis {{ url = 'unix:{dir}/redis.sock' }}
webhook {{ listen = 'unix:{dir}/webhook.sock' }}
state_dir = '{dir}/state'
site "shop" {{
	hosts = {{"shop.example"}}
	currency = "EUR"
	visitor = {{"uid", "ip_ua"}}
	log '{dir}/shop.log' {{ format = '{format}' }}
	page "/product/*" {{ as = "/product/:name" }}
	ignore_paths = {{"/healthz"}}
{providers}
}}
"""


# ---- shoppers ----------------------------------------------------------------------

class Visit:
    """What a visit is, said by who made it."""

    def __init__(self, source, landing):
        self.source = source
        self.landing = landing
        self.pages = {landing}
        self.orders = 0
        self.cents = 0

    def buys(self, cents):
        self.orders += 1
        self.cents += cents


class Browser:
    def __init__(self, shop, agent):
        self.shop = shop
        self.agent = agent
        self.cookie = None

    def get(self, target, referrer=None, host="shop.example", method="GET"):
        """The status and where it sends us."""
        headers = {"Host": host, "User-Agent": self.agent}
        if referrer:
            headers["Referer"] = referrer
        if self.cookie and host == "shop.example":
            headers["Cookie"] = "theme=dark; rpv=" + self.cookie
        conn = http.client.HTTPConnection("127.0.0.1", self.shop.port, timeout=10)
        conn.request(method, target, headers=headers)
        reply = conn.getresponse()
        reply.read()
        found = re.match(r"rpv=([^;]+)", reply.headers.get("Set-Cookie", ""))
        if found and host == "shop.example":
            self.cookie = found.group(1)
        conn.close()
        return reply.status, reply.headers.get("Location")

    def visit(self, source, landing, target=None, referrer=None):
        """Opens a page that begins a visit."""
        v = Visit(source, landing)
        self.shop.visits.append(v)
        self.current = v
        self.get(target or landing, referrer)
        return v

    def look(self, *targets):
        for target in targets:
            self.get(target, "http://shop.example" + self.current.landing)
            self.current.pages.add(re.sub(r"(?<=.)/?(\?.*)?$", "", target))

    def pay(self, session):
        """Away to the payment page, and back to the page that thanks."""
        status, where = self.get("/buy?session_id=" + session, "http://shop.example/cart")
        assert status == 303, status
        status, where = self.get(where.split("checkout.stripe.com")[1], host="checkout.stripe.com")
        assert status == 303, status
        self.get(where.split("shop.example")[1], "https://checkout.stripe.com/")
        self.current.pages.add("/checkout/thanks")


def expected(visits):
    """{(dimension, value): [visits, orders, cents]}"""
    sums = {}
    for v in visits:
        values = [("total", ""), ("landing", v.landing), ("source", v.source)] + [("page", p) for p in v.pages]
        for key in values:
            s = sums.setdefault(key, [0, 0, 0])
            s[0] += 1
            s[1] += v.orders
            s[2] += v.cents
    return sums


def fields(visits, orders, cents):
    return {"visits": str(visits), "orders": f"{orders}.0000", "revenue": f"{cents // 100}.{cents % 100:02d}",
            "rpv": f"{cents / 100 / visits:.6g}" if visits else "0",
            "conversion_rate": f"{orders / visits:.6g}" if visits else "0",
            "aov": f"{cents / 100 / orders:.6g}" if orders else "0"}


# ---- the shop ----------------------------------------------------------------------

class Shop:
    def __init__(self, rig_):
        self.rig = rig_
        self.visits = []
        self.unattributed = 0       # cents
        self.lone_orders = 0
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    def start(self):
        r = self.rig
        snippet = open(f"{rig.TREE}/contrib/nginx/rpvd.conf", encoding="utf-8").read()
        hooks = open(f"{rig.TREE}/contrib/nginx/hooks.conf", encoding="utf-8").read()
        r.write("rpvd-nginx.conf", snippet.replace("/run/rpvd/webhook.sock", r.path("webhook.sock")))
        r.write("rpvd-hooks.conf", hooks)
        user = "user root;" if os.geteuid() == 0 else ""
        r.write("nginx.conf", NGINX.format(dir=r.dir, port=self.port, user=user))
        os.mkdir(r.path("state"))
        log_format = f"nginx:{r.path('nginx.conf')}:rpvd"     # which includes the snippet
        providers = ""
        for name, secret in rig.SECRETS.items():
            r.write(name + ".secret", secret + "\n", 0o600)
            providers += f"\tprovider \"{name}\" {{ secret_file = '{r.path(name)}.secret' }}\n"
        r.write("rpvd.conf", RPVD.format(dir=r.dir, format=log_format, providers=providers))
        self.redis = r.redis()
        self.rpvd = r.rpvd(r.path("rpvd.conf"))
        self.nginx = r.start([rig.program("nginx"), "-p", r.dir, "-e", r.path("nginx-error.log"), "-c",
                              r.path("nginx.conf")], "nginx.out")
        if until(self.is_open, 10) is None:
            raise RuntimeError("the shop did not open: " + r.read("nginx-error.log") + r.read("nginx.out") + r.read("rpvd.log"))

    def is_open(self):
        if self.rpvd.poll() is not None or self.nginx.poll() is not None:
            raise RuntimeError(self.rig.read("nginx.out") + self.rig.read("rpvd.log"))
        if not rig.hook_up(self.rig.path("webhook.sock")):
            return False
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return self.redis("EXISTS", "rpv:shop:24h:total") == 1

    def hook(self, provider, event, conn=None, event_id="evt"):
        """Posts a signed event through nginx; the status."""
        body = as_json(event)
        now = int(time.time())
        sign = rig.SIGNERS[provider]
        headers = dict(sign(rig.SECRETS[provider], body, now, event_id) if provider == "generic" else
                       sign(rig.SECRETS[provider], body, now))
        headers.update({"Host": "shop.example", "Content-Type": "application/json", "User-Agent": "provider/1.0"})
        own = conn or http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        own.request("POST", "/hooks/" + provider, body, headers)
        reply = own.getresponse()
        reply.read()
        if conn is None:
            own.close()
        return reply.status

    def differences(self):
        wrong = []
        sums = expected(self.visits)
        for (dim, value), want in sums.items():
            key = "rpv:shop:24h:" + (dim if dim == "total" else f"{dim}:{value}")
            got = self.redis.hash(key)
            wrong += [f"{key}: {f} is {got.get(f)}, expected {w}" for f, w in fields(*want).items() if got.get(f) != w]
        for dim in ("landing", "page", "source"):
            names = set(self.redis("ZRANGE", f"rpv:shop:24h:{dim}", 0, -1))
            if names != {v for d, v in sums if d == dim}:
                wrong.append(f"{dim}: {sorted(names)}")
        n, orders, cents = sums.get(("total", ""), [0, 0, 0])
        total = self.redis.hash("rpv:shop:24h:total")
        cents += self.unattributed
        for f, w in {"sales": f"{cents // 100}.{cents % 100:02d}", "sales_orders": str(orders + self.lone_orders),
                     "unattributed": f"{self.unattributed // 100}.{self.unattributed % 100:02d}"}.items():
            if total.get(f) != w:
                wrong.append(f"total: {f} is {total.get(f)}, expected {w}")
        return wrong

    def settle(self, findings, what, seconds=SOON):
        took = until(lambda: not self.differences(), seconds)
        if took is None:
            findings.fail(f"{what}: after {seconds} s still " + "\n\t".join(self.differences()))
        else:
            findings.check(True, what)
            print(f"{what}: right after {took:.2f} s")


def agent(n):
    return f"Mozilla/5.0 (X11; Linux x86_64; rv:1{n}.0) Gecko/20100101 Firefox/1{n}.0"


def browse(shop):
    """What everybody does; who buys is returned by name."""
    people = {}

    def person(name):
        people[name] = Browser(shop, agent(len(people)))
        return people[name]

    anna = person("anna")
    anna.visit("google/organic", "/", "/", "https://www.google.com/")
    anna.look("/product/lamp", "/cart")
    anna.current.pages = {"/", "/product/:name", "/cart"}
    anna.get("/static/app.css", "http://shop.example/")
    anna.get("/static/logo.png?v=2", "http://shop.example/")
    anna.pay("cs_live_anna")

    ben = person("ben")
    ben.visit("news/email", "/offer", "/offer?utm_source=News&utm_medium=email&utm_campaign=Spring")
    ben.look("/cart")
    ben.pay("cs_live_ben")

    cora = person("cora")
    cora.visit("(direct)/(none)", "/", "//index.html")
    cora.look("/cart/", "/checkout/order-received/77/?key=wc_order_c0ra")

    dan = person("dan")
    dan.visit("facebook/social", "/offer", "/offer/?fbclid=abc", "https://l.facebook.com/")
    dan.look("/cart")

    eve = person("eve")
    eve.visit("chatgpt/ai", "/guide", "/guide", "https://chatgpt.com/")

    finn = person("finn")
    finn.visit("blog.example/referral", "/guide", "/guide", "https://www.blog.example/best-lamps")
    finn.look("/")
    time.sleep(0.01)        # of two visits in one millisecond neither is the later one
    finn.visit("bing/organic", "/", "/", "https://www.bing.com/search")
    finn.look("/offer")

    gil = person("gil")
    gil.visit("(direct)/(none)", "/offer")
    gil.get("/gone", "http://shop.example/offer")
    gil.get("/healthz")
    gil.get("/guide", method="HEAD")
    gil.get("/guide", method="POST")

    bot = Browser(shop, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    bot.get("/")
    bot.get("/offer")
    Browser(shop, "-").get("/")
    return people


def buy(shop, people, findings):
    """Everybody's provider tells what was paid."""
    at = int(time.time()) - 30

    def stripe(name, session, cents, **more):
        return {"id": "evt_" + session, "object": "event", "type": "checkout.session.completed", "created": at,
                "livemode": True, "data": {"object": {
                    "id": session, "object": "checkout.session", "payment_status": "paid", "currency": "eur",
                    "amount_total": cents, "payment_intent": "pi_" + name, "invoice": None, **more}}}

    def post(provider, event, **more):
        findings.equal(shop.hook(provider, event, **more), 200, f"{provider} webhook")

    post("stripe", stripe("anna", "cs_live_anna", 4520, metadata={"rpv": people["anna"].cookie}))
    people["anna"].current.buys(4520)
    # No cookie carried: the session in the URL of the page that thanks.
    post("stripe", stripe("ben", "cs_live_ben", 8000, metadata={}))
    people["ben"].current.buys(8000)
    post("woocommerce", {"id": 77, "status": "processing", "currency": "EUR", "total": "30.00", "total_tax": "0.00",
                         "shipping_total": "0.00", "date_paid_gmt": rfc3339(at, ""), "date_modified_gmt": rfc3339(at, ""),
                         "customer_id": 0, "billing": {"email": "Cora@Example.com"}, "order_key": "wc_order_c0ra",
                         "meta_data": [], "refunds": []})
    people["cora"].current.buys(3000)
    post("shopify", {"id": 450789469, "financial_status": "paid", "test": False, "total_price": "12.34", "currency": "EUR",
                     "total_tax": "1.97", "processed_at": rfc3339(at, "Z"), "email": "dan@example.com",
                     "note_attributes": [{"name": "rpv", "value": people["dan"].cookie}],
                     "checkout_token": "c0ffee", "refunds": [], "shipping_lines": []})
    people["dan"].current.buys(1234)
    # Neither cookie nor token: address and browser.
    post("generic", {"time": rfc3339(at), "type": "order.paid", "order": {
        "id": "g-eve", "total": "20", "currency": "EUR", "ip": "127.0.0.1", "user_agent": people["eve"].agent}},
         event_id="evt_eve")
    people["eve"].current.buys(2000)
    post("generic", {"time": rfc3339(at), "type": "order.paid", "order": {
        "id": "g-finn", "total": "99.99", "currency": "EUR", "visitor": people["finn"].cookie}}, event_id="evt_finn")
    people["finn"].current.buys(9999)
    # Of nobody who was ever here.
    post("generic", {"time": rfc3339(at), "type": "order.paid", "order": {
        "id": "g-nobody", "total": "5.00", "currency": "EUR", "visitor": base64.b64encode(bytes(16)).decode()}},
         event_id="evt_nobody")
    shop.unattributed += 500
    shop.lone_orders += 1


def refund(shop, people, findings):
    now = int(time.time())
    event = {"id": "evt_refund", "object": "event", "type": "refund.created", "created": now, "livemode": True,
             "data": {"object": {"id": "re_ben", "object": "refund", "status": "succeeded", "amount": 3000,
                                 "currency": "eur", "payment_intent": "pi_ben"}}}
    findings.equal(shop.hook("stripe", event), 200, "refund webhook")
    people["ben"].current.cents -= 3000


def rotate(shop, findings):
    """logrotate's way: rename, tell nginx, go on."""
    r = shop.rig
    os.rename(r.path("shop.log"), r.path("shop.log.1"))
    Browser(shop, agent(80)).visit("(direct)/(none)", "/guide")     # goes to the old file still
    code, out, err = rig.run([rig.program("nginx"), "-p", r.dir, "-e", r.path("nginx-error.log"), "-c",
                              r.path("nginx.conf"), "-s", "reopen"])
    findings.equal((code, out + err), (0, ""), "nginx -s reopen")
    findings.check(until(lambda: os.path.exists(r.path("shop.log")), 5) is not None, "nginx made no new log")
    late = Browser(shop, agent(81))
    late.visit("duckduckgo/organic", "/offer", "/offer", "https://duckduckgo.com/")
    late.look("/cart")


def flood(shop, findings):
    """Many at once, as after a sale: each is answered 200 and counted once."""
    at = rfc3339(int(time.time()) - 30)
    times, statuses = [], []
    lock = threading.Lock()

    def sender(first):
        conn = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=15)
        for i in range(first, HOOKS, THREADS):
            event = {"time": at, "type": "order.paid",
                     "order": {"id": f"flood-{i}", "total": "1.00", "currency": "EUR"}}
            start = time.monotonic()
            status = shop.hook("generic", event, conn, f"evt_flood_{i}")
            took = time.monotonic() - start
            with lock:
                times.append(took)
                statuses.append(status)
        conn.close()

    threads = [threading.Thread(target=sender, args=(i,)) for i in range(THREADS)]
    start = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took = time.monotonic() - start
    findings.equal({s: statuses.count(s) for s in set(statuses)}, {200: HOOKS}, "statuses")
    shop.unattributed += 100 * statuses.count(200)
    shop.lone_orders += statuses.count(200)
    times.sort()
    # Shopify hangs up after 5 s.
    findings.check(times[-1] < 5, f"an answer took {times[-1]:.1f} s")
    print(f"{HOOKS} webhooks through nginx, {THREADS} at a time: {HOOKS / took:.0f}/s, "
          f"p50 {1000 * times[len(times) // 2]:.1f} ms, p99 {1000 * times[len(times) * 99 // 100]:.1f} ms")


def main():
    rig.need("nginx", "redis-server")
    findings = Findings()
    with Rig("shop") as r:
        shop = Shop(r)
        shop.start()
        people = browse(shop)
        shop.settle(findings, "visits")
        # Every visit began by now, whatever the fraction of a second.
        time.sleep(1 - time.time() % 1)
        buy(shop, people, findings)
        shop.settle(findings, "orders")
        refund(shop, people, findings)
        shop.settle(findings, "a refund")
        rotate(shop, findings)
        # The old file may grow for a while: nobody says when the last worker has let it go.
        shop.settle(findings, "visits around a rotation", 5)
        flood(shop, findings)
        shop.settle(findings, "many orders at once")
        status = shop.redis.hash("rpv:shop:status")
        log = r.read("shop.log.1").count("\n") + r.read("shop.log").count("\n")
        findings.equal(int(status["lines"]), log, "lines of the log")
        findings.equal([status["malformed"], status["lost_bytes"], status["journal_damaged"]], ["0", "0", "0"], "losses")
        findings.equal(shop.rpvd.poll(), None, "rpvd ended")
        if findings.n:
            print(r.read("rpvd.log"), json.dumps(status, indent=1), r.read("nginx-error.log")[-2000:], r.read("shop.log.1"))
    findings.end()


if __name__ == "__main__":
    sys.exit(main())
