"""Somebody in the middle, who passes datagrams on between clients and one port, and keeps what he saw.

A Middleman forwards from his own port to the target's, with a socket for each client, as the relay does. Everything
that arrives is kept, in order, in .record. change(entry) decides what becomes of it: the bytes that go on, or None for
none; without it all passes. What the bytes mean is told by tests/wire/wire.py, which knows only docs/WIRE.md.
"""

import os
import selectors
import socket
import sys
import threading
import time

import harness

sys.path.insert(0, os.path.join(os.environ["DGRAM_SOURCE"], "tests", "wire"))
import wire  # noqa: E402 (found by the line before)

OUT, BACK = "out", "back"  # towards the target, and from there


class Entry:
    """One datagram: when, which way, of which client, what arrived, and what went on (None: it was lost)."""

    def __init__(self, way, client, data):
        self.time, self.way, self.client, self.data, self.passed = time.monotonic(), way, client, data, None
        self.kind, self.fields, self.frames = "foreign", {}, []  # what it says: Middleman._understand()

    def __repr__(self):
        return "%.3f %s :%d %s%s" % (self.time, self.way, self.client[1], " ".join([self.kind] + self.frames),
                                     "" if self.passed is not None else " LOST")


class Middleman:
    def __init__(self, target, change=lambda entry: entry.data):
        self.target, self.change, self.record, self.ids = ("127.0.0.1", target), change, [], {}
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        self.clients = {}  # address: socket
        self.news = threading.Condition()
        self.stop, self.wake = socket.socketpair()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ, None)
        self.selector.register(self.stop, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.stop:
                    return
                try:
                    data, peer = key.fileobj.recvfrom(65536, socket.MSG_DONTWAIT)
                except OSError:  # the target's port is closed, which ends here; or a send has heard that first
                    continue
                self._take(Entry(BACK if key.data else OUT, key.data or peer, data))

    def _take(self, entry):
        with self.news:
            self._understand(entry)
            entry.passed = self.change(entry)
            self.record.append(entry)
            self.news.notify_all()
        if entry.passed is None:
            return
        try:
            if entry.way == BACK:
                self.front.sendto(entry.passed, entry.client)
            else:
                self._socket_of(entry.client).send(entry.passed)
        except OSError:
            pass

    def _socket_of(self, client):
        if client not in self.clients:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((client[0], 0))  # as the target is to see it
            s.connect(self.target)
            self.selector.register(s, selectors.EVENT_READ, client)
            self.clients[client] = s
        return self.clients[client]

    def _understand(self, entry):
        """Its kind and the names of its frames. DATA is valid only with the sender's id, which INIT and ACCEPT told."""
        receiver = int.from_bytes(entry.data[8:16], "big")
        try:
            records = wire.decode(entry.data, self.ids.get(receiver, 0))
        except wire.Malformed:
            return
        entry.kind, entry.fields = records[0]
        entry.frames = [name for name, _ in records[1:]]
        if entry.kind == "ACCEPT":  # who writes to the one id has the other one
            self.ids[entry.fields["session"]], self.ids[receiver] = receiver, entry.fields["session"]

    def wait(self, true):
        """Until true(record); it is asked after each datagram."""
        with self.news:
            assert self.news.wait_for(lambda: true(self.record), harness.PATIENCE), self.record

    def seen(self, way, name):
        """How many datagrams of this kind, or with this frame, arrived from there."""
        return sum(e.way == way and name in (e.kind, *e.frames) for e in self.record)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.wake.send(b"x")
        self.thread.join()
        self.selector.close()
        for s in [self.front, self.stop, self.wake, *self.clients.values()]:
            s.close()


def with_idle(ms):
    """A change: both sides are told that the other one forgets what it does not hear for so long."""
    def change(entry):
        if entry.kind not in ("INIT", "ACCEPT"):
            return entry.data
        body = entry.data[:56] + ms.to_bytes(4, "big") + entry.data[60:-4]
        return body + wire.trailer(entry.kind, body, 0)
    return change
