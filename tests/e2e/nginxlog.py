#!/usr/bin/env python3
"""nginxlog: what a real nginx writes, rpvd reads, byte for byte.

Every byte that a browser can send goes into a user agent, through nginx's escapes
(default and json), into rpvd; an order that carries the same bytes must find that visit.
Several workers write one log, with and without a buffer; a purchase that is told before its
visit is flushed waits for it.
"""

import http.client
import os
import re
import socket
import sys
import threading
import time

import rig
from rig import Findings, Rig, as_json, rfc3339, until

FORMAT = '$remote_addr - - [$time_local] "$request" $status 0 "$http_referer" "$http_user_agent" $msec'
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
WORKERS = 4
REQUESTS = 3000

NGINX = """{user}
worker_processes {workers};
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
	log_format default '{format}';
	log_format json escape=json '{format}';
	server {{
		listen 127.0.0.1:{port} reuseport;
		location /bytes {{
			access_log {dir}/default.log default;
			access_log {dir}/json.log json;
			return 200 "a page\\n";
		}}
		location /many {{ access_log {dir}/many.log default; return 200 "a page\\n"; }}
		location /slow {{ access_log {dir}/slow.log default buffer=64k flush=2s; return 200 "a page\\n"; }}
	}}
}}
"""

RPVD = """redis {{ url = 'unix:{dir}/redis.sock' }}
webhook {{ listen = 'unix:{dir}/webhook.sock' }}
state_dir = '{dir}/state'
"""
SITE = """site "{name}" {{
	currency = "EUR"
	visitor = {{"ip_ua"}}
	{more}
	log '{dir}/{name}.log' {{ format = '{format}' }}
	provider "generic" {{ path = "/hooks/{name}"  secret_file = '{dir}/generic.secret' }}
}}
"""
MORE = {"slow": 'reorder = "4s"'}


def agents():
    """Each byte but NUL, CR and LF, which no header can have, and @, which only bots have; from 0x80 on as a part of UTF-8."""
    return [f"{AGENT} {chr(n)} end" for n in range(1, 256) if n not in (10, 13, ord("@"))]


class Nginx:
    def __init__(self, rig_):
        self.rig = r = rig_
        self.f = Findings()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        user = "user root;" if os.geteuid() == 0 else ""
        r.write("nginx.conf", NGINX.format(dir=r.dir, port=self.port, user=user, workers=WORKERS, format=FORMAT))
        r.write("generic.secret", rig.SECRETS["generic"] + "\n", 0o600)
        r.write("rpvd.conf", RPVD.format(dir=r.dir) + "".join(
            SITE.format(name=name, dir=r.dir, format=FORMAT, more=MORE.get(name, "")) for name in ("default", "json", "many", "slow")))
        self.redis = r.redis()
        r.start([rig.program("nginx"), "-p", r.dir, "-e", r.path("nginx-error.log"), "-c", r.path("nginx.conf")], "nginx.out")
        r.rpvd(r.path("rpvd.conf"))
        if until(lambda: rig.hook_up(r.path("webhook.sock")) and self.is_up(), 10) is None:
            raise RuntimeError(r.read("nginx-error.log") + r.read("nginx.out") + r.read("rpvd.log"))

    def is_up(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def get(self, target, agent, conn=None):
        """As it is: http.client would not send such bytes."""
        with conn or socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(f"GET {target} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n".encode())
            reply = b""
            while chunk := s.recv(4096):
                reply += chunk
        return reply.split(b" ", 2)[1] if b" " in reply else reply

    def paid(self, site, order, agent):
        """Dated back: rpvd decides when its log is half a minute past the order."""
        event = {"time": rfc3339(int(time.time()) - 29), "type": "order.paid",
                 "order": {"id": order, "total": "1.00", "currency": "EUR", "ip": "127.0.0.1", "user_agent": agent}}
        body = as_json(event)
        status = rig.send(self.rig.path("webhook.sock"), "POST", "/hooks/" + site,
                          rig.sign_generic(rig.SECRETS["generic"], body, int(time.time()), "evt_" + order), body)
        self.f.equal(status, 200, f"{order}: answer")

    def total(self, site, seconds=15, **want):
        def wrong():
            got = self.redis.hash(f"rpv:{site}:status") | self.redis.hash(f"rpv:{site}:24h:total")
            return {k: got.get(k) for k, w in want.items() if got.get(k) != w}
        self.f.check(until(lambda: not wrong(), seconds) is not None, f"{site}: {wrong()}, expected {want}")


def every_byte(n):
    """L17: the hash of what was logged is that of what was sent."""
    for k, agent in enumerate(agents()):
        n.f.equal(n.get(f"/bytes/{k}", agent), b"200", f"agent {k}")
    count = str(len(agents()))
    # In json, nginx writes these three as letters: the line is read, the byte is not given back.
    letters = {8, 9, 12}
    for site in ("default", "json"):
        n.total(site, visits=count, lines=count)
        for k, agent in enumerate(agents()):
            n.paid(site, f"o{k}", agent)
        found = len(agents()) - (len(letters) if site == "json" else 0)
        n.total(site, orders=f"{found}.0000", revenue=f"{found}.00", joined_ip_ua=str(found), sales=f"{len(agents())}.00")


def workers(n):
    """L28: several workers write one file; each line is whole, and there once."""
    def browse(first):
        conn = http.client.HTTPConnection("127.0.0.1", n.port, timeout=15)
        for k in range(first, REQUESTS, 8):
            conn.request("GET", f"/many/{k}?{'x' * (k % 700)}", headers={"User-Agent": f"{AGENT} v/{k % 97}"})
            conn.getresponse().read()
        conn.close()
    threads = [threading.Thread(target=browse, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    n.total("many", lines=str(REQUESTS), pageviews=str(REQUESTS), malformed="0", visits="97")


def buffered(n):
    """L26: nginx keeps the line of a visit for seconds; the purchase comes first."""
    begun = time.monotonic()
    n.get("/slow/lamp", AGENT)
    n.paid("slow", "early", AGENT)
    if n.redis.hash("rpv:slow:status").get("lines") != "0" and time.monotonic() - begun > 1.5:
        return                          # this machine was too slow to see it
    n.total("slow", visits="1", lines="1")
    n.total("slow", orders="1.0000", revenue="1.00", unattributed="0.00", seconds=25)


def main():
    rig.need("redis-server", "nginx")
    with Rig("nginxlog") as r:
        n = Nginx(r)
        for part in (buffered, every_byte, workers):
            begun = time.monotonic()
            part(n)
            print(f"{part.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
        said = [x for x in r.read("rpvd.log").splitlines() if re.search("must|ERROR|runtime error", x)]
        n.f.equal(said, [], "rpvd's log")
        n.f.end()


if __name__ == "__main__":
    sys.exit(main())
