"""What goes over the wire, seen from its middle: who has not proved where it is gets three times its bytes at most and no
answer larger than its INIT; what is no question draws nothing; and after the last message there is silence.

Every test ends with these two looks at the record of its middleman. The idle time of the sessions is three seconds, told
by the middleman, so that their end comes within the test: between the last message and CLOSE nobody spoke, and after
CLOSE nobody does.
"""

import collections
import contextlib
import os
import socket
import subprocess
import time
import unittest

import harness
from harness import DGRAM, Running, free_port, run, udp_socket
from middleman import BACK, OUT, Middleman, wire, with_idle

IDLE = 3000      # ms
HALF_OPEN = 128  # half of the places for sessions that were begun and not confirmed: from here on COOKIE is drawn
EACH = 8         # of them for one address
TRAILING = 20    # datagrams after the last message: its ACKs, and a look for the path's largest datagram
DEAD = 50        # the same where the peer is gone: probes, at growing distances, until the session is given up
QUIET = 1.2      # s after everything: longer than any timer's distance on this profile

# What a session's end is not waiting for; all others are messages, or about one.
BESIDE = {"ACK", "SETTLED", "PADDING", "PING", "CLOSE"}


def init(session):
    """An INIT as anybody can make it who has read the document."""
    fields = dict(flags=0, receiver=0, session=session, boot=session, endpoint=session, time=0, capabilities=0,
                  idle=IDLE, credit=16384, largest=1472, delay=5, versions=b"\1".ljust(8, b"\0"), cookie=bytes(16),
                  padding=108)
    return wire.encode([("INIT", fields)], 0)


def data(receiver, *frames):
    asks = wire.ASKS if any(name in wire.ASKING for name, _ in frames) else 0
    return wire.encode([("DATA", dict(flags=asks, receiver=receiver, number=7)), *frames], 1)


def losing(*places):
    """A change: the idle time, and of each (way, kind or frame, which) the which-th datagrams are lost."""
    shorten, seen = with_idle(IDLE), collections.Counter()

    def change(entry):
        lost = False
        for way, name, which in places:
            if entry.way == way and name in (entry.kind, *entry.frames):
                seen[way, name] += 1
                lost = lost or seen[way, name] in which
        return None if lost else shorten(entry)
    return change


class Wire(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def respond(self, *args, on="127.0.0.1:0"):
        return self.stack.enter_context(Running("respond", on, *args))

    def middle(self, port, *lost):
        m = self.stack.enter_context(Middleman(port, losing(*lost)))
        self.to = "127.0.0.1:%d" % m.port
        return m

    def asking(self, *options):
        """request --lines with its input open."""
        p = self.stack.enter_context(subprocess.Popen([DGRAM, "request", "--lines", *options, self.to],
                                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        self.addCleanup(p.kill)
        return p

    def line(self, asking, line, answer=None):
        asking.stdin.write(line)
        asking.stdin.flush()
        self.assertTrue(harness.readable(asking.stdout, harness.PATIENCE), "no answer to %r" % line[:40])
        self.assertEqual(asking.stdout.readline(), line if answer is None else answer)

    def looks(self, m, trailing=TRAILING):
        """The two looks at everything that passed m. trailing: datagrams that may follow the last message."""
        time.sleep(QUIET)
        with m.news:
            record = m.record[:]
        self.assertLess(record[-1].time, time.monotonic() - QUIET / 2, "still talking: %r" % record[-20:])
        for client in {entry.client for entry in record}:
            self.small_before_the_proof([e for e in record if e.client == client])
        for session in sessions(record):
            self.silent_after_the_last_message(session, trailing)

    def small_before_the_proof(self, record):
        came = went = inits = asked = 0
        for entry in record:
            if entry.way == OUT and entry.passed is not None:
                came += len(entry.passed)
                inits += entry.kind == "INIT"
                asked += entry.data[4:6] == b"\1\4" and bool(entry.data[6] & wire.ASKS >> 8)
                if entry.kind == "DATA":
                    return
            elif entry.way == BACK:
                went += len(entry.data)
                self.assertIn(entry.kind, ("ACCEPT", "COOKIE", "BUSY", "NOSESSION"))
                inits -= entry.kind != "NOSESSION"
                asked -= entry.kind == "NOSESSION"
                self.assertLessEqual(len(entry.data), 29 if entry.kind == "NOSESSION" else 256, "larger than its cause")
                self.assertTrue(inits >= 0 and asked >= 0, "nobody asked for %r" % entry)
                self.assertLessEqual(went, 3 * came, "%r is too much" % entry)

    def silent_after_the_last_message(self, session, trailing):
        last = max(i for i, e in enumerate(session) if e.kind != "DATA" or set(e.frames) - BESIDE)
        tail = [e for e in session[last + 1:] if "CLOSE" not in e.frames]
        self.assertLessEqual(len(tail), trailing, "after the last message: %r" % session[last:])
        for way in OUT, BACK:
            closes = [e for e in session if e.way == way and "CLOSE" in e.frames]
            self.assertLessEqual(len(closes), 1, closes)
            after = [e for e in session[session.index(closes[0]) + 1:] if e.way == way] if closes else []
            self.assertEqual(after, [], "after its CLOSE")


def closed(record):
    return any("CLOSE" in e.frames for e in record)


def sessions(record):
    """The datagrams of each session that was opened, in order."""
    ids, found = {}, []  # either id: the session's place in found
    for entry in record:
        if entry.kind == "ACCEPT" and entry.fields["session"] not in ids:
            ids[entry.fields["session"]] = ids[entry.fields["receiver"]] = len(found)
            found.append([])
        if entry.kind in ("ACCEPT", "DATA"):
            found[ids[entry.fields["receiver"]]].append(entry)
    return found


class Exchanges(Wire):
    def test_one_request(self):
        m = self.middle(self.respond("--echo").port)
        self.assertEqual(run("request", self.to, "hi").stdout, b"hi")
        m.wait(closed)
        self.looks(m)

    def test_whatever_is_lost(self):
        m = self.middle(self.respond("--echo").port, (BACK, "ACCEPT", (1, 2, 3)), (OUT, "REQUEST", (1, 2)),
                        (BACK, "REPLY", (1, 2)))
        self.assertEqual(run("request", self.to, "hi").stdout, b"hi")
        m.wait(closed)
        self.assertEqual(m.seen(BACK, "ACCEPT") > 3 and m.seen(BACK, "REPLY") > 2, True, m.record)
        self.looks(m)

    def test_a_close_that_is_lost(self):
        m = self.middle(self.respond("--echo").port, (OUT, "CLOSE", (1,)))
        self.assertEqual(run("request", self.to, "hi").stdout, b"hi")
        m.wait(closed)
        self.looks(m)

    def test_a_long_request_and_a_long_reply(self):
        m = self.middle(self.respond("--echo").port)
        line = os.urandom(150000).hex().encode() + b"\n"
        self.line(self.asking("-T", "30s"), line)
        m.wait(closed)
        self.looks(m)

    def test_messages(self):
        listen = self.stack.enter_context(Running("listen", "127.0.0.1:0"))
        m = self.middle(listen.port, (BACK, "DATA", (2,)))
        got = run("send", "--lines", self.to, stdin=b"".join(b"line %d\n" % i for i in range(500)))
        self.assertEqual(got.returncode, 0, got)
        m.wait(closed)
        self.looks(m)

    def test_one_session_for_many_and_its_end(self):
        """Nothing is said between two requests, nor after the last: the next datagram is the idle end."""
        m = self.middle(self.respond("--echo").port)
        asking = self.asking()
        for i in range(20):
            self.line(asking, b"%d\n" % i)
        m.wait(closed)
        self.assertEqual((len(sessions(m.record)), m.seen(OUT, "REQUEST") >= 20), (1, True))
        self.line(asking, b"in a session of its own\n")
        m.wait(lambda record: len([s for s in sessions(record) if closed(s)]) == 2)
        self.looks(m)

    def test_who_waits_says_so_and_stops_when_there_is_nothing_to_wait_for(self):
        """A handler that takes longer than the idle time."""
        with harness.directory() as d:
            os.mkfifo(d + "/gate")
            gate = os.open(d + "/gate", os.O_RDWR)  # which never waits for the other side
            self.addCleanup(os.close, gate)
            m = self.middle(self.respond("--sh", "--exec", "read -r x <%s/gate; echo $x" % d).port)
            asking = self.asking("-T", "30s")
            asking.stdin.write(b"\n")
            asking.stdin.flush()
            m.wait(lambda record: sum(e.way == OUT and e.frames[-1:] == ["PING"] for e in record) >= 5)
            os.write(gate, b"opened\n")
            self.assertTrue(harness.readable(asking.stdout, harness.PATIENCE))
            self.assertEqual(asking.stdout.readline(), b"opened\n")
        m.wait(closed)
        self.looks(m)


class Deaths(Wire):
    def test_a_client_that_is_killed_with_its_answer_under_way(self):
        m = self.middle(self.respond("--exec", "head", "-c", "300000", "/dev/zero").port)
        p = subprocess.Popen([DGRAM, "request", self.to, ""], stdout=subprocess.DEVNULL)
        m.wait(lambda record: m.seen(BACK, "REPLY"))
        p.kill()
        p.wait()
        m.wait(closed)
        self.looks(m, DEAD)

    def test_a_responder_that_is_killed_and_one_that_takes_its_place(self):
        first = self.respond("--echo", on="127.0.0.1:%d" % free_port())
        m = self.middle(first.port)
        asking = self.asking("--idempotent", "-T", "30s")
        self.line(asking, b"one\n")
        first.process.kill()
        first.process.wait()
        self.respond("--echo", on="127.0.0.1:%d" % first.port)
        self.line(asking, b"two\n")
        self.assertGreater(m.seen(BACK, "NOSESSION"), 0)
        m.wait(closed)
        self.looks(m)

    def test_one_that_is_killed_between_two_requests(self):
        """After a while of silence the second one is not given to a session that nobody may know any more."""
        first = self.respond("--echo", on="127.0.0.1:%d" % free_port())
        m = self.middle(first.port)
        asking = self.asking("-T", "30s")
        self.line(asking, b"one\n")
        first.process.kill()
        first.process.wait()
        self.respond("--echo", on="127.0.0.1:%d" % first.port)
        time.sleep(QUIET)
        before = len(m.record)
        self.line(asking, b"two\n")
        asked = [e for e in m.record[before:] if "REQUEST" in e.frames]
        old, *new = sessions(m.record)
        self.assertEqual([e for e in asked if not any(e in session for session in new)], [])
        m.wait(closed)
        self.looks(m)

    def test_nobody_there(self):
        m = self.middle(free_port())
        self.assertEqual(run("request", "-T", "1s", self.to, "hi").returncode, 28)
        self.assertEqual({e.kind for e in m.record}, {"INIT"})
        self.looks(m)


class Strangers(Wire):
    def test_what_is_no_question_draws_nothing(self):
        """Garbage, answers that nobody waits for, INITs that are too short, and DATA that does not ask."""
        m = self.middle(self.respond("--echo").port)
        answers = [
            wire.encode([("NOSESSION", dict(flags=0, receiver=5, number=1))], 0),
            wire.encode([("BUSY", dict(flags=0, receiver=5, retry=100))], 0),
            wire.encode([("COOKIE", dict(flags=0, receiver=5, cookie=bytes(16)))], 0),
            data(5, ("ACK", dict(largest=1, delay=0, count=0, first=0))),
            data(5, ("CLOSE", dict(first=0, reason=1))),
            data(5, ("REPLY", dict(flags=wire.WHOLE, id=0, status=0, service=0, data=b"x"))),
            init(5)[:255], init(6)[:-1] + b"x", b"\xe4grm\x02" + init(7)[5:], b"", b"\xe4", b"\xe4grm", os.urandom(1200),
        ]
        with udp_socket() as s:
            for one in answers * 5:
                s.sendto(one, ("127.0.0.1", m.port))
            m.wait(lambda record: len(record) == 5 * len(answers))
            self.assertEqual(run("request", self.to, "hi").stdout, b"hi")
            self.looks(m)
            self.assertEqual([e for e in m.record if e.way == BACK and e.client == s.getsockname()], [])

    def test_who_asks_without_a_session_is_told_so_once_a_second(self):
        m = self.middle(self.respond("--echo").port)
        ask = data(5, ("REQUEST", dict(flags=wire.WHOLE, id=0, deadline=0, grant=0, data=b"x" * 500)))
        with udp_socket() as s:
            for _ in range(100):
                s.sendto(ask, ("127.0.0.1", m.port))
            m.wait(lambda record: len(record) > 100)
            self.assertEqual(run("request", self.to, "hi").stdout, b"hi")
            self.looks(m)
            told = [e for e in m.record if e.way == BACK and e.client == s.getsockname()]
        self.assertEqual({(e.kind, len(e.data)) for e in told}, {("NOSESSION", 28)})
        self.assertLess(len(told), 20)

    def test_inits_from_everywhere_and_cookies(self):
        """Each INIT draws one answer, smaller than itself, and its copies the same; under load COOKIE; who has one gets in."""
        m = self.middle(self.respond("--echo").port)
        with contextlib.ExitStack() as stack:
            for i in range(HALF_OPEN // EACH + 2):
                s = stack.enter_context(socket_at("127.0.0.%d" % (i + 1)))
                for k in range(EACH + 2):
                    s.sendto(init(1000 * i + k + 1), ("127.0.0.1", m.port))
                    s.sendto(init(1000 * i + k + 1), ("127.0.0.1", m.port))
                m.wait(lambda record: m.seen(OUT, "INIT") == 2 * (EACH + 2) * (i + 1))
            m.wait(lambda record: m.seen(BACK, "ACCEPT") and m.seen(BACK, "COOKIE"))
            self.assertEqual(run("request", self.to, "hi").stdout, b"hi")
            self.assertIn("COOKIE", [e.kind for e in m.record if e.client == m.record[-1].client])
            self.looks(m)
        self.assertEqual({(e.kind, len(e.data)) for e in m.record if e.way == BACK and e.kind != "DATA"},
                         {("ACCEPT", 148), ("COOKIE", 60)})


def socket_at(host):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 0))
    return s


if __name__ == "__main__":
    harness.main(at_once=16)
