#!/usr/bin/env python3
"""inputs: where lines come from, and what rpvd says where they cannot be read.

    inputs.py [CASE...]

Each case is a function below, and says what it proves.
"""

import concurrent.futures
import fcntl
import gzip
import os
import pty
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "e2e"))
import rig                                                              # noqa: E402

PATIENCE = 20.0
BEGIN = 1772445600                                                      # 2026-03-02T10:00:00Z
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CONF = """redis {{ url = 'unix:{dir}/redis.sock' }}
state_dir = '{dir}/state'
commit_interval = "50ms"
site "shop" {{
	currency = "EUR"
{inputs}
}}
"""
CASES = []


class Wrong(Exception):
    """What did not hold."""


def case(function):
    CASES.append(function)
    return function


def line(n, target="/lamp", addr=None, second=None):
    """The n-th line of a log in which each is another visitor's."""
    when = BEGIN + (n // 4 if second is None else second)
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(when))
    return f'{addr or f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"} - - [{stamp}] "GET {target} HTTP/1.1" 200 5 "-" "{AGENT}"\n'


def lines(first, behind):
    return "".join(line(n) for n in range(first, behind)).encode()


class Host(rig.Rig):
    """Files, a Redis, and an rpvd that reads what `inputs` says."""

    def __init__(self, name, inputs):
        super().__init__("inputs-" + name)
        os.mkdir(self.path("state"))
        self.configure(inputs)
        self.db = self.redis()

    def configure(self, inputs):
        inputs = "\n".join("\t" + text for text in inputs.replace("DIR", self.dir).split("\n"))
        self.write("rpvd.conf", CONF.format(dir=self.dir, inputs=inputs))

    def replay(self, stdin=b"", want=0, options=()):
        """Standard error; stdin: bytes, or a file."""
        how = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        done = subprocess.run([rig.RPVD, "-c", self.path("rpvd.conf"), "--replay", *options], stderr=subprocess.PIPE, timeout=60, check=False, **how)
        said = done.stderr.decode(errors="replace")
        must(done.returncode == want, f"replay ended with {done.returncode}, expected {want}: {said}")
        return said

    def total(self, field="visits"):
        return int(float(self.db.hash("rpv:shop:24h:total").get(field, "0")))

    def status(self):
        return self.db.hash("rpv:shop:status")

    def live(self, *options):
        return self.rpvd(self.path("rpvd.conf"), *options)

    def live_then(self):
        """While the lines are written, as it thinks."""
        self.write("clock", str((BEGIN + 1800) * 1000))
        return self.live("--clock", self.path("clock"))

    def until_visits(self, what, n):
        """Sooner than the status, which is written once a second."""
        must(rig.until(lambda: self.total() == n, PATIENCE) is not None, f"{what}: {self.total()} visits, not {n}: {self.read('rpvd.log')[-2000:]}")

    def until_status(self, what, **fields):
        def is_so():
            status = self.status()
            return all(status.get(k) == str(v) for k, v in fields.items())
        must(rig.until(is_so, PATIENCE) is not None, f"{what}: {fields} was not reached: {self.status()} {self.read('rpvd.log')[-2000:]}")


def must(ok, text):
    if not ok:
        raise Wrong(text)


def equal(got, want, what):
    must(got == want, f"{what}: {got!r}, expected {want!r}")


def says(text, *parts):
    for part in parts:
        must(part in text, f"{part!r} is not said: {text}")


# ---- standard input --------------------------------------------------------------------

STDIN = "log '-' { format = \"combined\" }"


@case
def stdin_is_a_log():
    """A pipe, a pipe of gzip, and a file: the same figures; a last line without newline counts."""
    text = lines(0, 5000)
    for what, stdin in (("plain", text), ("no newline", text[:-1]), ("gzip", gzip.compress(text[:300000]) + gzip.compress(text[300000:]))):
        with Host("stdin", STDIN) as host:
            host.replay(stdin)
            equal(host.total(), 5000, what)
            equal(host.status()["lines"], "5000", what)
            equal(host.status()["log_1"], "ok", what)
    with Host("stdin", STDIN) as host:
        host.write("a.log", text)
        with open(host.path("a.log"), "rb") as file:
            host.replay(file)
        equal(host.total(), 5000, "a file")


@case
def stdin_comes_slowly():
    """It is waited for, and read in step with another log, whatever comes first."""
    with Host("slow", STDIN + "\nlog 'DIR/b.log' {}") as host:
        host.write("b.log", "".join(line(n, addr=f"11.0.0.{n}") for n in range(0, 100, 10)))
        script = f'head -c 100 "$1"; sleep 0.3; tail -c +101 "$1" | head -c 4000; sleep 0.3; tail -c +4101 "$1"'
        host.write("a.log", lines(0, 100))
        with subprocess.Popen(["sh", "-c", script, "sh", host.path("a.log")], stdout=subprocess.PIPE) as slow:
            host.replay(slow.stdout)
        equal(host.total(), 110, "visits")
        equal(host.status()["late"], "0", "late lines")


@case
def stdin_is_counted_once():
    """A stream that is given again goes on behind what was counted, also after a kill; another stream is read from its begin."""
    with Host("again", STDIN) as host:
        text = lines(0, 3000)
        host.replay(lines(0, 700))
        equal(host.total(), 700, "its begin")
        host.replay(text)
        host.replay(text)
        equal(host.total(), 3000, "the same stream")
        host.replay(gzip.compress(text))
        equal(host.total(), 3000, "the same stream, packed")
        host.replay(lines(3000, 3100))
        equal(host.total(), 3100, "another one")
        says(host.replay(lines(3000, 3050), want=1), "standard input begins as a stream of which", "nothing new")
    with Host("killed", STDIN) as host:
        reader, writer = os.pipe()
        child = subprocess.Popen([rig.RPVD, "-c", host.path("rpvd.conf"), "--replay"], stdin=reader, stderr=subprocess.DEVNULL)
        os.close(reader)
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            text = lines(0, 150000)
            pipe.write(text[:len(text) - 1000000])
            must(rig.until(lambda: host.db("EXISTS", "rpvd:{shop.0}:meta"), PATIENCE) is not None, "no commit")
            child.kill()
            child.wait()
        host.replay(text)
        equal(host.total(), 150000, "after a kill")


@case
def stdin_that_is_none():
    """Empty, closed, a directory: no wait without end, and nothing else is taken for it."""
    with Host("none", STDIN) as host:
        says(host.replay(b""), "standard input was empty")
        argv = ["sh", "-c", '"$@" <&-', "sh", rig.RPVD, "-c", host.path("rpvd.conf"), "--replay"]
        done = subprocess.run(argv, stderr=subprocess.PIPE, timeout=60, check=False)
        equal(done.returncode, 0, f"closed: {done.stderr}")
        says(done.stderr.decode(), "standard input was empty")
        done = subprocess.run(["sh", "-c", '"$@" </', *argv[3:]], stderr=subprocess.PIPE, timeout=60, check=False)
        equal(done.returncode, 1, f"a directory: {done.stderr}")
        says(done.stderr.decode(), "standard input: reading failed at byte 0: Is a directory")


@case
def stdin_is_not_for_a_daemon():
    """Who would read it for ever, twice, or from a keyboard, is told so."""
    with Host("refused", STDIN) as host:
        conf = host.path("rpvd.conf")
        code, _, said = rig.run([rig.RPVD, "-c", conf])
        equal(code, 2, "a daemon")
        says(said, "rpvd.conf:6: log \"-\" is standard input, which only rpvd --replay reads")
        equal(rig.run([rig.RPVD, "-c", conf, "-t"])[0], 2, "-t")
        equal(rig.run([rig.RPVD, "-c", conf, "-t", "--replay"])[0], 0, "-t --replay")
        with open("/dev/ptmx", "rb", buffering=0) as terminal:
            says(host.replay(terminal, want=2), "standard input is a terminal")
        host.write("rpvd.conf", CONF.format(dir=host.dir, inputs=STDIN) + "site \"b\" {\n currency = \"EUR\"\n" + STDIN + "\n}\n")
        says(host.replay(b"", want=2), "another site reads standard input already")
    with Host("packed", STDIN) as host:
        says(host.replay(b"\xfd7zXZ\0" + bytes(1000), want=1), "standard input is packed with xz: unpack it first")
        says(host.replay(gzip.compress(lines(0, 5000))[:9000], want=1), "standard input: it is cut after 9000 bytes")
        says(host.replay(bytes(range(256)) * 100), "standard input: ", "are not of the log's format")


# ---- syslog ------------------------------------------------------------------------------

PROXIED = """syslog 'unix:DIR/syslog.sock' { format = 'FORMAT' }
syslog '127.0.0.1:PORT' { format = 'FORMAT' }""".replace("FORMAT", '$http_x_forwarded_for - $remote_user [$time_local] "$request" $status '
                                                          '$body_bytes_sent "$http_referer" "$http_user_agent"')
UNIX = "syslog 'unix:DIR/syslog.sock' {}"
NGINX = """daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log; worker_processes 1;
events {{ }}
http {{
	client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
	log_format main '$http_x_forwarded_for - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
	server {{
		listen unix:{dir}/web.sock;
		location / {{ return 200 "lamp"; access_log syslog:server=unix:{dir}/syslog.sock,nohostname main; }}
		location /udp {{ return 200 "lamp"; access_log syslog:server=127.0.0.1:{port},tag=shop main; }}
	}}
}}
"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def now_line(n):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    return f'10.1.{n >> 8}.{n & 255} - - [{stamp}] "GET /lamp HTTP/1.1" 200 5 "-" "{AGENT}"'


class Sender:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.connect(path)

    def __call__(self, text):
        self.socket.send(text if isinstance(text, bytes) else text.encode())

    def line(self, n):
        self(f"<190>{time.strftime('%b %d %H:%M:%S')} nginx: {now_line(n)}")


def listening(host):
    must(rig.until(lambda: "syslog: listening" in host.read("rpvd.log"), PATIENCE) is not None, "it does not listen: " + host.read("rpvd.log"))


@case
def syslog_from_nginx():
    """A real nginx sends lines by unix socket and by UDP, goes on after rpvd was away, and each line is counted once."""
    if not rig.program("nginx"):
        return
    port = free_port()
    with Host("nginx", PROXIED.replace("PORT", str(port))) as host:
        host.write("nginx.conf", NGINX.format(dir=host.dir, port=port))
        os.chmod(host.dir, 0o755)
        rpvd = host.live()
        listening(host)
        host.start([rig.program("nginx"), "-p", host.dir, "-c", host.path("nginx.conf")], "nginx.out")
        must(rig.until(lambda: rig.hook_up(host.path("web.sock")), PATIENCE) is not None, "nginx: " + host.read("nginx.log") + host.read("nginx.out"))

        def ask(target, n):
            headers = [("User-Agent", AGENT), ("X-Forwarded-For", f"10.2.0.{n}")]
            equal(rig.send(host.path("web.sock"), "GET", target, headers), 200, target)
        for n in range(20):
            ask("/lamp", n)
            ask("/udp", 100 + n)
            if n % 5 == 4:              # the kernel may keep no more than ten for a unix socket, and nginx does not wait
                host.until_visits("nginx", 2 * n + 2)
        host.until_status("lines", syslog_lines=40, lines=40, malformed=0, visits=40, syslog_malformed=0, log_1="ok", log_2="ok")
        rpvd.send_signal(signal.SIGTERM)
        equal(rpvd.wait(PATIENCE), 0, "the end")
        ask("/lamp", 30)                # lost: nobody listens
        rpvd = host.live()
        must(rig.until(lambda: os.path.exists(host.path("syslog.sock")), PATIENCE) is not None, "the socket")
        for n in range(40, 45):
            ask("/lamp", n)
        host.until_visits("after a restart", 45)
        must("send() failed" in host.read("nginx.log"), "nginx does not say what was lost: " + host.read("nginx.log"))


@case
def syslog_headers():
    """Both headers, with all that may stand in them; what has none, or is too long, is counted and said."""
    with Host("headers", UNIX) as host:
        host.live()
        listening(host)
        send = Sender(host.path("syslog.sock"))
        good = ["<190>Mar  2 10:00:00 nginx: ", "<190>Mar 12 10:00:00 www nginx[12]: ", "<0>2026-03-02T10:00:00.123+01:00 www nginx: ",
                "<190>1 2026-03-02T10:00:00Z www nginx 7 - - ", '<190>1 - - - - - [a@1 b="c \\"]\\" d"][e] \ufeff', "<190>1 - - - - - - "]
        bad = ["", "<190>", "<192>Mar  2 10:00:00 nginx: ", "<190 Mar  2 10:00:00 nginx: ", "<190>nginx: ", "<190>1 - - - - - x", "<190>Mar  2 10:00:00 www "]
        for n, header in enumerate(good):
            send(header + now_line(n) + "\n" * (n % 2))
        for n, header in enumerate(bad):
            send(header + now_line(100 + n))
        send("<190>1 - - - - - - " + "x" * 70000)
        send("<190>1 - - - - - - " + now_line(50).replace("/lamp", "/" + "y" * 33000))
        host.until_status("headers", syslog_lines=len(good) + 1, syslog_malformed=len(bad), syslog_truncated=1, visits=len(good) + 1, malformed=0)
        says(rig.run([rig.RPVCTL, "-u", "unix:" + host.path("redis.sock"), "status"])[1],
             f"{len(bad)} messages had no syslog header", "1 messages by syslog were longer than 64 KiB")


@case
def syslog_survives():
    """Redis away, a reload, a stop: no line that reached the socket is lost, none counts twice.  After kill -9 none counts twice."""
    with Host("survives", UNIX) as host:
        rpvd = host.live()
        listening(host)
        send = Sender(host.path("syslog.sock"))
        for n in range(100):
            send.line(n)
        host.until_visits("at first", 100)
        redis = host.children[0]
        redis.send_signal(signal.SIGSTOP)
        for n in range(100, 200):
            send.line(n)
        time.sleep(0.3)
        redis.send_signal(signal.SIGCONT)
        host.until_visits("Redis stood still", 200)
        host.db("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        for n in range(200, 300):
            send.line(n)
        host.until_visits("connections cut", 300)
        rpvd.send_signal(signal.SIGHUP)
        for n in range(300, 400):
            send.line(n)
        must(rig.until(lambda: "configuration reloaded" in host.read("rpvd.log"), PATIENCE) is not None, "no reload")
        host.until_visits("a reload", 400)
        for n in range(400, 500):
            send.line(n)
        rpvd.send_signal(signal.SIGTERM)
        equal(rpvd.wait(PATIENCE), 0, "the end")
        equal(host.db.hash("rpv:shop:24h:total")["visits"], "500", "a stop")
        must(not os.path.exists(host.path("syslog.sock")), "its socket stays")
        rpvd = host.live()
        must(rig.until(lambda: os.path.exists(host.path("syslog.sock")), PATIENCE) is not None, "the socket")
        send = Sender(host.path("syslog.sock"))
        for n in range(500, 600):
            send.line(n)
        host.until_visits("a restart", 600)
        rpvd.kill()
        rpvd.wait()
        host.db("DEL", "rpv:shop:status")
        host.live()
        must(rig.until(lambda: host.read("rpvd.log").count("listening") == 3, PATIENCE) is not None, "a socket file that the dead one left")
        host.until_visits("a kill", 600)
        Sender(host.path("syslog.sock")).line(600)
        host.until_visits("a kill", 601)
        must("10.1." not in host.read("rpvd.log"), "an address in the log")


@case
def syslog_of_the_service_manager():
    """A socket that somebody else holds open keeps what comes while rpvd is away."""
    with Host("inherited", UNIX) as host:
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        held.bind(host.path("syslog.sock"))
        held.set_inheritable(True)
        send = Sender(host.path("syslog.sock"))
        for n in range(3):
            send.line(n)
        for run in range(2):
            script = 'exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
            with open(host.path("rpvd.log"), "ab") as out:
                child = subprocess.Popen(["sh", "-c", script, "sh", rig.RPVD, "-c", host.path("rpvd.conf")], stdin=held, stderr=out)
            host.children.append(child)
            host.until_visits("while it was away", 3 + 10 * run)
            for n in range(5):
                send.line(100 * run + 10 + n)
            host.until_visits("while it runs", 8 + 10 * run)
            child.send_signal(signal.SIGTERM)
            equal(child.wait(PATIENCE), 0, "the end")
            must(os.path.exists(host.path("syslog.sock")), "it removed a socket that is not its own")
            for n in range(5):
                send.line(100 * run + 50 + n)
        held.close()


@case
def syslog_that_is_too_much():
    """More than memory and kernel hold, by UDP, with Redis away: what the kernel dropped is counted, the rest is in the figures."""
    port = free_port()
    with Host("flood", f"syslog '127.0.0.1:{port}' {{}}") as host:
        with open(host.path("rpvd.conf"), "a", encoding="ascii") as f:
            f.write("memory_limit = 32M\n")
        host.live()
        listening(host)
        host.until_status("at first", state="live")
        redis = host.children[0]
        redis.send_signal(signal.SIGSTOP)
        sent = 9000
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", port))
            for n in range(sent):
                s.send(f"<190>1 - - - - - - {now_line(n % 200)} {'z' * 2000}".encode())
        time.sleep(0.2)
        redis.send_signal(signal.SIGCONT)

        def all_told():
            status = host.status()
            return int(status.get("lines", "0")) + int(status.get("syslog_dropped", "0")) == sent
        must(rig.until(all_told, PATIENCE) is not None, f"of {sent}: {host.status()}")
        must(int(host.status()["syslog_dropped"]) > 0, "nothing was too much")
        says(rig.run([rig.RPVCTL, "-u", "unix:" + host.path("redis.sock"), "status"])[1], "were dropped by the kernel")


@case
def syslog_cannot_be_read_again():
    """Who asks for a rebuild is told so and loses nothing; an emptied Redis has what comes from then on, and says so."""
    with Host("again", UNIX + "\nlog 'DIR/a.log' {}") as host:
        host.write("a.log", "")
        rpvd = host.live()
        listening(host)
        send = Sender(host.path("syslog.sock"))
        for n in range(5):
            send.line(n)
        host.until_visits("at first", 5)
        code, _, said = rig.run([rig.RPVD, "-c", host.path("rpvd.conf"), "--rebuild-later"])
        equal(code, 2, "a rebuild that is asked for")
        says(said, "lines that came by syslog cannot be read again")
        rpvd.send_signal(signal.SIGTERM)
        equal(rpvd.wait(PATIENCE), 0, "the end")
        code, _, said = rig.run([rig.RPVD, "-c", host.path("rpvd.conf"), "--rebuild"])
        equal(code, 1, "a rebuild")
        says(said, "lines that came by syslog cannot be read again")
        says(host.replay(), "a replay has no lines that came by syslog")
        host.db("FLUSHALL")
        host.live()
        must(rig.until(lambda: host.read("rpvd.log").count("listening") == 2, PATIENCE) is not None, host.read("rpvd.log"))
        Sender(host.path("syslog.sock")).line(7)
        host.until_visits("after a flush", 1)
        must(rig.until(lambda: "syslog cannot be read again" in host.status().get("rebuild", ""), PATIENCE) is not None, f"{host.status()}")


@case
def syslog_is_configured():
    """Mistakes of an address, and a socket of somebody else."""
    for inputs, what in ((UNIX + "\n" + UNIX, "is here already"), ("syslog '0.0.0.0:514' {}", "expected unix:/path/of/socket, 127.0.0.1:PORT"),
                         ("syslog 'unix:DIR/s' { format = \"common\" }", "syslog \"unix:")):
        with Host("mistake", inputs) as host:
            code, _, said = rig.run([rig.RPVD, "-c", host.path("rpvd.conf"), "-t"])
            equal(code, 2, inputs)
            says(said, what)
    with Host("taken", UNIX) as host:
        other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        other.bind(host.path("syslog.sock"))
        code, _, said = rig.run([rig.RPVD, "-c", host.path("rpvd.conf")])
        equal(code, 1, "another listener")
        says(said, "syslog: unix:", "another process listens there")
        other.close()
        rpvd = host.live()
        listening(host)
        rpvd.send_signal(signal.SIGTERM)
        rpvd.wait(PATIENCE)
        with open("/proc/sys/net/unix/max_dgram_qlen", encoding="ascii") as f:
            few = int(f.read()) < 512
        equal("net.unix.max_dgram_qlen" in host.read("rpvd.log"), few, "a short queue is told")
        if os.geteuid() != 0:
            os.mkdir(host.path("shut"), 0o500)
            host.configure("syslog 'unix:DIR/shut/s' {}")
            code, _, said = rig.run([rig.RPVD, "-c", host.path("rpvd.conf")])
            equal(code, 1, "a directory of somebody else's")
            says(said, "cannot create the socket: Permission denied: enable rpvd-syslog.socket")
        equal("syslog_queue" in rig.run([rig.RPVD, "doctor", "-c", host.path("rpvd.conf")])[1], few, "by the doctor, too")


# ---- files ---------------------------------------------------------------------------------

def make_bad(host):
    """(name, what is said in a replay, what live; None: it is read as a log) of files that are none, or are damaged."""
    text = lines(0, 2000)
    packed = gzip.compress(text)
    noise = random.Random(1).randbytes(100000)
    for name, data in (("cut.gz", packed[:len(packed) // 2]), ("head.gz", packed[:5]), ("corrupt.gz", packed[:-8] + bytes(8)),
                       ("noise.log", noise), ("common.log", b'1.2.3.4 - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n' * 30),
                       ("xz.log", b"\xfd7zXZ\0" + noise)):
        host.write(name, data)
    os.mkfifo(host.path("fifo.log"))
    os.mkdir(host.path("dir.log"))
    packed_live = "is packed with gzip: the live log must be plain"
    return [("cut.gz", "is cut after", packed_live), ("head.gz", "is cut after 5 bytes", packed_live),
            ("corrupt.gz", "is corrupt near byte", packed_live), ("noise.log", "no text: is this a log at all?", "no text: is this a log at all?"),
            ("common.log", "They look like the preset common", "They look like the preset common"),
            ("fifo.log", "is a FIFO; rpvd reads regular files only", "is a FIFO; rpvd reads regular files only"),
            ("dir.log", "is a directory; rpvd reads regular files only", "is a directory; rpvd reads regular files only")]


def logs_of(names):
    return "\n".join(f"log 'DIR/{name}' {{ format = \"combined\" }}" for name in names)


@case
def bad_files_in_a_replay():
    """Each is named in a sentence, and the good log is read all the same; one that can be had is waited for by not beginning."""
    with Host("bad", "") as host:
        bad = make_bad(host)
        host.write("good.log", lines(5000, 6000))
        host.configure(logs_of(["good.log"] + [name for name, _, _ in bad]))
        said = host.replay(want=1)
        status = host.status()
        for n, (name, what, _) in enumerate(bad):
            must(any(name in sentence and what in sentence for sentence in said.split("\n")), f"{name}: {said}")
            must(name in status[f"log_{n + 2}"] and what in status[f"log_{n + 2}"], f"{name}: {status[f'log_{n + 2}']}")
        must(host.total() >= 1000, f"{host.total()} visits of the good log")
        equal(status["log_1"], "ok", "the good log")
        for name, what in (("none.log", "no such file: correct its path"), ("xz.log", "is packed with xz: unpack it first")):
            host.configure(logs_of(["good.log", name]))
            says(host.replay(want=1), name, what)


@case
def bad_files_live():
    """The same of a daemon, which goes on with the good log; also of a file that it may not read."""
    with Host("bad-live", "") as host:
        bad = make_bad(host) + [("none.log", "", "no such file (yet); rpvd waits for it")]
        host.write("good.log", lines(5000, 6000))
        user = None
        program = rig.RPVD
        if os.geteuid() == 0:           # whom no mode keeps out
            bad.append(("secret.log", "", "keeps its group (root) out too: chmod g+r it"))
            host.write("secret.log", lines(0, 10), 0o600)
            # By another process: one of ours that is forked meanwhile would have the file open for writing.
            subprocess.run(["cp", rig.RPVD, host.path("rpvd")], check=True)
            user, program = "nobody", host.path("rpvd")
            os.chmod(host.dir, 0o755)
            shutil.chown(host.path("state"), user)
            os.chmod(host.path("redis.sock"), 0o777)
        host.configure(logs_of(["good.log"] + [name for name, _, _ in bad]))
        os.chmod(host.path("rpvd.conf"), 0o644)
        host.start([program, "-c", host.path("rpvd.conf")], "rpvd.log", user)

        def all_told():
            status = host.status()
            return all(name in status.get(f"log_{n + 2}", "") and what in status[f"log_{n + 2}"] for n, (name, _, what) in enumerate(bad))
        must(rig.until(all_told, PATIENCE) is not None, f"not told: {[v for k, v in host.status().items() if k.startswith('log_')]} {host.read('rpvd.log')}")
        equal(host.status()["log_1"], "ok", "the good log")
        host.append("good.log", lines(6000, 6100))
        must(rig.until(lambda: int(host.status()["visits"]) == 1100, PATIENCE) is not None, f"{host.status()['visits']} visits of the good log")
        for name, _, what in bad:
            must(any(name in line and what in line for line in host.read("rpvd.log").split("\n")), f"{name} is not in the log: {host.read('rpvd.log')}")


@case
def long_lines():
    """A line of 33,000 bytes counts with what stands at its end; one of more than 64 KiB does not, and is counted as such."""
    def long_line(n, length):
        return line(n, "/lamp?" + "x" * length + "&utm_source=end").encode()
    text = lines(0, 10) + long_line(10, 33000) + lines(11, 20) + long_line(20, 70000) + lines(21, 22)
    for how in ("file", "gzip", "pipe", "live"):
        with Host("long", STDIN if how == "pipe" else "log 'DIR/a.log' {}") as host:
            host.write("a.log", gzip.compress(text) if how == "gzip" else text)
            if how == "live":
                host.live_then()
                host.until_visits(how, 21)
                host.until_status(how, lines=21)
            else:
                host.replay(text if how == "pipe" else b"")
            equal(host.total(), 21, how)
            equal(host.db.hash("rpv:shop:24h:source:end/(none)").get("visits"), "1", how)
            equal(host.status()["overlong"], "1", how)
            equal(host.status()["malformed"], "0", how)


@case
def packed_while_away():
    """The log is rotated and packed while rpvd is away: known by its content, whatever its name, and read on where it was."""
    for name in ("a.log.1.gz", "a.log-20260302"):
        with Host("packed", "log 'DIR/a.log' {}") as host:
            host.write("a.log", lines(0, 1000))
            rpvd = host.live_then()
            host.until_visits(name, 1000)
            rpvd.send_signal(signal.SIGTERM)
            equal(rpvd.wait(PATIENCE), 0, "the end")
            host.append("a.log", lines(1000, 2000))
            host.write(name, gzip.compress(open(host.path("a.log"), "rb").read()))
            os.unlink(host.path("a.log"))
            host.write("a.log", lines(2000, 2500))
            host.live_then()
            host.until_visits(name, 2500)
            host.until_status(name, lines=2500, late=0)


# ---- what is shown on the way ---------------------------------------------------------------

@case
def replay_is_watched():
    """At a terminal a replay shows bytes, pace, time left and the event time reached, in one line; elsewhere nothing."""
    with Host("watched", STDIN + "\nlog 'DIR/b.log' {}") as host:
        n = 80000                       # more than is read ahead
        host.write("b.log", lines(0, n))
        late = "".join(line(k, addr=f"11.0.{k % 256}.{k // 1024}") for k in range(0, n, 100)).encode()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        child = subprocess.Popen([rig.RPVD, "-c", host.path("rpvd.conf"), "--replay"], stdin=subprocess.PIPE, stderr=slave)
        os.close(slave)
        child.stdin.write(late[:len(late) // 2])
        child.stdin.flush()
        time.sleep(1.6)
        child.stdin.write(late[len(late) // 2:])
        child.stdin.close()
        said = b""
        try:
            while part := os.read(master, 65536):
                said += part
        except OSError:                 # a terminal that nobody has open any more
            pass
        os.close(master)
        equal(child.wait(PATIENCE), 0, "the replay")
        text = said.decode()
        shown = re.findall(r"\r\033\[K([0-9]+% of [0-9.]+ [kM]B, [0-9,]+ lines/s[^\r]*)", text)
        must(len(shown) >= 4, f"shown: {text!r}")
        pattern = r"[1-9][0-9]% of 1[0-9] MB, [1-9][0-9,]* lines/s, [0-9]+ s left, at 2026-03-02 1[0-5]:[0-9]{2} UTC"
        must(any(re.fullmatch(pattern, s) for s in shown), f"shown: {shown}")
        must(re.search(rf"\r\033\[Krpvd: {n + n // 100:,} lines \([0-9]+ MB\) in [0-9.]+ s, [0-9,]+ lines/s, up to 2026-03-02 15:33 UTC\r\n$", text),
             f"at its end: {text!r}")
        must(max(len(s) for s in shown) < 100, "wider than the terminal")
        equal(host.total(), n + n // 100, "visits")
        equal(host.replay(late), "", "where there is no terminal")


@case
def catch_up_is_watched():
    """A daemon that is behind tells the same in its status, and no more of it when it is not."""
    with Host("behind", "log 'DIR/a.log' {}") as host:
        host.write("a.log", lines(0, 400000))
        host.append("rpvd.conf", "memory_limit = 32M\n")
        host.live()
        must(rig.until(lambda: host.db("EXISTS", "rpvd:{shop.0}:meta"), PATIENCE, 0.001) is not None, "no commit")
        redis = host.children[0]

        def is_told():
            redis.send_signal(signal.SIGSTOP)       # or it would be done before its first word
            time.sleep(1.2)
            redis.send_signal(signal.SIGCONT)
            time.sleep(0.1)
            return int(host.status().get("catch_up_lines_per_second", "0")) > 0 and "catch_up_seconds" in host.status()
        must(rig.until(is_told, PATIENCE) is not None, f"not told: {host.status()}")
        must(0 < int(host.status()["behind_bytes"]) < int(host.status()["catch_up_bytes"]), str(host.status()))
        text = rig.run([rig.RPVCTL, "-u", "unix:" + host.path("redis.sock"), "status"])[1]
        must(re.search(r"^Catching up: [0-9]+% of [0-9.]+ MB of logs read, [0-9]+ lines/s, about [0-9]+ s left, at 2026-03-0", text, re.M), text)
        must(rig.until(lambda: host.status().get("state") == "live", PATIENCE * 3) is not None, "it does not catch up")
        must("catch_up_bytes" not in host.status(), f"still told: {host.status()}")


def main():
    wanted = sys.argv[1:]
    chosen = [c for c in CASES if not wanted or c.__name__ in wanted]
    findings = rig.Findings()

    def tell(c):
        try:
            c()
        except Exception as wrong:      # pylint: disable=broad-except
            return f"{c.__name__}: {type(wrong).__name__}: {wrong}"
        return None
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for c, wrong in zip(chosen, pool.map(tell, chosen)):
            findings.check(wrong is None, wrong)
    findings.end()


if __name__ == "__main__":
    main()
