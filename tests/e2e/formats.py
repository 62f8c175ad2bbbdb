#!/usr/bin/env python3
"""formats: the same requests, written by different servers, give the same figures.

One site has them all as combined.  Another has them in one log a server, none of which says
its format; a third has them as W3C, live: columns change within the file, rpvd is killed and
started again in the middle of it, and the file is emptied after it was copied, so that what is
appended then has no header of its own.
"""

import json
import os
import random
import shutil
import signal
import sys
import time

import rig
from rig import Findings, Rig, until

HOUR = 3600
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
          "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
          'Mozilla/5.0 (odd "quoted" \\ slash; caf\u00e9)']
REFERRERS = ["", "https://www.google.com/", "https://blog.example/a?b=c", "https://shop.example/", 'https://r.example/"x"']
TARGETS = ["/", "/p/lamp", "/p/mug?utm_source=news&utm_medium=email&utm_campaign=march", "/cart?x=%20y", "/p/lamp?gclid=abc", "/a.css",
           "http://shop.example/p/absolute?q=1", "/caf%C3%A9"]
CONF = """redis {{ url = 'unix:{dir}/redis.sock' }}
state_dir = '{dir}/state-{name}'
site "{name}" {{
	hosts = {{"shop.example"}}
	currency = "EUR"
{logs}
}}
"""


def requests(seed, n, now):
    """In time order; a visitor is one address with one agent."""
    rng = random.Random(seed)
    times = sorted(rng.randrange(now - 5 * HOUR, now - 60) for _ in range(n))
    for t in times:
        who = rng.randrange(60)
        yield {"time": t, "addr": f"192.0.2.{who}" if who % 3 else f"2001:db8::{who + 1:x}", "agent": AGENTS[who % 3],
               "method": rng.choice(["GET"] * 9 + ["POST"]), "target": rng.choice(TARGETS),
               "status": rng.choice([200, 200, 200, 304, 404]), "referrer": rng.choice(REFERRERS), "who": who}


# ---- how servers write them ------------------------------------------------------------------

def clf_time(t):
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(t))


def nginx(text):
    return "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\x{b:02X}" for b in text.encode()) or "-"


def combined(r):
    return f'{r["addr"]} - - [{clf_time(r["time"])}] "{r["method"]} {r["target"]} HTTP/1.1" {r["status"]} 5 ' \
           f'"{nginx(r["referrer"])}" "{nginx(r["agent"])}"'


def apache(r):
    def quoted(text):
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\u00e9", "\\xc3\\xa9") or "-"
    return f'shop.example:443 {r["addr"]} - - [{clf_time(r["time"])}] "{r["method"]} {r["target"]} HTTP/1.1" {r["status"]} 5 ' \
           f'"{quoted(r["referrer"])}" "{quoted(r["agent"])}" 1062 "-"'


def caddy(r):
    headers = {"User-Agent": [r["agent"]], "Cookie": [], **({"Referer": [r["referrer"]]} if r["referrer"] else {})}
    return json.dumps({"level": "info", "ts": r["time"] + 0.0001, "msg": "handled request", "request": {
        "remote_ip": r["addr"], "method": r["method"], "host": "shop.example", "uri": r["target"], "headers": headers},
        "size": 5, "status": r["status"], "resp_headers": {"Server": ["Caddy"]}}, ensure_ascii=r["who"] % 2 == 0)


def haproxy(r):
    def captured(text):
        return "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"#{}|' else f"#{b:02X}" for b in text.encode())
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S.000", time.gmtime(r["time"]))
    return f'Nov 30 03:24:29 lb haproxy[123]: {r["addr"]}:56876 [{stamp}] www app/app1 0/0/1/0/2 {r["status"]} 5 - - ---- 1/1/0/0/0 0/0 ' \
           f'{{shop.example|{captured(r["referrer"])}|{captured(r["agent"])}}} "{r["method"]} {r["target"]} HTTP/1.1"'


def ltsv(r):
    return "\t".join([f'time:[{clf_time(r["time"])}]', f'host:{r["addr"]}', f'req:{r["method"]} {r["target"]} HTTP/1.1',
                      f'status:{r["status"]}', "size:5", f'referer:{nginx(r["referrer"])}', f'ua:{nginx(r["agent"])}'])


IIS = ["#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status time-taken",
       "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status sc-bytes cs-version cs(Referer) cs(User-Agent)"]


def iis(r, columns):
    """What IIS cannot tell apart is not among the requests: it writes blanks as +."""
    stem, _, query = r["target"].partition("?")
    agent, referrer = r["agent"].replace(" ", "+"), r["referrer"] or "-"
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(r["time"]))
    if columns == 0:
        return f'{stamp} 10.0.0.1 {r["method"]} {stem} {query or "-"} 443 - {r["addr"]} {agent} {referrer} {r["status"]} 15'
    return f'{stamp} {r["addr"]} {r["method"]} {stem} {query or "-"} {r["status"]} 5 HTTP/2 {referrer} {agent}'


def cloudfront(r):
    def encoded(text):
        return "".join(chr(b) if 32 < b < 127 and chr(b) not in '"%\\' else f"%{b:02X}" for b in text.encode()) or "-"
    stem, _, query = r["target"].partition("?")
    stamp = time.strftime("%Y-%m-%d\t%H:%M:%S", time.gmtime(r["time"]))
    return "\t".join([stamp, "FRA2-C1", "5", r["addr"], r["method"], "d1.cloudfront.net", stem, str(r["status"]),
                      encoded(r["referrer"]), encoded(r["agent"]), query or "-", "-", "shop.example"])


CLOUDFRONT = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) " \
             "cs(User-Agent) cs-uri-query cs(Cookie) x-host-header"
SERVERS = {"combined": combined, "apache": apache, "caddy": caddy, "haproxy": haproxy, "ltsv": ltsv, "cloudfront": cloudfront}
FOUND = {"combined": "combined", "apache": "combined with the host in front", "caddy": "JSON", "haproxy": "HAProxy", "ltsv": "LTSV",
         "cloudfront": "W3C"}


# ---- figures ------------------------------------------------------------------------------------

def figures(redis, site):
    """All of a day, without when they were written."""
    out = {}
    for key in redis("KEYS", f"rpv:{site}:24h:*"):
        if redis("TYPE", key) == "hash":
            fields = redis("HGETALL", key)
            out[key.split(":", 2)[2]] = {k: v for k, v in zip(fields[::2], fields[1::2]) if k != "updated"}
    return out


def status(redis, site):
    fields = redis("HGETALL", f"rpv:{site}:status")
    return dict(zip(fields[::2], fields[1::2]))


def same(f, redis, site, what):
    want, got = figures(redis, "plain"), figures(redis, site)
    f.check(int(want["24h:total"]["visits"]) > 100, f"{what}: too few visits: {want['24h:total']}")
    for key in sorted(set(want) | set(got)):
        f.equal(got.get(key), want.get(key), f"{what}: {key}")
    for reason in ("malformed", "bad_time", "bad_status", "late"):
        f.equal(status(redis, site).get(reason), "0", f"{what}: {reason}")


def conf(r, name, logs):
    lines = "\n".join(f"\tlog '{r.path(log)}' {{}}" for log in logs)
    os.mkdir(r.path("state-" + name))
    return r.write(name + ".conf", CONF.format(dir=r.dir, name=name, logs=lines))


def replay(r, f, name, logs):
    rpvd = r.rpvd(conf(r, name, logs), "--replay", log=name + ".out")
    f.equal(rpvd.wait(60), 0, f"replay of {name}: {r.read(name + '.out')}")


# ---- live ------------------------------------------------------------------------------------------

class Live:
    def __init__(self, r, f, redis):
        self.r, self.f, self.redis = r, f, redis
        self.log = r.path("iis.log")
        self.lines = 0
        self.columns = 0
        self.conf = conf(r, "iis", ["iis.log"])

    def write(self, text, lines=0):
        with open(self.log, "a", encoding="utf-8") as out:
            out.write(text)
        self.lines += lines

    def append(self, requests_, headers=0):
        self.write("".join(iis(q, self.columns) + "\n" for q in requests_), len(requests_) + headers)

    def header(self, columns):
        self.columns = columns
        self.write(f"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-22 00:00:00\n{IIS[columns]}\n", 4)

    def read(self, what):
        done = until(lambda: int(status(self.redis, "iis").get("lines", 0)) == self.lines, 20)
        self.f.check(done is not None, f"{what}: {status(self.redis, 'iis').get('lines')} lines, not {self.lines}: {self.r.read('iis.out')}")

    def start(self):
        self.rpvd = self.r.rpvd(self.conf, log="iis.out")

    def stop(self, how):
        self.rpvd.send_signal(how)
        self.rpvd.wait(20)


def live(r, f, redis, all_):
    parts = [all_[i * len(all_) // 6:(i + 1) * len(all_) // 6] for i in range(6)]
    w = Live(r, f, redis)
    w.header(0)
    w.append(parts[0])
    w.start()
    w.read("at the start")
    w.stop(signal.SIGKILL)
    w.append(parts[1])                          # in mid-file, below a header that was read in another life
    w.start()
    w.read("after a kill")
    w.header(1)
    w.append(parts[2])
    w.read("with other columns")
    w.stop(signal.SIGTERM)
    w.append(parts[3])
    w.start()
    w.read("after a restart below the second header")
    shutil.copyfile(w.log, w.log + ".1")
    os.truncate(w.log, 0)
    w.append(parts[4])                          # emptied after it was copied: no header at all
    w.read("after the file was emptied")
    w.stop(signal.SIGKILL)
    w.append(parts[5])
    w.start()
    w.read("after a kill, in a file without a header")
    done = until(lambda: figures(redis, "iis") == figures(redis, "plain"), 20)
    if done is None:
        same(f, redis, "iis", "live W3C")
    f.equal(status(redis, "iis").get("malformed"), "0", "malformed")
    f.check("W3C" in status(redis, "iis").get("format_1", ""), f"found: {status(redis, 'iis').get('format_1')}")
    f.check("iis.log: format: W3C" in r.read("iis.out"), f"nothing is said of what was found: {r.read('iis.out')}")
    w.stop(signal.SIGTERM)


# ---- what is said ------------------------------------------------------------------------------

NAMED = """redis {{ url = 'unix:{dir}/redis.sock' }}
state_dir = '{dir}/state-{name}'
site "{name}" {{ currency = "EUR" visitor = {{{visitor}}} log '{dir}/{name}.log' {{ format = '{format}' }} }}
"""


def named(r, name, format_, visitor='"ip_ua"'):
    os.makedirs(r.path("state-" + name), exist_ok=True)
    return r.write(name + ".conf", NAMED.format(dir=r.dir, name=name, visitor=visitor, format=format_))


def said(r, f):
    """A format that cannot be what the visitors want, and one that the lines are not of."""
    code, _, told = rig.run([rig.RPVD, "-t", "-c", named(r, "cookies", "auto", '"cookie:rpv"')])
    f.check(code == 2 and "cookies.conf:3: log" in told and "auto sees cookies only where a line names them" in told, f"-t: {code} {told}")
    code, _, told = rig.run([rig.RPVD, "-t", "-c", named(r, "cookies", "json", '"cookie:rpv"')])
    f.equal((code, told), (0, ""), "-t with json")
    now = int(time.time())
    r.write("wrong.log", "".join(ltsv(q) + "\n" for q in requests(8, 40, now)))
    rpvd = r.rpvd(named(r, "wrong", "combined"), "--replay", log="wrong.out")
    rpvd.wait(20)
    told = r.read("wrong.out")
    f.check("40 of 40 lines are not" in told or "20 of 20 lines are not" in told, f"nothing is said of lines that do not fit: {told}")
    f.check('They look like LTSV: set format = "auto", or "ltsv"' in told, f"no guess: {told}")
    f.check("192.0.2." not in told and "Mozilla" not in told, f"somebody's line: {told}")


def reload_named(r, f, redis):
    """nginx:NAME is read again when rpvd is told to."""
    def write(format_):
        r.write("nginx/nginx.conf", "events {}\nhttp {\n\tinclude formats/*;\n\taccess_log /x main;\n}\n")
        r.write("nginx/formats/main", f"log_format main escape=json\n\t'{format_}';\n")

    def lines():
        return int(status(redis, "named").get("lines", 0))

    now = int(time.time())
    write('$time_iso8601 "$request" $status "$http_user_agent" $remote_addr')
    r.write("named.log", "".join(f'{time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now - 900 + i))} "GET /{i} HTTP/1.1" 200 '
                                 f'"{AGENTS[0]} \\"{i % 5}\\"" 192.0.2.{i % 7}\n' for i in range(50)))
    rpvd = r.rpvd(named(r, "named", f"nginx:{r.path('nginx/nginx.conf')}:main"), log="named.out")
    f.check(until(lambda: lines() == 50, 20) is not None, f"nginx:main: {lines()} lines: {r.read('named.out')}")
    write('$remote_addr|$http_user_agent|$status|$request|$time_iso8601')
    rpvd.send_signal(signal.SIGHUP)
    f.check(until(lambda: "configuration reloaded" in r.read("named.out"), 20) is not None, f"no reload: {r.read('named.out')}")
    r.append("named.log", "".join(f'192.0.2.{i % 7}|{AGENTS[0]} "{i % 5}"|200|GET /{i} HTTP/1.1|'
                                  f'{time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now - 800 + i))}\n' for i in range(50)))
    f.check(until(lambda: lines() == 100, 20) is not None, f"after the reload: {lines()} lines: {r.read('named.out')}")
    f.equal(status(redis, "named").get("malformed"), "0", "after the reload: malformed")
    f.equal(status(redis, "named").get("pageviews"), "100", "after the reload: pageviews")
    f.equal(status(redis, "named").get("visits"), "35", "35 visitors, each by address and browser: the escapes are undone as of each format")
    rpvd.send_signal(signal.SIGTERM)
    rpvd.wait(20)


def main():
    rig.need("redis-server")
    f = Findings()
    now = int(time.time())
    all_ = list(requests(7, 3000, now))
    with Rig("formats") as r:
        redis = r.redis()
        r.write("plain.log", "".join(combined(q) + "\n" for q in all_))
        replay(r, f, "plain", ["plain.log"])
        names = list(SERVERS)
        for i, name in enumerate(names):
            text = "".join(SERVERS[name](q) + "\n" for q in all_ if q["who"] % len(names) == i)
            r.write(name + ".log", (CLOUDFRONT + "\n" if name == "cloudfront" else "") + text)
        replay(r, f, "bag", [name + ".log" for name in names])
        same(f, redis, "bag", "a log a server")
        for i, name in enumerate(names, 1):
            f.equal(status(redis, "bag").get(f"format_{i}"), FOUND[name], f"found in {name}")
        # One file of all of them: a server that was set up anew, again and again.
        r.write("mixed.log", "".join(SERVERS[names[q["who"] % 5]](q) + "\n" for q in all_))
        replay(r, f, "mixed", ["mixed.log"])
        same(f, redis, "mixed", "all in one file")
        live(r, f, redis, all_)
        said(r, f)
        reload_named(r, f, redis)
    f.end()


main()
