"""Many clients, a bad network, and a responder that is killed and started again: whatever a client was told is true.

Each request writes its number to a file when it runs. Afterwards: answered ran once and got its own answer, refused,
silent and busy never ran, "may have run" ran once at most, and nothing ran twice.
"""

import collections
import contextlib
import random
import re
import signal
import threading
import unittest

import harness
from harness import Running, free_port, run

CLIENTS, EACH, RESTARTS = 6, 6, 3
NEVER_RAN, MAY_HAVE_RUN = (7, 28, 75), 52


class Storm:
    def __init__(self, directory, seed):
        self.log = directory + "/log"
        self.chance = random.Random(seed)
        self.port = free_port()
        self.told = {}  # number: (code, answer)
        self.news = threading.Condition()

    def respond(self):
        script = 'read -r id ms rest; echo "$id" >>%s; sleep "$ms"; echo "done $id"' % self.log
        return Running("respond", "--max-procs", "3", "127.0.0.1:%d" % self.port, "--sh", "--exec", script)

    def client(self, number, relay, chance):
        for i in range(EACH):
            n = number * EACH + i
            text = b"%d %s " % (n, chance.choice((b"0", b"0.01", b"0.2"))) + b"x" * chance.choice((0, 0, 0, 3000, 60000))
            port = chance.choice((relay, relay, self.port))
            got = run("request", "-T", chance.choice(("300ms", "1s", "4s")), "127.0.0.1:%d" % port, stdin=text + b"\n")
            with self.news:
                self.told[n] = (got.returncode, got.stdout)
                self.news.notify()

    def wait_for(self, count):
        with self.news:
            assert self.news.wait_for(lambda: len(self.told) >= count, 3 * harness.PATIENCE), self.told

    def go(self, *impairments):
        """How often each number ran."""
        with contextlib.ExitStack() as stack:
            responder = stack.enter_context(self.respond())
            relay = stack.enter_context(Running("relay", "127.0.0.1:0", "127.0.0.1:%d" % self.port, *impairments,
                                                "--seed", str(self.chance.randrange(1 << 30)), wait_for=rb"relaying"))
            via = int(re.search(rb"relaying \S+:(\d+) to", relay.stderr)[1])
            threads = [threading.Thread(target=self.client, args=(i, via, random.Random(self.chance.random())))
                       for i in range(CLIENTS)]
            for thread in threads:
                thread.start()
            for i in range(RESTARTS):
                self.wait_for((i + 1) * CLIENTS * EACH // (RESTARTS + 1))
                responder.stop(self.chance.choice((signal.SIGKILL, signal.SIGTERM)))
                responder = stack.enter_context(self.respond())
            for thread in threads:
                thread.join()
            code, _ = responder.stop()
            assert code == 0, responder.stderr
        with open(self.log) as f:
            return collections.Counter(map(int, f.read().split()))


class Truth(unittest.TestCase):
    def holds(self, seed, *impairments):
        with harness.directory() as d:
            storm = Storm(d, seed)
            ran = storm.go(*impairments)
        self.assertEqual(len(storm.told), CLIENTS * EACH)
        self.assertEqual([n for n, times in ran.items() if times > 1], [], "ran twice")
        for n, (code, answer) in storm.told.items():
            with self.subTest(n=n, seed=seed, code=code):
                self.assertIn(code, (0, MAY_HAVE_RUN, *NEVER_RAN))
                if code == 0:
                    self.assertEqual((ran[n], answer), (1, b"done %d\n" % n))
                elif code != MAY_HAVE_RUN:
                    self.assertEqual(ran[n], 0)
        self.assertGreater(sum(code == 0 for code, _ in storm.told.values()), CLIENTS, "hardly anything was answered")

    def test_loss_copies_and_reordering(self):
        self.holds(1, "--loss", "30%", "--dup", "20%", "--reorder", "20%")

    def test_damage_and_a_narrow_path(self):
        self.holds(2, "--corrupt", "5%", "--loss", "5%", "--mtu", "700")

    def test_delay_and_bursts_of_loss(self):
        self.holds(3, "--delay", "20ms", "--jitter", "20ms", "--burst-loss", "3%,20%")


if __name__ == "__main__":
    harness.main()
