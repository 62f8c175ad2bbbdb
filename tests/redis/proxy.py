"""proxy: stands between rpvd and Redis, and cuts the line after any byte, is slow, or swallows everything."""

import os
import select
import socket
import threading
import time

UP, DOWN = 0, 1                 # from rpvd to Redis, and back


class Proxy:
    """Listens on the socket `path`; each connection is passed on to `target` by a thread of its own."""

    def __init__(self, path, target):
        self.path, self.target = path, target
        self.lock = threading.Lock()
        self.pairs = set()
        self.left = [None, None]        # bytes until the cut
        self.cuts = 0                   # that were made
        self.passed = [0, 0]            # bytes
        self.delay = 0.0                # so much later comes each answer
        self.holds = False              # nothing goes through, and nothing is closed
        self.running = True
        self.listener = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.running:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self.lock:
                self.pairs.add(pair)
            threading.Thread(target=self.pump, args=(pair,), daemon=True).start()

    def pump(self, pair):
        late = []               # answers that are not yet due
        try:
            while self.running:
                wait = min(0.2, max(0, late[0][0] - time.monotonic())) if late else 0.2
                ready, _, _ = select.select(pair, [], [], wait)
                if self.holds:
                    time.sleep(0.02)
                    continue
                while late and late[0][0] <= time.monotonic():
                    if not self.move(pair, DOWN, late.pop(0)[1]):
                        return
                if pair[UP] in ready and not self.move(pair, UP, pair[UP].recv(65536)):
                    return
                if pair[DOWN] in ready and (self.delay or late):
                    late.append((time.monotonic() + self.delay, pair[DOWN].recv(65536)))
                elif pair[DOWN] in ready and not self.move(pair, DOWN, pair[DOWN].recv(65536)):
                    return
        except (OSError, ValueError):
            pass
        finally:
            self.close(pair)

    def move(self, pair, way, data):
        """False: it is over."""
        with self.lock:
            left = self.left[way]
            part = data if left is None else data[:left]
            self.passed[way] += len(part)
            if left is not None:
                self.left[way] = left - len(part)
        if part:
            pair[1 - way].sendall(part)
        if left is not None and left <= len(data):
            with self.lock:
                self.left = [None, None]
                self.cuts += 1
            return False
        return bool(data)

    def close(self, pair):
        with self.lock:
            self.pairs.discard(pair)
        for end in pair:
            end.close()

    def cut_after(self, way, n):
        """The connection that carries the n-th byte from now (of all connections) ends behind it."""
        with self.lock:
            self.left[way] = n

    def cut_all(self):
        """Now."""
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def switch(self, target):
        """Another Redis, from the next connection on; there are none now."""
        self.target = target
        self.cut_all()

    def end(self):
        self.running = False
        self.listener.close()
        self.cut_all()
