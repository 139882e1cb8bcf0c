"""Thousands of requests to a command of which every second run misbehaves: hangs, floods, ignores its stdin, fails, dies
by a signal or leaves a child. Every good request gets its answer, and the responder is afterwards as it was before.

exec_storm.py [N]: how many requests (500).
"""

import os
import select
import socket
import sys
import time

import harness
from handlers import alive, children, descriptors, eventually, resident

CLIENTS = 16   # at once, one socket each
RETRY = 0.25   # s without an answer until a good request is sent again
WARM_UP = 200  # requests before the first look at memory
LIMIT = 2048   # bytes of a request and of an answer: with 64 + 64 + 64 + 64 buffers, half a MiB at most
GROWTH = 1024  # KiB that may come after the warm-up: the buffers that it did not touch, and some room
MARK = "dgram-storm-%d" % os.getpid()  # in the environment of everything that is started, to find it again

# The first word says what to do. A good answer is "good" and the second word; "deaf" reads no further.
SCRIPT = r"""
read -r what number
case $what in
good)   echo "good $number";;
hang)   exec sleep 1000;;
stuck)  trap '' TERM; sleep 1000 & while :; do sleep 1000; done;;
flood)  exec cat /dev/zero;;
noise)  exec cat /dev/zero >&2;;
exit)   echo part; exit 3;;
signal) kill -SEGV $$;;
child)  sleep 1000 & (sleep 1000 &) ; setsid sleep 1000 & exit 4;;
close)  exec <&- >&-; exec sleep 1000;;
deaf)   exec <&-; echo "good $number";;
esac
"""
BAD = ("hang", "flood", "exit", "signal", "child", "stuck", "close", "noise")


def expect_answer(word):
    return word in ("good", "deaf")


class Client:
    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.word = None
        self.tries = 0

    def begin(self, number):
        self.word = "good" if number % 2 == 0 else BAD[number // 2 % len(BAD)]
        if number % 20 == 0:
            self.word = "deaf"
        self.request = b"%s %d\n" % (self.word.encode(), number) + (b"x" * 2000 if self.word == "deaf" else b"")
        self.wanted = b"good %d\n" % number
        self.send()

    def send(self):
        self.socket.send(self.request)
        self.tries += 1
        self.due = time.monotonic() + RETRY

    def answered(self):
        """Whether the answer is there; late answers to earlier requests are passed over."""
        while True:
            try:
                if self.socket.recv(65536) == self.wanted:
                    return True
            except BlockingIOError:
                return False


def storm(port, numbers):
    """Runs the requests of numbers, a good one until it is answered, a bad one once. Gives the number of datagrams."""
    numbers = iter(numbers)
    clients = [Client(port) for _ in range(CLIENTS)]
    busy = {}

    def next_for(client):
        for number in numbers:
            client.begin(number)
            if expect_answer(client.word):
                busy[client.socket] = client
                return

    for client in clients:
        next_for(client)
    while busy:
        ready, _, _ = select.select(list(busy), [], [], 0.05)
        now = time.monotonic()
        for sock, client in list(busy.items()):
            if sock in ready and client.answered():
                del busy[sock]
                next_for(client)
            elif now >= client.due:
                client.send()
    for client in clients:
        client.socket.close()
    return sum(client.tries for client in clients)


def marked(mark=MARK):
    """Processes that were started by this storm's responder, other than itself."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % entry, "rb") as f:
                if b"LC_STORM=%s\0" % mark.encode() in f.read():
                    found.append(int(entry))
        except OSError:
            continue
    return found


def settled(r):
    """Waits until no handler runs. Gives the KiB and the descriptors that the responder holds, and its zombies."""
    assert eventually(lambda: not [c for c in children(r.process.pid) if c[1] != "Z"]), "handlers still run"
    eventually(lambda: children(r.process.pid) == [])
    return resident(r.process.pid), descriptors(r.process.pid), len(children(r.process.pid))


def main(count):
    env = dict(os.environ, LC_STORM=MARK)
    with harness.Running("respond", "udp://127.0.0.1:0", "--exec-timeout", "100ms", "--max-procs", "64",
                         "--max-request", str(LIMIT), "--max-reply", str(LIMIT), "--exec", "sh", "-c", SCRIPT, "storm", env=env) as r:
        storm(r.port, range(WARM_UP))
        before = settled(r)
        start = time.monotonic()
        sent = storm(r.port, range(WARM_UP, WARM_UP + count))
        seconds = time.monotonic() - start
        after = settled(r)
        r.process.terminate()
        code = r.process.wait(harness.PATIENCE)
    left = [pid for pid in marked() if alive(pid)]
    print("%d requests (%d datagrams) in %.1f s: %.0f/s; RSS %d -> %d KiB, descriptors %d -> %d, zombies %d, left %d" %
          (count, sent, seconds, count / seconds, before[0], after[0], before[1], after[1], after[2], len(left)))
    assert code == 0, "exit %d" % code
    assert after[1] == before[1], "descriptors"
    assert after[0] - before[0] <= GROWTH, "memory"
    assert after[2] == 0, "zombies"
    assert left == [], "processes are left: %r" % left


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
