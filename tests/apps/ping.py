"""dgram ping: round trips, and in which direction the lost ones were lost, told truly."""

import json
import re
import signal
import unittest

import harness
from harness import Running, Terminal, echo, free_port, run, silent

FAST = ["--interval", "10ms", "-t", "2s"]


def responder():
    return Running("respond", "127.0.0.1:0", "--echo")


def relay(target, *options):
    r = Running("relay", "127.0.0.1:0", "127.0.0.1:%d" % target, "--json", *options, wait_for=rb"relaying \S+ to ")
    r.port = int(re.search(rb"relaying \S+:(\d+) to ", r.stderr).group(1))
    r.read_line()
    return r


def ping(port, *options, **more):
    """Its exit code, and its JSON lines by event."""
    got = run("ping", "--json", *FAST, *options, "127.0.0.1:%d" % port, **more)
    lines = {}
    for line in map(json.loads, got.stdout.splitlines()):
        lines.setdefault(line["ev"], []).append(line)
    return got, lines


class Directions(unittest.TestCase):
    def test_nothing_is_lost(self):
        with responder() as r:
            got, lines = ping(r.port, "-n", "20")
        self.assertEqual(got.returncode, 0)
        self.assertEqual([l["seq"] for l in lines["pong"]], list(range(1, 21)))
        self.assertEqual({l["from"] for l in lines["pong"]}, {"127.0.0.1:%d" % r.port})
        for l in lines["pong"]:
            self.assertGreaterEqual(l["received"], l["sent"])
        s = lines["summary"][0]
        self.assertEqual((s["sent"], s["answered"], s["lost"]), (20, 20, 0))
        times = sorted(l["rtt_us"] for l in lines["pong"])
        self.assertEqual((s["min_us"], s["median_us"], s["max_us"], s["p99_us"]), (times[0], times[9], times[-1], times[-1]))

    def lossy(self, option):
        with responder() as r, relay(r.port, option, "30%", "--seed", "7") as between:
            got, lines = ping(between.port, "-c", "60")
            _, out = between.stop()
        self.assertEqual(got.returncode, 0, got)
        self.assertEqual({l["name"] for l in lines["error"]}, {"timeout"})
        return lines, lines["summary"][0], json.loads(out)

    def test_loss_on_the_way_there_is_told_as_that(self):
        lines, s, r = self.lossy("--loss-out")
        self.assertEqual({l["lost"] for l in lines["error"] if "lost" in l}, {"out"})
        self.assertGreater(s["lost_out"], 5)
        self.assertEqual((s["lost_back"], s["answered"] + s["lost"] + s["refused"]), (0, 60))
        self.assertGreater(s["datagrams_sent"], s["datagrams_received"])
        self.assertGreater(r["out"]["lost"], 5)

    def test_loss_on_the_way_back_is_told_as_that(self):
        lines, s, r = self.lossy("--loss-back")
        self.assertEqual({l["lost"] for l in lines["error"] if "lost" in l}, {"back"})
        self.assertGreater(s["lost_back"], 5)
        self.assertEqual((s["lost_out"], s["answered"] + s["lost"] + s["refused"]), (0, 60))
        self.assertGreaterEqual(s["datagrams_received"], s["datagrams_sent"])
        self.assertGreater(r["back"]["lost"], 5)


class Ends(unittest.TestCase):
    def test_a_refusal_is_7(self):
        port = free_port()
        got, lines = ping(port, "-n", "2")
        self.assertEqual(got.returncode, 7)
        self.assertEqual(lines["summary"][0]["refused"], 2)
        self.assertEqual(lines["error"][-1]["code"], 7)
        self.assertIn(b"127.0.0.1:%d: refused (no one listens on this port)" % port, got.stderr)

    def test_silence_is_28(self):
        with silent() as s:
            got, lines = ping(s.port, "-n", "1", "-t", "100ms")
            counts = [lines["summary"][0][key] for key in ("lost", "refused", "no_session", "under_way")]
            self.assertEqual((got.returncode, counts), (28, [0, 0, 1, 0]))
            self.assertIn(b"udp://127.0.0.1:%d" % s.port, got.stderr)
            got = run("ping", "-n", "1", "-t", "100ms", "127.0.0.1:%d" % s.port)
            self.assertIn(b": 1 ping, 0 answered; 1 without a session\n", got.stdout)

    def test_silence_until_the_deadline_is_28_with_the_hint(self):
        with silent() as s:
            got, lines = ping(s.port, "-T", "100ms")
            self.assertEqual((got.returncode, lines["summary"][0]["under_way"]), (28, 1))
            self.assertIn(b"udp://127.0.0.1:%d" % s.port, got.stderr)

    def test_an_echo_is_no_peer(self):
        with echo() as e:
            got, _ = ping(e.port, "-n", "1")
        self.assertEqual(got.returncode, 8)

    def test_a_listener_answers_too_and_silence_after_an_answer_is_0(self):
        with Running("listen", "127.0.0.1:%d" % free_port()) as l:
            p = Running("ping", "127.0.0.1:%d" % l.port, *FAST[:2], "-t", "1s", wait_for=rb"pinging")
            with p:
                while b"answered in" not in p.read_line():
                    pass
                l.close()
                while b"no answer" not in p.read_line():
                    pass
                code, out = p.stop()
        self.assertEqual(code, 0)
        self.assertIn(b"round trip", out)

    def test_it_goes_on_until_interrupted_and_then_sums_up(self):
        for sig in signal.SIGINT, signal.SIGTERM:
            with responder() as r, Running("ping", *FAST, "127.0.0.1:%d" % r.port, wait_for=rb"pinging") as p:
                for number in range(1, 6):
                    self.assertIn(b": ping %d answered in" % number, p.read_line())
                code, out = p.stop(sig)
            self.assertEqual(code, 0)
            self.assertRegex(out, rb"(?m)^127\.0\.0\.1:\d+: \d+ pings, \d+ answered, 0 lost \(0 %\): 0 on the way there, 0 on "
                                  rb"the way back.*\n.*round trip .* at least, median .*, 99 % within .*, longest ")

    def test_quiet_leaves_the_summary(self):
        with responder() as r:
            got = run("ping", "-q", *FAST, "-n", "3", "127.0.0.1:%d" % r.port)
        self.assertEqual((got.returncode, got.stderr), (0, b""))
        self.assertEqual(len(got.stdout.splitlines()), 3)

    def test_a_terminal_shows_each(self):
        with responder() as r, Terminal("ping", "-n", "2", *FAST, "127.0.0.1:%d" % r.port) as t:
            code, seen = t.finish()
        self.assertEqual((code, seen.count(b"answered in")), (0, 2))

    def test_what_cannot_be_pinged_is_said(self):
        rows = [(["udp://127.0.0.1:9"], b"dgram request udp://127.0.0.1:9"), (["127.0.0.1:9/time"], b"leave /time out"),
                (["127.0.0.1:9", "text"], b"carries nothing"), ([], b"HOST:PORT"),
                (["--interval", "0", "127.0.0.1:9"], b"too short"), (["-c", "0", "127.0.0.1:9"], b"too few")]
        for args, said in rows:
            got = run("ping", *args)
            self.assertEqual(got.returncode, 2)
            self.assertIn(said, got.stderr)


if __name__ == "__main__":
    harness.main(at_once=4)
