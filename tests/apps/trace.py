"""--trace: every datagram and decision, a JSON line each; and nothing of what was said unless that is asked for."""

import json
import os
import unittest

import harness
from handlers import eventually
from harness import Running, directory, echo, free_port, run


def lines_of(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def whole_lines_of(path):
    """While it is being written."""
    with open(path) as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def frames_of(lines, way):
    return [f["frame"] for l in lines if l["ev"] == way for f in l.get("frames", [])]


class Files(unittest.TestCase):
    def both_ends(self, d, *options):
        client, server = os.path.join(d, "client"), os.path.join(d, "server")
        with Running("respond", "127.0.0.1:0", "up=tr a-z A-Z", "--trace", server, *options) as r:
            got = run("request", "--trace", client, *options, "127.0.0.1:%d/up" % r.port, "secretword")
            self.assertEqual((got.returncode, got.stdout, got.stderr), (0, b"SECRETWORD", b""))
            self.assertTrue(eventually(lambda: "CLOSE" in frames_of(whole_lines_of(server), "in")))  # the client's last word
            self.assertEqual(r.stop()[0], 0)
        return client, server

    def test_both_ends_of_a_request(self):
        with directory() as d:
            client, server = map(lines_of, self.both_ends(d))
            self.assertEqual(os.stat(os.path.join(d, "client")).st_mode & 0o777, 0o600)
        self.assertEqual((client[0]["ev"], client[0]["command"]), ("trace", "request"))
        self.assertEqual((server[0]["ev"], server[0]["command"]), ("trace", "respond"))
        sent = [l["type"] for l in client if l["ev"] == "out"]
        self.assertEqual((sent[0], set(sent)), ("INIT", {"INIT", "DATA"}))
        self.assertEqual({l["type"] for l in client if l["ev"] == "in" and l["fate"] == "taken"}, {"ACCEPT", "DATA"})
        self.assertIn("REQUEST", frames_of(client, "out"))
        self.assertIn("REQUEST", frames_of(server, "in"))
        self.assertIn("REPLY", frames_of(client, "in"))
        self.assertIn("CLOSE", frames_of(server, "in"))
        done = [l for l in client if l["ev"] == "done"]
        self.assertEqual([(l["kind"], l["outcome"], l["reason"]) for l in done], [("request", "answered", "none")])
        self.assertEqual([l["id"] for l in server if l["ev"] == "request"], [0])
        for lines in client, server:
            times = [l["at_us"] for l in lines if l["ev"] in ("in", "out")]
            self.assertEqual(times, sorted(times))

    def test_payloads_are_left_out_unless_asked_for(self):
        for options, expected in ([], False), (["--trace-payload"], True):
            with directory() as d:
                for path, word in zip(self.both_ends(d, *options), ("SECRETWORD", "secretword")):
                    with open(path) as f:
                        text = f.read()
                    self.assertEqual("secretword" in text.lower(), expected)
                    self.assertEqual(word in text, expected)

    def test_what_the_network_says_and_losses_are_in_it(self):
        with directory() as d:
            path = os.path.join(d, "t")
            self.assertEqual(run("request", "--trace", path, "127.0.0.1:%d" % free_port(), "hi").returncode, 7)
            lines = lines_of(path)
            self.assertEqual([l["name"] for l in lines if l["ev"] == "network"], ["refused"])
            self.assertEqual([(l["outcome"], l["reason"]) for l in lines if l["ev"] == "done"], [("refused", "unheard")])
            with Running("listen", "127.0.0.1:0") as l, \
                    Running("relay", "127.0.0.1:0", "127.0.0.1:%d" % l.port, "--loss", "40%", "--seed", "2",
                            wait_for=rb"relaying 127.0.0.1:(\d+)") as r:
                port = int(r.stderr.split()[2].split(b":")[1])
                for command in ["send", "--trace", path, "127.0.0.1:%d" % port, "x" * 20000], \
                               ["ping", "-n", "20", "--interval", "10ms", "-t", "1s", "--trace", path, "127.0.0.1:%d" % port]:
                    self.assertEqual(run(*command).returncode, 0)
                    lines = lines_of(path)
                    self.assertGreater(sum(l["lost"] + l["timeouts"] for l in lines if l["ev"] == "recovery"), 0)

    def test_what_is_not_of_the_protocol_has_its_fate(self):
        with directory() as d, Running("listen", "127.0.0.1:0", "--trace", os.path.join(d, "t")) as l:
            self.assertEqual(run("send", "udp://127.0.0.1:%d" % l.port, "plain").returncode, 0)
            self.assertEqual(run("send", "127.0.0.1:%d" % l.port, "hi").returncode, 0)
            self.assertEqual(l.read_line(), b"hi\n")
            l.stop()
            self.assertIn((5, "foreign"), [(x["len"], x["fate"]) for x in lines_of(os.path.join(d, "t")) if x["ev"] == "in"])

    def test_over_a_connection(self):
        with directory() as d, Running("respond", "tcp://127.0.0.1:0", "--echo", wait_for=rb"tcp://127") as r:
            path = os.path.join(d, "t")
            got = run("request", "--trace", path, "tcp://127.0.0.1:%d" % r.port, "hi")
            self.assertEqual((got.returncode, got.stdout), (0, b"hi"))
            lines = lines_of(path)
            self.assertEqual([l["type"] for l in lines if l["ev"] == "in"][0], "ACCEPT")
            self.assertIn("REPLY", frames_of(lines, "in"))


class Failures(unittest.TestCase):
    def test_a_full_disk_is_said_once_and_the_command_goes_on(self):
        with Running("respond", "127.0.0.1:0", "--echo") as r:
            got = run("request", "--lines", "--trace", "/dev/full", "127.0.0.1:%d" % r.port, stdin=b"a\nb\nc\n")
        self.assertEqual((got.returncode, got.stdout), (0, b"a\nb\nc\n"))
        self.assertEqual(got.stderr.count(b"--trace"), 1, got.stderr)
        self.assertIn(b"/dev/full: cannot write: No space left on device; what follows is not traced", got.stderr)

    def test_a_file_that_cannot_be_made_is_23_before_anything_is_sent(self):
        for command in ["request"], ["send"], ["ping"]:
            got = run(*command, "--trace", "/nowhere/x", "127.0.0.1:9", *([] if command == ["ping"] else ["hi"]))
            self.assertEqual(got.returncode, 23, got)

    def test_plain_endpoints_say_that_they_are_not_traced(self):
        with echo() as e, directory() as d:
            path = os.path.join(d, "t")
            for command in ["send", "udp://127.0.0.1:%d" % e.port, "hi"], ["listen", "udp://127.0.0.1:0"], \
                           ["respond", "udp://127.0.0.1:0", "--echo"]:
                got = run(command[0], "--trace", path, *command[1:])
                self.assertEqual(got.returncode, 2, got)
                self.assertIn(b"this endpoint is plain", got.stderr)
                self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    harness.main(at_once=4)
