#!/usr/bin/env python3
"""golden: state that a release left is read by the next one, or refused without a change.

    golden.py [--write]

tests/golden/schema-N.json holds a small shop as an rpvd of that schema left it: the records in Redis, the
state directory, the log, the public keys, and what they come to after more has happened.  For the
schema that this rpvd writes that must come out; any other must be refused, in a sentence, and every record
stay what it was.  --write makes the file of this rpvd's schema anew: at a release, and where the schema is new.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import process                                                          # noqa: E402
from process import rig                                                 # noqa: E402

GOLDEN = os.path.join(rig.TREE, "tests", "golden")
T0 = 1772409600 + 10 * 3600     # 2026-03-02 10:00
CONF = """redis {{ url = 'unix:{dir}/redis.sock' }}
webhook {{ listen = 'unix:{dir}/hook.sock' }}
state_dir = '{dir}/state'
commit_interval = "50ms"
site "shop" {{
	hosts = {{"shop.example"}}
	currency = "EUR"
	visitor = {{"cookie:rpv", "ip_ua"}}
	log '/proc/self/cwd/access.log' {{ format = '{format}' }}
	orders '/proc/self/cwd/orders.ndjson' {{}}
	token "/thanks*" {{ param = "order" }}
	provider "generic" {{ secret_file = '{dir}/generic.secret' }}
}}
"""
KEPT = re.compile(r"rpv:shop:(24h|30d):(total|(landing|page|source|channel|campaign|country|device|bot|bot_page)(@rpv|@visits)?(:.*)?)$")


class Raw(rig.Redis):
    """Bytes as characters of the same number, there and back."""

    def reply(self):
        line = self.conn.readline()
        if line[:1] == b"$":
            return None if line[1:-2] == b"-1" else self.conn.read(int(line[1:-2]) + 2)[:-2].decode("latin-1")
        if line[:1] == b"*":
            return [self.reply() for _ in range(int(line[1:-2]))]
        if line[:1] == b"-":
            raise rig.RedisError(line.decode())
        return int(line[1:-2]) if line[:1] == b":" else line[1:-2].decode()


READ = {"hash": ("HGETALL",), "string": ("GET",), "set": ("SMEMBERS",), "zset": ("ZRANGE", 0, -1, "WITHSCORES")}


def records(raw):
    """All that is internal but the lease; sets and hashes in one order."""
    out = {}
    for key in sorted(raw("KEYS", "rpvd:*")):
        kind = raw("TYPE", key)
        if key.endswith(":lease"):
            continue
        value = raw(READ[kind][0], key, *READ[kind][1:])
        if kind in ("hash", "zset"):
            value = sorted(map(list, zip(value[::2], value[1::2])))
        out[key] = [kind, sorted(value) if kind == "set" else value]
    return out


def put_records(raw, all_records):
    def b(text):
        return text.encode("latin-1")
    for key, (kind, value) in all_records.items():
        if kind == "string":
            raw("SET", b(key), b(value))
        for item in value if kind != "string" else []:
            if kind == "hash":
                raw("HSET", b(key), b(item[0]), b(item[1]))
            elif kind == "zset":
                raw("ZADD", b(key), item[1], b(item[0]))
            else:
                raw("SADD", b(key), b(item))


def files(directory):
    """Of the state directory, by name; the lock is of a process."""
    out = {}
    for path in sorted(glob.glob(directory + "/**", recursive=True)):
        name = os.path.relpath(path, directory)
        if os.path.isfile(path) and name != "lock":
            with open(path, "rb") as f:
                out[name] = f.read().decode("latin-1")
    return out


class Shop(process.Host):
    """A clock, a log, an order file, a Redis."""

    def __init__(self, name):
        super().__init__("golden-" + name)
        self.start_redis()
        self.raw = Raw(self.path("redis.sock"))
        self.child = None
        os.mkdir(self.path("state"))
        self.write("rpvd.conf", CONF.format(dir=self.dir, format=process.FORMAT))
        self.clock(T0)
        for name in ("access.log", "orders.ndjson"):
            self.write(name, "")

    def clock(self, t):
        self.now = t
        with open(self.path("clock"), "wb" if not os.path.exists(self.path("clock")) else "r+b") as f:
            f.write(b"%d" % (t * 1000))

    def begin(self):
        self.child = self.daemon(options=("--clock", self.path("clock")))
        self.up(self.child)

    def tell(self, kind, **fields):
        what = {"paid": "order", "refunded": "refund"}.get(kind, "dispute")
        body = rig.as_json({"id": f"evt_{self.now}_{kind}", "type": "order." + kind, "time": rig.rfc3339(self.now),
                            what: {"currency": "EUR", **fields}})
        status = rig.send(self.path("hook.sock"), "POST", "/hooks/generic", rig.sign_generic(process.SECRET, body, self.now, f"evt_{self.now}_{kind}"),
                          body)
        if status != 200:
            raise process.Wrong(f"webhook {kind}: {status}")

    def public(self):
        out = {}
        for key in sorted(self.raw("KEYS", "rpv:shop:*")):
            if KEPT.match(key):
                flat = self.raw(*(("HGETALL", key) if self.raw("TYPE", key) == "hash" else ("ZRANGE", key, 0, -1, "WITHSCORES")))
                out[key] = {f: v for f, v in zip(flat[::2], flat[1::2]) if f != "updated"}
        return out

    def settle(self):
        self.wait(lambda: self.status("updated") == rig.rfc3339(self.now) and self.status("behind_bytes") == "0" and
                  self.status("journal_depth") == "0", lambda: str(self.redis_conn.hash("rpv:shop:status")))

    # Of everything that is remembered: a visit that is over, one that is open, one to be known by address, a token, a
    # customer, an alias, an order that waits for its visit, one in a foreign currency, a refund before its order; a bot;
    # who asked for robots.txt, with a visit and without one yet.

    def before(self):
        self.hit("/lamp?utm_source=news&utm_medium=email&utm_campaign=march", "old", T0 + 10)
        self.hit("/thanks?order=t2", "tok", T0 + 20)
        self.hit("/chair", "-", T0 + 30, ip="192.0.2.9")
        self.hit("/robots.txt", "asks", T0 + 31)
        self.hit("/chair", "asks", T0 + 32)
        self.hit("/chair", "-", T0 + 33, agent="Mozilla/5.0 (compatible; Googlebot/2.1)")
        self.append("orders.ndjson", rig.as_json({"id": "e1", "type": "order.paid", "time": rig.rfc3339(T0 + 35), "order": {
            "id": "file1", "total": "7.00", "currency": "EUR", "visitor": "old", "customer": "c1", "aliases": ["alias1"]}}) + b"\n")
        self.clock(T0 + 60)
        self.tell("paid", id="o1", total="80.00", visitor="old")
        self.tell("refunded", id="r9", order_id="o9", amount="5.00")
        self.clock(T0 + 61)
        self.tell("paid", id="foreign", total="10.00", currency="USD", visitor="old")
        self.clock(T0 + 62)
        self.tell("paid", id="waits", total="3.00", token="later")
        self.clock(T0 + 5000)
        self.hit("/table", "open", T0 + 5000)
        self.hit("/robots.txt", "asked", T0 + 5000)
        self.clock(T0 + 5002)
        self.settle()

    def after(self):
        self.hit("/sofa", "open", T0 + 5010)            # goes on
        self.hit("/sofa", "asked", T0 + 5011)
        self.hit("/thanks?order=later", "bed", T0 + 5012)
        self.clock(T0 + 5020)
        self.tell("refunded", id="r1", order_id="alias1", amount="2.00")
        self.clock(T0 + 5021)
        self.tell("paid", id="o2", total="20.00", token="t2")
        self.clock(T0 + 5022)
        self.tell("paid", id="o3", total="9.00", customer="c1", recurring=True)
        self.clock(T0 + 5023)
        self.tell("paid", id="o4", total="11.00", ip="192.0.2.9", user_agent=process.AGENT)
        self.clock(T0 + 5024)
        self.tell("paid", id="o9", total="50.00", visitor="open")
        self.clock(T0 + 5100)
        self.settle()
        self.clock(T0 + 7200)
        self.settle()


def write(schema):
    with Shop("write") as shop:
        shop.begin()
        shop.before()
        shop.end(shop.child)
        golden = {"schema": schema, "version": subprocess.run([rig.RPVD, "--version"], capture_output=True, text=True, check=True).stdout.strip(),
                  "clock": shop.now, "log": shop.read("access.log"), "orders": shop.read("orders.ndjson"), "state": files(shop.path("state")),
                  "redis": records(shop.raw), "public": shop.public()}
        shop.begin()
        shop.after()
        golden["after"] = shop.public()
        shop.end(shop.child)
    os.makedirs(GOLDEN, exist_ok=True)
    with open(os.path.join(GOLDEN, f"schema-{schema}.json"), "w", encoding="ascii") as f:
        json.dump(golden, f, indent=1, sort_keys=True)
        f.write("\n")


def restore(shop, golden):
    shop.write("access.log", golden["log"])
    shop.write("orders.ndjson", golden["orders"])
    for name, text in golden["state"].items():
        shop.write("state/" + name, text.encode("latin-1"), 0o600)
    put_records(shop.raw, golden["redis"])
    shop.clock(golden["clock"])


def differences(want, got):
    return [f"{key} {field}: {got.get(key, {}).get(field)}, expected {value}" for key, fields in want.items() for field, value in fields.items()
            if got.get(key, {}).get(field) != value]


def reads(golden, findings):
    """Every figure that was published then, from the records alone; and all goes on."""
    with Shop("reads") as shop:
        restore(shop, golden)
        shop.begin()
        shop.clock(golden["clock"] + 1)
        shop.settle()
        wrong = differences(golden["public"], shop.public())
        findings.check(not wrong, f"schema {golden['schema']}: what was published is not there: {wrong[:5]}")
        findings.check("state loaded" in shop.read("rpvd.log"), "the state was not there: " + shop.read("rpvd.log"))
        shop.after()
        wrong = differences(golden["after"], shop.public())
        findings.check(not wrong, f"schema {golden['schema']}: it goes on differently: {wrong[:5]}")
        findings.check(shop.status("damaged") == "0", f"damaged: {shop.status('damaged')}")
        shop.end(shop.child)


def refuses(golden, says, findings, ready=True):
    """And changes nothing, neither in Redis nor in the state directory."""
    with Shop("refuses") as shop:
        restore(shop, golden)
        shop.child = shop.daemon(options=("--clock", shop.path("clock")))
        if ready:
            shop.up(shop.child)
        shop.wait(lambda: says in shop.read("rpvd.log"), lambda: f"{says}; it says: {shop.read('rpvd.log')}")
        findings.check(not ready or shop.child.poll() is None, f"{says}: it ended")
        if ready:
            shop.end(shop.child)
        findings.equal(shop.child.wait(10), 0 if ready else 1, f"{says}: exit code")
        now = records(shop.raw)
        # Who asks whether it may write takes a number: that is no change of the state.
        for state in (now, golden["redis"]):
            for record in state.values():
                if record[0] == "hash":
                    record[1] = [pair for pair in record[1] if pair[0] != "epoch"]
        findings.equal(now, golden["redis"], f"{says}: records of Redis")
        findings.equal({n: t for n, t in files(shop.path("state")).items() if n in golden["state"]}, golden["state"], f"{says}: state directory")


def changed(golden, change):
    other = json.loads(json.dumps(golden))
    change(other)
    return other


def meta(field, value):
    def change(golden):
        key = next(k for k in golden["redis"] if k.endswith(":meta"))
        golden["redis"][key][1] = [[f, value(v) if f == field else v] for f, v in golden["redis"][key][1]]
    return change


def main():
    rig.need("redis-server")
    with open(os.path.join(rig.TREE, "src", "store", "store.h"), encoding="ascii") as f:
        schema = re.search(r'#define STORE_SCHEMA "(.*)"', f.read())[1]
    if "--write" in sys.argv:
        write(schema)
        return
    findings = rig.Findings()
    seen = []
    for path in sorted(glob.glob(os.path.join(GOLDEN, "schema-*.json"))):
        with open(path, encoding="ascii") as f:
            golden = json.load(f)
        seen.append(golden["schema"])
        if golden["schema"] == schema:
            reads(golden, findings)
            refuses(changed(golden, meta("schema", lambda _: "next")), "of schema next, this rpvd writes schema", findings)
            refuses(changed(golden, meta("engine", lambda v: "\x7f" + v[1:])), "another version of rpvd", findings)
            refuses(changed(golden, meta("positions", lambda v: "\x7f" + v[1:])), "another version of rpvd", findings)
            refuses(changed(golden, lambda g: g["state"].update({"keys-shop": "cipher 9\n" + g["state"]["keys-shop"]})), "keys-shop:1: damaged",
                    findings, ready=False)
        else:
            refuses(golden, f"of schema {golden['schema']}, this rpvd writes schema {schema}", findings)
        print(f"schema {golden['schema']} of {golden['version']}: {'read' if golden['schema'] == schema else 'refused'}")
    findings.check(schema in seen, f"there is no state of schema {schema}: write it with golden.py --write")
    findings.end()


if __name__ == "__main__":
    main()
