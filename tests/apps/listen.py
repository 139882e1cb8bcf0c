"""send and listen: what arrives is printed, what is lost is told, and each end has its code."""

import json
import os
import signal
import socket
import subprocess
import unittest

import harness
from harness import DGRAM, Running, Terminal, run


def send(port, *payloads, host="127.0.0.1", family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        for one in payloads:
            s.sendto(one, (host, port))
        return s.getsockname()[1]


class Listen(unittest.TestCase):
    def test_each_message_ends_with_a_newline(self):
        with Running("listen", "-n", "4", "udp://127.0.0.1:0") as listening:
            send(listening.port, b"one", b"two\n", b"", b"\0\xff\x1b[31m")
            self.assertEqual(listening.wait(), (0, b"one\ntwo\n\n\0\xff\x1b[31m\n"))
            self.assertRegex(listening.stderr, rb"^dgram: listening on udp://127\.0\.0\.1:\d+\ndgram: 4 messages, 14 bytes; 0 lost")

    def test_raw_is_exact_hex_is_a_line_none_is_nothing(self):
        for how, shown in ("raw", b"a\nb"), ("hex", b"610a\n62\n"), ("none", b""):
            with Running("listen", "-p", how, "-n", "2", "udp://127.0.0.1:0") as listening:
                send(listening.port, b"a\n", b"b")
                self.assertEqual(listening.wait(), (0, shown))

    def test_json_lines(self):
        with Running("listen", "--json", "-n", "2", "udp://127.0.0.1:0") as listening:
            source = send(listening.port, "grüß".encode(), b"\xff\xfe\xfd")
            code, out = listening.wait()
            first, text, binary, summary = [json.loads(l) for l in out.splitlines()]
            self.assertEqual((first["ev"], first["local"]), ("listening", listening.local))
            self.assertEqual(list(text), ["v", "t", "ev", "from", "len", "text"])
            self.assertEqual((text["ev"], text["from"], text["len"], text["text"]),
                             ("message", "127.0.0.1:%d" % source, 6, "grüß"))
            self.assertEqual((binary["len"], binary["b64"], "text" in binary), (3, "//79", False))
            self.assertEqual((summary["ev"], summary["messages"], summary["bytes"]), ("summary", 2, 9))

    def test_a_line_is_there_at_once_in_a_pipe(self):
        with Running("listen", "udp://127.0.0.1:0") as listening:
            for payload in b"one", b"two":
                send(listening.port, payload)
                self.assertEqual(listening.read_line(), payload + b"\n")

    def test_stopped_it_ends_in_order_with_0(self):
        for sig in signal.SIGINT, signal.SIGTERM:
            with Running("listen", "udp://127.0.0.1:0") as listening:
                send(listening.port, b"hi")
                listening.read_line()
                self.assertEqual(listening.stop(sig), (0, b""))
                self.assertIn(b"dgram: 1 message, 2 bytes", listening.stderr)

    def test_time_over_is_0_and_28_when_the_count_was_not_reached(self):
        self.assertEqual(run("listen", "-T", "50ms", "udp://127.0.0.1:0").returncode, 0)
        got = run("listen", "-T", "50ms", "-n", "1", "--json", "udp://127.0.0.1:0")
        self.assertEqual(got.returncode, 28, got)
        self.assertIn(b"dgram: 0 of 1 messages came", got.stderr)
        self.assertIn(b'"code":28,"name":"timeout"', got.stdout)

    def test_no_address_is_both_families(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        with Running("listen", "-n", "2", "--json", "udp://:0") as listening:
            four = send(listening.port, b"four")
            six = send(listening.port, b"six", host="::1", family=socket.AF_INET6)
            code, out = listening.wait()
            froms = [json.loads(l)["from"] for l in out.splitlines()[1:3]]
            self.assertEqual(froms, ["127.0.0.1:%d" % four, "[::1]:%d" % six])

    def test_a_port_in_use_is_45(self):
        with harness.udp_socket() as s:
            got = run("listen", "--json", "udp://127.0.0.1:%d" % s.getsockname()[1])
            self.assertEqual(got.returncode, 45, got)
            self.assertIn(b"in use", got.stderr)
            self.assertIn(b'"code":45,"name":"bind"', got.stdout)

    def test_an_interface_that_is_none_is_45(self):
        got = run("listen", "-i", "nosuchif", "udp://:0")
        self.assertEqual(got.returncode, 45, got)
        self.assertIn(b"-i: 'nosuchif'", got.stderr)

    def test_a_file_is_never_replaced(self):
        with harness.directory() as d:
            with open(d + "/f", "w") as f:
                f.write("precious")
            got = run("listen", "unix://" + d + "/f")
            self.assertEqual(got.returncode, 45, got)
            self.assertIn(b"in use, or is no socket", got.stderr)
            with open(d + "/f") as f:
                self.assertEqual(f.read(), "precious")

    def test_an_address_of_another_machine_is_45(self):
        self.assertEqual(run("listen", "udp://192.0.2.1:0").returncode, 45)

    def test_what_was_lost_is_told(self):
        with Running("listen", "-p", "none", "udp://127.0.0.1:0") as listening:
            listening.process.send_signal(signal.SIGSTOP)
            send(listening.port, *[b"x" * 60000] * 400)
            listening.process.send_signal(signal.SIGCONT)
            listening.wait_stderr(rb"messages were lost")
            self.assertEqual(listening.stop()[0], 0)
            self.assertNotIn(b" 0 lost", listening.stderr)

    def test_a_unix_path_is_replaced_only_when_nobody_has_it_and_removed_at_the_end(self):
        with harness.directory() as d:
            path = d + "/s"
            with Running("listen", "-n", "1", "unix://" + path) as listening:
                self.assertEqual(run("listen", "unix://" + path).returncode, 45)
                self.assertEqual(run("send", "unix://" + path, "hi").returncode, 0)
                self.assertEqual(listening.wait(), (0, b"hi\n"))
            self.assertFalse(os.path.exists(path))
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.bind(path)
            with Running("listen", "unix://" + path) as listening:
                self.assertEqual(listening.stop()[0], 0)
            self.assertFalse(os.path.exists(path))

    def test_a_long_unix_message_is_whole(self):
        with harness.directory() as d:
            with Running("listen", "-p", "raw", "-n", "1", "unix://" + d + "/s") as listening:
                self.assertEqual(run("send", "unix://" + d + "/s", stdin=b"y" * 150000).returncode, 0)
                self.assertEqual(listening.wait(), (0, b"y" * 150000))

    def test_an_abstract_name(self):
        name = "unix://@dgram-test-%d" % os.getpid()
        with Running("listen", "-n", "1", name) as listening:
            self.assertEqual(run("send", name, "hi").returncode, 0)
            self.assertEqual(listening.wait(), (0, b"hi\n"))


class Output(unittest.TestCase):
    def test_nobody_reads_any_more_is_a_silent_death_by_sigpipe(self):
        with Running("listen", "udp://127.0.0.1:0") as listening:
            listening.process.stdout.close()
            send(listening.port, b"hi")
            self.assertEqual(listening.process.wait(harness.PATIENCE), -signal.SIGPIPE)
            listening._reader.join()
            self.assertNotIn(b"cannot", listening.stderr)

    def test_head_ends_a_listener(self):
        script = '"$0" listen udp://127.0.0.1:0 | head -1'
        with subprocess.Popen(["sh", "-c", script, DGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shell:
            port = int(shell.stderr.readline().rsplit(b":", 1)[1])
            send(port, b"one")
            self.assertEqual(shell.stdout.readline(), b"one\n")
            while shell.poll() is None:
                send(port, b"more")
                try:
                    shell.wait(0.02)
                except subprocess.TimeoutExpired:
                    pass
            self.assertEqual(shell.returncode, 0)

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_a_full_disk_is_23(self):
        with harness.echo() as server, open("/dev/full", "wb") as full:
            to = "udp://127.0.0.1:%d" % server.port
            for args in (["request", to, "hi"], ["request", "-j", to, "hi"], ["send", "-j", to, "hi"],
                         ["help", "json"], ["--version"], ["request", "-h"], ["version"], ["completion", "bash"]):
                got = subprocess.run([DGRAM, *args], stdout=full, stderr=subprocess.PIPE, timeout=harness.PATIENCE)
                self.assertEqual(got.returncode, 23, (args, got))
                self.assertIn(b"dgram: cannot write output: No space left on device\n", got.stderr)

    def test_a_closed_stdout_is_23(self):
        with harness.echo() as server:
            got = subprocess.run(["sh", "-c", '"$0" request udp://127.0.0.1:%d hi >&-' % server.port, DGRAM],
                                 stderr=subprocess.PIPE, timeout=harness.PATIENCE)
            self.assertEqual(got.returncode, 23, got)

    def test_request_prints_raw_hex_none(self):
        with harness.Server(lambda data, peer, count: b"a\xff\n") as server:
            to = "udp://127.0.0.1:%d" % server.port
            for how, shown in ("raw", b"a\xff\n"), ("hex", b"61ff0a\n"), ("none", b""), ("text", b"a\xff\n"):
                self.assertEqual(run("request", "-p", how, to, "x").stdout, shown)


class OnATerminal(unittest.TestCase):
    def shown(self, payload, *args):
        with harness.Server(lambda data, peer, count: payload) as server:
            with Terminal("request", *args, "udp://127.0.0.1:%d" % server.port, "x") as t:
                code, seen = t.finish()
                self.assertEqual(code, 0, seen)
                return seen

    def test_a_missing_newline_is_added(self):
        self.assertEqual(self.shown(b"hi"), b"hi\r\n")
        self.assertEqual(self.shown(b"hi\n"), b"hi\r\n")

    def test_what_a_terminal_would_obey_is_escaped(self):
        self.assertEqual(self.shown(b"\x1b]0;owned\x07\xc2\x9b31m\xff\xe2\x80\xae\x7f"),
                         rb"\x1B]0;owned\x07\xC2\x9B31m\xFF\xE2\x80\xAE\x7F" + b"\r\n")
        self.assertEqual(self.shown("grüß 中文\ttab".encode()), "grüß 中文\ttab\r\n".encode())

    def test_raw_is_exact_there_too(self):
        self.assertEqual(self.shown(b"\x1b[1mbold", "-p", "raw"), b"\x1b[1mbold")

    def test_json_has_no_control_bytes(self):
        seen = self.shown(b"\x1b[31m\x7f\xc2\x9b", "-j")
        self.assertNotIn(b"\x1b", seen)
        self.assertNotIn(b"\xc2\x9b", seen)

    def test_listen_escapes_too(self):
        with Terminal("listen", "-n", "1", "udp://127.0.0.1:0") as t:
            t.wait_for(rb"listening on udp://127\.0\.0\.1:(\d+)\r\n")
            send(int(t.seen.rsplit(b":", 1)[1]), b"\x1b[2J")
            self.assertIn(rb"\x1B[2J", t.finish()[1])

    def test_no_text_at_a_terminal_is_a_hint(self):
        for verb in "request", "send":
            with Terminal(verb, "udp://127.0.0.1:9") as t:
                code, seen = t.finish()
                self.assertEqual(code, 2)
                self.assertIn(b"nothing to send", seen)

    def test_a_sentence_never_carries_an_escape(self):
        for args in (["request", "udp://\x1b[31m:9", "x"], ["\x1b[31m"], ["request", "-t", "\x1b[31m\n", "udp://127.0.0.1:9", "x"]):
            got = run(*args)
            self.assertEqual(got.returncode, 2)
            self.assertNotIn(b"\x1b", got.stderr)

    def test_lines_typed_are_asked_one_by_one(self):
        with harness.echo() as server:
            with Terminal("request", "--lines", "udp://127.0.0.1:%d" % server.port) as t:
                t.type(b"abc\n")
                t.wait_for(rb"abc\r\nabc\r\n")
                t.type(b"\x04")
                self.assertEqual(t.finish()[0], 0)


class Send(unittest.TestCase):
    def test_the_kernel_took_it_is_0_and_silent(self):
        with harness.silent() as server:
            got = run("send", "udp://127.0.0.1:%d" % server.port, "hi")
            self.assertEqual((got.returncode, got.stdout, got.stderr), (0, b"", b""))

    def test_waiting_and_retrying_are_refused_with_the_reason(self):
        for option in "-t", "-r":
            got = run("send", option, "1", "udp://127.0.0.1:9", "hi")
            self.assertEqual(got.returncode, 2, got)
            self.assertIn(b"confirms nothing", got.stderr)

    def test_json(self):
        with harness.silent() as server:
            got = run("send", "-j", "udp://127.0.0.1:%d" % server.port, "hi")
            line = json.loads(got.stdout)
            self.assertEqual((line["ev"], line["to"], line["len"]), ("sent", "127.0.0.1:%d" % server.port, 2))

    def test_lines(self):
        with Running("listen", "-n", "100", "udp://127.0.0.1:0") as listening:
            lines = b"".join(b"%d\n" % i for i in range(100))
            got = run("send", "--lines", listening.local, stdin=lines)
            self.assertEqual(got.returncode, 0, got)
            self.assertEqual(listening.wait(), (0, lines))

    def test_a_unix_path_that_nobody_serves_is_7(self):
        with harness.directory() as d:
            got = run("send", "-j", "unix://" + d + "/none", "hi", env=dict(os.environ, TMPDIR=d))
            self.assertEqual(got.returncode, 7, got)
            self.assertEqual(json.loads(got.stdout)["name"], "refused")
            self.assertEqual(os.listdir(d), [])

    def test_a_full_queue_is_75_and_not_for_ever(self):
        with harness.directory() as d, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            s.bind(d + "/s")
            filler.setblocking(False)
            with self.assertRaises(BlockingIOError):
                for _ in range(100000):
                    filler.sendto(b"x", d + "/s")
            got = run("send", "-j", "-T", "100ms", "unix://" + d + "/s", "hi")
            self.assertEqual(got.returncode, 75, got)
            self.assertEqual(json.loads(got.stdout)["name"], "busy")

    def test_too_large_is_63(self):
        got = run("send", "udp://127.0.0.1:9", stdin=b"x" * 65508)
        self.assertEqual(got.returncode, 63, got)
        self.assertIn(b"65508 bytes are too large", got.stderr)

    def test_broadcast_is_allowed(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("", 0))
            s.settimeout(harness.PATIENCE)
            self.assertEqual(run("send", "udp://127.255.255.255:%d" % s.getsockname()[1], "hi").returncode, 0)
            self.assertEqual(s.recv(10), b"hi")

    def test_a_multicast_group_on_loopback(self):
        with Running("listen", "-i", "lo", "-n", "1", "udp://239.255.99.7:0") as listening:
            got = run("send", "-i", "lo", "udp://239.255.99.7:%d" % listening.port, "hi all")
            if got.returncode != 0:
                self.skipTest("no multicast on loopback: %r" % got.stderr)
            self.assertEqual(listening.wait(), (0, b"hi all\n"))


if __name__ == "__main__":
    harness.main()
