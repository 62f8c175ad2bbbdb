#!/usr/bin/env python3
"""process: rpvd as a process among others: its service manager, its host, its twin.

    process.py [CASE...]

Each case is a function below, and says what it proves.
"""

import concurrent.futures
import contextlib
import fcntl
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "e2e"))
import rig                                                              # noqa: E402

PATIENCE = 30.0
SLOW = 4 if os.environ.get("RPVD_SANITIZED") else 1                     # the times of a sanitized build are no rpvd's
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SECRET = rig.SECRETS["generic"]
FORMAT = '$remote_addr - - [$time_local] "$request" $status 0 "$http_referer" "$http_user_agent" "$cookie_rpv" $msec'
CONF = """redis {{ url = '{redis}' {password} }}
{webhook}
state_dir = '{dir}/{state}'
commit_interval = "50ms"
site "shop" {{
	hosts = {{"shop.example"}}
	currency = "EUR"
	visitor = {{"cookie:rpv", "ip_ua"}}
	log '{dir}/{log}' {{ format = '{format}' }}
	{providers}
}}
"""
CALLS = os.path.join(rig.BUILD, "tests", "crash_calls.so")


class Wrong(Exception):
    """What did not hold."""


class Host(rig.Rig):
    """One host: files, a Redis where there is one, and daemons."""

    def __init__(self, name):
        super().__init__("process-" + name)
        self.redis_conn = None
        self.n = 0
        self.write("generic.secret", SECRET + "\n", 0o600)

    def start_redis(self, *options):
        self.redis_conn = self.redis("redis", *options)
        return self.redis_conn

    def configure(self, name="rpvd.conf", log="access.log", state="state", listen="hook.sock", redis=None, password="",
                  providers="provider \"generic\" {{ secret_file = '{dir}/generic.secret' }}"):
        webhook = f"webhook {{ listen = 'unix:{self.path(listen)}' }}" if listen else ""
        os.makedirs(self.path(state), exist_ok=True)
        return self.write(name, CONF.format(redis=redis or "unix:" + self.path("redis.sock"), password=password, webhook=webhook, dir=self.dir,
                                            log=log, state=state, format=FORMAT, providers=providers.format(dir=self.dir)))

    def daemon(self, conf="rpvd.conf", env=None, log="rpvd.log", program=rig.RPVD, options=(), **how):
        with contextlib.ExitStack() as stack:
            out = how.pop("stderr", None) or stack.enter_context(open(self.path(log), "ab"))
            child = subprocess.Popen([program, "-c", self.path(conf), *options], stdout=subprocess.DEVNULL, stderr=out,
                                     stdin=subprocess.DEVNULL, cwd=self.dir, env={**os.environ, **(env or {})}, **how)
        self.children.append(child)
        return child

    def activated(self, listener, program=rig.RPVD, preload=""):
        """As systemd starts it, which alone could know LISTEN_PID before.  preload: of rpvd, NAME=VALUE ..."""
        script = f'exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 {preload} exec "$@"'
        with open(self.path("rpvd.log"), "ab") as out:
            child = subprocess.Popen(["sh", "-c", script, "sh", program, "-c", self.path("rpvd.conf")], stdin=listener, stdout=out, stderr=out,
                                     cwd=self.dir)
        self.children.append(child)
        return child

    def up(self, child, sock="hook.sock"):
        self.wait(lambda: child.poll() is not None or rig.hook_up(self.path(sock)), "the socket")
        if child.poll() is not None:
            raise Wrong(f"rpvd ended with {child.returncode}: {self.read('rpvd.log')}")

    def wait(self, probe, what, seconds=PATIENCE):
        if rig.until(probe, seconds) is None:
            raise Wrong(f"waited in vain: {what() if callable(what) else what}\n{self.read('rpvd.log')[-2000:]}")

    def hit(self, target, visitor="a", t=None, file="access.log", ip="192.0.2.1", agent=AGENT):
        t = t or time.time()
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(t))
        self.append(file, f'{ip} - - [{stamp}] "GET {target} HTTP/1.1" 200 0 "-" "{agent}" "{visitor}" {t:.3f}\n')

    def request(self, ident=None, now=None, secret=SECRET, path="/hooks/generic"):
        """Bytes of a delivery of one paid order."""
        self.n += 1
        ident, now = ident or f"o{self.n}", now or time.time()
        body = rig.as_json({"id": "evt_" + ident, "type": "order.paid", "time": rig.rfc3339(now),
                            "order": {"id": ident, "total": "1.00", "currency": "EUR"}})
        headers = rig.sign_generic(secret, body, int(now), "evt_" + ident) + [("Host", "x"), ("Content-Length", str(len(body)))]
        return f"POST {path} HTTP/1.1\r\n".encode() + b"".join(f"{n}: {v}\r\n".encode() for n, v in headers) + b"\r\n" + body

    def deliver(self, ident=None, sock="hook.sock", pause=0.0, **more):
        """The status.  pause: seconds between the connection and the request.  OSError where it is refused."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(self.path(sock))
            time.sleep(pause)
            s.sendall(self.request(ident, **more))
            answer = s.makefile("rb").readline()
        if not answer:
            raise ConnectionError("closed without an answer")
        return int(answer.split()[1])

    def total(self, field, window="24h"):
        return self.redis_conn.hash(f"rpv:shop:{window}:total").get(field)

    def status(self, field):
        try:
            return self.redis_conn("HGET", "rpv:shop:status", field)
        except (OSError, rig.RedisError):
            return None

    def end(self, child, code=0, within=5.0):
        begun = time.monotonic()
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong("SIGTERM: it does not end") from None
        took = time.monotonic() - begun
        if child.returncode != code or took > within * SLOW:
            raise Wrong(f"SIGTERM: exit {child.returncode} after {took:.1f} s: {self.read('rpvd.log')[-1000:]}")


def listening(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(1024)
    return s


class Manager:
    """What systemd hears."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.heard = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            text = self.sock.recv(4096).decode()
            self.heard += [(time.monotonic(), line) for line in text.splitlines()]

    def env(self):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "30000000"}

    def count(self, line, since=0.0):
        return sum(1 for at, what in list(self.heard) if what.startswith(line) and at >= since)


def cpu(pid):
    """Seconds that it has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        parts = f.read().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


# ---- the service manager -------------------------------------------------------------------

def activation(host):
    """The socket is the manager's: of a thousand deliveries through ten restarts, with a new
    program each time as an upgrade brings it, none is refused, and each is counted once.  Some clients are
    slow between connecting and sending."""
    host.start_redis()
    host.configure(listen=None)
    listener = listening(host.path("hook.sock"))
    restarts, n = 10, 1000
    failed = []
    done = threading.Semaphore(0)

    def start(k):
        program = shutil.copy(rig.RPVD, host.path(f"rpvd.{k}"))
        os.rename(program, host.path("rpvd"))
        return host.activated(listener, host.path("rpvd"))

    def one(k):
        try:
            status = host.deliver(f"o{k}", pause=(k % 7) * 0.02)
            if status != 200:
                failed.append(f"delivery {k}: {status}")
        except OSError as why:
            failed.append(f"delivery {k}: {why}")
        done.release()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        child = start(0)
        for k in range(n):
            pool.submit(one, k)
        for k in range(1, restarts + 1):
            for _ in range(n // (restarts + 1)):
                done.acquire()
            host.end(child)
            child = start(k)
    if failed:
        raise Wrong(f"{len(failed)} of {n} refused: {failed[:3]}")
    host.wait(lambda: host.total("sales_orders") == str(n), lambda: f"sales_orders={host.total('sales_orders')}")
    host.end(child)
    return f"{n} deliveries through {restarts} restarts"


def crash_loop(host):
    """A line that ends rpvd, each time it comes to it.  It is started again and again; webhooks are
    taken all the same, and once it is mended nothing is missing, that line neither."""
    host.start_redis()
    host.configure(listen=None)
    listener = listening(host.path("hook.sock"))
    answered, stop, ends = set(), threading.Event(), 0

    def provider():
        k = 0
        while not stop.is_set():
            try:
                if host.deliver(f"o{k}") == 200:        # otherwise it comes again
                    answered.add(f"o{k}")
                    k += 1
            except OSError:
                pass
            time.sleep(0.01)
    host.hit("/before")
    child = host.activated(listener)
    host.wait(lambda: host.total("visits") == "1", "the first visit")
    host.hit("/poison", "b")
    host.hit("/behind", "c")
    host.end(child, within=30)
    thread = threading.Thread(target=provider)
    thread.start()
    try:
        while ends < 8:
            child = host.activated(listener, preload=f"LD_PRELOAD='{CALLS}' CRASH='poison 0' CRASH_BYTES=/poison")
            if child.wait(PATIENCE) != -signal.SIGKILL:
                raise Wrong(f"it ended with {child.returncode}")
            ends += 1
            time.sleep(0.1)
        before = len(answered)
        child = host.activated(listener)
        host.wait(lambda: host.total("visits") == "3", "the lines")
    finally:
        stop.set()
        thread.join(PATIENCE)
    if before < ends // 2:
        raise Wrong(f"only {before} webhooks were taken")
    host.wait(lambda: host.total("sales_orders") == str(len(answered)), lambda: f"{host.total('sales_orders')} of {len(answered)} orders")
    host.end(child)
    return f"{ends} crashes, {before} webhooks meanwhile"


def credentials(host):
    """Secrets come as the manager's credentials: by the provider's name, or by a name of one's own."""
    host.start_redis()
    host.redis_conn("CONFIG", "SET", "requirepass", "s3cret of redis")
    other = SECRET.replace("A", "B")
    for name, text in (("generic.secret", SECRET), ("second", other), ("redis.password", "s3cret of redis")):
        host.write("credentials/" + name, text + "\n", 0o400)
    host.configure(password='password_file = "${CREDENTIALS_DIRECTORY}/redis.password"',
                   providers='provider "generic" {{}}\n'
                             '\tprovider "generic" {{ path = "/hooks/second"  secret_file = "${{CREDENTIALS_DIRECTORY}}/second" }}')
    env = {"CREDENTIALS_DIRECTORY": host.path("credentials")}
    code, _, said = rig.run([rig.RPVD, "-t", "-c", host.path("rpvd.conf")])
    if code != 2 or "rpvd.conf:1: the environment has no CREDENTIALS_DIRECTORY" not in said or "LoadCredential=generic.secret" not in said:
        raise Wrong(f"without credentials: exit {code}: {said}")
    code, _, said = rig.run([rig.RPVD, "-t", "-c", host.path("rpvd.conf")], env=env)
    if code != 0:
        raise Wrong(f"with credentials: exit {code}: {said}")
    child = host.daemon(env=env)
    host.up(child)
    for path, secret, want in (("/hooks/generic", SECRET, 200), ("/hooks/second", other, 200), ("/hooks/second", SECRET, 401)):
        got = host.deliver(path=path, secret=secret)
        if got != want:
            raise Wrong(f"{path}: {got}, expected {want}")
    host.wait(lambda: host.total("sales_orders") == "2", "both orders")
    host.end(child)
    everything = host.read("rpvd.log") + str(host.redis_conn.hash("rpv:shop:status"))
    if any(secret in everything for secret in (SECRET[6:], other[6:], "s3cret")):
        raise Wrong("a secret is told")
    return "three credentials"


def watchdog(host):
    """Keep-alives come from the loop: not while it hangs in a call, not while it is stopped."""
    host.start_redis()
    host.configure()
    manager = Manager(host.path("notify.sock"))
    child = host.daemon(env={**manager.env(), "LD_PRELOAD": CALLS, "CRASH": "hang 1000000"})
    host.wait(lambda: manager.count("READY=1") and manager.count("WATCHDOG=1") >= 2, lambda: f"keep-alives: {manager.heard}")
    child.send_signal(signal.SIGSTOP)
    since = time.monotonic() + 0.5
    time.sleep(3)
    if manager.count("WATCHDOG=1", since):
        raise Wrong("a stopped process says that it is alive")
    child.send_signal(signal.SIGCONT)
    host.wait(lambda: manager.count("WATCHDOG=1", since + 2.5), "a keep-alive after SIGCONT")
    if not manager.count("STATUS=shop: "):
        raise Wrong(f"no sentence for systemctl status: {manager.heard}")
    host.end(child)
    if not manager.count("STOPPING=1"):
        raise Wrong("STOPPING=1 was not told")
    # Now a call that does not come back: the sync of a journal on a disk that hangs.
    met = host.path("met.txt")
    child = host.daemon(env={**manager.env(), "LD_PRELOAD": CALLS, "CRASH": "hang 0", "CRASH_SYNC": "1", "CRASH_LOG": met})
    host.up(child)
    since = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(host.path("hook.sock"))
        s.sendall(host.request())
        host.wait(lambda: "hang" in host.read("met.txt"), "the call that hangs")
        since = time.monotonic()
        time.sleep(3)
        if manager.count("WATCHDOG=1", since):
            raise Wrong("a process that hangs says that it is alive")
    child.kill()
    return "alive only while the loop runs"


def boot(host):
    """Nothing is there yet: neither Redis nor the name of its host, no log and no directory of it.  It is
    ready all the same, takes webhooks, and begins with each as it comes."""
    host.configure(log="later/access.log")
    host.configure(name="dns.conf", state="state2", listen="hook2.sock", redis="redis://redis.invalid:6379")
    managers = [Manager(host.path(f"notify{k}.sock")) for k in (1, 2)]
    begun = time.monotonic()
    child, other = host.daemon(env=managers[0].env()), host.daemon("dns.conf", env=managers[1].env(), log="dns.log")
    host.wait(lambda: all(m.count("READY=1") for m in managers), "READY=1")
    took = time.monotonic() - begun
    if took > 3 * SLOW:
        raise Wrong(f"ready only after {took:.1f} s")
    if host.deliver() != 200 or host.deliver(sock="hook2.sock") != 200:
        raise Wrong("webhooks are not taken before Redis is there")
    host.wait(lambda: all(m.count("STATUS=shop: Redis: ") for m in managers), lambda: f"no problem is told: {[m.heard for m in managers]}")
    host.start_redis()
    host.wait(lambda: host.total("sales_orders") == "1", "the webhook of before Redis")
    host.wait(lambda: "later/access.log" in (host.status("log_1") or ""), lambda: f"the missing log: {host.status('log_1')}")
    os.mkdir(host.path("later"))
    host.hit("/lamp", file="later/access.log")
    host.wait(lambda: host.total("visits") == "1" and host.status("log_1") == "ok", lambda: f"the log: {host.status('log_1')}")
    host.end(child)
    host.end(other)
    return f"ready after {took:.2f} s"


# ---- the host --------------------------------------------------------------------------------

def descriptors(host):
    """A hundred clients, and descriptors for a few: those who find no place wait, the loop does not
    spin, the logs are read, also a new one, and webhooks go on once there is room."""
    host.start_redis()
    host.configure()
    host.hit("/first")
    child = host.daemon(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (26, 26)))
    host.up(child)
    host.wait(lambda: host.total("visits") == "1", "the first visit")
    clients, idle = [], len(os.listdir(f"/proc/{child.pid}/fd"))
    for _ in range(100):
        s = socket.socket(socket.AF_UNIX)
        s.connect(host.path("hook.sock"))
        s.sendall(b"POST /hooks/generic HTTP/1.1\r\n")
        clients.append(s)
    host.wait(lambda: len(os.listdir(f"/proc/{child.pid}/fd")) > idle, "the clients", 5)
    before, begun = cpu(child.pid), time.monotonic()
    host.hit("/second", "b")
    host.wait(lambda: host.total("visits") == "2", "a line of a log that is open", 8)
    os.rename(host.path("access.log"), host.path("access.log.1"))
    host.hit("/third", "c")
    host.wait(lambda: host.total("visits") == "3", lambda: f"a line of a new log: {host.status('log_1')}", 8)
    time.sleep(max(0.0, begun + 3 - time.monotonic()))
    share = (cpu(child.pid) - before) / (time.monotonic() - begun)
    if share > 0.25 * SLOW:
        raise Wrong(f"it spins: {share:.0%} of a core")
    for s in clients:
        s.close()
    if host.deliver() != 200:
        raise Wrong("no webhook is taken when there is room again")
    host.wait(lambda: host.total("sales_orders") == "1", "the webhook")
    host.end(child)
    return f"{share:.1%} of a core"


def flood(host):
    """Sixty thousand visits, each with a visitor, a page and a campaign that somebody made up: the memory stays
    within bounds, what is beyond is in (other), and the totals are exact."""
    host.start_redis()
    host.configure()
    host.write("rpvd.conf", 'memory_limit = "32M"\n' + host.read("rpvd.conf"))
    begun, n = time.time() - 1500, 60000
    host.write("access.log", "".join(
        f'192.0.2.1 - - [{time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(begun + k / 50))}] "GET /{k * 7919 % 1000003:x}-page?utm_source='
        f's{k}&utm_campaign=c{k * 31} HTTP/1.1" 200 0 "-" "{AGENT}" "v{k}" {begun + k / 50:.3f}\n' for k in range(n)))
    child = host.daemon()
    host.up(child)
    host.wait(lambda: host.total("visits") == str(n), lambda: f"{host.total('visits')} visits of {host.status('lines')} lines", 90 * SLOW)
    with open(f"/proc/{child.pid}/status", encoding="ascii") as f:
        peak = int(next(line for line in f if line.startswith("VmHWM")).split()[1]) // 1024
    if peak > 32 + 32 and SLOW == 1:         # the limit, and what rpvd(8) says comes on top
        raise Wrong(f"it takes {peak} MB")
    host.wait(lambda: host.redis_conn("EXISTS", "rpv:shop:24h:landing:(other)"), "something in (other)")
    host.end(child, within=15)
    return f"{peak} MB"


def deaf(host):
    """Nobody takes what it logs.  It works on, and counts the lines."""
    host.start_redis()
    host.configure()
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 512)
    os.set_blocking(write, True)
    child = host.daemon(stderr=write)
    host.up(child)
    child.send_signal(signal.SIGHUP)
    host.hit("/lamp")
    if host.deliver() != 200:
        raise Wrong("no webhook is taken")
    host.wait(lambda: host.total("visits") == "1" and host.total("sales_orders") == "1", "the figures")
    host.wait(lambda: int(host.status("log_dropped") or 0) > 0, "the number of lines")
    host.write("rpvd.conf", "nonsense\n" * 3000)
    dropped = int(host.status("log_dropped"))
    child.send_signal(signal.SIGHUP)
    host.wait(lambda: int(host.status("log_dropped") or 0) > dropped, "the mistakes of a reload")
    host.end(child)
    os.close(read)
    os.close(write)
    return "log lines dropped, nothing else"


def frozen(host):
    """The host sleeps for nine hours, while the log is rotated twice: one catch-up, the same figures."""
    host.start_redis()
    base = 1772409600 + 8 * 3600
    host.write("clock", "%d" % (base * 1000))

    def clock(t):
        fd = os.open(host.path("clock"), os.O_WRONLY)
        os.pwrite(fd, b"%d" % (t * 1000), 0)
        os.close(fd)
    host.configure()
    child = host.daemon(options=("--clock", host.path("clock")))
    host.up(child)
    host.hit("/one", "a", base + 10)
    clock(base + 20)
    host.wait(lambda: host.total("visits") == "1", "the first visit")
    child.send_signal(signal.SIGSTOP)
    for k in range(9):
        t = base + 3600 * (k + 1)
        host.hit("/one", "a", t)
        host.hit("/two", f"v{k}", t + 1)
        if k in (3, 6):
            if os.path.exists(host.path("access.log.1")):
                os.rename(host.path("access.log.1"), host.path("access.log.2"))
            os.rename(host.path("access.log"), host.path("access.log.1"))
    now = base + 9 * 3600 + 60
    clock(now)
    host.redis_conn("DEL", "rpvd:{shop.0}:lease")       # it ends by Redis' clock, which did not sleep
    child.send_signal(signal.SIGCONT)
    if host.deliver("o1", now=now) != 200:
        raise Wrong("no webhook is taken")
    host.wait(lambda: (host.total("visits"), host.total("visits", "1h"), host.total("sales_orders")) == ("19", "2", "1"),
              lambda: f"visits {host.total('visits')}, in the last hour {host.total('visits', '1h')}: {host.status('state')}")
    if host.status("late") not in ("0", None) or host.status("lost_bytes") != "0":
        raise Wrong(f"late={host.status('late')} lost={host.status('lost_bytes')}")
    said = host.read("rpvd.log").splitlines()
    if len(said) > 12:
        raise Wrong("it says much: " + "\n".join(said))
    host.end(child)
    return "nine hours, two rotations"


def unset_clock(host):
    """The machine boots, and its clock is three days behind until somebody tells it the time: what is signed
    with the right time is taken meanwhile, and not afterwards what was signed with the wrong one."""
    host.start_redis()
    host.configure()
    now = 1772409600 + 8 * 3600

    host.write("clock", "%d" % (now * 1000))

    def clock(t):
        fd = os.open(host.path("clock"), os.O_WRONLY)
        os.pwrite(fd, b"%d" % (t * 1000), 0)
        os.close(fd)

    def start():
        child = host.daemon(options=("--clock", host.path("clock")))
        host.up(child)
        return child
    child = start()
    if host.deliver("o1", now=now) != 200 or host.deliver("o2", now=now + 3600) != 401:
        raise Wrong("a signed time does not matter")
    host.wait(lambda: host.total("sales_orders") == "1", "the first order")
    host.end(child)
    clock(now - 3 * 86400)
    child = start()
    if host.deliver("o3", now=now + 600) != 200:
        raise Wrong("a delivery is refused for want of a clock")
    if host.deliver("old", now=now - 3 * 86400 - 301) != 401:
        raise Wrong("what is too old even for that clock is taken")
    host.wait(lambda: host.status("clock_behind_seconds") == str(3 * 86400), lambda: f"the status: {host.status('clock_behind_seconds')}")
    child.send_signal(signal.SIGHUP)
    host.wait(lambda: "reloaded" in host.read("rpvd.log"), "the reload")
    if host.deliver("o4", now=now + 601) != 200:
        raise Wrong("not after a reload")
    clock(now + 700)
    host.wait(lambda: "signed in the future are refused again" in host.read("rpvd.log"), "that it is right again")
    if host.deliver("o5", now=now - 3 * 86400) != 401 or host.deliver("o6", now=now + 700) != 200:
        raise Wrong("when the clock is right signed times do not matter")
    host.wait(lambda: host.total("sales_orders") == "4" and host.status("clock_behind_seconds") is None, lambda: f"{host.redis_conn.hash('rpv:shop:24h:total')} {host.redis_conn.hash('rpv:shop:status')}")
    host.end(child)
    return "three days behind"


def leap(host):
    """The clock leaps for a moment, ahead or back, by hours, weeks or more than a year, while rpvd runs and when it
    starts: no window ends, nothing is removed by its age, no webhook is refused, and nothing waits for that time."""
    host.start_redis()
    host.configure()
    begin = now = 1772409600 + 8 * 3600
    visits, orders = 0, 0
    host.write("clock", "%d %020d" % (now * 1000, 7 * 86400 * 1000))

    def clock(t, by=0):
        fd = os.open(host.path("clock"), os.O_WRONLY)
        os.pwrite(fd, b"%d %020d" % ((t + by) * 1000, (7 * 86400 + t - begin) * 1000), 0)
        os.close(fd)

    def start():
        child = host.daemon(options=("--clock", host.path("clock")))
        host.up(child)
        return child

    def seconds(name):
        return int(host.status(name) or 0)

    def kept():
        return sorted(os.listdir(host.path("state/journal")))

    def keys():
        with open(host.path("state/keys-shop"), "rb") as f:
            return f.read()

    def counted(what):
        host.wait(lambda: host.total("visits") == str(visits) and host.total("sales_orders") == str(orders),
                  lambda: f"{what}: {visits} visits, {orders} orders: {host.redis_conn.hash('rpv:shop:24h:total')} {host.redis_conn.hash('rpv:shop:status')}")

    child = start()
    host.hit("/one", "a", now)
    host.hit("/one", "-", now, ip="192.0.2.9")
    visits += 2
    if host.deliver("o1", now=now) != 200:
        raise Wrong("no webhook is taken")
    orders += 1
    counted("the first")
    was = kept(), keys()
    future = 0
    for n, by in enumerate([7200, 40 * 86400, 200 * 86400, -7200, -40 * 86400, -200 * 86400]):
        name = "clock_ahead_seconds" if by > 0 else "clock_back_seconds"
        now += 60
        clock(now, by)
        host.wait(lambda: abs(seconds(name) - abs(by)) < 600, f"that a leap by {by} s is told")
        if by > 86400:
            host.hit(f"/garbage{n}", f"x{n}", now + by)
            future += 1
        for ident, signed in ((f"right{n}", now), (f"leapt{n}", now + by)):
            if host.deliver(ident, now=signed) != 200:
                raise Wrong(f"leapt by {by} s: refused, signed {signed - now:+} s")
        orders += 2 if -86400 < by < 0 else 1           # sales of the last day; an order has the time that it tells
        host.hit(f"/leapt{n}", f"l{n}", now)
        time.sleep(1.1)
        if n == 2:
            host.end(child)
            child = start()
            host.wait(lambda: seconds(name) > by - 600, "that it is told at the start")
        if (kept(), keys()) != was or host.status("future") != str(future - (by > 86400)):
            raise Wrong(f"leapt by {by} s: {kept()}, future={host.status('future')}")
        now += 2
        clock(now)
        host.hit(f"/after{n}", f"b{n}", now)
        visits += 2
        counted(f"after a leap by {by} s")
        host.wait(lambda: host.status(name) is None and host.status("future") == str(future),
                  lambda: f"after a leap by {by} s: future={host.status('future')}")
        if host.status("late") != "0" or (kept(), keys()) != was:
            raise Wrong(f"after a leap by {by} s: late={host.status('late')} {kept()}")
    if seconds("clock_step") != 4:
        raise Wrong(f"steps since the restart: {seconds('clock_step')}")
    host.end(child)
    return "six leaps, 2 h to 200 days, ahead and back, one over a restart"


def set_right(host):
    """The clock is three days behind for hours, and is set right: the lines of these three days wait until it is
    believed, and then count."""
    host.start_redis()
    host.configure()
    right, up = 1772409600 + 8 * 3600, 7 * 86400

    def clock(t, up):
        fd = os.open(host.path("clock"), os.O_WRONLY | os.O_CREAT)
        os.pwrite(fd, b"%d %020d" % (t * 1000, up * 1000), 0)
        os.close(fd)

    clock(right - 3 * 86400, up)
    child = host.daemon(options=("--clock", host.path("clock")))
    host.up(child)
    host.hit("/one", "a", right - 3 * 86400)
    host.wait(lambda: host.total("visits") == "1", "the first visit")
    clock(right, up + 10)
    host.wait(lambda: host.status("clock_ahead_seconds") is not None, "that it is told")
    host.hit("/two", "b", right)
    time.sleep(1.2)
    if host.status("future") != "0" or host.total("visits") != "1":
        raise Wrong(f"not certain yet: future={host.status('future')} visits={host.total('visits')}")
    clock(right + 3600, up + 3610)
    host.hit("/three", "c", right + 3600)
    host.wait(lambda: host.total("visits") == "2" and host.total("visits", "7d") == "3", lambda: f"{host.redis_conn.hash('rpv:shop:7d:total')}")
    host.wait(lambda: host.status("clock_ahead_seconds") is None, "that it is believed")
    if host.status("future") != "0" or host.status("late") != "0":
        raise Wrong(f"future={host.status('future')} late={host.status('late')}")
    host.end(child)
    return "three days, believed after an hour"


def ahead_for_hours(host):
    """The clock is forty days ahead for so long that it is believed.  When it is right again, and that is believed,
    the figures stand still; the status says so, and what to do, and that helps."""
    host.start_redis()
    host.configure()
    begin, up = 1772409600 + 8 * 3600, 7 * 86400

    def clock(passed, by=0):
        fd = os.open(host.path("clock"), os.O_WRONLY | os.O_CREAT)
        os.pwrite(fd, b"%d %020d" % ((begin + passed + by) * 1000, (up + passed) * 1000), 0)
        os.close(fd)

    clock(0)
    child = host.daemon(options=("--clock", host.path("clock")))
    host.up(child)
    host.hit("/one", "a", begin)
    if host.deliver("o1", now=begin) != 200:
        raise Wrong("no webhook is taken")
    host.wait(lambda: host.total("visits") == "1" and host.total("sales_orders") == "1", "the first visit")
    clock(10, 40 * 86400)
    host.wait(lambda: host.status("clock_ahead_seconds") is not None, "that it is told")
    clock(3700, 40 * 86400)
    host.wait(lambda: host.status("clock_ahead_seconds") is None and not int(host.total("visits") or 0), "that it is believed")
    clock(3710)
    host.wait(lambda: host.status("clock_back_seconds") is not None, "that it is told")
    clock(7400)
    host.wait(lambda: int(host.status("figures_ahead_seconds") or 0) > 39 * 86400, "that the figures are ahead")
    host.hit("/two", "b", begin + 7400)
    code, out, err = rig.run([rig.RPVD, "-c", host.path("rpvd.conf"), "--rebuild-later"])
    if code != 0 or not os.listdir(host.path("state/journal")):
        raise Wrong(f"--rebuild-later: {code} {out} {err}")
    child.send_signal(signal.SIGHUP)
    host.wait(lambda: host.total("visits") == "2" and host.total("sales_orders") == "1" and host.status("figures_ahead_seconds") is None,
              lambda: f"{host.redis_conn.hash('rpv:shop:24h:total')}")
    host.end(child)
    return "forty days, and back"


def outage(host):
    """Three days are read at once, and rpvd is killed before any of it is committed: who is known by address and browser
    is known again when the lines are read once more, though their days are over."""
    host.start_redis()
    server = host.children[-1]
    host.configure()
    now = 1772409600 + 8 * 3600
    host.write("clock", "%d" % (now * 1000))
    host.hit("/one", "-", now)
    child = host.daemon(options=("--clock", host.path("clock")))
    host.up(child)
    host.wait(lambda: host.total("visits") == "1", "the first visit")
    server.send_signal(signal.SIGSTOP)
    for day in range(4):
        for k in range(100):
            host.hit("/one", "-", now + day * 86400 + 60 + k, ip=f"192.0.2.{k + 1}")
        fd = os.open(host.path("clock"), os.O_WRONLY)
        os.pwrite(fd, b"%d" % ((now + day * 86400 + 400) * 1000), 0)
        os.close(fd)
        time.sleep(0.5)
    time.sleep(1.2)                     # keys are forgotten once a second
    child.kill()
    child.wait()
    server.send_signal(signal.SIGCONT)
    host.redis_conn("DEL", "rpvd:{shop.0}:lease")
    child = host.daemon(options=("--clock", host.path("clock")))
    host.up(child)
    host.wait(lambda: host.status("lines") == "401", lambda: f"{host.status('lines')} lines")
    if host.status("no_visitor") != "0":
        raise Wrong(f"{host.status('no_visitor')} hits are nobody's")
    host.end(child)
    return "three days"


def load(host):
    """SIGTERM in the middle of a backlog and of a hundred webhooks a second, and while Redis hangs: exit 0
    within five seconds, and what was answered is there at the end."""
    host.start_redis()
    server = host.children[-1]
    host.configure()
    now = time.time() - 7200
    host.write("access.log", "".join(
        f'192.0.2.1 - - [{time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now + k / 50))}] "GET /p/{k % 50} HTTP/1.1" 200 0 "-" "{AGENT}" '
        f'"v{k % 5000}" {now + k / 50:.3f}\n' for k in range(200000)))
    answered, stop = [], threading.Event()

    def hammer():
        while not stop.is_set():
            try:
                ident = f"o{len(answered)}"
                if host.deliver(ident) == 200:
                    answered.append(ident)
            except OSError:
                time.sleep(0.01)
    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        for pause in (0.05, 0.2, 0.4, 0.8):
            child = host.daemon()
            host.up(child)
            time.sleep(pause)
            host.end(child)
        child = host.daemon()
        host.up(child)
        host.wait(lambda: host.redis_conn("EXISTS", "rpv:shop:24h:total"), "figures")
        server.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        host.end(child)
        server.send_signal(signal.SIGCONT)
    finally:
        stop.set()
        server.send_signal(signal.SIGCONT)
        thread.join()
    child = host.daemon()
    host.up(child)
    want = str(len(set(answered)))
    host.wait(lambda: host.total("visits") == "5000" and host.total("sales_orders") == want, lambda: f"visits={host.total('visits')} "
              f"sales_orders={host.total('sales_orders')}, expected 5000 and {want}", 60 * SLOW)
    host.end(child)
    return f"five ends, {want} webhooks"


# ---- its twin --------------------------------------------------------------------------------

def twin(host):
    """A second daemon on the same state directory is refused by the first one's number.  On another host,
    with a state directory of its own, it waits; and one that slept while the other took over writes nothing any more."""
    host.start_redis()
    host.configure()
    first = host.daemon()
    host.up(first)
    host.hit("/lamp")
    host.wait(lambda: host.total("visits") == "1", "the first visit")
    for options in ((), ("--replay",)):
        code, _, said = rig.run([rig.RPVD, "-c", host.path("rpvd.conf"), *options])
        if code != 1 or f"in use by another rpvd, process {first.pid}" not in said:
            raise Wrong(f"{options}: exit {code}: {said}")
    if first.poll() is not None or host.deliver() != 200:
        raise Wrong("the first one is disturbed")
    shutil.copytree(host.path("state"), host.path("state2"), ignore=shutil.ignore_patterns("id", "journal", "lock", "quarantine"))
    host.configure(name="second.conf", state="state2", listen="hook2.sock")
    second = host.daemon("second.conf", log="second.log")
    host.wait(lambda: "keeps this site; waiting" in host.read("second.log"), lambda: host.read("second.log"))
    host.wait(lambda: host.total("sales_orders") == "1" and host.status("journal_depth") == "0", "the webhook")
    first.send_signal(signal.SIGSTOP)
    host.redis_conn("DEL", "rpvd:{shop.0}:lease")       # after ten seconds by Redis' clock
    host.wait(lambda: "state loaded" in host.read("second.log"), lambda: host.read("second.log"))
    host.hit("/chair", "b")
    host.wait(lambda: host.total("visits") == "2", "the second one's visit")
    epoch = host.redis_conn("HGET", "rpvd:{shop.0}:meta", "epoch")
    host.hit("/table", "c")
    first.send_signal(signal.SIGCONT)
    host.wait(lambda: "took this site over" in host.read("rpvd.log") or "keeps this site; waiting" in host.read("rpvd.log"),
              lambda: "the first one does not notice: " + host.read("rpvd.log"))
    host.wait(lambda: host.total("visits") == "3", "the third visit")
    if host.redis_conn("HGET", "rpvd:{shop.0}:meta", "epoch") != epoch:
        raise Wrong("the first one took the site back")
    host.end(first)
    host.end(second)
    return "one writes"


CASES = [flood, load, outage, activation, crash_loop, watchdog, descriptors, frozen, twin, boot, deaf, unset_clock, leap, set_right, ahead_for_hours, credentials]


def main():
    rig.need("redis-server", "sh")
    findings = rig.Findings()
    names = sys.argv[1:]

    def one(case):
        begun = time.monotonic()
        with Host(case.__name__) as host:
            try:
                told = case(host)
                print(f"{case.__name__}: {told}; {time.monotonic() - begun:.1f} s", flush=True)
                said = "".join(host.read(name) for name in os.listdir(host.dir) if name.endswith(".log") and name != "redis.log")
                for word in ("AddressSanitizer", "runtime error:", "must("):
                    findings.check(word not in said, f"{case.__name__}: it said: {said[said.find(word) - 100:][:2000]}")
            except Exception as why:                                    # pylint: disable=broad-except
                findings.fail(f"{case.__name__}: {type(why).__name__}: {why}")
            for child in host.children:
                if child.poll() is None:
                    child.send_signal(signal.SIGCONT)
    # They wait more than they work.
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        list(pool.map(one, [case for case in CASES if not names or case.__name__ in names]))
    findings.end()


if __name__ == "__main__":
    main()
