#!/usr/bin/env python3
"""keys: what the key of a day was is nowhere any more once the day is forgotten.

    keys.py

A visitor known by address and browser is hashed under the key of a day, and nobody can be told
again by it when that key is gone: not from the directory, and not from the memory of the daemon,
which this test reads whole, through /proc/PID/mem, as the kernel shows it to the daemon's owner.
That the key is found there while it is in use shows that the search finds what there is.
"""

import re
import time

from driver import Findings, rig, wait_for
from logs import AGENT, NOW, Logs

DAY = 86400
LARGEST = 256 << 20                     # what is mapped beyond that is a sanitizer's own


def day_key(w, day):
    found = re.search(rf"^day {day} ([0-9a-f]{{32}})$", w.read("state/keys-shop"), re.M)
    return found and found[1]


def places(w, key):
    """Where the daemon has it, as bytes or in letters: names of mappings."""
    found = []
    with open(f"/proc/{w.daemon.pid}/maps", encoding="utf-8") as maps, open(f"/proc/{w.daemon.pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            begin, end, rights, name = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line).groups()
            begin, end = int(begin, 16), int(end, 16)
            if not rights.startswith("rw") or end - begin > LARGEST:
                continue
            try:
                mem.seek(begin)
                data = mem.read(end - begin)
            except OSError:
                continue
            found += [f"{name or 'memory'}+{m.start():x}" for form in (bytes.fromhex(key), key.encode())
                      for m in re.finditer(re.escape(form), data)]
    return found


def hit(w, t, ip):
    w.clock(t - 60)                     # a line of the day after tomorrow would be one of the future
    w.wait("updated", rig.rfc3339(t - 60))
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(t))
    w.append("logs/access.log", f'192.0.2.{ip} - - [{stamp}] "GET /p/{ip} HTTP/1.1" 200 9 "-" "{AGENT}"\n')
    w.clock(t + 1)
    w.wait("pageviews", ip)


def forgotten(w, findings):
    w.begin()
    today = NOW // DAY
    hit(w, NOW, 1)
    wait_for(lambda: day_key(w, today), lambda: w.read("state/keys-shop"))
    old = day_key(w, today)
    try:
        findings.check(places(w, old), "the key that is in use is not found: the search proves nothing")
    except PermissionError:
        print("not here: the memory of another process may not be read")
        return
    hit(w, NOW + DAY, 2)
    old += " " + day_key(w, today + 1)
    findings.check(all(places(w, key) for key in old.split()), "yesterday's key, or today's, is not found")
    hit(w, NOW + 3 * DAY, 3)            # two days end at once
    wait_for(lambda: not day_key(w, today) and not day_key(w, today + 1), lambda: w.read("state/keys-shop"))
    for key in old.split():
        findings.check(not places(w, key), f"the key of a day that is forgotten is still at {places(w, key)}")
    findings.check(places(w, day_key(w, today + 3)), "today's key is not found")
    hit(w, NOW + 3 * DAY + 60, 4)
    w.check_daemon()


def main():
    rig.need("redis-server")
    findings = Findings()
    with Logs("keys") as w:
        forgotten(w, findings)
    findings.end()


if __name__ == "__main__":
    main()
