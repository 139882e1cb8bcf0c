"""Two plain ends talk: a line is a datagram, both ways at once."""

import json
import os
import re
import signal
import socket
import subprocess
import unittest

import harness
from harness import Running, Terminal, run, udp_socket


class Peer(unittest.TestCase):
    def start(self, *args):
        return Running("peer", *args, stdin=subprocess.PIPE, wait_for=rb"talking|waiting")

    def say(self, peer, data):
        peer.process.stdin.write(data)
        peer.process.stdin.flush()

    def test_two_of_ours_talk_both_ways_at_once(self):
        with self.start("-b", "127.0.0.1:0") as anna:
            with self.start("udp://127.0.0.1:%d" % anna.port) as bert:
                self.say(bert, b"hello anna\n")
                self.assertEqual(anna.read_line(), b"hello anna\n")
                anna.wait_stderr(rb"127\.0\.0\.1:\d+ writes")
                self.say(anna, b"hello bert\nand again\n")
                self.say(bert, b"at the same time\n")
                self.assertEqual([bert.read_line(), bert.read_line()], [b"hello bert\n", b"and again\n"])
                self.assertEqual(anna.read_line(), b"at the same time\n")
                self.assertEqual(bert.stop(), (0, b""))
                self.assertIn(b"dgram: 2 sent, 2 received\n", bert.stderr)

    def test_both_ends_may_be_fixed(self):
        port = harness.free_port()
        with self.start("-b", "127.0.0.1:0", "udp://127.0.0.1:%d" % port) as anna:
            with self.start("-b", "127.0.0.1:%d" % port, "udp://127.0.0.1:%d" % anna.port) as bert:
                self.say(anna, b"one\n")
                self.assertEqual(bert.read_line(), b"one\n")
                self.say(bert, b"two\n")
                self.assertEqual(anna.read_line(), b"two\n")

    def test_a_line_is_a_datagram_without_its_newline(self):
        with udp_socket() as s, self.start("udp://127.0.0.1:%d" % s.getsockname()[1]) as peer:
            self.say(peer, b"one\n\nthr")
            self.say(peer, b"ee\n" + b"x" * 60000 + b"\n")
            self.assertEqual([s.recv(65536) for _ in range(4)], [b"one", b"", b"three", b"x" * 60000])

    def test_of_a_line_that_is_too_long_nothing_is_sent(self):
        with udp_socket() as s, self.start("udp://127.0.0.1:%d" % s.getsockname()[1]) as peer:
            self.say(peer, b"x" * 140000 + b"\nnext\n")
            self.assertEqual(s.recv(65536), b"next")
            peer.wait_stderr(b"too long|more than")

    def test_no_line_is_lost_for_want_of_room(self):
        with harness.directory() as d, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(d + "/s")
            s.settimeout(harness.PATIENCE)
            lines = [b"%d" % i for i in range(3000)]
            with self.start("unix://" + d + "/s") as peer:
                self.say(peer, b"\n".join(lines))
                peer.process.stdin.close()
                self.assertEqual([s.recv(10) for _ in lines], lines)
                self.assertEqual(peer.stop(), (0, b""))
                self.assertIn(b"dgram: 3000 sent, 0 received\n", peer.stderr)

    def test_a_datagram_is_a_line(self):
        with udp_socket() as s, self.start("-b", "127.0.0.1:0") as peer:
            for payload in b"one", b"two\n", b"":
                s.sendto(payload, ("127.0.0.1", peer.port))
            self.assertEqual([peer.read_line() for _ in range(3)], [b"one\n", b"two\n", b"\n"])

    def test_whoever_wrote_last_is_answered(self):
        with udp_socket() as a, udp_socket() as b, self.start("-b", "127.0.0.1:0") as peer:
            for s in a, b, a:
                s.sendto(b"hi", ("127.0.0.1", peer.port))
                peer.read_line()
                self.say(peer, b"you\n")
                self.assertEqual(s.recv(10), b"you")

    def test_with_an_endpoint_others_are_left_out(self):
        with udp_socket() as friend, udp_socket() as stranger, \
                self.start("-b", "127.0.0.1:0", "udp://127.0.0.1:%d" % friend.getsockname()[1]) as peer:
            stranger.sendto(b"psst", ("127.0.0.1", peer.port))
            friend.sendto(b"hi", ("127.0.0.1", peer.port))
            self.assertEqual(peer.read_line(), b"hi\n")

    def test_a_line_to_nobody_is_told(self):
        with self.start("-b", "127.0.0.1:0") as peer:
            self.say(peer, b"hello?\n")
            peer.wait_stderr(b"nobody has written yet")

    def test_warnings_are_ten_a_second_and_the_rest_is_counted(self):
        with self.start("-b", "127.0.0.1:0") as peer:
            self.say(peer, b"x\n" * 500)
            peer.wait_stderr(b"nobody has written yet")
            peer.process.stdin.close()
            peer.stop()
            told = peer.stderr.count(b"nobody has written yet")
            left_out = sum(int(n) for n in re.findall(rb"dgram: (\d+) more warnings were left out", peer.stderr))
            self.assertEqual(told + left_out, 500 if left_out else told)
            self.assertLess(told, 100)

    def test_quiet_says_no_warning(self):
        with Running("peer", "-q", "-T", "100ms", "-b", "127.0.0.1:0", stdin=subprocess.PIPE, wait_for=None) as peer:
            self.say(peer, b"x\n")
            self.assertEqual(peer.wait()[0], 0)
            self.assertEqual(peer.stderr, b"")

    def test_a_refusal_is_told_and_not_the_end(self):
        port = harness.free_port()
        with self.start("udp://127.0.0.1:%d" % port) as peer:
            self.say(peer, b"too early\n")
            peer.wait_stderr(b"refused")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.bind(("127.0.0.1", port))
                s.settimeout(harness.PATIENCE)
                self.say(peer, b"now\n")
                self.assertEqual(s.recv(10), b"now")

    def test_the_end_of_a_pipe_goes_on_listening(self):
        with udp_socket() as s, self.start("-n", "1", "udp://127.0.0.1:%d" % s.getsockname()[1]) as peer:
            peer.process.stdin.write(b"a question\nno newline")
            peer.process.stdin.close()
            data, source = s.recvfrom(100)
            self.assertEqual([data, s.recv(100)], [b"a question", b"no newline"])
            s.sendto(b"the answer", source)
            self.assertEqual(peer.wait(), (0, b"the answer\n"))

    def test_at_a_terminal_the_end_of_input_is_the_end(self):
        with udp_socket() as s, Terminal("peer", "udp://127.0.0.1:%d" % s.getsockname()[1]) as t:
            t.wait_for(b"Ctrl-D ends")
            t.type(b"hello\n")
            data, source = s.recvfrom(100)
            self.assertEqual(data, b"hello")
            s.sendto(b"\x1b[31mred", source)
            t.wait_for(rb"\\x1B\[31mred\r\n")
            t.type(b"\x04")
            self.assertEqual(t.finish()[0], 0)

    def test_json(self):
        with udp_socket() as s, self.start("--json", "-b", "127.0.0.1:0") as peer:
            line = json.loads(peer.read_line())
            self.assertEqual((line["ev"], line["local"]), ("listening", "udp://127.0.0.1:%d" % peer.port))
            s.sendto(b"hi", ("127.0.0.1", peer.port))
            line = json.loads(peer.read_line())
            self.assertEqual((line["ev"], line["text"], line["from"]), ("message", "hi", "127.0.0.1:%d" % s.getsockname()[1]))
            code, rest = peer.stop()
            line = json.loads(rest)
            self.assertEqual((code, line["ev"], line["sent"], line["received"]), (0, "summary", 0, 1))

    def test_the_time_is_over(self):
        got = run("peer", "-b", "127.0.0.1:0", "-T", "50ms")
        self.assertEqual(got.returncode, 0, got)

    def test_fewer_messages_than_n_are_28(self):
        got = run("peer", "-n", "2", "-b", "127.0.0.1:0", "-T", "50ms")
        self.assertEqual(got.returncode, 28, got)
        self.assertIn(b"dgram: 0 of 2 messages came\n", got.stderr)

    def test_stopped_it_ends_with_its_counts(self):
        for sig in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            with self.start("-b", "127.0.0.1:0") as peer:
                self.assertEqual(peer.stop(sig)[0], 0)
                self.assertIn(b"0 sent, 0 received", peer.stderr)

    def test_usage(self):
        for args, pattern in ([], b"with whom"), (["127.0.0.1:9"], b"write udp://"), (["udp://h:1", "udp://h:2"], b"one endpoint"):
            got = run("peer", *args)
            self.assertEqual(got.returncode, 2, got)
            self.assertIn(pattern, got.stderr)
        with udp_socket() as s:
            self.assertEqual(run("peer", "-b", "127.0.0.1:%d" % s.getsockname()[1]).returncode, 45)


if __name__ == "__main__":
    harness.main()
