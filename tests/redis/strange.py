#!/usr/bin/env python3
"""strange: a Redis that refuses, in each of the ways that it has: rpvd says in a sentence why and what
to do, writes nothing, asks again at ease, and when it is over the figures are exact.

    strange.py [CASE...]
"""

import concurrent.futures
import os
import random
import re
import shutil
import signal
import socket
import sys
import time

from shop import LOG, ORDERS, PATIENCE, START, TOTAL, WHO, Findings, Redis, RedisError, Shop, case, free_port, rig, total, until

STATE = "rpvd:{shop.0}:"
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
#define OFF (3 * 365 * 86400L)
time_t time(time_t *t) { struct timeval tv; gettimeofday(&tv, 0); if (t) *t = tv.tv_sec; return (tv.tv_sec); }
int gettimeofday(struct timeval *restrict tv, void *restrict z) {
	struct timespec ts;
	(void)z; clock_gettime(CLOCK_REALTIME, &ts); tv->tv_sec = ts.tv_sec; tv->tv_usec = ts.tv_nsec / 1000; return (0);
}
int clock_gettime(clockid_t c, struct timespec *ts) {
	static int (*real)(clockid_t, struct timespec *);
	if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(c, ts);
	if (c == CLOCK_REALTIME) ts->tv_sec += OFF;
	return (rc);
}
"""


# Of a connection, or asked for without need: what the preflight leaves out.
AROUND = {"ping", "auth", "select", "client", "info", "config", "cluster"}


class Monitor:
    """All that Redis does from now on, as (who, command): also what scripts call, but not what it refuses."""

    def __init__(self, db):
        self.db = db
        db("MONITOR")

    def commands(self, end):
        """Up to the ECHO of that word, by clients that came by TCP (rpvd; the tests come by the socket)."""
        seen = set()
        while f'"{end}"' not in (line := self.db.reply()):
            who, command = re.match(r'[\d.]+ \[\d+ (\S+)\] "([^"]*)"', line).groups()
            if not who.startswith("unix:"):
                seen.add(command.lower())
        return seen


def commands_of_the_source(known):
    """Each word there that is a command of this Redis, and is not compared with."""
    found = set()
    for name in ("commit", "load", "publish", "swap"):
        with open(os.path.join(rig.TREE, "src", "store", name + ".c"), encoding="ascii") as f:
            for line in f:
                if "strcmp(" not in line and "slice_is(" not in line:
                    found.update(re.findall(r"redis\.call\('([A-Z]+)'", line), re.findall(r'"([A-Z]+)"', line))
    return {word.lower() for word in found} & known


class World(Shop):
    """One Redis and one rpvd."""

    def __init__(self, name, findings):
        super().__init__(name)
        self.name, self.f = name, findings
        self.server = self.db = self.daemon = None

    def up(self, *options, name="redis"):
        self.db = self.redis(name, *options)
        self.server = self.children[-1]
        return self.db

    def down(self):
        self.server.kill()
        self.server.wait()

    def run(self, more="", url=None, **options):
        """rpvd begins; it has the first line and no order yet."""
        first = LOG.index("\n") + 1
        self.write("logs/access.log", LOG[:first])
        self.write("orders.ndjson", "")
        self.configure(f"url = '{url or 'unix:' + self.path('redis.sock')}'\n{more}", **options)
        self.daemon = self.live()

    def more(self):
        """The rest happens."""
        self.append("logs/access.log", LOG[LOG.index("\n") + 1:])
        self.append("orders.ndjson", "".join(case.as_line(e) for e in ORDERS))

    def check(self, ok, text):
        return self.f.check(ok, f"{self.name}: {text}")

    def told(self, text):
        return self.check(self.says(text), f"never said {text!r}: " + self.read("rpvd.log")[-1500:])

    def untouched(self):
        return self.check(self.db("DBSIZE") == 0, f"written: {self.db('KEYS', '*')}")

    def first_line(self):
        return self.check(until(lambda: (total(self.db) or {}).get("visits") == "1", PATIENCE) is not None,
                          "the first line: " + self.read("rpvd.log")[-1500:])

    def exact(self, db=None):
        db = db or self.db
        self.check(until(lambda: total(db) == TOTAL, PATIENCE) is not None,
                   f"{total(db)}, expected {TOTAL}: " + self.read("rpvd.log")[-1500:])
        self.check(self.daemon.poll() is None, f"rpvd ended: {self.read('rpvd.log')[-1500:]}")
        said = len(self.read("rpvd.log").splitlines())
        self.check(said < 60, f"an error storm of {said} lines")

    def field(self, name, part):
        def look():
            try:
                return part in self.db.hash("rpv:shop:status").get(name, "")
            except (OSError, RedisError):
                return False
        return self.check(until(look, PATIENCE) is not None, f"status {name}: no {part!r} in {self.db.hash('rpv:shop:status')}")


def cluster_port():
    """The nodes speak to each other on that port + 10000: below those that the system hands out."""
    while True:
        port = random.randrange(15000, 20000)
        with socket.socket() as a, socket.socket() as b:
            try:
                a.bind(("127.0.0.1", port))
                b.bind(("127.0.0.1", port + 10000))
                return port
            except OSError:
                continue


# ---- cases ---------------------------------------------------------------------------------

def full(w):
    """R7: memory is used up, at a commit and at a start."""
    db = w.up()
    w.run()
    w.first_line()
    db("CONFIG", "SET", "maxmemory", "600kb")
    before = db.hash(STATE + "meta")
    w.more()
    w.told("Redis is full: ")
    w.told(" of 600.0 KB (maxmemory)")
    w.check(db.hash(STATE + "meta") == before, "part of a commit was written")
    w.daemon.kill()
    w.daemon.wait()
    w.daemon = w.live(log="second.log")
    w.check(w.says("Redis is full: ", "second.log"), "at a start: " + w.read("second.log"))
    db("CONFIG", "SET", "maxmemory", "0")
    w.exact()


def evicting(w):
    """R8: keys may vanish."""
    db = w.up("--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru")
    w.run()
    w.told("set it to noeviction")
    w.untouched()
    db("CONFIG", "SET", "maxmemory-policy", "noeviction")
    w.more()
    w.exact()
    w.end(w.daemon)
    db("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    db("FLUSHALL")
    w.run("allow_eviction = true")
    w.more()
    w.exact()
    w.field("redis_eviction", "allkeys-random")
    w.field("redis_memory", "of 100.0 MB")


def replica(w):
    """R6: a replica takes no writes; as the first Redis, and as one that was the primary until now."""
    db = w.up("--replicaof", "127.0.0.1 %d" % free_port())
    w.run()
    w.told("is a replica and takes no writes: name its primary")
    db("REPLICAOF", "NO", "ONE")
    w.first_line()
    db("REPLICAOF", "127.0.0.1", free_port())
    w.more()
    w.check(until(lambda: w.read("rpvd.log").count("is a replica and takes no writes") >= 2, PATIENCE) is not None,
            "demoted: " + w.read("rpvd.log"))
    connections = int(re.search(r"total_connections_received:(\d+)", db("INFO", "stats"))[1])
    time.sleep(1)
    w.check(int(re.search(r"total_connections_received:(\d+)", db("INFO", "stats"))[1]) - connections < 8, "a storm of connections")
    db("REPLICAOF", "NO", "ONE")
    w.exact()


def masterdown(w):
    """R9: a replica that will not serve old data."""
    db = w.up("--replica-serve-stale-data", "no")
    db("REPLICAOF", "127.0.0.1", free_port())
    w.run()
    w.told("is a replica and takes no writes")
    db("REPLICAOF", "NO", "ONE")
    w.more()
    w.exact()


def noreplicas(w):
    """R5: as an owner may ask for, against a primary that was left alone."""
    db = w.up()
    w.run()
    w.first_line()
    db("CONFIG", "SET", "min-replicas-to-write", "1")
    w.more()
    w.told("fewer replicas than its min-replicas-to-write")
    db("CONFIG", "SET", "min-replicas-to-write", "0")
    w.exact()


def misconf(w):
    """R22: the disk of Redis is full, or its directory gone."""
    os.mkdir(w.path("data"))
    db = w.up("--dir", w.path("data"), "--save", "3600 1")
    w.run()
    w.first_line()
    shutil.rmtree(w.path("data"))
    db("BGSAVE")
    w.more()
    w.told("cannot write its data to disk")
    os.mkdir(w.path("data"))
    # Its working directory is the one that went; it is told of the new one by being allowed to write.
    db("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
    w.exact()
    w.field("redis_persistence", "Redis cannot write its snapshots")
    code, out, said = w.ctl("status")
    w.check(code == 0 and "Redis cannot write its snapshots" in out, f"rpvctl status: {code} {out} {said}")


def busy(w):
    """R10: somebody's script runs on and on."""
    db = w.up("--lua-time-limit", "50")
    w.run()
    w.first_line()
    someone = Redis(w.path("redis.sock"))
    w.check(someone.is_up(), "another client")
    someone.conn.write(b"*3\r\n$4\r\nEVAL\r\n$18\r\nwhile true do end \r\n$1\r\n0\r\n")
    someone.conn.flush()
    w.more()
    w.told("busy with a long script")
    db("SCRIPT", "KILL")
    w.exact()


def loading(w):
    """R9: Redis reads its data for some seconds."""
    db = w.up("--save", "3600 1")
    w.run()
    w.first_line()
    for i in range(3000):
        db("SET", f"other:{i}", "x" * 50)
    db("SAVE")
    w.down()
    w.more()
    w.start([rig.program("redis-server"), "--port", "0", "--unixsocket", w.path("redis.sock"), "--dir", w.dir, "--save", "3600 1",
             "--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"], "redis.log")
    w.told("loading its data from disk")
    w.db = Redis(w.path("redis.sock"))
    w.exact()


def cluster_of_one(w):
    """R14, R9: a cluster with one node works; without slots it is waited for; while it moves our slot, too."""
    db = w.up("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--port", str(cluster_port()))
    w.run()
    w.told("cluster is down")
    db("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    w.first_line()
    slot, me = db("CLUSTER", "KEYSLOT", STATE + "meta"), db("CLUSTER", "MYID")
    other = w.redis("other", "--cluster-enabled", "yes", "--cluster-config-file", "other.conf", "--port", str(cluster_port()))
    port = int(re.search(r"tcp_port:(\d+)", other("INFO", "server"))[1])
    db("CLUSTER", "MEET", "127.0.0.1", port)
    stranger = other("CLUSTER", "MYID")
    w.check(until(lambda: stranger in db("CLUSTER", "NODES"), PATIENCE) is not None, "the nodes do not meet")
    until(lambda: "handshake" not in db("CLUSTER", "NODES"), PATIENCE)
    db("CLUSTER", "SETSLOT", slot, "MIGRATING", stranger)
    w.more()
    w.told("is moving this site's keys")
    db("CLUSTER", "SETSLOT", slot, "STABLE")
    w.exact()
    w.field("redis", ", cluster")
    # And then the slot is moved away for good.
    other("CLUSTER", "SETSLOT", slot, "IMPORTING", me)
    while keys := db("CLUSTER", "GETKEYSINSLOT", slot, 100):
        db("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", *keys) if set_migrating(db, slot, stranger) else None
    other("CLUSTER", "SETSLOT", slot, "NODE", stranger)
    db("CLUSTER", "SETSLOT", slot, "NODE", stranger)
    w.append("logs/access.log", case.line(START + 4100, WHO, "/late"))
    w.told("cluster")
    w.check(until(lambda: re.search("cluster of 2 primaries|another node of the cluster", w.read("rpvd.log")), PATIENCE) is not None,
            "moved away: " + w.read("rpvd.log"))


def set_migrating(db, slot, node):
    return db("CLUSTER", "SETSLOT", slot, "MIGRATING", node) == "OK"


def cluster_of_two(w):
    """R14: refused before a byte is written."""
    ports = cluster_port(), cluster_port()
    nodes = [w.up("--cluster-enabled", "yes", "--cluster-config-file", f"{name}.conf", "--port", str(port), name=name)
             for name, port in zip(("other", "redis"), ports)]
    nodes[0]("CLUSTER", "ADDSLOTSRANGE", "0", "8000")
    nodes[1]("CLUSTER", "ADDSLOTSRANGE", "8001", "16383")
    nodes[0]("CLUSTER", "MEET", "127.0.0.1", ports[1])
    w.check(until(lambda: all("cluster_size:2" in n("CLUSTER", "INFO") for n in nodes), PATIENCE) is not None, "no cluster")
    w.run()
    w.told("cluster of 2 primaries, and rpvd keeps a site in one Redis")
    for n in nodes:
        w.check(n("DBSIZE") == 0, "written")
    w.check(w.daemon.poll() is None, "rpvd ended")


def whole_life(w, db):
    """All that rpvd can want of Redis: figures, a stop, a start, an order that is told again, a day that passes, a person
    forgotten, a state made anew while nobody runs, and one that replaces an emptied Redis."""
    w.more()
    w.exact()
    w.check(w.end(w.daemon) == 0, "its end")
    w.daemon = w.live()
    w.field("state", "live")
    w.append("orders.ndjson", case.as_line(ORDERS[0]))
    w.field("no_change", "1")
    forget(w, db)
    w.check(w.end(w.daemon) == 0, "its end")
    child = w.start([rig.RPVD, "-c", w.path("rpvd.conf"), "--clock", w.path("clock"), "--rebuild"], "rebuild.log")
    w.check(child.wait(PATIENCE) == 0, "--rebuild: " + w.read("rebuild.log")[-1500:])
    w.daemon = w.live()
    w.exact()
    db("FLUSHALL")
    w.exact()


def forget(w, db):
    """rpvctl comes by the socket, as a user who may."""
    db("ACL", "SETUSER", "default", "on")
    w.configure(f"url = 'unix:{w.path('redis.sock')}'", name="rpvctl.conf")
    child = w.start([rig.RPVCTL, "-c", w.path("rpvctl.conf"), "forget", "--visitor", "v1"], "rpvctl.log")
    w.told("a person is forgotten once the logs are read")
    w.clock(START + 4000 + 25 * 3600)
    w.check(child.wait(PATIENCE) == 0, "rpvctl forget: " + w.read("rpvctl.log"))
    w.check(until(lambda: not db("EXISTS", "rpv:shop:24h:total") or db.hash("rpv:shop:24h:total")["visits"] == "0", PATIENCE) is not None,
            "the day does not pass")
    db("ACL", "SETUSER", "default", "off")


def rights(w, *transactions):
    """R13: the sentence has the very rule that is missing, and it is enough; then the password is changed."""
    db = w.up()
    db("ACL", "SETUSER", "keeper", "on", ">k", "~*", "&*", "+@all")
    db("ACL", "SETUSER", "shop", "on", ">one", "+ping", "+hset", "~rpvd:*", *transactions)
    db("ACL", "SETUSER", "default", "off")
    db = w.db = Redis(w.path("redis.sock"))
    db("AUTH", "keeper", "k")
    w.write("password", "one\n")
    port = free_port()
    db("CONFIG", "SET", "port", port)
    w.run(f"password_file = '{w.path('password')}'", f"redis://shop@127.0.0.1:{port}")
    w.told("this does: ACL SETUSER shop ")
    w.untouched()
    rule = re.search(r"this does: (ACL SETUSER shop [^;\n]*)", w.read("rpvd.log"))[1].split()
    w.check(not transactions or ("+hset" not in rule and "~rpvd:{shop.0}:*" not in rule), f"asks for what it has: {rule}")
    w.check("+append" in rule and "~rpv:shop:*" in rule, f"does not ask for what it needs: {rule}")
    db(*rule)
    db("ACL", "LOG", "RESET")
    if not transactions:
        monitor = Redis(w.path("redis.sock"))
        monitor("AUTH", "keeper", "k")
        monitor = Monitor(monitor)
    whole_life(w, db)
    refused = {entry[entry.index("object") + 1] for entry in db("ACL", "LOG", "100")}
    w.check(refused <= {"info", "config|get", "cluster|info", "client|setname"}, f"still refused: {refused}")
    if not transactions:
        asked = {word[1:] for word in rule if word.startswith("+")}
        db("ECHO", "the-end")
        used = monitor.commands("the-end") - AROUND
        w.check(used <= asked, f"used, and not asked for: {used - asked}")
        w.check(asked - used <= {"discard"}, f"asked for, and nothing here uses it: {asked - used}")
        written = commands_of_the_source(set(db("COMMAND", "LIST"))) - AROUND
        w.check(len(written) > 20 and written <= asked, f"in the source, and not asked for: {written - asked}")
    db("ACL", "SETUSER", "shop", "resetpass", ">two")
    db("CLIENT", "KILL", "USER", "shop")
    w.told("refused the user or password")
    w.write("password", "two\n")
    w.append("logs/access.log", case.line(START + 4001, ("192.0.2.7", case.AGENTS[1], "v7"), "/late"))
    w.check(until(lambda: db.hash("rpv:shop:30d:total").get("visits") == "2", PATIENCE) is not None, "the new password")


def rights_by_trial(w):
    """R13: where MULTI is allowed, nothing is asked for that we have."""
    rights(w, "+@transaction")


def renamed(w):
    """R23: a command is not there."""
    w.up("--rename-command", "UNLINK", "", "--rename-command", "CONFIG", "", "--rename-command", "INFO", "")
    w.run()
    w.told("does not know UNLINK")
    w.untouched()
    w.down()
    db = w.up("--rename-command", "CONFIG", "", "--rename-command", "INFO", "", "--rename-command", "CLUSTER", "")
    w.more()
    w.exact(db)
    w.field("redis_persistence", "not told")


def numbers(w):
    """R20: somebody wrote into the writer's own fields."""
    db = w.up()
    w.run()
    w.first_line()
    w.end(w.daemon)
    before = db.hash(STATE + "meta")
    for name, value in (("epoch", "9223372036854775807"), ("seq", "many")):
        db("HSET", STATE + "meta", name, value)
        log = name + ".log"
        w.daemon = w.live(log=log)
        w.check(w.says(f"field {name} of key {STATE}meta is not what rpvd wrote", log), f"{name}: " + w.read(log))
        w.check(db("HGET", STATE + "meta", name) == value, f"{name} was changed")
        w.end(w.daemon)
        db("HSET", STATE + "meta", name, before[name])
    w.more()
    w.daemon = w.live()
    w.exact()


def installations(w):
    """R21: another installation on the same prefix is refused, whether or not the first runs."""
    db = w.up()
    w.run()
    w.more()
    w.exact()
    w.configure(f"url = 'unix:{w.path('redis.sock')}'", state="state2", name="second.conf")
    second = w.live("second.conf", "second.log")
    w.check(w.says("is another installation's", "second.log"), w.read("second.log"))
    w.check(w.end(w.daemon) == 0, "the first one's end")
    before = db.hash(STATE + "meta")
    time.sleep(6)           # longer than it takes to try again
    w.check(db.hash(STATE + "meta") == before and db("EXISTS", STATE + "lease") == 0, "the second took the site")
    w.check(w.read("second.log").count("another installation's") == 1, "an error storm")
    command = re.search(r"redis-cli (HDEL) '([^']*)' (keys)", w.read("second.log"))
    db(*command.groups())
    w.check(until(lambda: "state loaded" in w.read("second.log"), PATIENCE) is not None, "not taken: " + w.read("second.log"))
    w.end(second)


def maxclients(w):
    """R24: no place for us; asked for at ease."""
    db = w.up("--maxclients", "1")
    w.run()
    w.told("as many clients as its maxclients allows")
    time.sleep(2)
    rejected = int(re.search(r"rejected_connections:(\d+)", db("INFO", "stats"))[1])
    w.check(rejected < 12, f"{rejected} attempts in two seconds")
    db("CONFIG", "SET", "maxclients", "10")
    w.more()
    w.exact()


def cut_off(w):
    """R24: replies are larger than Redis allows a client to have waiting."""
    db = w.up()
    w.run()
    w.first_line()
    db("CONFIG", "SET", "client-output-buffer-limit", "normal 2kb 0 0")
    db("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    w.told("cut this client off")
    w.more()
    db("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0")
    w.exact()


def flapping(w):
    """R24: it lets us in and throws us out again and again: the log is not filled by that."""
    db = w.up()
    w.run()
    w.first_line()
    for _ in range(20):
        until(lambda: "name=rpvd" in db("CLIENT", "LIST"), PATIENCE)
        db("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        if "for a minute no more is said of it" in w.read("rpvd.log"):
            break
    w.told("for a minute no more is said of it")
    until(lambda: "name=rpvd" in db("CLIENT", "LIST"), PATIENCE)
    db("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    w.more()
    w.exact()
    said = w.read("rpvd.log").count("logs wait, webhooks are still accepted")
    w.check(said == 5, f"told {said} times")


def other_clock(w):
    """R25: its clock is three years ahead."""
    if not rig.program("cc"):
        return
    w.write("clock.c", CLOCK)
    code, _, said = rig.run(["cc", "-shared", "-fPIC", "-o", w.path("clock.so"), w.path("clock.c"), "-ldl"])
    if not w.check(code == 0, said):
        return
    os.environ["LD_PRELOAD"], before = w.path("clock.so"), os.environ.get("LD_PRELOAD")
    try:
        db = w.up()
    finally:
        del os.environ["LD_PRELOAD"]
        if before is not None:
            os.environ["LD_PRELOAD"] = before
    w.check(int(db("TIME")[0]) > time.time() + 86400, "its clock is right")
    w.run()
    w.more()
    w.exact()
    for n in range(4):
        w.append("logs/access.log", case.line(START + 4001, ("192.0.2.7", case.AGENTS[1], f"w{n}"), "/late"))
        w.check(until(lambda want=n + 2: (total(db) or {}).get("visits") == str(want), PATIENCE, 0.005) is not None, "a line")
        w.check(db("PTTL", STATE + "lease") in range(1, 10001), "the lease is over as soon as it is taken")


def persistence(w):
    """R22: what a crash would cost."""
    db = w.up("--appendonly", "yes")
    w.run()
    w.field("redis_persistence", "append-only file")
    w.end(w.daemon)
    for save, part in (("", "none: "), ("3600 1", "snapshots: ")):
        db("CONFIG", "SET", "appendonly", "no", "save", save)
        w.daemon = w.live()
        w.field("redis_persistence", part)
        code, out, said = w.ctl("status")
        w.check(code == 0 and ("Redis keeps nothing on disk" in out) == (save == ""), f"rpvctl status: {code} {out} {said}")
        w.end(w.daemon)
    w.daemon = w.live()
    w.more()
    w.exact()


CASES = [installations, replica, cluster_of_one, rights, rights_by_trial, full, evicting, masterdown, noreplicas, misconf, busy, loading,
         cluster_of_two, renamed, numbers, maxclients, cut_off, flapping, other_clock, persistence]


def run(act, findings):
    begun = time.monotonic()
    with World(act.__name__, findings) as w:
        try:
            act(w)
            findings.check(w.daemon is None or w.daemon.poll() in (None, 0, -signal.SIGKILL), f"{w.name}: rpvd ended: " + w.read("rpvd.log"))
        except Exception as why:        # pylint: disable=broad-except
            findings.fail(f"{w.name}: {type(why).__name__}: {why}\n" + w.read("rpvd.log")[-2000:])
    print(f"{act.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


def main():
    rig.need("redis-server")
    findings = Findings()
    names = sys.argv[1:]
    # They wait more than they work.
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda act: run(act, findings), [c for c in CASES if not names or c.__name__ in names]))
    findings.end()


if __name__ == "__main__":
    main()
