"""request, send, respond and listen on the dgram protocol: real processes, every outcome made by what really causes it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest

import harness
from harness import DGRAM, Running, Terminal, free_port, run, silent

LOSSY = ["--loss", "20%", "--dup", "10%", "--reorder", "10%"]


def respond(*args, on="127.0.0.1:0", **more):
    return Running("respond", *more.pop("before", ()), on, *args, **more)


def listen(*args, on="127.0.0.1:0"):
    return Running("listen", *args, on)


@contextlib.contextmanager
def relay(port, *options):
    """The port of a relay to that port."""
    with Running("relay", "127.0.0.1:0", "127.0.0.1:%d" % port, *options, wait_for=rb"relaying") as r:
        yield int(re.search(rb"relaying \S+:(\d+) to", r.stderr)[1])


def at(port, name=None):
    return "127.0.0.1:%d%s" % (port, "/" + name if name else "")


def lines_of(out):
    return [json.loads(line) for line in out.splitlines()]


def background(*args, stdin=b""):
    """The command with that much on its stdin, which has to fit into a pipe."""
    process = subprocess.Popen([DGRAM, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(stdin)
    process.stdin.close()
    process.stdin = None  # communicate() would write to it
    return process


def ends(process):
    """(exit code, stdout, stderr) of a background process."""
    out, err = process.communicate(timeout=harness.PATIENCE)
    return process.returncode, out, err


def eventually(condition):
    end = time.monotonic() + harness.PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@contextlib.contextmanager
def gate():
    """A FIFO that a handler reads: it waits until open_gate(), and wherever it ended up it goes with the test."""
    with harness.directory() as d:
        path = d + "/gate"
        os.mkfifo(path)
        fd = os.open(path, os.O_RDWR)
        try:
            yield path, lambda text=b"opened\n": os.write(fd, text)
        finally:
            os.close(fd)


class Case(unittest.TestCase):
    def ends(self, result, code, pattern=None):
        self.assertEqual(result.returncode, code, result)
        if pattern is not None:
            self.assertRegex(result.stderr.decode(), pattern)

    def answers(self, to, *args, answer, **more):
        got = run("request", to, *args, **more)
        self.ends(got, 0)
        self.assertEqual((got.stdout, got.stderr), (answer, b""))


class Answers(Case):
    def test_names_have_their_commands(self):
        with respond("-v", "time=date +%s", "load=cat /proc/loadavg") as r:
            self.assertIn(b"dgram: answering time, load on 127.0.0.1:%d\n" % r.port, r.stderr)
            got = run("request", at(r.port, "time"))
            self.ends(got, 0)
            self.assertRegex(got.stdout, rb"^\d{10,}\n$")
            self.assertEqual(len(run("request", at(r.port, "load")).stdout.split()), 5)
            r.wait_stderr(rb"127\.0\.0\.1:\d+: load: 0 bytes, answered with \d+")
            self.assertEqual(r.stop()[0], 0)
            self.assertIn(b"2 requests, 2 answers\n", r.stderr)

    def test_a_command_is_split_as_a_shell_would_and_nothing_is_expanded(self):
        with respond("a=printf '%s|' \"$HOME\" 'two words' \\* b\\ c", "cat=cat") as r:
            self.answers(at(r.port, "a"), "", answer=b"$HOME|two words|*|b c|")
            self.answers(at(r.port, "cat"), "$(id)", answer=b"$(id)")
        with respond("x=tr a-z A-Z | rev", before=["--sh"]) as r:
            self.answers(at(r.port, "x"), "abc", answer=b"CBA")

    def test_echo_reply_and_exec(self):
        with respond("--echo") as r:
            self.assertEqual(r.stderr, b"dgram: echoing on 127.0.0.1:%d\n" % r.port)
            self.answers(at(r.port), "hi", answer=b"hi")
            self.answers(at(r.port, "any.name"), "hi", answer=b"hi")
        with respond("--reply", "pong") as r:
            self.answers(at(r.port), "ping", answer=b"pong")
        with respond("--exec", "tr", "a-z", "A-Z") as r:
            self.answers(at(r.port), "hi", answer=b"HI")
            self.answers(at(r.port, "any"), "hi", answer=b"HI")

    def test_payloads_of_every_kind(self):
        with respond("--exec", "cat") as r:
            for payload in b"", "你好,世界".encode(), b"a\n", b"\0\xff\x1b[31m\r\n", os.urandom(3000):
                self.answers(at(r.port), stdin=payload, answer=payload)
            self.answers(at(r.port), "", answer=b"")
            self.answers(at(r.port), "-x", "00 ff", answer=b"\0\xff")
            self.answers(at(r.port), "-e", r"a\tb", answer=b"a\tb")

    def test_a_mebibyte_both_ways(self):
        payload = os.urandom(1 << 20)
        with respond("--exec", "cat") as r:
            self.answers(at(r.port), "-T", "30s", stdin=payload, answer=payload)
            with relay(r.port, "--loss", "1%", "--dup", "1%", "--reorder", "1%") as port:
                self.answers(at(port), "-T", "30s", stdin=payload, answer=payload)

    def test_the_handler_knows_who_asks_for_what(self):
        with respond("--exec", "env") as r:
            got = run("request", "-T", "30s", at(r.port, "a.b"))
            self.ends(got, 0)
            env = dict(line.split("=", 1) for line in got.stdout.decode().splitlines())
            again = dict(line.split("=", 1) for line in run("request", at(r.port)).stdout.decode().splitlines())
        self.assertRegex(env["DGRAM_PEER"], r"^127\.0\.0\.1:\d+$")
        self.assertRegex(env["DGRAM_ID"], r"^[0-9a-f]+\.[0-9a-f]+-0$")
        self.assertNotEqual(env["DGRAM_ID"], again["DGRAM_ID"])
        self.assertEqual((env["DGRAM_NAME"], again["DGRAM_NAME"], env["DGRAM_KEY_ID"]), ("a.b", "", ""))
        self.assertTrue(1 < int(env["DGRAM_DEADLINE_MS"]) <= 30000, env)

    def test_json_says_it_all(self):
        with respond("--json", "twice=cat") as r:
            got = run("request", "-j", at(r.port, "twice"), "grüß")
            self.ends(got, 0)
            code, out = r.stop()
        (line,) = lines_of(got.stdout)
        self.assertEqual(list(line), ["v", "t", "ev", "from", "id", "name", "len", "text", "status", "tries", "rtt_us",
                                      "service_us"])
        self.assertEqual((line["ev"], line["from"], line["name"], line["len"], line["text"], line["status"]),
                         ("reply", at(r.port), "twice", 6, "grüß", 0))
        self.assertGreaterEqual(line["tries"], 1)
        self.assertRegex(line["id"], r"^[0-9a-f]+\.[0-9a-f]+-\d+$")
        listening, message, reply, summary = lines_of(out)
        self.assertEqual((listening["ev"], listening["local"]), ("listening", at(r.port)))
        self.assertEqual((message["ev"], message["name"], message["text"]), ("message", "twice", "grüß"))
        self.assertEqual((reply["ev"], reply["status"], reply["id"]), ("reply", 0, message["id"]))
        self.assertEqual(message["id"], line["id"])
        self.assertEqual((summary["requests"], summary["answers"], summary["failed"]), (1, 1, 0))

    def test_lines_are_answered_in_their_order_in_one_session(self):
        lines = b"".join(b"line %d\n" % i for i in range(50))
        with respond("--json", "--echo") as r:
            self.answers(at(r.port), "--lines", stdin=lines, answer=lines)
            code, out = r.stop()
        ids = [line["id"].split("-") for line in lines_of(out) if line["ev"] == "message"]
        self.assertEqual(sorted(int(number) for _, number in ids), list(range(50)))
        self.assertEqual(len({session for session, _ in ids}), 1)

    def test_lines_are_under_way_together_and_answered_in_their_order(self):
        with harness.directory() as d:
            for name in "abc":
                os.mkfifo(d + "/" + name)
            script = 'read -r l; echo "runs $l" >&2; read -r x <%s/"$l"; echo "$l$x"' % d
            with respond("--sh", "--exec", script) as r, \
                    subprocess.Popen([DGRAM, "request", "--lines", "-T", "30s", at(r.port)], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE) as asking:
                asking.stdin.write(b"a\nb\nc\n")
                asking.stdin.flush()
                for name in "abc":
                    r.wait_stderr(b"runs %s" % name.encode())
                for name in "cba":
                    self.assertFalse(harness.readable(asking.stdout, 0))
                    with open(d + "/" + name, "w") as f:
                        f.write("1\n")
                for name in b"a1\n", b"b1\n", b"c1\n":
                    self.assertEqual(asking.stdout.readline(), name)
                asking.stdin.close()
                self.assertEqual(asking.wait(harness.PATIENCE), 0)

    def test_a_line_that_fails_is_named_and_the_others_run(self):
        with respond("--sh", "--exec", 'read -r l; echo "$l"; test "$l" != b') as r:
            got = run("request", "--lines", at(r.port), stdin=b"a\nb\nc\n")
            self.assertEqual((got.returncode, got.stdout), (1, b"a\nb\nc\n"), got)
            self.assertRegex(got.stderr.decode(), r"^dgram: line 2: 127\.0\.0\.1:\d+: the handler failed: exit 1\n$")

    def test_answers_are_printed_as_they_come_while_the_input_is_open(self):
        with respond("--exec", "cat") as r, subprocess.Popen([DGRAM, "request", "--lines", at(r.port)],
                                                             stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asking:
            for line in b"one\n", b"two\n":
                asking.stdin.write(line[:2])
                asking.stdin.flush()
                self.assertFalse(harness.readable(asking.stdout, 0.02))
                asking.stdin.write(line[2:])
                asking.stdin.flush()
                self.assertEqual(asking.stdout.readline(), line)
            asking.stdin.write(b"no newline")
            asking.stdin.close()
            self.assertEqual((asking.stdout.read(), asking.wait(harness.PATIENCE)), (b"no newline\n", 0))

    def test_many_lines_and_long_ones(self):
        lines = b"".join(b"%d %s\n" % (i, b"x" * (i * 37 % 3000)) for i in range(400))
        with respond("--echo") as r:
            self.answers(at(r.port), "--lines", stdin=lines, answer=lines)
            self.answers(at(r.port), "--lines", "-n", "3", stdin=lines, answer=b"\n".join(lines.split(b"\n")[:3]) + b"\n")
            big = b"".join(bytes([65 + i]) * 1000000 + b"\n" for i in range(5))
            self.answers(at(r.port), "--lines", "-T", "30s", "--max-request", "1MiB", "--max-reply", "1MiB", stdin=big, answer=big)

    @unittest.skipUnless(harness.has_ipv6(), "no IPv6 here")
    def test_ipv6_both_families_and_a_name_with_two_addresses(self):
        with respond("--echo", on="[::1]:0") as r:
            self.answers("[::1]:%d" % r.port, "six", answer=b"six")
            self.answers("localhost:%d/x" % r.port, "six", answer=b"six")
        with respond("--echo", on=":0") as r:
            for host in "127.0.0.1", "[::1]", "localhost":
                self.answers("%s:%d" % (host, r.port), host, answer=host.encode())
        with respond("--echo") as r:
            self.answers("localhost:%d" % r.port, "four", answer=b"four")
            self.answers("localhost:%d" % r.port, "--lines", stdin=b"a\nb\n", answer=b"a\nb\n")

    def test_count_stops_after_the_last_answer_arrived(self):
        for _ in range(3):
            with respond("-n", "2", "--echo") as r:
                for text in "one", "two":
                    self.answers(at(r.port), text, answer=text.encode())
                self.assertEqual(r.wait()[0], 0)
                self.assertIn(b"2 requests, 2 answers\n", r.stderr)

    def test_the_time_line(self):
        with respond("--echo") as r:
            got = run("request", "--explain", at(r.port), "hi")
            self.ends(got, 0, r"(?s)try 1 to 127\.0\.0\.1:\d+\n.* asks for a session\n.* the session is up, .* after it was "
                                r"asked for\n.* request 0 leaves, 2 bytes\n.* answer from 127\.0\.0\.1:\d+, 2 bytes; "
                                r".* of it there\n$")
        self.ends(run("request", "--explain", at(free_port()), "hi"), 7, r"(?s)network says: refused .*end: no one listens")
        with Running("listen", "127.0.0.1:0") as l:
            got = run("send", "--explain", at(l.port), "hi")
            self.ends(got, 0, r"(?s)message 0 leaves, 2 bytes\n.* 127\.0\.0\.1:\d+ has it\n$")
            # unless the first copy was acknowledged after the second one had left
            self.assertTrue(eventually(lambda: b" acknowledged" in run("send", "--explain", at(l.port), "hi").stderr))
        self.ends(run("send", "--explain", "udp://" + at(9), "hi"), 2, "--explain: a plain endpoint confirms nothing")

    def test_the_time_line_of_a_lossy_path(self):
        with respond("--echo") as r, relay(r.port, "--loss", "40%", "--seed", "14") as port:
            got = run("request", "--explain", "-T", "30s", at(port), stdin=b"x" * 30000)
            self.ends(got, 0, r"(?s)asks for a session again \(2\)\n.* the session is up.* request 0 leaves, 30000 bytes\n.* datagrams? "
                              r"counts? as lost.*\n.* the answer begins, 30000 bytes\n.* answer from")

    def test_many_clients_of_one_address_at_once(self):
        """None loses its place to another one after it was let in, and has to say that its request may have run."""
        with Running("respond", "127.0.0.1:0", "--exec", "cat") as r, contextlib.ExitStack() as stack:
            clients = [stack.enter_context(subprocess.Popen(
                [DGRAM, "request", "-T", "30s", "127.0.0.1:%d" % r.port, str(i)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)) for i in range(200)]
            for i, client in enumerate(clients):
                out, err = client.communicate(timeout=harness.PATIENCE)
                self.assertEqual((client.returncode, out), (0, b"%d" % i), err)

    def test_bind_is_the_source(self):
        port = free_port()
        with respond("--sh", "--exec", 'echo "$DGRAM_PEER"') as r:
            self.answers(at(r.port), "-b", "127.0.0.2:%d" % port, "", answer=b"127.0.0.2:%d\n" % port)


class Lossy(Case):
    def test_each_request_runs_once_whatever_the_network_does(self):
        with harness.directory() as d:
            log = d + "/log"
            with respond("--sh", "--exec", 'l=$(cat); echo "$l" >>%s; echo "answer to $l"' % log) as r, \
                    relay(r.port, *LOSSY) as port:
                asking = [background("request", "-T", "30s", at(port), str(i)) for i in range(12)]
                for i, process in enumerate(asking):
                    self.assertEqual(ends(process), (0, b"answer to %d\n" % i, b""))
                lines = b"".join(b"line %d\n" % i for i in range(20))
                self.answers(at(port), "-T", "30s", "--lines", stdin=lines,
                             answer=b"".join(b"answer to line %d\n" % i for i in range(20)))
            with open(log) as f:
                ran = sorted(f.read().splitlines())
        self.assertEqual(ran, sorted([str(i) for i in range(12)] + ["line %d" % i for i in range(20)]))

    def test_lines_that_are_sent_keep_their_order(self):
        lines = b"".join(b"line %d\n" % i for i in range(2000))
        with harness.directory() as d, open(d + "/out", "w+b") as out, \
                Running("listen", "-n", "2000", "127.0.0.1:0", stdout=out) as l, relay(l.port, *LOSSY) as port:
            self.ends(run("send", "--lines", "-T", "30s", at(port), stdin=lines), 0)
            self.assertEqual(l.wait()[0], 0)
            out.seek(0)
            self.assertEqual(out.read(), lines)

    def test_long_lines_do_not_use_up_each_others_time(self):
        """A deadline is a message's own: on a slow path those behind are not begun before there is a place for them."""
        lines = b"".join(b"%d %s\n" % (i, b"x" * (1 << 20)) for i in range(11))
        with listen("-p", "none", "-n", "11") as l, relay(l.port, "--rate", "20mbit") as port:
            start = time.monotonic()
            self.ends(run("send", "--lines", "-T", "4s", at(port), stdin=lines), 0)  # half a second each
            self.assertGreater(time.monotonic() - start, 4)
            self.assertEqual(l.wait()[0], 0)

    def test_each_message_is_printed_once(self):
        with listen() as l, relay(l.port, *LOSSY) as port:
            for i in range(10):
                self.ends(run("send", "-T", "30s", at(port), "message %d" % i), 0)
            self.assertEqual([l.read_line() for _ in range(10)], [b"message %d\n" % i for i in range(10)])
            self.assertEqual(l.stop(), (0, b""))


class Refusals(Case):
    """What certainly did not run."""

    def test_nobody_listens_is_7(self):
        port = free_port()
        got = run("request", at(port), "hi")
        self.ends(got, 7)
        self.assertEqual(got.stderr.decode(), "dgram: %s: refused (no one listens on this port)\n" % at(port))
        got = run("request", "-j", at(port, "x"), "hi")
        self.ends(got, 7)
        self.assertEqual([(l["ev"], l["code"], l["name"]) for l in lines_of(got.stdout)], [("error", 7, "refused")])
        self.ends(run("send", at(port), "hi"), 7, "refused")
        if harness.has_ipv6():
            self.ends(run("request", "localhost:%d" % port, "hi"), 7, "refused")

    def test_silence_is_28_with_a_hint(self):
        with silent() as server:
            got = run("request", "-T", "300ms", at(server.port), "hi")
            self.ends(got, 28)
            self.assertEqual(got.stderr.decode(), "dgram: %s: no answer in 300 ms; if it does not speak dgram, use udp://%s\n"
                             % (at(server.port), at(server.port)))
            self.assertTrue(all(data[:4] == b"\xe4grm" for data in server.got), "nothing but INITs left")
            got = run("request", "-j", "-T", "100ms", at(server.port), "hi")
            self.ends(got, 28)
            self.assertEqual(lines_of(got.stdout)[-1]["name"], "timeout")
            self.ends(run("send", "-T", "100ms", at(server.port), "hi"), 28)
            self.ends(run("request", "-r", "1", "-t", "50ms", at(server.port), "hi"), 28, "no answer in 125 ms")

    def test_an_echo_is_8(self):
        with harness.echo() as server:
            got = run("request", at(server.port), "hi")
            self.ends(got, 8, "the peer echoes; it does not speak dgram")
            self.ends(run("send", at(server.port), "hi"), 8)

    def test_plain_answers_are_no_answers(self):
        with harness.Server(lambda data, peer, count: b"hello") as server:
            self.ends(run("request", "-T", "200ms", at(server.port), "hi"), 28, "udp://")

    def test_no_such_name_is_1(self):
        with respond("time=date") as r:
            self.ends(run("request", at(r.port, "tme")), 1, "there is no 'tme' there; not executed")
            self.ends(run("request", at(r.port), ""), 1, r"none was given: write 127\.0\.0\.1:\d+/NAME; not executed")
            got = run("request", "-j", at(r.port, "tme"), "")
            self.assertEqual([(l["code"], l["name"]) for l in lines_of(got.stdout)], [(1, "no")])
            r.stop()
            self.assertIn(b"0 requests, 0 answers, 3 for no such name\n", r.stderr)

    def test_a_peer_that_only_listens_is_1(self):
        with listen() as l:
            self.ends(run("request", at(l.port), "hi"), 1, "only listens, and answers no requests; not executed")
            self.assertEqual(l.stop(), (0, b""))
            self.assertIn(b"1 request refused", l.stderr)

    def test_busy_is_75_at_the_deadline(self):
        with gate() as (path, open_gate), respond(
                "--max-procs", "1", "--exec-timeout", "60s", "--sh", "--exec", "read -r l <%s; echo $l" % path) as r:
            waiting = [background("request", "--lines", "-T", "30s", at(r.port), stdin=b"\n" * 22) for _ in range(3)]
            # one runs and 64 wait; which one is refused is chance: it asks again, and all end once there is room
            r.wait_stderr(rb"refused: every handler runs and the queue is full")
            got = run("request", "-j", "-T", "4s", at(r.port), "")
            self.ends(got, 75, r"busy for .*; not executed")
            self.assertEqual(lines_of(got.stdout)[-1]["name"], "busy")
            open_gate(b"x\n" * 66)
            for process in waiting:
                self.assertEqual(ends(process), (0, b"x\n" * 22, b""))

    @harness.needs("prlimit")
    def test_a_handler_that_cannot_start_for_want_of_descriptors_is_busy(self):
        """It certainly did not run, and later it may: the client asks again, and no line fails."""
        lines = b"".join(b"%d\n" % i for i in range(30))
        with gate() as (path, open_gate), respond("--max-procs", "30", "--exec-timeout", "20s", "--sh", "--exec",
                                                  "read -r l <%s; cat" % path, via=("prlimit", "--nofile=24")) as r:
            asking = background("request", "--lines", "-T", "20s", at(r.port), stdin=lines)
            r.wait_stderr(rb"refused: no descriptors, memory or processes for its handler")
            open_gate(b"x\n" * 30)
            self.assertEqual(ends(asking), (0, lines, b""))
            self.assertEqual(r.stop()[0], 0)
            self.assertRegex(r.stderr, rb" 30 answers, \d+ refused as busy\n")

    def test_too_large_is_63_before_anything_runs(self):
        with respond("--max-request", "5000", "--json", "--echo") as r:
            self.answers(at(r.port), "-p", "none", stdin=b"x" * 5000, answer=b"")
            self.ends(run("request", at(r.port), stdin=b"x" * 5001), 63, "5001 bytes are too large for it; not executed")
            for command in "request", "send":
                self.ends(run(command, "--max-request", "10", at(r.port), stdin=b"x" * 11), 63, "nothing was sent")
            code, out = r.stop()
            self.assertEqual([l["len"] for l in lines_of(out) if l["ev"] == "message"], [5000])

    def test_a_name_that_does_not_resolve_is_6_and_a_bad_source_45(self):
        self.ends(run("request", "-T", "30s", "no-such-host.invalid/x", ""), 6, "no-such-host.invalid:24726")
        self.ends(run("request", "-b", "192.0.2.1", at(9), ""), 45, "cannot bind")

    def test_retry_refused_waits_for_a_responder(self):
        port = free_port()
        asking = background("request", "--retry-refused", "--explain", "-T", "30s", at(port), "hi")
        while b"end: no one listens" not in (line := asking.stderr.readline()):
            self.assertNotEqual(line, b"")
        with respond("--echo", on=at(port)):
            code, out, _ = ends(asking)
        self.assertEqual((code, out), (0, b"hi"))
        self.ends(run("request", "--retry-refused", "-T", "1s", at(free_port()), "hi"), 7, "refused")

    def test_retry_refused_goes_on_until_the_deadline(self):
        port = free_port()
        for command, to in (("request", at(port)), ("request", "udp://" + at(port)), ("request", "tcp://" + at(port)),
                            ("request", "localhost:%d" % port), ("send", at(port)), ("send", "tcp://" + at(port))):
            got = run(command, "--retry-refused", "--explain", "-T", "1s", to, "hi")
            if got.returncode != 28 or b"says: refused" in got.stderr.rsplit(b"  try ", 1)[1]:  # else nothing came in time
                self.ends(got, 7, "refused")
            tries = re.findall(rb"dgram: +([0-9.]+) (us|ms|s)  (?:try|looking)", got.stderr)
            last = float(tries[-1][0]) * {b"us": 1e-6, b"ms": 1e-3, b"s": 1}[tries[-1][1]]
            self.assertGreater(last, 0.75, got)  # with growing waits it was 0.66
            self.assertLess(len(tries), 40, got)

    @unittest.skipUnless(harness.has_ipv6(), "no IPv6 here")
    def test_retry_refused_of_a_name_with_two_addresses(self):
        port = free_port()
        asking = background("request", "--retry-refused", "--explain", "-T", "30s", "localhost:%d" % port, "hi")
        asking.stderr.readline()
        with respond("--echo", on="[::1]:%d" % port):
            code, out, _ = ends(asking)
        self.assertEqual((code, out), (0, b"hi"))


class Failures(Case):
    """What ran, or may have."""

    def test_a_failing_handler_is_1_and_its_output_is_printed(self):
        with respond("--sh", "--exec", "echo part; echo why >&2; exit 3") as r:
            got = run("request", at(r.port), "")
            self.ends(got, 1, r"^dgram: 127\.0\.0\.1:\d+: the handler failed: exit 3\n$")
            self.assertEqual(got.stdout, b"part\n")
            r.wait_stderr(rb"handler: why")
            got = run("request", "-j", at(r.port), "")
            self.ends(got, 1)
            self.assertEqual([(l["ev"], l["status"], l["text"]) for l in lines_of(got.stdout)], [("reply", 3, "part\n")])

    def test_handlers_that_were_ended_fail_without_output(self):
        rows = ((["--exec", "sh", "-c", "echo part; kill -SEGV $$"], 128 + 11), (["--exec", "yes"], 125))
        for command, status in rows:
            with respond(*command, before=["--max-reply", "5000"]) as r:
                got = run("request", "-j", at(r.port), "")
                self.ends(got, 1)
                self.assertEqual([(l["status"], l["len"]) for l in lines_of(got.stdout)], [(status, 0)])
        with gate() as (path, _), respond("--exec-timeout", "200ms", "--exec", "cat", path) as r:
            got = run("request", "-j", at(r.port), "")
            self.ends(got, 1)
            self.assertEqual([l["status"] for l in lines_of(got.stdout)], [124])

    def test_an_answer_over_max_reply_is_8(self):
        with respond("--exec", "head", "-c", "5000", "/dev/zero") as r:
            self.ends(run("request", "--max-reply", "4999", at(r.port), ""), 8, "longer than --max-reply")
            self.ends(run("request", "-p", "none", "--max-reply", "5000", at(r.port), ""), 0)

    def test_a_handler_that_is_killed_with_its_responder_is_52(self):
        with gate() as (path, _), respond("--sh", "--exec", "echo started >&2; exec cat " + path, on=at(free_port())) as r:
            asking = background("request", "-j", "-T", "4s", at(r.port), "")
            r.wait_stderr(b"handler: started")
            r.process.kill()
            r.process.wait()
            code, out, err = ends(asking)
        self.assertEqual(code, 52, err)
        self.assertRegex(err, b"it may have run")
        self.assertEqual(lines_of(out)[-1]["name"], "unknown")

    def test_a_deadline_ends_the_handler_and_is_52(self):
        with gate() as (path, _), respond("--sh", "-v", "--exec", "echo pid $$ >&2; exec cat " + path) as r:
            got = run("request", "-T", "3s", at(r.port), "")
            self.ends(got, 52, "no answer in 3 s: .*it may have run")
            r.wait_stderr(rb"no longer wanted")
            pid = int(re.search(rb"handler: pid (\d+)", r.stderr)[1])
            self.assertTrue(eventually(lambda: not os.path.exists("/proc/%d" % pid)))
            r.stop()
            self.assertIn(b"1 request, 0 answers, 1 no longer wanted\n", r.stderr)

    def test_a_client_that_goes_away_ends_its_handler(self):
        with gate() as (path, _), respond("--sh", "--exec", "echo pid $$ >&2; exec cat " + path) as r:
            asking = background("request", "-T", "4s", at(r.port), "")
            r.wait_stderr(rb"handler: pid")
            asking.kill()
            ends(asking)
            pid = int(re.search(rb"handler: pid (\d+)", r.stderr)[1])
            self.assertTrue(eventually(lambda: not os.path.exists("/proc/%d" % pid)))

    def test_who_is_interrupted_dies_by_the_signal_and_ends_its_handler(self):
        with gate() as (path, _), respond("-v", "--exec-timeout", "90s", "--sh", "--exec",
                                          "echo pid $$ >&2; exec cat " + path) as r:
            for sig in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
                asking = background("request", "-T", "90s", at(r.port), "")
                r.wait_stderr(rb"handler: pid")
                asking.send_signal(sig)
                self.assertEqual(ends(asking), (-sig, b"", b""))
                r.wait_stderr(rb"no longer wanted: the peer closed the session")
                pid = int(re.search(rb"handler: pid (\d+)", r.stderr)[1])
                self.assertTrue(eventually(lambda: not os.path.exists("/proc/%d" % pid)))
                r.stderr = b""

    def test_a_responder_that_is_stopped_says_what_it_knows(self):
        with gate() as (path, _), respond("--max-procs", "1", "--sh", "--exec", "echo started >&2; exec cat " + path,
                                          on=at(free_port())) as r:
            runs = background("request", "-T", "30s", at(r.port), "")
            r.wait_stderr(b"handler: started")
            waits = background("request", "--explain", "-T", "30s", at(r.port), "")
            self.assertIn(b"try 1", waits.stderr.readline())
            time.sleep(0.3)  # that it is in the queue; where it is not yet, it is refused all the same
            self.assertEqual(r.stop(signal.SIGTERM)[0], 0)
            code, _, err = ends(runs)
            self.assertEqual(code, 52, err)
            self.assertRegex(err, b"it may have run")
            with respond("--echo", on=at(r.port)):
                code, _, err = ends(waits)
        self.assertIn(code, (0, 7), err)

    def test_a_restart_between_two_requests_is_no_matter(self):
        with respond("--echo", on=at(free_port())) as r:
            port = r.port
            self.answers(at(port), "one", answer=b"one")
            r.stop()
        with respond("--echo", on=at(port)):
            self.answers(at(port), "two", answer=b"two")

    def test_a_restart_between_two_lines_is_no_matter(self):
        with contextlib.ExitStack() as stack:
            r = stack.enter_context(respond("--echo", on=at(free_port())))
            asking = stack.enter_context(subprocess.Popen([DGRAM, "request", "--lines", "-T", "30s", at(r.port)],
                                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            for line in b"one\n", b"two\n":
                asking.stdin.write(line)
                asking.stdin.flush()
                self.assertEqual(asking.stdout.readline(), line)
                if line == b"one\n":
                    r.stop()
                    stack.enter_context(respond("--echo", on=at(r.port)))
            asking.stdin.close()
            self.assertEqual(asking.wait(harness.PATIENCE), 0)

    def test_a_request_that_was_not_whole_there_is_sent_again_after_a_restart(self):
        payload = os.urandom(100000)
        with respond("--echo", on=at(free_port())) as first, \
                Running("relay", "-v", "127.0.0.1:0", at(first.port), "--rate", "400kbit", "--queue", "3s",
                        wait_for=rb"relaying") as slow:  # on which it takes two seconds
            port = int(re.search(rb"relaying \S+:(\d+) to", slow.stderr)[1])
            with subprocess.Popen([DGRAM, "request", "--explain", "-T", "30s", at(port)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
                asking.stdin.write(payload)
                asking.stdin.close()
                asking.stdin = None
                slow.wait_stderr(rb"out 10, .* passed")
                self.assertEqual(first.stop(signal.SIGTERM)[0], 0)
                with respond("--echo", on=at(first.port)):
                    code, out, err = ends(asking)
        self.assertEqual((code, out == payload), (0, True), err)
        self.assertRegex(err, rb"(?s)end: the peer closed the session\n.*try 2")

    def test_only_an_idempotent_request_is_asked_again_after_a_restart(self):
        for options, expected in ((["--idempotent"], (0, b"again")), ([], (52, b""))):
            with gate() as (path, _), respond("--sh", "--exec", "echo started >&2; exec cat " + path,
                                              on=at(free_port())) as r:
                asking = background("request", *options, "-T", "30s", at(r.port), "again")
                r.wait_stderr(b"handler: started")
                r.process.kill()
                r.process.wait()
                with respond("--echo", on=at(r.port)):
                    code, out, err = ends(asking)
                self.assertEqual((code, out), expected, err)


class Messages(Case):
    def test_what_is_sent_is_printed_and_confirmed(self):
        with listen("-n", "3") as l:
            self.assertEqual(l.stderr, b"dgram: listening on 127.0.0.1:%d\n" % l.port)
            got = run("send", at(l.port, "topic"), "hello")
            self.assertEqual((got.returncode, got.stdout, got.stderr), (0, b"", b""))
            self.ends(run("send", at(l.port), stdin="你好\n".encode()), 0)
            self.ends(run("send", at(l.port), ""), 0)
            self.assertEqual(l.wait(), (0, b"hello\n" + "你好\n".encode() + b"\n"))
            self.assertIn(b"3 messages, 12 bytes", l.stderr)

    def test_json(self):
        with listen("--json", "-n", "2") as l:
            got = run("send", "-j", at(l.port, "topic"), "hello")
            self.ends(got, 0)
            self.ends(run("send", at(l.port), "-x", "ff"), 0)
            code, out = l.wait()
        (sent,) = lines_of(got.stdout)
        self.assertEqual(list(sent), ["v", "t", "ev", "to", "id", "name", "len", "tries", "rtt_us"])
        self.assertEqual((sent["ev"], sent["to"], sent["name"], sent["len"]), ("sent", at(l.port), "topic", 5))
        listening, first, second, summary = lines_of(out)
        self.assertEqual((listening["ev"], listening["local"]), ("listening", at(l.port)))
        self.assertEqual((first["ev"], first["name"], first["kind"], first["text"]), ("message", "topic", "send", "hello"))
        self.assertEqual((second["b64"], "name" in second), ("/w==", False))
        self.assertEqual((summary["ev"], summary["messages"], summary["bytes"]), ("summary", 2, 6))

    def test_a_mebibyte_and_many_lines(self):
        payload = bytes(range(65, 91)) * 40330
        lines = b"".join(b"line %d\n" % i for i in range(100))
        with harness.directory() as d, open(d + "/out", "w+b") as out, \
                Running("listen", "-n", "101", "127.0.0.1:0", stdout=out) as l:
            self.ends(run("send", "-T", "30s", at(l.port), stdin=payload), 0)
            self.ends(run("send", "--lines", "-T", "30s", at(l.port), stdin=lines), 0)
            self.assertEqual(l.wait()[0], 0)
            out.seek(0)
            self.assertEqual(out.read(), payload + b"\n" + lines)

    def test_it_ends_in_order_by_signal_time_or_count(self):
        with listen() as l:
            self.ends(run("send", at(l.port), "hi"), 0)
            self.assertEqual(l.stop(signal.SIGTERM), (0, b"hi\n"))
        got = run("listen", "-T", "50ms", "-n", "1", "--json", "127.0.0.1:0")
        self.ends(got, 28, "0 of 1 messages came")
        self.ends(run("listen", "-T", "50ms", "127.0.0.1:0"), 0)

    def test_plain_datagrams_are_passed_over_and_counted(self):
        for start in (lambda: listen("-v")), (lambda: respond("-v", "--echo")):
            with start() as server, harness.udp_socket() as s:
                for data in b"hello", b"", b"\xe4grm", os.urandom(300):
                    s.sendto(data, ("127.0.0.1", server.port))
                server.wait_stderr(rb"passed over: not of the dgram protocol")
                self.ends(run("send", at(server.port), "real"), 0)
                s.setblocking(False)
                self.assertRaises(BlockingIOError, s.recv, 100)
                self.assertEqual(server.stop()[0], 0)
                self.assertRegex(server.stderr, rb"4 (datagrams passed over|passed over unread)\n")

    def test_both_kinds_at_one_port(self):
        with listen("--plain", "--json", "-n", "5") as l, harness.udp_socket() as s:
            for data in b"plain", b"", os.urandom(5000):
                s.sendto(data, ("127.0.0.1", l.port))
            self.ends(run("send", at(l.port, "a.name"), "real"), 0)
            self.ends(run("request", "-T", "30s", at(l.port), "x"), 1, "only listens")
            s.sendto(b"last", ("127.0.0.1", l.port))
            code, out = l.wait()
        lines = [line for line in lines_of(out) if line["ev"] == "message"]
        self.assertEqual(code, 0)
        self.assertEqual([line["len"] for line in lines], [5, 0, 5000, 4, 4])
        self.assertEqual([line.get("kind") for line in lines], [None, None, None, "send", None])
        self.assertRegex(l.stderr, rb"5 messages, 5013 bytes; 1 request refused, 0 datagrams passed over\n")

    def test_a_responder_has_what_is_sent_and_says_where_it_belongs(self):
        with respond("--echo") as r:
            self.ends(run("send", at(r.port), "hi"), 0)
            r.wait_stderr(rb"sent a message; requests are answered here")


class Usage(Case):
    ROWS = (
        (["request", "127.0.0.1:9", "a", "b"], "quote it"),
        (["request", "--replies", "2", "127.0.0.1:9", "a"], "one peer"),
        (["request", "-k", "f", "127.0.0.1:9", "a"], "-k"),
        (["request", "239.1.2.3:9", "a"], "group"),
        (["request", "127.0.0.1:9/Bad Name", "a"], "blank"),
        (["request", "127.0.0.1:9/BAD", "a"], "name"),
        (["request", "@anna", "a"], "not in this version"),
        (["send", "group://239.1.2.3:9", "a"], "not in this version"),
        (["listen", "239.1.2.3:9"], "group"),
        (["listen", "--plain", "tcp://127.0.0.1:0"], "dgram stream listen tcp://127.0.0.1:0"),
        (["respond", "127.0.0.1:0"], "NAME=CMD"),
        (["respond", "127.0.0.1:0", "date"], "NAME=CMD"),
        (["respond", "127.0.0.1:0", "=date"], "NAME=CMD"),
        (["respond", "127.0.0.1:0", "A=date"], "'A=date': "),
        (["respond", "127.0.0.1:0", "a=date", "a=id"], "has a command already"),
        (["respond", "127.0.0.1:0", "a=date '"], "a quote is not closed"),
        (["respond", "127.0.0.1:0", "a="], "no word"),
        (["respond", "127.0.0.1:0", "a=no-such-program-here"], "no such program"),
        (["respond", "127.0.0.1:0", "a=date", "--echo"], "one of them"),
        (["respond", "127.0.0.1:0", "--echo", "--reply", "x"], "one of them"),
        (["respond", "127.0.0.1:0/x", "--echo"], "name"),
        (["respond", "0.0.0.0:0", "a=date"], r"127\.0\.0\.1:PORT.*a key.*--insecure-open"),
        (["respond", ":0", "--exec", "date"], r"127\.0\.0\.1:PORT.*a key.*--insecure-open before --exec"),
        (["peer", "127.0.0.1:9"], "write udp://127.0.0.1:9"),
    )

    def test_wrong_words_are_told_with_exit_2(self):
        for args, sentence in self.ROWS:
            with self.subTest(args=args):
                got = run(*args)
                self.ends(got, 2, sentence)
                self.assertEqual(got.stdout, b"")

    def test_beyond_loopback_it_takes_a_word(self):
        with respond("a=date", on="0.0.0.0:0", before=["--insecure-open"]) as r:
            self.assertIn(b", for everyone who reaches it", r.stderr)
            self.ends(run("request", at(r.port, "a")), 0)
        with respond("--echo", on="0.0.0.0:0") as r:
            self.answers(at(r.port), "hi", answer=b"hi")

    def test_a_port_in_use_is_45(self):
        with harness.udp_socket() as s:
            for command in ["listen"], ["respond", "--echo"]:
                self.ends(run(*command, at(s.getsockname()[1])), 45, "in use")

    def test_at_a_terminal_a_name_is_enough(self):
        with respond("--reply", "yes") as r:
            with Terminal("request", at(r.port, "time")) as t:
                self.assertEqual(t.finish(), (0, b"yes\r\n"))
            with Terminal("request", at(r.port)) as t:
                code, seen = t.finish()
                self.assertEqual(code, 2)
                self.assertIn(b"nothing to send", seen)


if __name__ == "__main__":
    harness.main(at_once=4)
