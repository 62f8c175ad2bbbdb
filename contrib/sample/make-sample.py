#!/usr/bin/env python3
"""make-sample: five weeks of a small lamp shop, to look at rpvd without a shop.

    make-sample.py DIR [--seed N] [--days N] [--visits PER_DAY]

Writes DIR/access.log (nginx "combined"), DIR/orders.ndjson (generic order events, as
exported from a payment provider) and DIR/rates.csv (the ECB's layout).  The same seed
gives the same bytes.  Every name, address and amount is invented; addresses are from
networks that are reserved for documentation and benchmarks.

The shop has what makes real ones awkward: campaigns, click ids, bots, assets, shoppers
who come back days later, who close the window before the thank-you page, who pay in
dollars, who want their money back, and a club that renews by itself every fortnight.
"""

import argparse
import datetime
import json
import os
import random

UTC = datetime.timezone.utc
END = datetime.datetime(2026, 4, 1, tzinfo=UTC)
SHOP = "https://lamps.example"

# path, price in cents, how often it is looked at
PRODUCTS = [
    ("/p/arc-floor-lamp", 18900, 4), ("/p/brass-desk-lamp", 8900, 7),
    ("/p/clip-light", 2400, 6), ("/p/glass-pendant", 12900, 5),
    ("/p/led-bulb-e27", 790, 9), ("/p/linen-shade", 3900, 4),
    ("/p/night-light-fox", 2900, 8), ("/p/paper-globe", 3500, 6),
    ("/p/reading-lamp-noor", 14900, 5), ("/p/tripod-lamp", 15900, 3),
    ("/p/wall-sconce", 7400, 3), ("/p/bulb-club", 1200, 6),
]
GUIDES = ["/journal/light-for-reading", "/journal/kelvin-explained", "/journal/small-rooms"]

# share, landing pages, query, referrer, chance of an order, basket factor
SOURCES = [
    (30, "any", "", "https://www.google.com/", 0.034, 1.0),
    (22, "any", "", "-", 0.040, 1.1),
    (9, "product", "gclid=Cj0K{n}&utm_source=google&utm_medium=cpc&utm_campaign=spring-light",
     "https://www.google.com/", 0.026, 0.9),
    (8, "product", "fbclid=IwAR{n}", "https://l.facebook.com/", 0.009, 0.7),
    (7, "any", "utm_source=newsletter&utm_medium=email&utm_campaign=march-1", "-", 0.090, 1.2),
    (6, "guide", "", "https://www.pinterest.com/", 0.006, 0.8),
    (5, "guide", "", "https://chatgpt.com/", 0.080, 1.5),
    (5, "any", "", "https://duckduckgo.com/", 0.030, 1.0),
    (4, "guide", "", "https://small-flat-diary.example/best-lamps", 0.045, 1.1),
    (2, "any", "utm_source=newsletter&utm_medium=email&utm_campaign=club", "-", 0.050, 0.8),
    (2, "product", "", "https://www.instagram.com/", 0.008, 0.7),
]

AGENTS = [
    (35, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36"),
    (12, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{m} Safari/605.1.15"),
    (8, "Mozilla/5.0 (X11; Linux x86_64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0"),
    (28, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_{m} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{m} Mobile/15E148 Safari/604.1"),
    (22, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Mobile Safari/537.36"),
    (4, "Mozilla/5.0 (iPad; CPU OS 17_{m} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{m} Safari/604.1"),
]
BOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "curl/8.5.0", "-",
]


def weighted(rng, rows, weight=0):
    """One of rows, by the weight in column `weight`."""
    return rng.choices(rows, [row[weight] for row in rows])[0]


class Shop:
    """Collects lines and events as they are made up; sorts them at the end."""

    def __init__(self, seed, days, visits):
        self.rng = random.Random(seed)
        self.start = END - datetime.timedelta(days=days)
        self.days, self.visits = days, visits
        self.lines, self.events = [], []
        self.orders = 0

    def line(self, when, who, method, target, status, size, referrer):
        """A line of the access log."""
        address, agent = who
        self.lines.append((when, len(self.lines), '%s - - [%s] "%s %s HTTP/2.0" %d %d "%s" "%s"' % (
            address, when.strftime("%d/%b/%Y:%H:%M:%S +0000"), method, target, status, size,
            referrer, agent)))

    def event(self, when, kind, ident, **fields):
        """A generic order event; what would come after the end has not happened yet."""
        if when < END:
            self.events.append((when, len(self.events), {
                "id": ident, "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "type": kind, **fields}))

    def shopper(self):
        """An address and a browser."""
        rng = self.rng
        if rng.random() < 0.3:
            address = "2001:db8:%x:%x::%x" % (rng.randrange(1, 99), rng.randrange(1, 0xffff), rng.randrange(1, 0xffff))
        else:
            address = "198.%d.%d.%d" % (rng.choice((18, 19)), rng.randrange(256), rng.randrange(1, 255))
        agent = weighted(rng, AGENTS)[1].format(v=rng.randrange(120, 128), m=rng.randrange(1, 5))
        return address, agent

    def moment(self, day):
        """A time of day at which people shop: most in the evening."""
        hour = weighted(self.rng, [(1, 1), (2, 7), (4, 9), (5, 12), (4, 15), (6, 18), (8, 20), (5, 21)])[1]
        return self.start + datetime.timedelta(days=day, hours=hour, seconds=self.rng.randrange(7200))

    def landing(self, kind):
        """The page a visit begins with."""
        if kind == "guide":
            return self.rng.choice(GUIDES)
        if kind == "product" or self.rng.random() < 0.45:
            return weighted(self.rng, PRODUCTS, 2)[0]
        return self.rng.choice(["/", "/", "/lamps", "/new"])

    def view(self, when, who, target, referrer):
        """A page and, now and then, what it loads; some browsers have it cached."""
        rng = self.rng
        status = 304 if rng.random() < 0.05 else 200
        self.line(when, who, "GET", target, status, 0 if status == 304 else rng.randrange(6000, 30000), referrer)
        if rng.random() < 0.35:
            self.line(when + datetime.timedelta(seconds=1), who, "GET",
                      rng.choice(["/static/shop.css", "/static/shop.js", "/img/hero.webp"]), 200, 20480,
                      SHOP + target.split("?")[0])

    def visit(self, when, who, source, chance):
        """One visit; True where it ended with an order."""
        rng = self.rng
        _, kind, query, referrer, _, basket = source
        path = self.landing(kind)
        target = path + ("?" + query.format(n=rng.randrange(10**9)) if query else "")
        self.view(when, who, target, referrer)
        seen = [p for p in PRODUCTS if p[0] == path]
        for _ in range(min(int(rng.expovariate(0.7)), 12)):
            when += datetime.timedelta(seconds=rng.randrange(8, 240))
            product = weighted(rng, PRODUCTS, 2)
            seen.append(product)
            self.view(when, who, product[0], SHOP + path)
            path = product[0]
        if rng.random() >= chance or not seen:
            return False
        self.checkout(when, who, seen, basket)
        return True

    def checkout(self, when, who, seen, basket):
        """From the cart to the thank-you page, and what the provider then says."""
        rng = self.rng
        self.orders += 1
        order = "L%d" % (20000 + self.orders)
        for path in ("/cart", "/checkout"):
            when += datetime.timedelta(seconds=rng.randrange(15, 90))
            self.view(when, who, path, SHOP + "/cart")
        when += datetime.timedelta(seconds=rng.randrange(30, 150))
        thanks = rng.random() < 0.85
        if thanks:
            self.view(when + datetime.timedelta(seconds=3), who, "/checkout/thanks?order=" + order,
                      "https://checkout.stripe.com/")
        club = seen[-1][0] == "/p/bulb-club"
        bought = [seen[-1]] if club else rng.sample(seen, min(len(seen), rng.choice((1, 1, 1, 2))))
        cents = max(790, round(sum(p[1] for p in bought) * basket))
        self.paid(when, order, cents, who if rng.random() < 0.7 else None, thanks, club)

    def paid(self, when, order, cents, who, thanks, club):
        """The paid event, and what may follow in the weeks after it."""
        rng = self.rng
        currency = "USD" if rng.random() < 0.1 else "EUR"
        money = "%d.%02d" % divmod(cents, 100)
        customer = "cus_%05d" % (31 * self.orders)
        body = {"id": order, "total": money, "currency": currency, "recurring": False,
                "tax": "%d.%02d" % divmod(cents - round(cents / 1.19), 100),
                "shipping": "0.00" if cents > 5000 else "3.90", "customer": customer}
        if thanks:
            body["token"] = order
        if who is not None:
            body["ip"], body["user_agent"] = who
        self.event(when, "order.paid", "paid:" + order, order=body)
        days = datetime.timedelta(days=1)
        if club:
            for nth in (1, 2):
                renewal = "%s-r%d" % (order, nth)
                self.event(when + 14 * nth * days, "order.paid", "paid:" + renewal, order={
                    "id": renewal, "total": money, "currency": currency, "recurring": True,
                    "customer": customer})
        elif rng.random() < 0.10:
            part = cents if rng.random() < 0.6 else cents // 2
            self.event(when + rng.randrange(2, 12) * days, "order.refunded", "refund:" + order, refund={
                "id": "re_" + order, "order_id": order, "amount": "%d.%02d" % divmod(part, 100),
                "currency": currency})
        elif rng.random() < 0.02:
            dispute = {"id": "dp_" + order, "order_id": order, "amount": money, "currency": currency}
            self.event(when + 6 * days, "order.disputed", "disputed:" + order, dispute=dispute)
            if rng.random() < 0.5:
                self.event(when + 15 * days, "order.dispute_won", "won:" + order, dispute=dispute)

    def day(self, day):
        """One day: visits, those who come back for a second look, bots, noise."""
        rng = self.rng
        for _ in range(round(self.visits * rng.uniform(0.8, 1.2))):
            source, who, when = weighted(rng, SOURCES), self.shopper(), self.moment(day)
            bought = self.visit(when, who, source, source[4])
            again = when + datetime.timedelta(seconds=rng.randrange(3600, 9 * 3600))
            if not bought and rng.random() < 0.15 and again < END - datetime.timedelta(hours=1):
                self.visit(again, who, SOURCES[1], 0.12)
        for _ in range(self.visits // 2):
            who = ("198.18.0.%d" % rng.randrange(1, 9), rng.choice(BOTS))
            self.line(self.moment(day), who, "GET", self.landing("any"), 200, 9000, "-")
        for path in ("/wp-login.php", "/.env", "/favicon.ico", "/robots.txt"):
            self.line(self.moment(day), self.shopper(), "GET", path, 404, 150, "-")

    def write(self, directory):
        """The three files."""
        for day in range(self.days):
            self.day(day)
        with open(os.path.join(directory, "access.log"), "w", encoding="ascii") as out:
            out.writelines(text + "\n" for when, _, text in sorted(self.lines) if when < END)
        with open(os.path.join(directory, "orders.ndjson"), "w", encoding="ascii") as out:
            out.writelines(json.dumps(event) + "\n" for _, _, event in sorted(self.events, key=lambda e: e[:2]))
        with open(os.path.join(directory, "rates.csv"), "w", encoding="ascii") as out:
            out.write("Date,USD,JPY,GBP,CHF,\n")
            for day in range(self.days, -1, -1):        # the newest first, no weekends
                date = self.start + datetime.timedelta(days=day - 1)
                if date.weekday() < 5:
                    out.write("%s,%.4f,%.2f,%.5f,%.4f,\n" % (
                        date.date(), 1.08 + self.rng.uniform(-0.01, 0.01), 161 + self.rng.uniform(-1, 1),
                        0.845 + self.rng.uniform(-0.004, 0.004), 0.955 + self.rng.uniform(-0.004, 0.004)))


def main():
    """Reads the arguments, writes the files."""
    parser = argparse.ArgumentParser(description="Writes a small shop's access log, orders and rates.")
    parser.add_argument("directory")
    parser.add_argument("--seed", type=int, default=29)
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--visits", type=int, default=60, help="a day, about")
    args = parser.parse_args()
    os.makedirs(args.directory, exist_ok=True)
    Shop(args.seed, args.days, args.visits).write(args.directory)


if __name__ == "__main__":
    main()
