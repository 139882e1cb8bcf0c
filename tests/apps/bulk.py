"""Long messages over a path that loses one in twenty and takes 10 ms each way: they arrive whole and in order.

bulk.py N: N messages of a MiB, and how fast they went (as a test: four of a quarter, and one reply of a MiB).
"""

import hashlib
import os
import re
import sys
import time
import unittest

import harness
from harness import Running, run

MIB = 1 << 20
PATH = ("--loss", "5%", "--delay", "10ms")
PATIENCE = 120  # s for what takes 6


def relay(port):
    r = Running("relay", "127.0.0.1:0", "127.0.0.1:%d" % port, *PATH, wait_for=rb"relaying")
    r.to = "127.0.0.1:" + re.search(rb"relaying \S+:(\d+) to", r.stderr)[1].decode()
    return r


def stream(count, size, patience):
    """Sends so many lines of size bytes. Gives the seconds, the result, and whether they are there."""
    sent, there = hashlib.sha256(), hashlib.sha256()
    with harness.directory() as d:
        with open(d + "/in", "wb") as f:
            for i in range(count):
                line = b"%d %s" % (i, os.urandom(size // 2).hex().encode())
                line = line[:size - 1] + b"\n"
                sent.update(line)
                f.write(line)
        with open(d + "/out", "w+b") as out, Running("listen", "-n", str(count), "127.0.0.1:0", stdout=out) as listen, \
                relay(listen.port) as path:
            start = time.monotonic()
            got = run("send", "--lines", "-T", str(patience), "-f", d + "/in", path.to, timeout=patience + 10)
            seconds = time.monotonic() - start
            if got.returncode == 0:
                listen.wait()
            out.seek(0)
            for piece in iter(lambda: out.read(MIB), b""):
                there.update(piece)
    return seconds, got, sent.digest() == there.digest()


class Bulk(unittest.TestCase):
    def test_messages(self):
        _, got, whole = stream(4, MIB // 4, PATIENCE)
        self.assertEqual((got.returncode, got.stderr, whole), (0, b"", True))

    def test_a_reply(self):
        with harness.directory() as d:
            with open(d + "/reply", "wb") as f:
                f.write(os.urandom(MIB))
            with Running("respond", "127.0.0.1:0", "--exec", "cat", d + "/reply") as responder, \
                    relay(responder.port) as path:
                got = run("request", "-T", str(PATIENCE), path.to, "", timeout=PATIENCE + 10)
            self.assertEqual((got.returncode, got.stderr), (0, b""))
            with open(d + "/reply", "rb") as f:
                self.assertEqual(hashlib.sha256(got.stdout).digest(), hashlib.sha256(f.read()).digest())


def whole(count):
    seconds, got, same = stream(count, MIB, 30 * count)
    print("%d MiB in %.1f s: %.2f MiB/s, %s" % (count, seconds, count / seconds, "whole" if same else "NOT WHOLE"))
    sys.exit(got.stderr.decode() if got.returncode != 0 else not same)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        whole(int(sys.argv[1]))
    harness.main(at_once=2)
