#!/usr/bin/env python3
"""Log lines of real servers through rpvctl explain line: each field of each line.

formats.py RPVCTL DATA DOCS EXPECTED

DATA: a directory with a folder a server: LOG.log, LOG.format (its format string), and answers.tsv, the
requests that were logged, row by row.  DOCS: docs/formats.md, whose table says where a line may differ from
its request; each row must be needed.  EXPECTED: what lines of other people's logs say (samples/, pairs/).
"""

import ipaddress
import json
import os
import re
import subprocess
import sys
import urllib.parse

FIELDS = {"addr": "remote_addr", "host": "host", "method": "method", "target": "target", "protocol": "protocol",
          "status": "status", "referrer": "referer", "user_agent": "user_agent", "forwarded": "x_forwarded_for",
          "cookie_sid": "cookie_sid"}
SERVERS = ("nginx", "apache", "caddy", "haproxy", "lighttpd")


def cell(text):
    """A value of answers.tsv as bytes: %XX undone, - is nothing."""
    if text == "-":
        return b""
    return re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), text.encode("utf-8", "surrogateescape"))


def answers_read(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as f:
        head, *rows = [line.rstrip("\n").split("\t") for line in f]
    return [dict(zip(head, map(cell, row))) for row in rows]


def companion(path):
    with open(path) as f:
        return dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line)


def format_of(server, said):
    """What an owner of such a log would write."""
    if server == "haproxy":
        return "haproxy:" + said["captured"].split(" ")[0]
    if server == "caddy":
        return "caddy"
    spec = said.get("log_format") or said.get("LogFormat") or said.get("accesslog.format")
    escape = said.get("escape")
    return "escape=%s %s" % (escape, spec) if escape in ("json", "none") else spec


def explain(rpvctl, spec, log):
    with open(log, "rb") as f:
        p = subprocess.run([rpvctl, "explain", "line", "--format", spec], stdin=f, capture_output=True)
    if p.returncode != 0:
        return p.stderr.decode().strip()
    return [json.loads(line) for line in p.stdout.splitlines()]


def field_of(said, field):
    if field == "cookie_sid" and field not in said:
        found = re.search(r"(?:^|; )sid=([^;]*)", said.get("cookie", ""))
        return found[1].encode() if found else b""
    return str(said[field]).encode("utf-8", "surrogateescape")


class Table:
    """The differences that docs/formats.md allows."""

    def __init__(self, path):
        self.rows = []
        with open(path) as f:
            for line in f:
                cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
                if len(cells) == 7 and cells[0] in SERVERS:
                    self.rows.append([c.split() for c in cells[:5]] + [cells[5], False])

    def find(self, server, log, way, row, field):
        for r in self.rows:
            if server in r[0] and (log in r[1] or r[1] == ["all"]) and (way in r[2] or r[2] == ["both"]) and \
                    field in r[4] and (r[3] == ["all"] or str(row) in r[3]):
                yield r

    def allows(self, where, field, got, answer):
        for r in self.find(*where, field):
            want = answer[FIELDS[field]] if field in FIELDS else b""
            host, path = absolute(answer["target"])
            ok = {"empty": got == b"", "begin": 0 < len(got) < len(want) and want.startswith(got), "rejected": field == "line",
                  "decoded": got == urllib.parse.unquote_to_bytes(want), "path": got == path, "target": got == host,
                  "address": same_address(got, want)}.get(r[5])
            if ok is None:
                ok = got == (answer[r[5][1:]] if r[5].startswith("=") else r[5].encode())
            if ok:
                r[6] = True
                return True
        return False


def absolute(target):
    found = re.match(rb"http://([^/]*)(.*)", target)
    return (found[1], found[2]) if found else (None, None)


def same_address(a, b):
    try:
        return ipaddress.ip_address(a.decode()) == ipaddress.ip_address(b.decode())
    except ValueError:
        return False


def compare(where, said, answer, table):
    """The differences of one line that no row explains."""
    if "rejected" in said:
        return [] if table.allows(where, "line", b"", answer) else ["%s %s %s row %d: rejected, %s" % (*where, said["rejected"])]
    wrong = []
    for field, column in FIELDS.items():
        got = field_of(said, field)
        if got != answer[column] and not table.allows(where, field, got, answer):
            wrong.append("%s %s %s row %d: %s is %r, not %r" % (*where, field, got[:200], answer[column][:200]))
    if not 1700000000000 < said["time_ms"] < 1900000000000:
        wrong.append("%s %s %s row %d: time is %s" % (*where, said["time_ms"]))
    return wrong


def check_log(rpvctl, data, server, log, answers, table):
    base = "%s/%s/%s" % (data, server, log)
    wrong = []
    for way, spec in (("string", format_of(server, companion(base + ".format"))), ("auto", "auto")):
        said = explain(rpvctl, spec, base + ".log")
        if isinstance(said, str) or len(said) != len(answers):
            wrong.append("%s %s %s: %s" % (server, log, way, said if isinstance(said, str) else "%d answers" % len(said)))
            continue
        for i, (s, a) in enumerate(zip(said, answers), 1):
            wrong += compare((server, log, way, i), s, a, table)
    return wrong


def check_expected(rpvctl, data, path):
    """Lines of EXPECTED: file, format, and the answers: one a line of the file, or the refusal of the format."""
    wrong = []
    with open(path) as f:
        for line in f:
            want = json.loads(line)
            spec = want["format"]
            if spec == "string":
                spec = format_of("", companion("%s/%s.format" % (data, want["file"])))
            said = explain(rpvctl, spec, "%s/%s.log" % (data, want["file"]))
            for answer in said if isinstance(said, list) else []:
                answer.pop("cookie", None)      # of people; what a cookie is worth is seen above
            if said != want["answers"]:
                wrong.append("%s with %s:\n  got  %s\n  want %s" % (want["file"], want["format"], json.dumps(said), json.dumps(want["answers"])))
    return wrong


def main():
    rpvctl, data, docs, expected = sys.argv[1:]
    table = Table(docs)
    wrong, logs = [], 0
    for server in SERVERS:
        answers = answers_read("%s/%s/answers.tsv" % (data, server))
        for name in sorted(os.listdir("%s/%s" % (data, server))):
            if name.endswith(".format"):
                wrong += check_log(rpvctl, data, server, name[:-len(".format")], answers, table)
                logs += 1
    for r in table.rows:
        if not r[6]:
            wrong.append("%s: this difference does not occur: %s" % (docs, r[:6]))
    wrong += check_expected(rpvctl, data, expected)
    print("\n".join(wrong[:40]))
    print("%d logs, %d differences, %d wrong" % (logs, len(table.rows), len(wrong)))
    sys.exit(1 if wrong or logs < 18 else 0)


main()
