#!/usr/bin/env python3
"""run: rpvd lives through whatever can happen, in any order, and is right at the end.

    run.py [--seed N] [--seconds N] [-j N] [--acts NAME,NAME...] [--pieces N]

A round is a made-up day and a half of a shop (tests/live/case.py), lived through in pieces
of some twenty minutes: the web server writes its lines, the provider sends its webhooks until
they are answered, and between the pieces things go wrong (acts.py), drawn from the round's
seed.  What is to come out is known before: a fresh rpvd reads the very same lines and events
in one go; and where RPVD_SHARED names a directory with an independent computation of the
definitions, as tests/accept.sh has it, that one must agree with it, too.

One assertion: every public key is equal to the model's at the end, to the last digit; so are
the counters, the status is quiet, and what went wrong was said when it did.

Rounds have the seeds N, N+1, ... until the time is over; $RPVD_CHAOS_SEED and
$RPVD_CHAOS_SECONDS are the defaults of --seed and --seconds.  A round that fails says its seed,
what was done so far and what differs, and keeps its directory.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import signal
import sys
import threading
import time
import traceback

os.environ.setdefault("RPVD_PATIENCE", "60")

import acts                                                             # noqa: E402
from world import Failed, World, cases, rig                             # noqa: E402

RATE = 0.5                              # of the pieces after which something happens


class Round(World):
    def __init__(self, seed, options):
        super().__init__(seed, options.pieces)
        self.enabled = set(options.acts.split(",")) if options.acts else acts.choose(self.rng)
        self.deletes = "delete" in self.enabled and (bool(options.acts) or self.rng.random() < 0.3)
        self.end_time = options.end_time        # then the rest of the day is quiet
        self.lasting = []               # (piece at which it ends, how it is ended)

    def perform(self, name):
        lasting = acts.ACTS[name][2](self)
        if name not in acts.UNNOTICED:
            self.unknown()
        if lasting is not None and lasting.pieces == 0:
            lasting.end()
        elif lasting is not None:
            self.lasting.append((self.piece + lasting.pieces, lasting.end))

    def end_lasting(self, upto):
        ended = [end for piece, end in self.lasting if piece <= upto]
        self.lasting = [x for x in self.lasting if x[0] > upto]
        for end in ended:
            end()
            self.unknown()

    def something(self):
        """At most one thing goes wrong."""
        rng = self.rng
        names = sorted(n for n in self.enabled if acts.ACTS[n][1](self))
        happens, chosen = rng.random() < RATE, rng.random()
        if not happens or not names:
            return
        weights = [acts.ACTS[n][0] for n in names]
        left = chosen * sum(weights)
        for name, weight in zip(names, weights):
            left -= weight
            if left < 0:
                break
        self.perform(name)

    def live(self):
        for self.piece, mark in enumerate(self.marks):
            self.primary.note_size()
            self.advance(mark)
            self.end_lasting(self.piece)
            self.look_at_daemon()
            if self.piece + 1 < len(self.marks) and (self.piece < 10 or time.monotonic() < self.end_time):
                self.something()
            time.sleep(self.rng.uniform(0, 0.04))
        self.end_lasting(len(self.marks) * 2)
        self.write_lines(self.case.now)

    def run(self):
        want = self.reference()
        against_oracle(self, want[0])
        self.end(self.alone)
        self.begin()
        self.live()
        self.finish(want)
        return len(want[0])


# ---- an independent model ----------------------------------------------------------------

class Keys:
    """Public keys as the comparison wants to ask for them."""

    def __init__(self, keys):
        self.all = keys

    def keys(self, _pattern):
        return [k for k in self.all if ":" in k]

    def __call__(self, _command, key):
        return [x for pair in self.all[key].items() for x in pair]


def against_oracle(world, keys):
    """The model itself, against definitions computed by another program."""
    directory = os.path.join(os.environ.get("RPVD_SHARED", ""), "oracle")
    if not os.environ.get("RPVD_SHARED") or not os.path.exists(os.path.join(directory, "accept.py")):
        return
    sys.path.append(directory)
    import accept                                                       # pylint: disable=import-error,import-outside-toplevel
    site = {"name": "shop", "hosts": ["lamps.example"], "currency": "EUR", "visitor": ["cookie:rpv", "ip_ua"],
            "logs": [{"file": "whole-" + name, "format": cases.FORMAT} for name in world.names], "orders": ["whole.ndjson"],
            "tokens": [{"path": "/thanks*", "param": "order"}], "pages": [{"path": "/p/*", "as": "/p/:product"}],
            "reorder_ms": world.reorder * 1000, "session_timeout_ms": 1800000, "lookback_ms": 30 * 86400000}
    world.write("case.json", json.dumps(site))
    expected, _ = accept.oracle.compute(world.dir)
    wrong = accept.compare(Keys(keys), site, expected)
    if wrong or not expected:
        raise Failed("the model differs from the definitions:\n" + "\n".join(wrong[:12]))


# ---- rounds ----------------------------------------------------------------------------------

def one(seed, options, print_lock):
    """What went wrong, or None; the number of acts."""
    begun = time.monotonic()
    failure = None
    with Round(seed, options) as r:
        try:
            keys = r.run()
        except Exception as why:        # pylint: disable=broad-except
            where = "" if isinstance(why, AssertionError) else traceback.format_exc()
            failure = f"{type(why).__name__}: {why}\n{where}"
            r.keep = True
    took = time.monotonic() - begun
    with print_lock:
        if failure is None:
            print(f"seed {seed}: {keys} keys equal after {len(r.story)} events ({r.style}, {len(r.names)} logs, "
                  f"{len(r.case.lines)} lines, {len(r.case.events)} webhooks); {took:.1f} s" + "".join(f"\n  {x}" for x in r.story * options.v), flush=True)
        else:
            print(f"seed {seed} FAILED after {took:.1f} s; what happened:\n  " + "\n  ".join(r.story)
                  + f"\n{failure}\nagain: RPVD_CHAOS_SEED={seed} RPVD_CHAOS_SECONDS=1 make check TESTS=tests/chaos.sh; kept: {r.dir}", flush=True)
    return failure


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=int(os.environ.get("RPVD_CHAOS_SEED") or int.from_bytes(os.urandom(3), "big")))
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("RPVD_CHAOS_SECONDS") or 60))
    parser.add_argument("-j", type=int, default=8)
    parser.add_argument("--acts", help="only these: " + ", ".join(sorted(acts.ACTS)))
    parser.add_argument("--pieces", type=int, default=60)
    parser.add_argument("-v", action="store_true", help="the list of events of each round")
    options = parser.parse_args()
    rig.need("redis-server")
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))
    seeds, lock = itertools.count(options.seed), threading.Lock()
    # A single round is told to its end.
    jobs = 1 if options.seconds <= 1 else options.j
    options.end_time = time.monotonic() + (options.seconds if jobs > 1 else 3600)
    print(f"RPVD_CHAOS_SEED={options.seed} RPVD_CHAOS_SECONDS={options.seconds:g}", flush=True)
    results = []

    def rounds():
        """Ends with the first failure of anybody, or with the time."""
        while not results or not any(results):
            with lock:
                seed = next(seeds)
            results.append(one(seed, options, lock))
            if jobs == 1 or time.monotonic() > options.end_time:
                return

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for worker in [pool.submit(rounds) for _ in range(jobs)]:
            worker.result()
    failed = sum(r is not None for r in results)
    print(f"{len(results)} rounds, {failed} failed")
    sys.exit(1 if failed or not results else 0)


if __name__ == "__main__":
    main()
