#!/usr/bin/env python3
"""tls: rpvd and rpvctl by TLS: all figures come through; a certificate that will not do is named, and
one that was renewed needs no restart."""

import shutil
import subprocess
import sys

from shop import TOTAL, Findings, Shop, free_port, rig, total, until, PATIENCE

CERTIFICATES = r"""
new() { openssl req "$@" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes; }
sign() {
	new -keyout $1.key -subj /CN=$1 -out $1.csr && echo "subjectAltName=$2" >$1.ext &&
	openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem
}
new -x509 -keyout ca.key -out ca.pem -subj /CN=ca -days 2 && new -x509 -keyout else.key -out else.pem -subj /CN=else -days 2 &&
sign good DNS:localhost && sign other DNS:elsewhere.example
"""


class Secured(Shop):
    def __init__(self):
        super().__init__("tls")
        self.port = free_port()
        made = subprocess.run(["bash", "-c", CERTIFICATES], cwd=self.dir, capture_output=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(made.stderr.decode())

    def server(self, certificate):
        for end in ("pem", "key"):
            shutil.copyfile(self.path(f"{certificate}.{end}"), self.path(f"server.{end}"))
        return self.redis("redis", "--tls-port", str(self.port), "--tls-cert-file", self.path("server.pem"), "--tls-key-file",
                          self.path("server.key"), "--tls-ca-cert-file", self.path("ca.pem"), "--tls-auth-clients", "no")

    def use(self, ca):
        return self.configure(f"url = 'rediss://:s3cret@localhost:{self.port}/1'\nca = '{self.path(ca)}'")


def checked(f, shop):
    """What rpvd -t finds without a server."""
    code, _, said = rig.run([rig.RPVD, "-c", shop.use("ca.pem"), "-t"])
    f.equal(code, 0, "rpvd -t: " + said)
    for ca, want in (("none.pem", "No such file"), ("ca.key", "holds no certificate")):
        code, _, said = rig.run([rig.RPVD, "-c", shop.use(ca), "-t"])
        f.equal(code, 2, f"rpvd -t, ca {ca}")
        f.check(want in said and ca in said, f"rpvd -t, ca {ca}: {said}")
    conf = shop.configure(f"url = 'redis://localhost'\nca = '{shop.path('ca.pem')}'")
    code, _, said = rig.run([rig.RPVD, "-c", conf, "-t"])
    f.check(code == 2 and "rediss://" in said, f"rpvd -t, ca without TLS: {code} {said}")


def figures(f, shop):
    """By TLS in, by TLS out."""
    code, said = shop.replay(shop.use("ca.pem"))
    f.equal(code, 0, "replay: " + said)
    code, out, said = shop.ctl("--json", "get", "30d:total")
    f.check(code == 0 and '"60.00"' in out, f"rpvctl: {code} {out} {said}")
    code, out, said = shop.ctl("top", "page", "--window", "30d")
    f.check(code == 0 and "/cart" in out, f"rpvctl top: {code} {out} {said}")
    shop.use("else.pem")
    code, said = shop.replay()
    f.check(code == 1 and "not signed by an authority in" in said, f"replay, another CA: {code} {said}")
    code, _, said = shop.ctl("total")
    f.check(code == 3 and "not signed by an authority in" in said, f"rpvctl, another CA: {code} {said}")


def renewed(f, shop, redis):
    """The certificate is another's; then it is put right."""
    redis("SELECT", "1")
    redis("FLUSHALL")
    shop.use("ca.pem")
    for end in ("pem", "key"):
        shutil.copyfile(shop.path("other." + end), shop.path("server." + end))
    redis("CONFIG", "SET", "tls-cert-file", shop.path("server.pem"), "tls-key-file", shop.path("server.key"))
    daemon = shop.live()
    f.check(shop.says("is for another name"), "wrong name: " + shop.read("rpvd.log"))
    code, _, said = shop.ctl("total")
    f.check(code == 3 and "is for another name" in said, f"rpvctl, wrong name: {code} {said}")
    f.check("s3cret" not in shop.read("rpvd.log") + said, "the password was told")
    for end in ("pem", "key"):
        shutil.copyfile(shop.path("good." + end), shop.path("server." + end))
    redis("CONFIG", "SET", "tls-cert-file", shop.path("server.pem"), "tls-key-file", shop.path("server.key"))
    f.check(until(lambda: total(redis) == TOTAL, PATIENCE) is not None, f"renewed: {total(redis)}" + shop.read("rpvd.log"))
    f.equal(shop.end(daemon), 0, "rpvd's end")


def main():
    rig.need("redis-server", "openssl")
    f = Findings()
    with Secured() as shop:
        checked(f, shop)
        try:
            redis = shop.server("good")
        except RuntimeError as why:
            print(f"this redis-server has no TLS: {why}")
            sys.exit(77)
        redis("CONFIG", "SET", "requirepass", "s3cret")
        figures(f, shop)
        renewed(f, shop, redis)
    f.end()


if __name__ == "__main__":
    main()
