"""acts: what can go wrong, one function each.

An act does its harm at once; where the harm lasts, it gives back the function that ends it
and for how many pieces of time it lasts.  `when` says in which state of the world an act
makes sense.  About half of the acts are watched: then rpvd must have said what
happened before anything else does (must_say()); the others come in the middle of anything.

What is random here comes from the world's generator and never from the time that something
took, so that a seed does the same again.
"""

import gzip
import os
import shutil
import signal
import time

from proxy import Fault
from world import Failed, cases, rig, wait_for

ACTS = {}


def act(weight, when):
    def put(function):
        ACTS[function.__name__] = (weight, when, function)
        return function
    return put


class Lasting:
    """Harm that lasts for some pieces, and the function that ends it."""

    def __init__(self, pieces, end):
        self.pieces, self.end = pieces, end


def is_up(w):
    return w.is_up and w.spare is None


def is_reading(w):
    return w.is_reading


def redis_is_there(w):
    return w.redis_is == "up" and w.spare is None


def may_rotate(w):
    """Where rpvd reads, it can be seen to have found the new file; where it does not, it looks when it begins again."""
    if len(w.logs) > 1:
        return w.is_reading and not any(log.rest for log in w.logs)
    return w.is_reading or not w.is_up or w.redis_is == "away"


def how_long(w):
    return w.rng.choice([0, 0, 1, 3])


# ---- rpvd -----------------------------------------------------------------------------

def start_again(w):
    w.rpvd_up()
    w.note("rpvd started")


def went_down(w, pieces):
    if pieces == 0:
        return start_again(w)
    return Lasting(pieces, lambda: start_again(w))


@act(10, is_up)
def kill(w):
    """kill -9, at work or while it starts."""
    pieces, wait = how_long(w), w.rng.uniform(0, 0.06)
    time.sleep(wait)
    w.note(f"kill -9, down for {pieces}")
    w.end(w.daemon, signal.SIGKILL)
    w.frozen = False
    return went_down(w, pieces)


@act(4, lambda w: is_up(w) and not w.frozen)
def stop(w):
    pieces = how_long(w)
    w.wait_up()
    if w.is_reading:
        w.attentive()
        w.check_faults()
    w.note(f"SIGTERM, down for {pieces}")
    took = w.end(w.daemon)
    if w.daemon.returncode != 0 or took > 20:
        raise Failed(f"SIGTERM: rpvd ended with {w.daemon.returncode} after {took:.1f} s")
    return went_down(w, pieces)


@act(4, lambda w: is_up(w) and not w.frozen)
def freeze(w):
    """SIGSTOP: a suspended machine.  Not so long that the lease ends."""
    pieces, wait = w.rng.choice([0, 1, 2]), w.rng.uniform(0.3, 0.6)
    daemon = w.daemon
    w.note(f"SIGSTOP for {pieces}")
    daemon.send_signal(signal.SIGSTOP)
    w.frozen = True

    def thaw():
        if w.daemon is daemon and w.is_up:
            # As long that it will look at the log's name again: the clock has jumped, which no look fits into in life.
            time.sleep(wait)
            daemon.send_signal(signal.SIGCONT)
            w.note("SIGCONT")
            w.frozen = False
            w.unsettled = True
    return Lasting(pieces, thaw)


@act(4, lambda w: is_up(w) and not w.frozen)
def reload(w):
    """A changed configuration."""
    watched, w.commit_ms = w.rng.random() < 0.5 and w.is_reading, w.rng.choice([50, 200, 1000])
    w.wait_up()
    w.write_conf()
    if watched:
        w.attentive()
    since = w.mark()
    w.note(f"SIGHUP, commit_interval {w.commit_ms} ms")
    w.daemon.send_signal(signal.SIGHUP)
    w.unsettled = w.reloaded = True
    if watched:
        w.must_say("configuration reloaded", since)


@act(3, lambda w: is_up(w) and not w.frozen)
def bad_reload(w):
    """A mistake in the configuration: the old one stays, file and line are named."""
    w.wait_up()
    w.write_conf('\n\tsession_timeout = "30x"')
    since = w.mark()
    w.note("SIGHUP with a mistake in the configuration")
    w.daemon.send_signal(signal.SIGHUP)
    w.must_say("configuration not reloaded, the old one stays", since)
    w.must_say(r"rpvd\.conf:\d+: .*session_timeout", since)
    w.write_conf()


# ---- logs -----------------------------------------------------------------------------

def harmless_to_a_line(name):
    return name in ("kill", "stop", "freeze", "reload", "rename", "cut", "redis_kill", "redis_lossy")


@act(5, lambda w: True)
def half(w):
    """A line of which the second half comes after something else has happened."""
    share, chosen = w.rng.random(), w.rng.random()
    fitting = [n for n in sorted(w.enabled) if harmless_to_a_line(n) and ACTS[n][1](w)]
    if not w.half_line(share):
        return None
    w.note("half a line")
    return w.perform(fitting[int(chosen * len(fitting))]) if fitting else None


def go_up(log):
    """NAME.1 -> NAME.2, NAME.2.gz -> NAME.3.gz ..."""
    for k in range(40, 0, -1):
        for end in ("", ".gz"):
            if os.path.exists(f"{log.path}.{k}{end}"):
                os.rename(f"{log.path}.{k}{end}", f"{log.path}.{k + 1}{end}")


def rename_one(w, log):
    if w.style == "dates":
        name = f"{log.path}-{int(w.now)}"
        while os.path.exists(name) or os.path.exists(name + ".gz"):
            name += "0"
        os.rename(log.path, name)
    else:
        go_up(log)
        os.rename(log.path, log.path + ".1")


def settle_if_reading(w):
    w.unsettled = True
    if w.is_reading and not any(log.rest for log in w.logs):
        w.settle()
        w.unsettled = False


@act(7, lambda w: w.style in ("numbers", "dates") and may_rotate(w))
def rename(w):
    """As logrotate does: the web server goes on in the old file until it is told to reopen."""
    missing = w.rng.random() < 0.2
    w.settle_in_step()
    w.note(f"rename rotation ({w.style}){', the new file comes later' if missing else ''}")
    for log in w.logs:
        rename_one(w, log)
    w.write_lines(w.now + w.rng.choice([0, 300]))
    time.sleep(0.3 if missing else 0.01)        # the time stamps of two files differ
    for log in w.logs:
        log.reopen()
    w.write_lines(w.now + w.rng.choice([300, 600]))
    settle_if_reading(w)
    w.settle_in_step()


@act(5, lambda w: w.style in ("numbers", "dates") and len(w.logs) == 1 and (not w.is_up or w.redis_is == "away"))
def rename_twice(w):
    """Two rotations, or three, while rpvd reads nothing."""
    for _ in range(w.rng.choice([2, 2, 3])):
        rename(w)


@act(6, lambda w: w.style == "copytruncate" and may_rotate(w) and not any(log.rest for log in w.logs) and
     (w.is_reading or all(log.is_known for log in w.logs)))
def copytruncate(w):
    """Nothing is written between copy and truncate: no reader could have it.  What is written to an empty
    file rpvd has seen before that is emptied again, as it does in milliseconds; one that it left empty, and
    that was filled, copied and emptied while it was stopped, it does not know again (docs/reliability.md, L2)."""
    if w.is_reading and not all(log.is_known for log in w.logs):
        w.settle()
    w.settle_in_step()
    w.note("copytruncate")
    was_reading = w.is_reading
    for log in w.logs:
        go_up(log)
        shutil.copyfile(log.path, log.path + ".1")
        os.truncate(log.path, 0)
        log.is_known = False
    w.write_lines(w.now + w.rng.choice([0, 600]))
    settle_if_reading(w)
    w.settle_in_step()
    w.fault("truncations", len(w.logs) if was_reading and not w.unsettled else 0)


@act(4, lambda w: w.style == "copytruncate" and is_reading(w) and len(w.logs) == 1 and not w.logs[0].rest)
def outgrow(w):
    """A short log is copied, emptied, and filled beyond where rpvd was, all between two looks at it."""
    copytruncate(w)
    w.write_lines(w.now + 900)
    w.settle()
    if os.path.getsize(w.logs[0].path) < 256:
        return                          # too short to be told from another
    w.note("copytruncate, and more lines than before while rpvd looks away")
    w.daemon.send_signal(signal.SIGSTOP)
    sizes = [os.path.getsize(log.path) for log in w.logs]
    for log in w.logs:
        go_up(log)
        shutil.copyfile(log.path, log.path + ".1")
        os.truncate(log.path, 0)
    while any(os.path.getsize(log.path) <= size for log, size in zip(w.logs, sizes)):
        if w.written == len(w.case.lines) or w.case.lines[w.written][0] > w.now + 4 * 3600:
            break
        w.write_lines(w.case.lines[w.written][0])
    w.daemon.send_signal(signal.SIGCONT)
    w.settle()
    w.fault("truncations", len(w.logs))


@act(5, lambda w: not any(log.rest for log in w.logs))
def compress(w):
    """gzip, which is seen at work: the new files grow beside the old ones, those of one generation at a time."""
    wait, chosen = w.rng.uniform(0, 0.1), w.rng.random()
    plain = sorted({p[len(log.path):] for log in w.logs for p in log.rotated() if not p.endswith(".gz")})
    if not plain:
        return
    suffix = plain[int(chosen * len(plain))]
    paths = [log.path + suffix for log in w.logs if os.path.exists(log.path + suffix)]
    w.note("gzip " + " ".join(os.path.basename(path) for path in paths))
    for half in (0, 1):
        for path in paths:
            with open(path, "rb") as f:
                data = gzip.compress(f.read(), mtime=0)
            with open(path + ".gz", "ab") as out:
                out.write(data[half * (len(data) // 2):len(data) if half else len(data) // 2])
        time.sleep(wait * (1 - half))
    for path in paths:
        st = os.stat(path)
        os.utime(path + ".gz", ns=(st.st_atime_ns, st.st_mtime_ns))
        os.unlink(path)


@act(4, lambda w: w.deletes and is_reading(w) and w.reorder == 0 and not any(log.rest for log in w.logs))
def delete(w):
    """All was read, and the log is deleted and made anew: its inode comes back.  What Redis loses after that is gone."""
    running = w.rng.random() < 0.5
    w.note(f"deleted and made anew, {'running' if running else 'stopped'}")
    w.settle()
    if not running:
        stop_cleanly(w)
    for log in w.logs:
        for path in log.rotated():
            os.unlink(path)
        os.close(log.fd)
        log.fd = None
        os.unlink(log.path)
        log.reopen()
    w.write_lines(w.now + 600)
    if running:
        w.settle()
        stop_cleanly(w)
    w.may_forget = False
    w.rpvd_up()
    w.settle()


def stop_cleanly(w):
    """After this all that was read is committed."""
    w.wait_up()
    since = w.mark()
    w.end(w.daemon)
    if w.daemon.returncode != 0 or "not committed in time" in w.read("rpvd.log")[since:]:
        raise Failed(f"SIGTERM: {w.daemon.returncode}: {w.read('rpvd.log')[since:]}")


# ---- Redis ------------------------------------------------------------------------------

def watch_redis(w):
    """Whether rpvd is to be watched through this: it is connected then."""
    watched = w.rng.random() < 0.4 and w.is_reading
    if watched:
        w.attentive()
    return watched


def redis_back(w, watched, since):
    w.redis_is = "up"
    if watched and w.is_reading:
        w.must_say("redis: connected", since)
        w.must_say(r"state loaded;.* going on where it ends", since)


def wait_noticed(w, refused, watched=False):
    """Nothing is read by a rpvd that has seen the connection end, and tried another."""
    if w.is_up and not w.frozen:
        w.fault("redis_lost", int(watched))     # else it may not have had one since it lost the last
        wait_for(lambda: w.proxy.refused > refused, lambda: "rpvd does not connect again: " + w.read("rpvd.log")[-2000:])


def kill_redis(w, share):
    since, refused = w.mark(), w.proxy.refused
    watched, pieces = watch_redis(w), how_long(w)
    lost = w.primary.kill(share)
    w.fault("redis_rewinds", 0, int(lost > 0))
    w.note(f"Redis kill -9, down for {pieces}" + (f", {lost} bytes of its file lost" if share is not None else ""))
    wait_noticed(w, refused, watched)
    w.redis_is = "away"
    if watched:
        w.must_say(r"redis: .*; logs wait, webhooks are still accepted", since)

    def back():
        w.primary.start()
        w.redis = w.primary.client
        w.link.point(("127.0.0.1", w.primary.port))
        w.note("Redis started")
        redis_back(w, watched, since)
    return Lasting(pieces, back)


@act(4, redis_is_there)
def redis_kill(w):
    return kill_redis(w, None)


@act(6, lambda w: redis_is_there(w) and w.may_forget)
def redis_lossy(w):
    """A power cut: what the last second brought is not on disk, from any byte on."""
    return kill_redis(w, w.rng.random())


@act(4, redis_is_there)
def redis_away(w):
    """The network between is down."""
    since, refused = w.mark(), w.proxy.refused
    watched, pieces = watch_redis(w), how_long(w)
    w.note(f"Redis cannot be reached for {pieces}")
    w.proxy.refuse(True)
    wait_noticed(w, refused, watched)
    w.redis_is = "away"
    if watched:
        w.must_say(r"redis: .*; logs wait, webhooks are still accepted", since)

    def back():
        w.proxy.refuse(False)
        w.note("Redis can be reached")
        redis_back(w, watched, since)
    return Lasting(pieces, back)


@act(9, lambda w: True)
def cut(w):
    """The connection is cut behind any byte that is still to come."""
    way, after = w.rng.randrange(2), int(10 ** w.rng.uniform(0, 4.5))
    w.note(f"cut after {after} bytes more {'from' if way else 'to'} Redis")
    w.proxy.strike(Fault(way, after))


@act(4, lambda w: True)
def slow(w):
    way, after, seconds = w.rng.randrange(2), int(10 ** w.rng.uniform(0, 4)), w.rng.choice([0.05, 0.3, 1])
    w.note(f"{seconds} s of silence after {after} bytes more {'from' if way else 'to'} Redis")
    w.proxy.strike(Fault(way, after, seconds))


@act(1, is_reading)
def black_hole(w):
    """Nothing passes and nobody is told: rpvd has to notice by itself."""
    w.attentive()
    since = w.mark()
    w.note("the network to Redis swallows everything")
    w.proxy.hold(True)
    w.fault("redis_lost", 1)
    w.must_say(r"redis: .*timed out", since)
    w.proxy.cut()
    w.proxy.hold(False)
    w.must_say("redis: connected", since)


@act(2, lambda w: redis_is_there(w))
def redis_freeze(w):
    wait = w.rng.uniform(0.1, 1)
    w.note(f"SIGSTOP of Redis for {wait:.1f} s")
    w.primary.child.send_signal(signal.SIGSTOP)
    time.sleep(wait)
    w.primary.child.send_signal(signal.SIGCONT)


def refuse_writes(w, what, how, back, sentence):
    """Redis answers, and refuses to write.  What rpvd cannot write it must say."""
    pieces = w.rng.choice([1, 2])
    w.attentive()
    since = w.mark()
    daemon = w.daemon
    w.note(f"{what} for {pieces}")
    w.fault("state_refused", 0)
    w.redis(*how)
    w.redis_is = "stubborn"
    written = w.written

    def end():
        if w.daemon is daemon and w.is_up and not w.frozen and w.written > written:
            w.must_say(sentence, since)
        w.redis(*back)
        w.redis_is = "up"
        w.note(f"no longer {what}")
    return Lasting(pieces, end)


@act(1, is_reading)
def out_of_memory(w):
    return refuse_writes(w, "Redis is out of memory", ("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"),
                         r"Redis refused.*OOM|out of memory|maxmemory")


@act(1, is_reading)
def read_only(w):
    return refuse_writes(w, "Redis is a replica, read-only", ("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"),
                         r"READONLY|read-only|replica")


@act(3, lambda w: is_reading(w) and w.may_forget)
def flushall(w):
    watched = w.rng.random() < 0.5
    if watched:
        w.attentive()
    since = w.mark()
    w.note("FLUSHALL")
    w.redis("FLUSHALL")
    w.unsettled = True
    if watched:
        w.must_say("Redis has no state of it any more: it is made anew", since)


@act(5, lambda w: redis_is_there(w) and w.may_forget)
def failover(w):
    """To a replica that has not got everything; the old primary dies, or stays for a while and nobody listens to it."""
    since = w.mark()
    watched, pieces, wait, dies = watch_redis(w), w.rng.choice([0, 1, 2]), w.rng.uniform(0, 0.4), w.rng.random() < 0.5
    w.replica.wait_synced()
    w.link.refuse(True)
    w.redis_is = "before a failover"
    w.note(f"the replica lags from now on, fail-over in {pieces}")

    def switch():
        time.sleep(wait)
        behind = w.primary.info("replication").get("master_repl_offset"), w.replica.info("replication").get("slave_repl_offset")
        old, refused = w.primary, w.proxy.refused
        w.proxy.refuse(True)
        wait_noticed(w, refused)
        if dies:
            old.kill()
        w.replica.client("REPLICAOF", "NO", "ONE")
        w.primary, w.replica = w.replica, old
        w.redis = w.primary.client
        w.proxy.target = w.primary.sock
        w.proxy.refuse(False)
        w.fault("redis_rewinds", 0, 1)
        w.note(f"fail-over, from {behind[0]} to {behind[1]}")
        if not dies:
            old.kill()
        shutil.rmtree(old.dir)
        w.link.target = ("127.0.0.1", w.primary.port)
        w.link.refuse(False)
        old.start(w.link.port)
        old.wait_synced()
        w.primary.sizes = []
        redis_back(w, watched, since)
    return Lasting(pieces, switch)


# ---- the disk, and others' mistakes ---------------------------------------------------

@act(3, lambda w: w.journal_is_small and is_up(w) and not w.disk_full)
def full_disk(w):
    """No room for the journal: a webhook is not taken, and the provider sends it again."""
    pieces = w.rng.choice([1, 2, 3])
    daemon, filler, since = w.daemon, w.path("state", "journal", "filler"), w.mark()
    before = w.answered.get(503, 0)
    w.note(f"the journal's disk is full for {pieces}")
    with open(filler, "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096) == 4096:
                pass
        except OSError:
            pass
    w.disk_full = True

    def room():
        refused = w.answered.get(503, 0) - before
        same = w.daemon is daemon and w.is_up and not w.frozen
        if same and refused:
            w.must_say("journal: .*No space left on device; webhooks are answered 503 until it can be written again", since)
        os.unlink(filler)
        w.disk_full = False
        w.note(f"room for the journal again, {refused} webhooks were refused")
        if same and refused:
            w.deliver()
            w.must_say("journal: can be written again", since)
        if same and refused and w.is_reading and "configuration reloaded" not in w.read("rpvd.log")[since:]:
            w.wait_status(lambda s: int(s.get("webhook_generic_503_not_stored", 0)) >= refused, f"{refused} webhooks that were not stored")
            must_tell(w, "could not be written to the journal; the provider sends again")
    return Lasting(pieces, room)


def must_tell(w, sentence):
    """rpvctl status says it."""
    def told():
        return sentence in rig.run([rig.RPVCTL, "-c", w.path("rpvd.conf"), "status"])[1]
    wait_for(told, lambda: f"rpvctl status does not say '{sentence}': {rig.run([rig.RPVCTL, '-c', w.path('rpvd.conf'), 'status'])}")


@act(1, lambda w: is_up(w) and not w.frozen)
def second_on_directory(w):
    """A second daemon with the same state directory ends at once, and names the first."""
    w.wait_up()
    w.note("a second rpvd on the same directory")
    code, _, said = rig.run([rig.RPVD, "-c", w.path("rpvd.conf"), "--clock", w.path("clock")])
    if code in (0, None) or f"in use by another rpvd, process {w.daemon.pid}" not in said:
        raise Failed(f"a second rpvd on the same directory: exit {code}: {said}")


def spare_up(w, number, redis=None):
    """A second rpvd for the same site, with a directory of its own; it knows the keys."""
    state, log = f"spare-{number}", f"spare-{number}.log"
    shutil.copytree(w.path("state"), w.path(state), ignore=shutil.ignore_patterns("id", "journal", "lock"))
    text = w.write_conf()
    w.configure(text, state=state, listen=f"{state}.sock", name=f"{state}.conf", redis=redis or w.proxy_path())
    spare = w.start([rig.RPVD, "-c", w.path(f"{state}.conf"), "--clock", w.path("clock")], log)
    return spare, log


@act(1, is_reading)
def second_on_site(w):
    """A second daemon for the same site waits, and says so."""
    number = len(w.story)
    w.attentive()
    w.note("a second rpvd for the same site")
    spare, log = spare_up(w, number)
    w.must_say("another rpvd .*keeps this site; waiting until it is gone", 0, log)
    w.end(spare, w.rng.choice([signal.SIGTERM, signal.SIGKILL]))


def day_is_long(w, pieces):
    upto = w.marks[min(w.piece + pieces + 2, len(w.marks) - 1)] + 900
    return int(w.now) // 86400 == int(upto) // 86400 and w.now > cases.START + 3600


@act(2, lambda w: is_reading(w) and not w.deletes and day_is_long(w, 3))
def takeover(w):
    """rpvd sleeps for so long that its lease ends, a second one takes the site over; then the first wakes up.
    The second knows the keys, of which those of a day are made when they are wanted first."""
    pieces, wait, number = w.rng.choice([1, 2]), w.rng.uniform(0, 0.3), len(w.story)
    w.attentive()
    w.settle()
    if f"day {int(w.now) // 86400} " not in w.read("state/keys-shop"):
        return None                     # the two would make different keys of this day
    w.write_lines(w.now + 900)
    time.sleep(wait)
    first, since = w.daemon, w.mark()
    w.note(f"rpvd sleeps, a second one takes over for {pieces}")
    first.send_signal(signal.SIGSTOP)
    w.frozen = True
    spare, log = spare_up(w, number)
    w.spare = spare
    w.must_say("another rpvd .*keeps this site; waiting until it is gone", 0, log)
    w.redis("DEL", "rpvd:{shop.0}:lease")           # ten seconds have passed
    w.must_say(r"state loaded;.* going on where it ends", 0, log)
    w.unsettled = True

    def wake():
        w.settle()
        first.send_signal(signal.SIGCONT)
        w.note("the first one wakes up")
        w.must_say("another rpvd|another program changed", since)
        w.end(spare)
        if spare.returncode != 0:
            raise Failed(f"the second rpvd ended with {spare.returncode}: {w.read(log)[-2000:]}")
        w.frozen, w.spare = False, None
        w.attentive()
        w.note("the first one works again")
    return Lasting(pieces, wake)


# ---- which, and when ----------------------------------------------------------------------

@act(2, lambda w: is_reading(w) and not w.deletes and day_is_long(w, 1))
def takeover_in_commit(w):
    """The network holds a commit up between its checks and its writing, and a second rpvd takes the site over then."""
    number = len(w.story)
    w.attentive()
    w.settle()
    if f"day {int(w.now) // 86400} " not in w.read("state/keys-shop"):
        return
    since = w.mark()
    w.note("a second rpvd takes over in the middle of a commit")
    w.spare, log = spare_up(w, number, w.primary.sock)
    w.must_say("another rpvd .*keeps this site; waiting until it is gone", 0, log)
    w.proxy.hold_before(b"$5\r\nMULTI\r\n")
    w.write_lines(w.now + 900)
    if w.proxy.trapped.wait(3):
        before = w.redis("HGET", "rpvd:{shop.0}:meta", "seq")
        w.redis("DEL", "rpvd:{shop.0}:lease")       # ten seconds have passed
        w.must_say(r"state loaded;.* going on where it ends", 0, log)
        rig.until(lambda: w.redis("HGET", "rpvd:{shop.0}:meta", "seq") != before, 1)
        w.proxy.release.set()
        w.must_say("another rpvd|another program changed|timed out", since)
    w.proxy.trap = None
    w.proxy.release.set()
    w.end(w.spare)
    w.spare = None
    w.attentive()
    w.note("the first one works again" if w.proxy.trapped.is_set() else "there was no commit")


UNNOTICED = ("copytruncate", "compress", "bad_reload", "full_disk", "slow", "second_on_directory", "second_on_site")
# acts after which rpvd reads on where it was


def choose(rng):
    """Which acts a round has: not all, so that each has room for what only it brings about."""
    return {name for name in ACTS if rng.random() < 0.6} or set(ACTS)
