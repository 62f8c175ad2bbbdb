"""rig: what the end-to-end tests share.

Starts real programs in a directory of their own (Redis, nginx, rpvd), speaks HTTP to
unix sockets, signs webhooks as the providers do, reads Redis.  The standard library
only.  The programs under test are $RPVD and $RPVCTL, by default those that were built
in $abs_builddir.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("abs_builddir", ".")
TREE = os.environ.get("abs_srcdir", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
RPVD = os.environ.get("RPVD", BUILD + "/src/rpvd")
RPVCTL = os.environ.get("RPVCTL", BUILD + "/src/rpvctl")

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def program(name):
    return shutil.which(name, path=PATH)


def need(*names):
    """Ends the test as skipped where a program is missing."""
    for name in names:
        if not program(name):
            print(f"{name} is not here")
            sys.exit(77)
    if not os.access(RPVD, os.X_OK):
        print(f"{RPVD} is not built")
        sys.exit(77)


class Findings:
    """What did not hold; a test goes on after one, so that a run tells all."""

    def __init__(self):
        self.n = 0
        self.checks = 0

    def fail(self, text):
        self.n += 1
        print(text, flush=True)

    def check(self, ok, text):
        self.checks += 1
        if not ok:
            self.fail(text)
        return ok

    def equal(self, got, want, what):
        return self.check(got == want, f"{what}: {got!r}, expected {want!r}")

    def end(self):
        print(f"{self.checks} checks, {self.n} findings")
        sys.exit(1 if self.n else 0)


def until(probe, seconds, step=0.02):
    """The seconds until probe() was true, or None."""
    start = time.monotonic()
    while True:
        if probe():
            return time.monotonic() - start
        if time.monotonic() - start > seconds:
            return None
        time.sleep(step)


class Rig:
    """A directory with the programs of one test.  with Rig("name") as rig: ..."""

    def __init__(self, name):
        self.dir = tempfile.mkdtemp(prefix=f"rpvd-{name}-", dir=os.environ.get("TMPDIR", "/tmp"))
        self.children = []
        self.keep = bool(os.environ.get("RPVD_KEEP"))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in reversed(self.children):
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self.keep:
            print(f"kept: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text, mode=None):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)
        if mode is not None:
            os.chmod(path, mode)
        return path

    def append(self, name, text):
        with open(self.path(name), "ab") as f:
            f.write(text.encode() if isinstance(text, str) else text)

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def start(self, argv, log, user=None):
        """user: whom it runs as, where this is root."""
        with open(self.path(log), "ab") as out:
            child = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.dir, user=user)
        self.children.append(child)
        return child

    def redis(self, name="redis", *options):
        sock = self.path(name + ".sock")
        self.start([program("redis-server"), "--port", "0", "--unixsocket", sock, "--save", "", "--appendonly", "no",
                    "--dir", self.dir, *options], name + ".log")
        redis = Redis(sock)
        if until(redis.is_up, 10) is None:
            raise RuntimeError("redis-server did not start: " + self.read(name + ".log"))
        return redis

    def rpvd(self, conf, *options, log="rpvd.log"):
        return self.start([RPVD, "-c", conf, *options], log)


def hook_up(sock):
    """True where somebody listens."""
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(sock)
        return True
    except OSError:
        return False
    finally:
        s.close()


def run(argv, timeout=30, env=None):
    """(exit code, standard output, standard error); a run that does not end is code None."""
    try:
        done = subprocess.run(argv, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              env={**os.environ, **(env or {})})
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace"), (late.stderr or b"").decode(errors="replace")
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


# ---- Redis -----------------------------------------------------------------------

class RedisError(Exception):
    pass


class Redis:
    """Just enough of a client: one connection, RESP2."""

    def __init__(self, sock, password=None):
        self.sock = sock
        self.password = password
        self.conn = None

    def is_up(self):
        try:
            return self("PING") == "PONG"
        except (OSError, RedisError):
            return False

    def __call__(self, *argv):
        if self.conn is None:
            conn = socket.socket(socket.AF_UNIX)
            try:
                conn.connect(self.sock)
            except OSError:
                conn.close()
                raise
            self.conn = conn.makefile("rwb")
            conn.close()
            if self.password:
                self("AUTH", self.password)
        parts = [a if isinstance(a, bytes) else str(a).encode() for a in argv]
        try:
            self.conn.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            self.conn.flush()
            return self.reply()
        except OSError:
            self.conn = None
            raise

    def reply(self):
        line = self.conn.readline()
        if not line:
            self.conn = None
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.conn.read(int(rest) + 2)[:-2].decode(errors="replace")
        return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]

    def hash(self, key):
        flat = self("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))


# ---- HTTP ------------------------------------------------------------------------

class UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path, timeout=15):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def send(sock, method, path, headers=(), body=b""):
    """The status; headers are pairs, sent as they are."""
    conn = UnixHTTP(sock)
    try:
        conn.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            conn.putheader(name, value)
        if (body or method == "POST") and not any(n.lower() == "content-length" for n, _ in headers):
            conn.putheader("Content-Length", str(len(body)))
        conn.endheaders()
        if body:
            conn.send(body)
        return conn.getresponse().status
    finally:
        conn.close()


# ---- signatures ------------------------------------------------------------------

def mac(secret, text):
    return hmac.new(secret, text, hashlib.sha256)


def sign_timed(header, form, joint):
    def sign(secret, body, now):
        return [(header, form % (now, mac(secret.encode(), b"%d%s%s" % (now, joint, body)).hexdigest()))]
    return sign


def sign_body(header, secret, body):
    return [(header, base64.b64encode(mac(secret.encode(), body).digest()).decode())]


def sign_hex(header, algorithm=hashlib.sha256):
    def sign(secret, body, now=None):
        return [(header, hmac.new(secret.encode(), body, algorithm).hexdigest())]
    return sign


def sign_woocommerce(secret, body, now=None):
    return sign_body("X-WC-Webhook-Signature", secret, body)


def sign_shopify(secret, body, now=None):
    return sign_body("X-Shopify-Hmac-Sha256", secret, body)


NOTIFICATION_URL = "https://shop.example/hooks/square?from=square"


def sign_square(secret, body, now=None):
    return sign_body("x-square-hmacsha256-signature", secret, NOTIFICATION_URL.encode() + body)


def sign_standard(key_of):
    def sign(secret, body, now, event="evt"):
        text = b"%s.%d.%s" % (event.encode(), now, body)
        return [("webhook-id", event), ("webhook-timestamp", str(now)),
                ("webhook-signature", "v1," + base64.b64encode(mac(key_of(secret), text).digest()).decode())]
    return sign


def decoded(secret):
    return base64.b64decode(secret.removeprefix("whsec_"))


sign_stripe = sign_timed("Stripe-Signature", "t=%d,v1=%s", b".")
sign_generic = sign_standard(decoded)
sign_literal = sign_standard(str.encode)

SECRETS = {
    "stripe": "whsec_tests5ecretOfStripe",
    "woocommerce": "tests secret of WooCommerce",
    "shopify": "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",
    "generic": "whsec_" + base64.b64encode(bytes(range(32))).decode(),
}
MORE_SECRETS = {                # of providers that need more than a secret, or that one story alone has
    "bigcommerce": "b1gc0mmerce", "creem": "whsec_creem", "dodo": "whsec_" + base64.b64encode(bytes(range(1, 33))).decode(),
    "lemonsqueezy": "lemon lemon", "paddle": "pdl_ntfset_01_tests", "paystack": "sk_live_00112233", "polar": "whsec_polar",
    "razorpay": "razor", "square": "square key",
}
SIGNERS = {
    "stripe": sign_stripe, "woocommerce": sign_woocommerce, "shopify": sign_shopify, "generic": sign_generic,
    "bigcommerce": sign_literal, "creem": sign_hex("creem-signature"), "dodo": sign_generic, "lemonsqueezy": sign_hex("X-Signature"),
    "paddle": sign_timed("Paddle-Signature", "ts=%d;h1=%s", b":"), "paystack": sign_hex("x-paystack-signature", hashlib.sha512),
    "polar": sign_literal, "razorpay": sign_hex("X-Razorpay-Signature"), "square": sign_square,
}


def as_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


def rfc3339(seconds, suffix="Z"):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + suffix
