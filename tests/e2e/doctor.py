#!/usr/bin/env python3
"""doctor: a shop where all is well, and then each thing wrong once.

A real nginx with the snippets that are shipped, a real Redis, a running rpvd.  The doctor
finds nothing; then each trouble is made, must be found as what it is, alone, with a
fix, and must be gone from the findings when it is mended.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import rig
from rig import Findings, Rig, until

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
	include sites/*;
}}
"""
SITE = """# a { that opens nothing; and a } that closes nothing
server {
	listen 127.0.0.1:PORT;
	server_name shop.example;
	userid on;
	userid_name rpv;
	access_log "DIR/shop.log" rpvd;
	include "DIR/rpvd-hooks.conf";
	location / { return 200 "a } page\\n"; }
	location ~ "^/p/[a-z]{2,9}$" { return 200 "a page\\n"; }
	if ($host = "www.${server_name}") { return 301 https://shop.example$request_uri; }
}
"""
RPVD = """redis {{ url = 'unix:{dir}/redis.sock' }}
webhook {{ listen = 'unix:{dir}/webhook.sock' }}
state_dir = '{dir}/state'
site "shop" {{
	hosts = {{"shop.example"}}
	currency = "EUR"
	visitor = {{"uid", "ip_ua"}}
	log '{dir}/shop.log' {{ format = '{format}' }}
	provider "stripe" {{ secret_file = '{dir}/stripe.secret' }}
	provider "woocommerce" {{ secret_file = '{dir}/woocommerce.secret' }}
}}
"""
ROTATE = """# Debian's
DIR/*.log DIR/other {
	daily
	rotate 14
	compress
	create 0640 www-data adm
	postrotate
		invoke-rc.d nginx rotate >/dev/null 2>&1
	endscript
}
"""
ROOT = os.geteuid() == 0


class World(Rig):
    def __init__(self, findings):
        super().__init__("doctor")
        os.chmod(self.dir, 0o755)
        self.findings = findings
        self.tried = set()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    # ---- what there is ----------------------------------------------------------------

    def filled(self, text):
        return text.replace("DIR", self.dir).replace("PORT", str(self.port))

    def open(self):
        with open(f"{rig.TREE}/contrib/nginx/rpvd.conf", encoding="utf-8") as f:
            snippet = f.read()
        shutil.copy(f"{rig.TREE}/contrib/nginx/hooks.conf", self.path("rpvd-hooks.conf"))
        self.write("rpvd-nginx.conf", snippet.replace("/run/rpvd/webhook.sock", self.path("webhook.sock")))
        self.write("nginx.conf", NGINX.format(dir=self.dir, user="user root;" if ROOT else ""))
        self.write("sites/shop", self.filled(SITE))
        self.write("logrotate/nginx", self.filled(ROTATE))
        for name in ("stripe", "woocommerce"):
            self.write(name + ".secret", rig.SECRETS[name] + "\n", 0o600)
        text = snippet.split("\nlog_format rpvd", 1)[1].split(";", 1)[0]
        self.format = "".join(re.findall(r"'([^']*)'", text))
        self.write("rpvd.conf", RPVD.format(dir=self.dir, format=self.format))
        os.mkdir(self.path("state"), 0o700)
        self.redis_now = self.redis("redis", "--appendonly", "yes")
        self.rpvd_start()
        self.nginx = self.start([rig.program("nginx"), "-p", self.dir, "-e", self.path("nginx-error.log"), "-c", self.path("nginx.conf")],
                                "nginx.out")
        if until(lambda: self.get("/") == 200, 10) is None:
            raise RuntimeError("nginx did not start: " + self.read("nginx-error.log") + self.read("nginx.out"))
        for page in ("/p/lamp", "/cart"):
            self.get(page)

    def rpvd_start(self):
        self.daemon = self.rpvd(self.path("rpvd.conf"))
        if until(lambda: rig.hook_up(self.path("webhook.sock")), 10) is None:
            raise RuntimeError("rpvd did not start: " + self.read("rpvd.log"))

    def workers(self):
        with open(f"/proc/{self.nginx.pid}/task/{self.nginx.pid}/children", encoding="ascii") as f:
            return set(f.read().split())

    def get(self, path):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.sendall(b"GET %s HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 Firefox/128.0\r\nConnection: close\r\n\r\n" % path.encode())
                return int(s.recv(100).split()[1])
        except (OSError, IndexError):
            return None

    def nginx_with(self, site, path="/new"):
        """nginx takes the new text; it tells by a location that is in it, and by its workers: the old one is gone."""
        old = self.workers()
        self.write("sites/shop", self.filled(site))
        self.nginx.send_signal(rig.signal.SIGHUP)
        if until(lambda: not old & self.workers() and self.get(path) == 204, 10) is None:
            raise RuntimeError("nginx did not reload: " + self.read("nginx-error.log")[-1000:])

    # ---- what is found ------------------------------------------------------------------

    def ask(self, *more):
        code, out, err = rig.run([rig.RPVD, "doctor", "-c", self.path("rpvd.conf"), "--json", "--nginx", self.path("nginx.conf"),
                                  "--logrotate", self.path("logrotate"), *more])
        if code not in (0, 1) or err:
            raise RuntimeError(f"doctor: {code} {err} {out}")
        return code, json.loads(out)

    def well(self, when):
        code, told = self.ask()
        self.findings.check(code == 0 and told["findings"] == [], f"{when}: exit {code}, {told['findings']}")
        return told

    def finds(self, check, *words, options=(), among=False):
        """Just that, in these words, with a fix."""
        code, told = self.ask(*options)
        mine = [f for f in told["findings"] if f["check"] == check]
        text = " ".join(f["what"] + " " + f["fix"] for f in mine)
        self.tried.add(check)
        self.findings.check(code == 1 and mine, f"{check}: exit {code}, {told}")
        self.findings.check(among or len(mine) == len(told["findings"]), f"{check}: and more: {told['findings']}")
        self.findings.check(all(f["fix"] for f in mine), f"{check}: no fix: {mine}")
        for word in words:
            self.findings.check(word in text, f"{check}: no {word!r} in {text}")

    def edited(self, name, old, new):
        """with w.edited(...): another text in a file."""
        return Edited(self, name, old, new)


class Edited:
    def __init__(self, w, name, old, new):
        self.w, self.name, self.text = w, name, w.read(name)
        if old not in self.text:
            raise RuntimeError(f"{name} has no {old!r}")
        self.new = self.text.replace(old, new)

    def __enter__(self):
        mode = os.stat(self.w.path(self.name)).st_mode & 0o7777
        self.w.write(self.name, self.new, mode)

    def __exit__(self, *unused):
        mode = os.stat(self.w.path(self.name)).st_mode & 0o7777
        self.w.write(self.name, self.text, mode)


# ---- each trouble once ----------------------------------------------------------------------

def logs(w):
    log = w.path("shop.log")
    good = w.read("shop.log")
    line = '192.0.2.1 - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
    w.write("shop.log", good + 40 * line)
    w.finds("log_format", "of", "lines that were looked at fit", "preset common", "rpvd.conf line")
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() + 900))
    w.write("shop.log", good + f'192.0.2.1 - - [{stamp}] "GET / HTTP/1.1" 200 5 "-" "-" "-" "-" {time.time() + 900:.3f}\n')
    w.finds("clock", "ahead of this machine's clock", "timedatectl")
    w.write("shop.log", subprocess.run(["gzip", "-c"], input=good.encode(), stdout=subprocess.PIPE, check=True).stdout)
    w.finds("log_file", "is written compressed")
    os.rename(log, log + ".away")
    w.finds("log_file", "shop.log: No such file")
    os.rename(log + ".away", log)
    w.write("shop.log", good)
    w.well("after the logs")


def rights(w):
    """Of a user who is not the one that asks: only root can see to that."""
    if not ROOT:
        return
    log = w.path("shop.log")
    shutil.chown(log, "root", "adm")
    os.chmod(log, 0o640)
    w.finds("log_rights", "may not read it", "root:adm", "mode 0640", "SupplementaryGroups=adm", options=("--user", "nobody"), among=True)
    os.chmod(log, 0o644)
    _, told = w.ask("--user", "nobody")
    w.findings.check(not [f for f in told["findings"] if f["check"] == "log_rights"], f"readable: {told}")
    os.chmod(w.dir, 0o700)
    w.finds("log_rights", w.dir + ": rpvd (user nobody) may not enter it", options=("--user", "nobody"), among=True)
    os.chmod(w.dir, 0o755)
    w.finds("state_dir", "may not", "chown -R nobody", options=("--user", "nobody"), among=True)
    w.finds("secret", "stripe.secret", "may not read", options=("--user", "nobody"), among=True)


def nginx(w):
    """Its configuration is read as it is on disk."""
    with w.edited("sites/shop", "rpvd;", "rpvd buffer=32k flush=5m;"):
        w.finds("nginx_buffer", "buffer=32k flush=5m", 'reorder = "301s"', "sites/shop:7")
        with w.edited("rpvd.conf", '	currency', '	reorder = "301s"\n	currency'):
            w.well("with a reorder that is enough")
    with w.edited("sites/shop", "rpvd;", "rpvd buffer=32k;"):
        w.finds("nginx_buffer", "no flush=", "add flush=")
    with w.edited("sites/shop", "rpvd;", "rpvd gzip flush=5m;"):
        w.finds("nginx_gzip", "compressed")
    with w.edited("sites/shop", 'shop.log" rpvd', 'access.log" rpvd'):
        w.finds("nginx_log", "no access_log of nginx", "access.log")
    with w.edited("sites/shop", "rpvd;", "combined;"):
        w.finds("nginx_format", "log_format combined", 'format = "combined"')
    with w.edited("rpvd-nginx.conf", '"$uid_set" $msec', '"$uid_set" $request_time $msec'):
        w.finds("nginx_format", "log_format rpvd", f'format = "nginx:{w.path("nginx.conf")}:rpvd"')
    with w.edited("rpvd.conf", f"'{w.format}'", '"auto"'):
        w.finds("nginx_format", "a visitor's cookie", f'format = "nginx:{w.path("nginx.conf")}:rpvd"')
    with w.edited("rpvd.conf", f"'{w.format}'", f'"nginx:{w.path("nginx.conf")}:rpvd"'):
        w.well("with the format of that name")
    with w.edited("rpvd.conf", f"'{w.format}'", f'"nginx:{w.path("nginx.conf")}:shop"'):
        w.finds("log_format", "have no log_format shop", "combined, rpvd", among=True)
    with w.edited("logrotate/nginx", "compress\n", "compress\n	copytruncate\n"):
        w.finds("copytruncate", "cuts it off", "logrotate/nginx")
    with w.edited("logrotate/nginx", "compress\n", "compress\n	compresscmd /usr/bin/xz\n"):
        w.finds("compresscmd", "cannot read again")
    with w.edited("logrotate/nginx", "compress\n", "compress\n	compresscmd /bin/gzip\n"):
        w.well("with gzip by its name")
    w.well("after nginx")


def redis(w):
    r = w.redis_now

    def config(*pairs):
        for name, value in zip(pairs[::2], pairs[1::2]):
            r("CONFIG", "SET", name, value)
    config("maxmemory-policy", "allkeys-lru")
    w.finds("redis_eviction", "allkeys-lru", "noeviction")
    config("maxmemory-policy", "noeviction", "maxmemory", str(int(1.03 * int(re.search(r"used_memory:(\d+)", r("INFO", "memory"))[1]))))
    w.finds("redis_memory", "maxmemory")
    config("maxmemory", "0", "appendonly", "no")
    w.finds("redis_persistence", "keeps nothing on disk", "appendonly yes")
    config("save", "3600 1")
    told = w.well("with snapshots")
    w.findings.check(any(n["check"] == "redis_persistence" for n in told["notes"]), f"snapshots are told: {told['notes']}")
    config("save", "", "appendonly", "yes")
    # Another one: who is root there, may leave what he was given.
    other = w.redis("other")
    with w.edited("rpvd.conf", "redis.sock", "other.sock"):
        other("CONFIG", "SET", "save", "3600 1")
        other("REPLICAOF", "127.0.0.1", "1")
        w.finds("redis_role", "replica")
        other("REPLICAOF", "NO", "ONE")
        os.mkdir(w.path("gone"))
        w.redis("third", "--dir", w.path("gone"), "--save", "3600 1")
    with w.edited("rpvd.conf", "redis.sock", "third.sock"):
        third = rig.Redis(w.path("third.sock"))
        os.rmdir(w.path("gone"))
        third("BGSAVE")
        until(lambda: "rdb_last_bgsave_status:err" in third("INFO", "persistence"), 10)
        w.finds("redis_disk", "could not write to its disk")
    r("ACL", "SETUSER", "shop", "on", ">pw", "~rpv:*", "~rpvd:*", "+@all", "-eval", "-scan")
    w.write("redis.pw", "pw\n", 0o600)
    text = w.read("rpvd.conf")
    port = free_port()
    r("CONFIG", "SET", "port", str(port))
    with w.edited("rpvd.conf", f"unix:{w.dir}/redis.sock", f"redis://shop:pw@127.0.0.1:{port}"):
        w.finds("redis_acl", "ACL SETUSER shop", "+eval", "+scan")
        r("ACL", "SETUSER", "shop", "+eval", "+scan", "resetkeys", "~rpvd:*")
        w.finds("redis_acl", "ACL SETUSER shop", "~rpv:shop:*")
        r("ACL", "SETUSER", "shop", "~rpv:shop:*")
        w.well("as a user of Redis with the rights that are named")
    with w.edited("rpvd.conf", "redis.sock", "nowhere.sock"):
        w.finds("redis", "there is no socket", "systemctl status")
    w.findings.equal(w.read("rpvd.conf"), text, "the configuration")
    w.well("after Redis")


def certificate(w, year):
    """For shop.example, by its own key, until the end of that year's first day."""
    for name in ("index.txt", "serial"):
        w.write(name, "01\n" if name == "serial" else "")
    w.write("ca.conf", w.filled("[ca]\ndefault_ca=c\n[c]\ndatabase=DIR/index.txt\nserial=DIR/serial\nnew_certs_dir=DIR\ndefault_md=sha256\n"
                                "policy=p\n[p]\ncommonName=supplied\n[req]\ndistinguished_name=n\n[n]\n"))
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", w.path("key.pem")]
    for argv in (["req", "-config", w.path("ca.conf"), "-new", *key, "-subj", "/CN=shop.example", "-out", w.path("csr.pem")],
                 ["ca", "-batch", "-config", w.path("ca.conf"), "-selfsign", "-keyfile", w.path("key.pem"), "-in", w.path("csr.pem"),
                  "-out", w.path("cert.pem"), "-startdate", "20200101000000Z", "-enddate", year + "0102000000Z"]):
        subprocess.run(["openssl", *argv], check=True, capture_output=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def hooks(w):
    new = SITE.replace("	location / {", "	location = /new { return 204; }\n	location / {")
    own = new.replace('include "DIR/rpvd-hooks.conf";', "location ^~ /hooks/ { %s proxy_pass http://rpvd; proxy_set_header Host $host; }")
    w.nginx_with(new)
    w.well("after a reload of nginx")
    w.nginx_with(new.replace('include "DIR/rpvd-hooks.conf";', ""))
    w.finds("hook_location", "passes /hooks/stripe", "contrib/nginx/hooks.conf")
    for text, check, words in (
            ("proxy_set_body '{}';", "hook_body", ("proxy_set_body", "very bytes")),
            ("proxy_pass_request_body off; proxy_set_header Content-Length '';", "hook_body", ("proxy_pass_request_body",)),
            ("client_max_body_size 16k;", "hook_size", ("16k",)),
            ("deny all;", "hook_way", ("answers 403 itself", "without password"))):
        w.nginx_with(own.replace("%s", text + " add_header X-Test 1;").replace("/new {", "/new-" + str(len(w.tried)) + " {"),
                     "/new-" + str(len(w.tried)))
        w.finds(check, *words)
    w.nginx_with(own.replace("%s", "limit_except POST { deny all; }").replace("/new {", "/only {"), "/only")
    w.well("where only POST passes")
    w.nginx_with(own.replace("%s", "").replace("http://rpvd;", "http://rpvd/;").replace("/new {", "/stripped {"), "/stripped")
    w.finds("hook_path", "under another path", "proxy_pass without")
    # By TLS, and with a certificate that is over.
    for year, end in (("2020", "over"), ("2099", "fine")):
        certificate(w, year)
        port = free_port()
        w.nginx_with(new.replace("	server_name", f"	listen 127.0.0.1:{port} ssl;\n	ssl_certificate DIR/cert.pem;\n	ssl_certificate_key DIR/key.pem;\n"
                                 "	server_name").replace("/new {", f"/{end} {{"), "/" + end)
        if end == "over":
            w.finds("certificate", "has expired", "Renew it")
        else:
            w.well("by TLS")
    w.nginx_with(SITE.replace("	location / {", "	location = /last { return 204; }\n	location / {"), "/last")
    os.chmod(w.path("stripe.secret"), 0o644)
    w.finds("secret", "everybody on this machine may read it", "chmod o=")
    os.chmod(w.path("stripe.secret"), 0o600)
    os.rename(w.path("stripe.secret"), w.path("s"))
    w.finds("secret", "stripe.secret: No such file", "signing secret")
    os.rename(w.path("s"), w.path("stripe.secret"))
    body = b"{}"
    secret = rig.SECRETS["woocommerce"]
    status = rig.send(w.path("webhook.sock"), "POST", "/hooks/woocommerce", rig.sign_woocommerce(secret, body + b"\n"), body)
    w.findings.equal(status, 401, "a webhook with another secret")
    until(lambda: "webhook_woocommerce_401_bad_signature" in w.redis_now.hash("rpv:shop:status"), 10)
    until(lambda: "webhook_woocommerce_hint" in w.redis_now.hash("rpv:shop:status"), 10)
    w.finds("signature", "woocommerce", "signing secret", "proxy_set_body", w.redis_now.hash("rpv:shop:status").get("webhook_woocommerce_hint", "?"))
    status = rig.send(w.path("webhook.sock"), "POST", "/hooks/woocommerce", rig.sign_woocommerce(secret, body), body)
    w.findings.equal(status, 200, "a webhook with the right one")
    until(lambda: any(f.startswith("webhook_woocommerce_200") for f in w.redis_now.hash("rpv:shop:status")), 10)
    told = w.well("after one that fits")
    w.findings.check(any(n["check"] == "signature" for n in told["notes"]), f"it is still told: {told['notes']}")
    # nobody there; somebody else there
    w.daemon.terminate()
    w.daemon.wait(10)
    w.finds("listener", "nobody takes webhooks", "systemctl start")
    other = socket.socket(socket.AF_UNIX)
    if os.path.exists(w.path("webhook.sock")):
        os.unlink(w.path("webhook.sock"))
    other.bind(w.path("webhook.sock"))
    other.listen(8)
    answer = rig_answer(other)
    w.finds("listener", "it is not rpvd")
    answer.stop()
    os.unlink(w.path("webhook.sock"))
    w.rpvd_start()
    w.well("after webhooks")


class rig_answer:       # pylint: disable=invalid-name
    """Another program behind a socket: says 200 to all."""

    def __init__(self, sock):
        import threading        # pylint: disable=import-outside-toplevel
        self.sock = sock
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            with conn:
                conn.recv(4096)
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    def stop(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join(5)


def state(w):
    os.chmod(w.path("state"), 0o755)
    w.finds("state_dir", "others may look into it", "chmod 0700")
    os.chmod(w.path("state"), 0o700)
    keys = w.read("state/keys-shop")
    w.write("state/keys-shop", "day one\n" + keys, 0o600)
    w.finds("keys", "keys-shop:1: damaged", "Put back a copy")
    w.write("state/keys-shop", keys, 0o600)
    if ROOT:
        shutil.chown(w.path("state"), "nobody")
        os.chmod(w.path("state", "keys-shop"), 0o600)
        w.finds("keys", "keys-shop: rpvd (user nobody) may not", "chown nobody", options=("--user", "nobody"), among=True)
        shutil.chown(w.path("state"), "root")
        small = w.path("small")
        os.mkdir(small, 0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", small], capture_output=True, check=False).returncode == 0:
            try:
                with w.edited("rpvd.conf", "/state'", "/small'"):
                    w.finds("room", "MB are free", "Make room")
            finally:
                subprocess.run(["umount", small], check=False)
    with w.edited("rpvd.conf", "/state'", "/nowhere'"):
        w.finds("state_dir", "nowhere: No such file", "mkdir -m 0700")
    w.well("after the state directory")


def command_line(w, findings):
    argv = ["-c", w.path("rpvd.conf"), "--nginx", w.path("nginx.conf"), "--logrotate", w.path("logrotate")]
    code, out, err = rig.run([rig.RPVD, "--doctor", *argv])
    findings.check(code == 0 and out.endswith("rpvd.conf: nothing is wrong\n") and not err, f"in words: {code} {out} {err}")
    os.chmod(w.path("state"), 0o755)
    code, out, err = rig.run([rig.RPVD, "doctor", *argv])
    findings.check(code == 1 and "* state_dir: " in out and "\n  chmod 0700 " in out and out.endswith("rpvd.conf: 1 finding\n"), f"{code} {out} {err}")
    os.chmod(w.path("state"), 0o700)
    with w.edited("rpvd.conf", "currency = ", "curency = "):
        code, out, err = rig.run([rig.RPVD, "doctor", *argv])
        findings.check(code == 2 and "rpvd.conf:" in err and not out, f"a mistake: {code} {out} {err}")
    code, out, err = rig.run([rig.RPVD, "doctor", "now", *argv])
    findings.check(code == 2 and "unexpected argument" in err, f"{code} {out} {err}")
    code, out, err = rig.run([rig.RPVD, "doctor", "--user", "nosuchuser", *argv])
    findings.check(code == 2 and "nosuchuser" in err, f"{code} {out} {err}")
    before = sorted(os.listdir(w.path("state")))
    w.ask()
    findings.equal(sorted(os.listdir(w.path("state"))), before, "the doctor changes nothing")


def main():
    rig.need("redis-server", "nginx", "openssl", "gzip")
    findings = Findings()
    with World(findings) as w:
        w.open()
        told = w.well("a shop where all is well")
        findings.check(told["running"] is True, f"it runs: {told}")
        for part in (logs, rights, nginx, redis, hooks, state):
            part(w)
        command_line(w, findings)
    findings.end()


if __name__ == "__main__":
    sys.exit(main())
