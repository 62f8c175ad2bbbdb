"""case: a made-up day and a half of a shop, as log lines and order events with their times.

Everything that rpvd joins, counts and takes back occurs in it, with what makes real
inputs awkward: repeated deliveries, refunds before their order, webhooks that come hours
late, thank-you pages that come before or long after the webhook, shoppers without a cookie
around midnight, renewals, bots, broken lines.  The same seed gives the same case.
"""

import calendar
import json
import random
import time

START = calendar.timegm((2026, 3, 3, 9, 0, 0))
HOURS = 30                      # over one midnight, so that the keys of both days are there to the end
AGENTS = [f"Mozilla/5.0 (X11; Linux x86_64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0" for v in range(100, 140)] + [
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_{v} like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148" for v in range(10)]
BOTS = ["curl/8.5.0", "-", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"]
PAGES = ["/", "/lamps", "/p/arc", "/p/globe", "/p/fox", "/journal/kelvin", "/journal/rooms", "/cart"]
SOURCES = [("-", ""), ("https://www.google.com/", ""), ("https://www.bing.com/", ""), ("https://l.facebook.com/", ""),
           ("-", "utm_source=news&utm_medium=email&utm_campaign=March"), ("https://www.google.com/", "gclid=x1"),
           ("https://chatgpt.com/", ""), ("https://blog.example/best", "")]
FORMAT = ('$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
          ' $msec "$cookie_rpv"')
SITE = """site "shop" {
	hosts = {"lamps.example"}
	currency = "EUR"
	visitor = {"cookie:rpv", "ip_ua"}
	%(reorder)s
	%(inputs)s
	token "/thanks*" { param = "order" }
	page "/p/*" { as = "/p/:product" }
	%(more)s
}
"""


def rfc3339(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + f".{round(t % 1 * 1000) % 1000:03d}Z"


def line(t, who, target, status=200, referrer="-", method="GET"):
    """A line of the log in FORMAT; who: address, agent, cookie."""
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(int(t)))
    return (f'{who[0]} - - [{stamp}] "{method} {target} HTTP/1.1" {status} 512 "{referrer}" "{who[1]}"'
            f' {t:.3f} "{who[2]}"\n')


class Case:
    """lines: (time, text), in time order; events: (time of delivery, event), in that order."""

    def __init__(self, seed, visitors=120, reorder=0, cookies=0.6):
        self.rng = random.Random(seed)
        self.cookies = cookies          # share of visitors who have one
        self.lines, self.events = [], []
        self.orders = self.told = 0
        self.end = START + HOURS * 3600
        for n in range(visitors):
            self.visitor(n)
        for _ in range(12):
            self.lines.append((self.moment(), "not a line of any format\n"))
        self.lines = sorted(x for x in self.lines if x[0] < self.end)
        self.events = sorted((x for x in self.events if x[0] < self.end), key=lambda x: x[0])
        # Two that are sent elsewhere, which counts in no figure: at the first everything that can be decided is decided,
        # at the second nothing is held back any more but the second itself.
        for _ in range(2):
            self.now = round(self.lines[-1][0] + 2000 + reorder, 3)
            self.lines.append((self.now, line(self.now, ("192.0.2.1", AGENTS[0], "-"), "/", 302)))

    def moment(self):
        return round(START + self.rng.uniform(0, HOURS * 3600), 3)

    def hit(self, t, *args, **more):
        self.lines.append((round(t, 3), line(round(t, 3), *args, **more)))

    def event(self, t, kind, delay, **fields):
        """A webhook, now and then twice."""
        rng = self.rng
        self.told += 1
        event = {"id": f"evt_{self.told}", "type": kind, "time": rfc3339(t), **fields}
        if t >= self.end:
            return                      # its time would be the clock of a replay
        self.events.append((t + delay, event))
        if rng.random() < 0.2:
            self.events.append((t + delay + rng.expovariate(1 / 1800), event))

    def visitor(self, n):
        rng = self.rng
        cookie = f"v{rng.getrandbits(48):012x}" if rng.random() < self.cookies else "-"
        who = (f"198.51.{n % 100}.{n // 100 + 1}", rng.choice(AGENTS), cookie)
        t = self.moment()
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            t = self.visit(who, n, t) + rng.choice([600, 1700, 2400, 9000, 30000]) * rng.uniform(0.6, 1.4)
        if rng.random() < 0.15:
            self.hit(self.moment(), ("203.0.113.9", rng.choice(BOTS), "-"), rng.choice(PAGES))

    def visit(self, who, n, t):
        rng = self.rng
        referrer, query = rng.choice(SOURCES)
        page = rng.choice(PAGES)
        self.hit(t, who, page + ("?" + query if query else ""), referrer=referrer)
        for _ in range(rng.choice([0, 1, 2, 4])):
            self.hit(t + 0.2, who, "/static/app.css", referrer="https://lamps.example" + page)
            t += rng.uniform(3, 400)
            page = rng.choice(PAGES)
            self.hit(t, who, page, rng.choice([200, 200, 200, 304, 404]), "https://lamps.example/")
        if rng.random() < 0.4:
            t = self.order(who, n, t + rng.uniform(10, 90))
        return t

    def order(self, who, n, t):
        rng = self.rng
        self.orders += 1
        ident, paid = f"L{self.orders}", round(t + rng.uniform(5, 60), 3)
        order = {"id": ident, "total": f"{rng.randrange(500, 20000) / 100:.2f}", "currency": "EUR", "customer": f"c{n}"}
        how = rng.random()
        if how < 0.5:
            order["token"] = "tok_" + ident
            late = rng.uniform(1200, 9000) if rng.random() < 0.2 else rng.uniform(1, 30)
            if rng.random() < 0.8:
                self.hit(paid + late, who, f"/thanks?order=tok_{ident}", referrer="https://checkout.stripe.com/")
        if 0.3 < how < 0.7 and who[2] != "-":
            order["visitor"] = who[2]
        if 0.4 < how < 0.9 and self.cookies < 1:
            order |= {"ip": who[0], "user_agent": who[1]}
        if rng.random() < 0.1:
            order["aliases"] = ["pi_" + ident]
        delay = rng.choice([0.5, 1, 2, 20, 5000])
        if delay > 30:
            order["customer"] = f"c{n}-{ident}"     # else the customer's next order may be decided before
        self.event(paid, "order.paid", delay, order=order)
        if rng.random() < 0.25:
            refund = {"id": "re_" + ident, "order_id": "pi_" + ident if "aliases" in order else ident,
                      "amount": f"{float(order['total']) * rng.choice([0.25, 1]):.2f}", "currency": "EUR"}
            wait = rng.choice([30, 3000, 20000])
            self.event(paid + wait, "order.refunded", rng.choice([1, 1, -wait - 1]), refund=refund)
        if rng.random() < 0.08:
            dispute = {"id": "dp_" + ident, "order_id": ident, "amount": order["total"], "currency": "EUR"}
            self.event(paid + 4000, "order.disputed", 2, dispute=dispute)
            if rng.random() < 0.5:
                self.event(paid + 9000, "order.dispute_won", 2, dispute=dispute)
        if rng.random() < 0.2:          # a renewal: nothing but the customer joins it
            again = {k: order[k] for k in ("total", "currency", "customer")}
            self.event(paid + 7200, "order.paid", 3, order=again | {"id": ident + "-r", "recurring": True})
        return paid


def as_line(event):
    return json.dumps(event) + "\n"
