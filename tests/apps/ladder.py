"""dgram trace: files of --trace as ladders, ours and those of strangers."""

import json
import os
import re
import unittest

import harness
from harness import Running, Terminal, directory, run

HERE, THERE = "00000000000000aa", "00000000000000bb"


def line(ev, at, second=0, **more):
    return {"v": 1, "t": "2026-11-22T09:20:%02d.000Z" % (35 + second), "ev": ev, "at_us": at, **more}


def data(ev, at, receiver, number, *frames, **more):
    if ev == "in":
        more.setdefault("fate", "taken")
    return line(ev, at, type="DATA", receiver=receiver, number=number, len=40, frames=list(frames), **more)


def draw(*files, options=(), **more):
    """Writes each list of lines into a file; the result of drawing them, and the paths."""
    with directory() as d:
        paths = [os.path.join(d, "f%d" % i) for i in range(len(files))]
        for path, lines in zip(paths, files):
            with open(path, "w") as f:
                for one in lines:
                    f.write((one if isinstance(one, str) else json.dumps(one)) + "\n")
        return run("trace", *options, *paths, **more), paths


def asked():
    """A request through the eyes of its client; the datagram 1 did not arrive."""
    frame = {"frame": "REQUEST", "id": 0, "name": "up", "len": 5}
    peer = {"peer": "127.0.0.1:7400"}
    return [line("trace", 0, command="request"),
            line("out", 10, type="INIT", sender=HERE, len=256, **peer),
            line("in", 1010, type="ACCEPT", sender=THERE, receiver=HERE, len=148, fate="taken", **peer),
            data("out", 1020, THERE, 0, {"frame": "PING"}, **peer),
            data("out", 1030, THERE, 1, frame, **peer),
            line("recovery", 20000, lost=1, not_lost_after_all=0, timeouts=1, **peer),
            data("out", 20010, THERE, 2, frame, **peer),
            data("in", 21010, HERE, 0, {"frame": "ACK", "largest": 2, "down_to": 2, "delay_us": 1},
                 {"frame": "REPLY", "id": 0, "len": 5, "status": 3, "service_us": 400}, **peer),
            line("done", 21020, kind="request", id=0, outcome="answered", status=3, reason="none", elapsed_us=20000, **peer)]


def answered():
    """The same, seen by the responder, whose clock is 7 s ahead."""
    peer = {"peer": "127.0.0.1:50000"}
    later = {"second": 7}
    return [line("trace", 0, command="respond", **later),
            line("in", 510, type="INIT", sender=HERE, len=256, fate="taken", **later, **peer),
            line("out", 510, type="ACCEPT", sender=THERE, receiver=HERE, len=148, **later, **peer),
            data("in", 1520, THERE, 0, {"frame": "PING"}, **later, **peer),
            data("in", 20510, THERE, 2, {"frame": "REQUEST", "id": 0, "name": "up", "len": 5}, **later, **peer),
            line("request", 20520, kind="request", id=0, len=5, **later, **peer),
            data("out", 20530, HERE, 0, {"frame": "REPLY", "id": 0, "len": 5}, **later, **peer),
            line("in", 600, len=3, fate="foreign", peer="127.0.0.1:9", **later)]


class Drawn(unittest.TestCase):
    def lines(self, *files):
        got, _ = draw(*files)
        self.assertEqual((got.returncode, got.stderr), (0, b""))
        lines = got.stdout.decode().splitlines()
        self.assertEqual([l for l in lines if len(l) > 80], [])
        return lines

    def test_one_end(self):
        lines = self.lines(asked())
        self.assertRegex(lines[0], r"^ +request +127\.0\.0\.1:7400$")
        rows = [r"0 us \|---- INIT, 256 bytes -+>\|$", r"1 ms \|<--- ACCEPT, 148 bytes -+\|$", r"1.01 ms \|---- DATA 0: PING -+>\|$",
                r"1.02 ms \|---- DATA 1: REQUEST 0 up, 5 bytes -+>\|$",
                r"20 ms \|---- DATA 2: REQUEST 0 up, 5 bytes -+>\|$",
                r"21 ms \|<--- DATA 0: ACK 2; REPLY 0, 5 bytes, status 3, 400 us there -+\|$",
                r"21 ms \|     request 0: answered, status 3, 20 ms +\|$"]
        for row in rows:
            self.assertTrue(any(re.search(row, l) for l in lines), (row, lines))

    def test_both_ends_show_what_was_lost_whatever_their_clocks_say(self):
        lines = self.lines(asked(), answered())
        self.assertEqual([l for l in lines if "X" in l], [l for l in lines if "DATA 1" in l])
        self.assertEqual(len([l for l in lines if "DATA 0: PING" in l]), 1)
        order = [next(i for i, l in enumerate(lines) if word in l) for word in
                 ("INIT", "ACCEPT", "PING", "DATA 2", "is given to the program", "REPLY", "answered")]
        self.assertEqual(order, sorted(order), lines)
        self.assertTrue(next(l for l in lines if "given" in l).endswith("program   |"))
        self.assertNotIn("foreign", "".join(lines))

    def test_a_ladder_for_each_peer(self):
        lines = self.lines(answered())
        self.assertEqual([l.split()[-1] for l in lines if l.startswith("           respond")], ["127.0.0.1:50000", "127.0.0.1:9"])
        self.assertTrue(any("no datagram of the protocol, 3 bytes (not taken: foreign)" in l for l in lines))

    def test_the_other_end_stands_in_its_own_ladder_only(self):
        lines = self.lines(answered(), asked())
        stranger = next(i for i, l in enumerate(lines) if l.endswith(" 127.0.0.1:9"))
        self.assertEqual(len(lines) - stranger, 2, lines)
        self.assertEqual(len([l for l in lines if "INIT" in l]), 1, lines)

    def test_many_peers_take_no_time_by_their_square(self):
        lines = [line("out", i, type="INIT", sender="%016x" % i, len=256, peer="p:%d" % i) for i in range(100000)]
        got, _ = draw(lines, asked())
        self.assertEqual(got.returncode, 0)
        self.assertEqual(got.stdout.count(b"INIT"), 100000)

    def test_what_was_sent_is_delivered_and_pings_count_from_0(self):
        peer = {"peer": "127.0.0.1:7400"}
        lines = self.lines([data("out", 10, THERE, 0, {"frame": "ECHO", "number": 2 ** 61}, **peer),
                            line("done", 20, kind="echo", id=2 ** 61 + 1, outcome="answered", reason="none", **peer),
                            line("done", 30, kind="send", id=4, outcome="answered", reason="none", **peer),
                            line("done", 40, kind="send", id=5, outcome="refused", reason="none", **peer)])
        self.assertRegex(lines[0], r"^ +here +127\.0\.0\.1:7400$")
        for row, said in zip(lines[1:], ("DATA 0: ECHO 0 ", "echo 1: answered ", "send 4: delivered ", "send 5: refused ")):
            self.assertIn(said, row)

    def test_what_is_long_goes_on_in_the_next_line(self):
        frames = [{"frame": "SEND", "id": i, "name": "a" * 64, "len": 9} for i in range(9)]
        lines = self.lines([data("out", 0, THERE, 7, *frames, peer="x:1")])
        self.assertEqual("".join(lines).count("SEND"), 9)
        self.assertGreater(len(lines), 9)

    def test_what_a_later_version_has_more_is_passed_over(self):
        more = asked() + [line("weather", 30000, peer="127.0.0.1:7400", wind=3)]
        self.assertEqual(self.lines(more), self.lines(asked()))


class Real(unittest.TestCase):
    def test_a_lossy_exchange_from_both_ends(self):
        with directory() as d:
            client, server = os.path.join(d, "c"), os.path.join(d, "s")
            with Running("respond", "127.0.0.1:0", "up=tr a-z A-Z", "--trace", server) as r, \
                    Running("relay", "127.0.0.1:0", "127.0.0.1:%d" % r.port, "--loss", "40%", "--seed", "3",
                            wait_for=rb"relaying 127.0.0.1:\d+") as between:
                port = int(re.search(rb"relaying 127.0.0.1:(\d+)", between.stderr).group(1))
                got = run("request", "--lines", "--trace", client, "127.0.0.1:%d/up" % port, stdin=b"word\n" * 20)
                self.assertEqual((got.returncode, got.stdout), (0, b"WORD\n" * 20))
                r.stop()
            got = run("trace", client, server)
            self.assertEqual((got.returncode, got.stderr), (0, b""))
            lines = got.stdout.decode().splitlines()
            self.assertEqual([l for l in lines if len(l) > 80], [])
            self.assertTrue([l for l in lines if "X |" in l] + [l for l in lines if "| X--" in l])
            self.assertEqual(len([l for l in lines if "answered" in l]), 20)
            with open(client, "rb") as f:
                self.assertEqual(run("trace", "-", stdin=f.read()).returncode, 0)

    def test_a_plain_question(self):
        with harness.echo() as e, directory() as d:
            path = os.path.join(d, "t")
            self.assertEqual(run("request", "--trace", path, "udp://127.0.0.1:%d" % e.port, "hi").returncode, 0)
            out = run("trace", path).stdout
            self.assertRegex(out, rb"---- try 1 -+>")
            self.assertRegex(out, rb"<--- answer, 2 bytes -+")


class Strangers(unittest.TestCase):
    def test_a_malformed_line_is_told_with_its_file_and_number(self):
        rows = [("{", "near end of file"), ("[]", "no JSON object"), ("{}", '"v":1'), (json.dumps({"v": 1, "ev": 3}), '"ev"'),
                (json.dumps({**line("in", 0), "at_us": -1}), '"at_us"'), (json.dumps({**line("in", 0), "at_us": 2 ** 60}), '"at_us"'),
                ("root:x:0", "not a line of --trace: "),
                (json.dumps({**line("in", 0), "t": "yesterday"}), "its time"), ('\x00\x01', ""), ("", "")]
        for text, said in rows:
            got, paths = draw([asked()[0], text])
            self.assertEqual(got.returncode, 26, (text, got))
            self.assertIn("%s:2: " % paths[0], got.stderr.decode())
            self.assertIn(said, got.stderr.decode())
        got, paths = draw([])
        self.assertEqual((got.returncode, got.stderr.decode()), (26, "dgram: %s: empty: nothing that --trace wrote\n" % paths[0]))
        got = run("trace", "/nowhere/file")
        self.assertEqual(got.returncode, 26)
        self.assertIn(b"/nowhere/file: cannot read: ", got.stderr)

    def test_nothing_in_a_file_is_an_order_to_the_terminal(self):
        nasty = "\x1b]0;x\x07\x9b\u202e"
        with directory() as d:
            path = os.path.join(d, "t")
            with open(path, "w") as f:
                for one in [line("trace", 0, command=nasty), line("in", 1, peer=nasty, type=nasty, fate=nasty),
                            line("done", 2, peer=nasty, kind=nasty, outcome=nasty, reason=nasty),
                            data("out", 3, nasty, 1, {"frame": nasty, "says": nasty, "name": nasty}, peer=nasty)]:
                    f.write(json.dumps(one) + "\n")
            with Terminal("trace", "--color", "never", path) as t:
                code, seen = t.finish()
        self.assertEqual(code, 0)
        self.assertNotIn(b"\x1b", seen)
        self.assertNotIn(b"\x07", seen)
        self.assertNotIn("\u202e".encode(), seen)

    def test_odd_values_are_harmless(self):
        odd = [2 ** 63 - 1, -2 ** 63, None, "x", [], {}, 0.5]
        lines = [line("recovery", 0, lost=1, peer="p")]
        for value in odd:
            keys = ("id", "number", "largest", "down_to", "len", "total", "offset", "status", "service_us", "bytes", "name")
            lines.append(data("in", 1, THERE, value, dict.fromkeys(keys, value), value, peer="p", left_out=value))
            lines.append(line("done", 2, peer=value, id=value, elapsed_us=value, status=value))
            lines.append(line("out", 3, peer="p", frames=value, type=value, len=value))
        for files in [lines], [lines, lines], [lines[:1], lines]:
            got, _ = draw(*files)
            self.assertEqual((got.returncode, got.stderr), (0, b""))

    def test_usage_and_colour(self):
        self.assertEqual(run("trace").returncode, 2)
        self.assertEqual(run("trace", "a", "b", "c").returncode, 2)
        got, _ = draw(asked(), options=["--color", "always"])
        self.assertIn(b"\x1b[31m", got.stdout)
        got, _ = draw(asked())
        self.assertNotIn(b"\x1b", got.stdout)


if __name__ == "__main__":
    harness.main(at_once=4)
