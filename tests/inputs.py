#!/usr/bin/env python3
"""inputs: where lines come from, and what rpvd says where they cannot be read.

    inputs.py [CASE...]

Each case is a function below, and says what it proves.
"""

import concurrent.futures
import gzip
import os
import signal
import subprocess
import sys
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


def main():
    wanted = sys.argv[1:]
    chosen = [c for c in CASES if not wanted or c.__name__ in wanted]
    findings = rig.Findings()

    def tell(c):
        try:
            c()
        except Wrong as wrong:
            return f"{c.__name__}: {wrong}"
        return None
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for c, wrong in zip(chosen, pool.map(tell, chosen)):
            findings.check(wrong is None, wrong)
    findings.end()


if __name__ == "__main__":
    main()
