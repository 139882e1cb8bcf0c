"""Many clients, a bad network, and somebody who is killed again and again: whatever a client was told is true.

The handler writes its request's id and number to a journal (one write, O_APPEND) when it runs. Afterwards no id and no
number stands there twice, and each run had all of its request; answered and failed ran once, with the answer of that
run; refused, silent and busy never ran; "may have run", and who was killed before he was told, once at most. And no
process is left.

message_storm.py N: the first storm alone, with N requests (500 as a test), and its figures.
"""

import collections
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

import harness
from exec_storm import alive, marked
from handlers import eventually
from harness import DGRAM, Running, free_port

COUNT = 500
BAD_PATH = ("--loss", "20%", "--dup", "10%", "--reorder", "10%")
NEVER_RAN, RAN, MAY_HAVE_RUN, NOBODY_TOLD = (7, 28, 75), (0, 1), 52, -signal.SIGKILL
SCRIPT = r"""
read -r number seconds code rest
echo "$DGRAM_ID $number ${#rest}" >>%s
test "$seconds" = 0 || sleep "$seconds"
echo "$DGRAM_ID $number"
exit "$code"
"""


class Storm:
    """kill: who of "responder", "client" and "relay"; the first and the last are started again at once. pause: the outcomes
    between two kills. slow: seconds that handlers take, by chance."""

    def __init__(self, directory, seed, count, kill=("responder",), pause=40, slow=("0", "0", "0.01", "0.2"), clients=20,
                 patience=("300ms", "1s", "4s")):
        self.journal = directory + "/journal"
        self.chance = random.Random(seed)
        self.count, self.kill, self.pause, self.slow, self.clients = count, kill, pause, slow, clients
        self.patience, self.mark, self.kills = patience, "dgram-storm-%d-%d" % (os.getpid(), seed), 0
        self.port, self.via = free_port(), free_port()
        self.told = {}  # number: (code, answer)
        self.asking = {}  # number: process
        self.sizes = {}  # number: bytes of the rest of its request
        self.news = threading.Condition()
        self.numbers = iter(range(count))

    def respond(self):
        return Running("respond", "--max-procs", "8", "127.0.0.1:%d" % self.port, "--sh", "--exec", SCRIPT % self.journal,
                       env=dict(os.environ, LC_STORM=self.mark))

    def relay(self, path):
        return Running("relay", "127.0.0.1:%d" % self.via, "127.0.0.1:%d" % self.port, *path, "--seed",
                       str(self.chance.randrange(1 << 30)), wait_for=rb"relaying")

    def client(self, chance):
        while True:
            with self.news:
                number = next(self.numbers, None)
            if number is None:
                return
            size = self.sizes[number] = chance.choice((0, 0, 0, 0, 0, 0, 3000, 60000))
            text = "%d %s %s %s\n" % (number, chance.choice(self.slow), chance.choice("0000003"), "x" * size)
            port = chance.choice((self.via,) * 9 + (self.port,))
            with subprocess.Popen([DGRAM, "request", "-T", chance.choice(self.patience), "127.0.0.1:%d" % port],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
                with self.news:
                    self.asking[number] = p
                answer, _ = p.communicate(text.encode(), timeout=3 * harness.PATIENCE)
                with self.news:
                    del self.asking[number]
                    self.told[number] = (p.returncode, answer)
                    self.news.notify()

    def wait_for(self, count):
        with self.news:
            assert self.news.wait_for(lambda: len(self.told) >= count, 6 * harness.PATIENCE), self.told

    def kill_one(self, processes):
        who = self.chance.choice(self.kill)
        self.kills += 1
        if who == "client":
            with self.news:
                for process in list(self.asking.values())[:2]:
                    process.kill()
            return
        processes[who].process.kill()
        processes[who].close()
        processes[who] = self.respond() if who == "responder" else self.relay(self.path)

    def go(self, *path):
        """How often each number stands in the journal."""
        self.path = path
        processes = {"responder": self.respond(), "relay": self.relay(path)}
        try:
            threads = [threading.Thread(target=self.client, args=(random.Random(self.chance.random()),))
                       for _ in range(self.clients)]
            for thread in threads:
                thread.start()
            for done in range(self.pause, self.count, self.pause):
                self.wait_for(done)
                self.kill_one(processes)
            for thread in threads:
                thread.join()
            code, _ = processes["responder"].stop()
            assert code == 0, processes["responder"].stderr
        finally:
            for process in processes.values():
                process.close()
        self.left = eventually(lambda: not [pid for pid in marked(self.mark) if alive(pid)])
        with open(self.journal, "a+", encoding="ascii") as f:
            f.seek(0)
            self.lines = [line[:-1].split(" ") for line in f]

    def lies(self):
        """What was told and is not so, or happened and should not have."""
        cut = [line for line in self.lines if not line[1] or int(line[2]) != self.sizes[int(line[1])]]
        yield from ("a handler had not all of its request: %r" % line for line in cut)
        ran = collections.Counter(int(number) for _, number, _ in self.lines if number)
        entry = {int(number): "%s %s\n" % (mark, number) for mark, number, _ in self.lines if number}
        ids = collections.Counter(mark for mark, *_ in self.lines)
        yield from ("id %s ran %d times" % row for row in ids.items() if row[1] > 1)
        yield from ("number %d ran %d times" % row for row in ran.items() if row[1] > 1)
        if len(self.told) != self.count:
            yield "%d of %d were told" % (len(self.told), self.count)
        for number, (code, answer) in self.told.items():
            times = ran[number]
            if code in RAN and (times != 1 or answer.decode() != entry[number]):
                yield "%d: exit %d with %r, and it ran %d times: %r" % (number, code, answer, times, entry.get(number))
            elif code in NEVER_RAN and times > 0:
                yield "%d: exit %d, and it ran" % (number, code)
            elif code not in (*RAN, *NEVER_RAN, MAY_HAVE_RUN, NOBODY_TOLD):
                yield "%d: exit %d" % (number, code)
        if not self.left:
            yield "processes are left: %r" % marked(self.mark)

    def codes(self):
        return collections.Counter(code for code, _ in self.told.values())

    def figures(self):
        return "%d requests, %d kills, %d runs; exit codes %s" % (
            self.count, self.kills, len(self.lines), ", ".join("%d: %d" % row for row in sorted(self.codes().items())))


class Truth(unittest.TestCase):
    def holds(self, seed, *path, count=60, **more):
        with harness.directory() as d:
            storm = Storm(d, seed, count, **more)
            storm.go(*path)
        self.assertEqual(list(storm.lies()), [], "seed %d: %s" % (seed, storm.figures()))
        return storm

    def test_a_responder_that_is_killed(self):
        storm = self.holds(1, *BAD_PATH, count=COUNT)
        self.assertGreater(storm.codes()[0], COUNT / 10, storm.figures())
        print(storm.figures())

    def test_clients_that_are_killed(self):
        storm = self.holds(2, *BAD_PATH, kill=("client",), pause=6, patience=("4s",))
        for code in 0, NOBODY_TOLD:
            self.assertGreater(storm.codes()[code], 0, storm.figures())

    def test_a_relay_that_is_killed(self):
        self.holds(3, *BAD_PATH, kill=("relay",), pause=10)

    def test_handlers_that_outlive_their_deadline_and_their_responder(self):
        storm = self.holds(4, "--loss", "5%", slow=("0", "1000"), patience=("500ms", "2s"), pause=15)
        self.assertGreater(storm.codes()[MAY_HAVE_RUN], 0, storm.figures())

    def test_damage_and_a_narrow_path(self):
        self.holds(5, "--corrupt", "5%", "--loss", "5%", "--mtu", "700", kill=("responder", "client", "relay"), pause=10)

    def test_delay_and_bursts_of_loss(self):
        self.holds(6, "--delay", "20ms", "--jitter", "20ms", "--burst-loss", "3%,20%", pause=20)


def whole(count):
    with harness.directory() as d:
        storm = Storm(d, int(time.time()), count, pause=100)
        start = time.monotonic()
        storm.go(*BAD_PATH)
    print("%s; %.0f s" % (storm.figures(), time.monotonic() - start))
    sys.exit("\n".join(storm.lies()))


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        whole(int(sys.argv[1]))
    harness.main(at_once=3)
