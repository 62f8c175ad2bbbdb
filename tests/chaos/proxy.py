"""proxy: stands between a client and its Redis, and cuts, holds or delays the stream at any byte.

Bytes pass unchanged, in order, or not at all: what a network, a failover or a restarted
server does to a connection, without any of them.  Also between a replica and its primary,
so that the replica can be made to lag.
"""

import os
import socket
import threading
import time

TO_SERVER, TO_CLIENT = 0, 1


def dial(address):
    s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    try:
        s.connect(address)
    except OSError:
        s.close()
        raise
    return s


class Fault:
    """After so many bytes more in one direction: cut the connection, or wait for some seconds."""

    def __init__(self, way, after, seconds=None):
        self.way, self.after, self.seconds = way, after, seconds


class Pair:
    """One connection: the client's end and the server's.  Shut by anybody; closed by whoever of its two
    threads ends last, so that no number of a descriptor is given anew under the other's feet."""

    def __init__(self, client, server):
        self.ends = (client, server)
        self.threads = 2

    def shut(self):
        for s in self.ends:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Proxy:
    """listen: path of a unix socket; None: a port of the loopback, then in .port."""

    def __init__(self, listen, target):
        self.target = target
        self.lock = threading.Lock()
        self.pairs = set()
        self.faults = []
        self.struck = 0                 # faults that have happened
        self.refusing = False
        self.refused = 0                # connections that were turned away
        self.gate = threading.Event()   # closed: nothing passes, nobody is told
        self.gate.set()
        self.trap = None                # words to the server before which the stream is held, once
        self.trapped, self.release = threading.Event(), threading.Event()
        self.ended = False
        if listen is None:
            self.server = socket.socket(socket.AF_INET)
            self.server.bind(("127.0.0.1", 0))
            self.port = self.server.getsockname()[1]
        else:
            if os.path.exists(listen):
                os.unlink(listen)
            self.server = socket.socket(socket.AF_UNIX)
            self.server.bind(listen)
        self.server.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    # ---- what it can be told ---------------------------------------------------------

    def point(self, target):
        """To another server from now on; connections to the one before are cut."""
        self.target = target
        self.cut()

    def cut(self):
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            pair.shut()
        return len(pairs)

    def refuse(self, on):
        """Connections are cut, and new ones closed at once."""
        self.refusing = on
        if on:
            self.cut()

    def hold(self, on):
        """A network that swallows everything; as if nothing had been when it comes back."""
        (self.gate.clear if on else self.gate.set)()

    def hold_before(self, words):
        """The next time these come by, in one piece, what follows waits until release is set."""
        self.trapped.clear()
        self.release.clear()
        self.trap = words

    def strike(self, fault):
        with self.lock:
            self.faults.append(fault)

    def end(self):
        self.ended = True
        self.gate.set()
        self.release.set()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.cut()

    # ---- at work ------------------------------------------------------------------------

    def accept(self):
        while not self.ended:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            if self.refusing or self.ended:
                self.refused += 1
                client.close()
                continue
            try:
                pair = Pair(client, dial(self.target))
            except OSError:
                self.refused += 1
                client.close()
                continue
            with self.lock:
                self.pairs.add(pair)
            for way in (TO_SERVER, TO_CLIENT):
                threading.Thread(target=self.pass_on, args=(way, pair), daemon=True).start()

    def pass_on(self, way, pair):
        source, sink = pair.ends if way == TO_SERVER else reversed(pair.ends)
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if way == TO_SERVER and self.trap is not None and self.trap in data:
                    at = data.index(self.trap)
                    self.trap = None
                    sink.sendall(data[:at])
                    data = data[at:]
                    self.trapped.set()
                    self.release.wait()
                while data:
                    self.gate.wait()
                    n, fault = self.next_fault(way, len(data))
                    sink.sendall(data[:n])
                    data = data[n:]
                    if fault is None:
                        continue
                    if fault.seconds is None:
                        return
                    time.sleep(fault.seconds)
        except OSError:
            pass
        finally:
            pair.shut()
            with self.lock:
                self.pairs.discard(pair)
                pair.threads -= 1
                last = pair.threads == 0
            if last:
                for s in pair.ends:
                    s.close()

    def next_fault(self, way, n):
        """How many of n bytes may pass, and what happens then."""
        with self.lock:
            for fault in self.faults:
                if fault.way != way:
                    continue
                if fault.after >= n:
                    fault.after -= n
                    return n, None
                self.faults.remove(fault)
                self.struck += 1
                return fault.after, fault
        return n, None

