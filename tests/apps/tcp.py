"""Messages over tcp://: what holds on the dgram protocol holds over connections, however they end."""

import contextlib
import os
import re
import signal
import socket
import struct
import threading
import unittest

import harness
from harness import Running, free_port, run
from message import Case, at, background, ends, eventually, gate, lines_of


def respond(*args, on="tcp://127.0.0.1:0", **more):
    return Running("respond", *more.pop("before", ()), on, *args, **more)


def over(port, name=None, host="127.0.0.1"):
    return "tcp://%s:%d%s" % (host, port, "/" + name if name else "")


def written(path):
    """Whether its line is there: a handler may be killed between opening the file and writing to it."""
    return os.path.exists(path) and os.path.getsize(path) > 0


class Cutter:
    """Takes one connection and passes it on to a port, until cut() or so many bytes went there or came back."""

    def __init__(self, port, there=None, back=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.target, self.limits, self.passed = self.listener.getsockname()[1], port, [there, back], [0, 0]
        self.ends = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        try:
            client, _ = self.listener.accept()
            self.listener.close()  # who comes again is refused
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            return
        self.ends = [client, server]
        back = threading.Thread(target=self._pass, args=(1, server, client), daemon=True)
        back.start()
        self._pass(0, client, server)
        back.join()

    def _pass(self, way, source, sink):
        try:
            while data := source.recv(4096 if self.limits[way] is None else self.limits[way] - self.passed[way]):
                sink.sendall(data)
                self.passed[way] += len(data)
                if self.passed[way] == self.limits[way]:
                    break
        except OSError:
            pass
        self.cut()

    def cut(self):
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.listener.close()
        self.cut()
        self.thread.join(harness.PATIENCE)
        for end in self.ends:
            end.close()


class Answers(Case):
    def test_the_hint_of_a_missing_name_keeps_the_scheme(self):
        with respond("time=date") as r:
            self.ends(run("request", over(r.port), ""), 1, r"none was given: write tcp://127\.0\.0\.1:\d+/NAME; not executed")

    def test_names_json_and_failures(self):
        with respond("up=tr a-z A-Z", "bad=sh -c 'echo no; exit 3'") as r:
            self.assertRegex(r.stderr.decode(), r"answering up, bad on tcp://127\.0\.0\.1:\d+\n")
            self.answers(over(r.port, "up"), "hello", answer=b"HELLO")
            self.answers(over(r.port, "up"), "", answer=b"")
            got = run("request", "--json", over(r.port, "up"), "x")
            (line,) = lines_of(got.stdout)
            self.assertEqual((line["ev"], line["from"], line["text"], line["status"]),
                             ("reply", "127.0.0.1:%d" % r.port, "X", 0))
            got = run("request", over(r.port, "bad"), "x")
            self.ends(got, 1, "the handler failed: exit 3")
            self.assertEqual(got.stdout, b"no\n")
            self.ends(run("request", over(r.port, "none"), "x"), 1, "there is no 'none' there; not executed")
            code, _ = r.stop()
        self.assertEqual(code, 0)
        self.assertRegex(r.stderr.decode(), r"4 requests, 4 answers, 1 failed, 1 for no such name")

    @unittest.skipUnless(harness.has_ipv6(), "no IPv6")
    def test_ipv6_and_both_families(self):
        with respond("--echo", on="tcp://[::1]:0") as r:
            self.answers(over(r.port, host="[::1]"), "six", answer=b"six")
        with respond("--echo", on="tcp://:0") as r:
            self.answers(over(r.port), "four", answer=b"four")
            self.answers(over(r.port, host="[::1]"), "six", answer=b"six")
            self.answers(over(r.port, host="localhost"), "by name", answer=b"by name")

    def test_a_mebibyte_both_ways(self):
        data = os.urandom(1 << 20)
        with respond("--echo") as r:
            got = run("request", over(r.port), stdin=data)
            self.ends(got, 0)
            self.assertEqual(got.stdout, data)
            self.ends(run("request", "--max-request", "1k", over(r.port), stdin=data), 63)
        with respond("--echo", "--max-request", "1k") as r:
            self.ends(run("request", over(r.port), stdin=data), 63, "too large for it; not executed")

    def test_many_lines_over_one_connection(self):
        lines = b"".join(b"%d\n" % i for i in range(3000))
        with respond("-v", "--echo") as r:
            got = run("request", "--lines", over(r.port), stdin=lines)
            self.ends(got, 0)
            self.assertEqual(got.stdout, lines)
            r.stop()
        self.assertEqual(len(set(re.findall(rb"dgram: (\S+): 1 byte, answered", r.stderr))), 1)

    def test_messages_are_listened_to(self):
        with Running("listen", "-n", "2001", "tcp://127.0.0.1:0") as l:
            self.ends(run("send", "--lines", over(l.port, "log"), stdin=b"".join(b"%d\n" % i for i in range(2000))), 0)
            self.ends(run("request", over(l.port), "x"), 1, "only listens")
            got = run("send", "--json", over(l.port, "log"), "last")
            self.ends(got, 0)
            self.assertEqual(lines_of(got.stdout)[0]["ev"], "sent")
            code, out = l.wait()
        self.assertEqual((code, out), (0, b"".join(b"%d\n" % i for i in range(2000)) + b"last\n"))

    def test_busy_is_honoured(self):
        with gate() as (path, _), harness.directory() as d, respond("--max-procs", "1", "one=cat " + path) as r:
            with open(d + "/lines", "w") as f:
                f.write("x\n" * 32)
            held = [background("request", "--lines", "-f", d + "/lines", "-T", "20s", over(r.port, "one"))
                    for _ in range(3)]
            try:
                r.wait_stderr(rb"refused: ")  # one runs, 64 wait
                self.ends(run("request", "-T", "3s", over(r.port, "one"), "x"), 75, "busy for .*; not executed")
            finally:
                for p in held:
                    p.kill()
                    p.communicate()


class Ends(Case):
    def test_nobody_there(self):
        port = free_port()
        self.ends(run("request", over(port), "x"), 7, "refused")
        self.ends(run("send", over(port), "x"), 7, "refused")
        got = run("request", "--json", over(port), "x")
        self.assertEqual(lines_of(got.stdout)[0]["code"], 7)

    def test_a_responder_that_comes_late(self):
        port = free_port()
        asker = background("request", "--retry-refused", "-T", "20s", over(port), "x")
        with respond("--echo", on=over(port)):
            self.assertEqual(ends(asker), (0, b"x", b""))

    def test_a_deadline_ends_the_handler(self):
        with harness.directory() as d, respond("slow=sh -c 'echo $DGRAM_DEADLINE_MS > %s/ms; exec sleep 60'" % d) as r:
            self.ends(run("request", "-T", "3s", over(r.port, "slow"), "x"), 52, "it may have run")
            with open(d + "/ms") as f:
                self.assertTrue(0 < int(f.read()) <= 3000)
            r.stop()
            self.assertIn(b"1 no longer wanted", r.stderr)

    def test_interrupted_the_handler_goes_too(self):
        with harness.directory() as d, respond("slow=sh -c 'echo $$ > %s/pid; exec sleep 60'" % d) as r:
            asker = background("request", "-T", "30s", over(r.port, "slow"), "x")
            self.assertTrue(eventually(lambda: written(d + "/pid")))
            with open(d + "/pid") as f:
                handler = int(f.read())
            asker.send_signal(signal.SIGINT)
            self.assertEqual(ends(asker)[0], -signal.SIGINT)
            self.assertTrue(eventually(lambda: not os.path.exists("/proc/%d" % handler)))

    def test_a_responder_that_is_killed(self):
        with harness.directory() as d, \
                respond("slow=sh -c 'echo run > %s/runs; exec sleep 60'" % d, on=over(free_port())) as r:
            asker = background("request", "-T", "20s", over(r.port, "slow"), "x")
            self.assertTrue(eventually(lambda: written(d + "/runs")))
            r.process.kill()
            code, _, err = ends(asker)
        self.assertEqual(code, 52, err)
        self.assertRegex(err.decode(), "the session was lost: .*; it may have run")

    def test_a_responder_that_is_restarted(self):
        with respond("--echo", on=over(free_port())) as first:
            port = first.port
            asker = Running("request", "--lines", over(port), stdin=-1, wait_for=None)
            asker.process.stdin.write(b"one\n")
            asker.process.stdin.flush()
            self.assertEqual(asker.read_line(), b"one\n")
            first.process.kill()
            first.process.wait()
        with asker, respond("--echo", on=over(port)):
            asker.process.stdin.write(b"two\n")
            asker.process.stdin.close()
            self.assertEqual(asker.read_line(), b"two\n")
            self.assertEqual(asker.process.wait(harness.PATIENCE), 0)
            asker.process.stdin = None

    def test_an_idempotent_request_is_asked_again(self):
        with harness.directory() as d:
            handler = "it=sh -c 'echo run >> %s/runs; test -e %s/again || exec sleep 60; echo done'" % (d, d)
            with respond(handler, on=over(free_port())) as first:
                port = first.port
                asker = background("request", "--idempotent", "-T", "20s", over(port, "it"), "x")
                self.assertTrue(eventually(lambda: written(d + "/runs")))
                first.process.kill()
                first.process.wait()
            open(d + "/again", "w").close()
            with respond(handler, on=over(port)):
                self.assertEqual(ends(asker)[:2], (0, b"done\n"))
            with open(d + "/runs") as f:
                self.assertEqual(f.read(), "run\nrun\n")

    def test_a_connection_cut_anywhere(self):
        """What a client is told agrees with the journal of the handler."""
        with harness.directory() as d, respond("it=sh -c 'echo run >> %s/runs; echo done'" % d) as r:
            runs, seen = 0, set()

            def ran():
                if not os.path.exists(d + "/runs"):
                    return 0
                with open(d + "/runs") as f:
                    return len(f.read().split())

            for there, back in [(n, None) for n in (1, 3, 100, 259, 260, 261, 300, 330)] + \
                               [(None, n) for n in (1, 4, 151, 152, 153, 170, 190, 10000)]:
                with Cutter(r.port, there, back) as c:
                    got = run("request", "-T", "2s", over(c.port, "it"), "x")
                self.ends(run("request", over(r.port, "it"), "settled"), 0)  # what came before has been taken
                seen.add(got.returncode)
                new, runs = ran() - runs - 1, ran()
                self.assertIn(new, {0: (1,), 7: (0,), 28: (0,), 52: (0, 1)}[got.returncode], (there, back, got))
            self.assertLessEqual({0, 52}, seen)

    def test_who_is_no_peer(self):
        def serve(answer):
            listener = socket.create_server(("127.0.0.1", 0))

            def loop():
                with listener:
                    peer, _ = listener.accept()
                    with peer:
                        peer.sendall(answer(peer.recv(65536)))
                        with contextlib.suppress(ConnectionResetError):
                            peer.recv(1)
            threading.Thread(target=loop, daemon=True).start()
            return listener.getsockname()[1]

        self.ends(run("request", over(serve(lambda data: b"HTTP/1.1 400 Bad Request\r\n\r\n")), "x"), 8,
                  "what answers does not speak dgram")
        self.ends(run("request", over(serve(lambda data: data)), "x"), 8, "the peer echoes")
        self.ends(run("request", "-T", "1s", over(serve(lambda data: b"")), "x"), 28, "no answer in 1 s")


UNHURRIED = ("-t", "5s")  # UDP has half of the deadline: on a busy machine a session may take longer than its 237 ms


class Fallback(Case):
    """UDP first; TCP where no session came up, and never once something was exposed."""

    def test_refused_over_udp(self):
        with respond("up=tr a-z A-Z") as r:
            got = run("request", "-v", "--fallback", "tcp", at(r.port, "up"), "x")
            self.ends(got, 0, r"127\.0\.0\.1:%d: over UDP .*: trying TCP\n" % r.port)
            self.assertEqual(got.stdout, b"X")
            got = run("request", "--explain", "--fallback", "tcp", "localhost:%d/up" % r.port, "x")
            self.ends(got, 0, "over UDP .*: trying TCP")
            (line,) = lines_of(run("request", "--json", "--fallback", "tcp", at(r.port, "up"), "x").stdout)
            self.assertEqual((line["text"], line["over"]), ("X", "tcp"))
            self.ends(run("request", "--fallback", "tcp", at(r.port, "no"), "x"), 1, "no 'no' there; not executed")

    def test_silent_over_udp(self):
        """All that was begun is begun anew, within the same deadline; who accepts late accepts nothing."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, respond("--echo", on=over(free_port())) as r:
            s.bind(("127.0.0.1", r.port))
            lines = b"".join(b"%d\n" % i for i in range(100))
            got = run("request", "--lines", "-T", "10s", "--fallback", "tcp", at(r.port), stdin=lines)
            self.assertEqual((got.returncode, got.stdout, got.stderr), (0, lines, b""))
            r.stop()
            self.assertIn(b"100 requests, 100 answers\n", r.stderr)
            got = run("request", "-T", "1s", "--fallback", "tcp", at(r.port), "x")
            self.ends(got, 7, "tcp://127.0.0.1:%d: refused" % r.port)

    def test_udp_is_taken_where_it_works(self):
        with respond("--echo", on=at(free_port())) as r, socket.create_server(("127.0.0.1", r.port)) as tcp:
            tcp.settimeout(0)
            got = run("request", "--explain", "--fallback", "tcp", *UNHURRIED, at(r.port), "x")
            self.ends(got, 0)
            self.assertNotIn(b"TCP", got.stderr)
            with self.assertRaises(BlockingIOError):
                tcp.accept()

    def test_never_once_it_may_have_run(self):
        with harness.directory() as d, respond("it=sh -c 'echo run >> %s/runs; exec sleep 60'" % d, on=at(free_port())) as r:
            with respond("it=sh -c 'echo again >> %s/runs'" % d, on=over(r.port)):
                asker = background("request", "--fallback", "tcp", *UNHURRIED, "-T", "8s", at(r.port, "it"), "x")
                self.assertTrue(eventually(lambda: written(d + "/runs")))
                r.process.kill()
                self.assertEqual(ends(asker)[0], 52)
            with open(d + "/runs") as f:
                self.assertEqual(f.read(), "run\n")

    def test_usage(self):
        self.ends(run("request", "--fallback", "udp", at(1), "x"), 2, "not tcp")
        for to in over(1), "udp://127.0.0.1:1":
            self.ends(run("request", "--fallback", "tcp", to, "x"), 2, "asked in one way")


class Hostile(Case):
    def test_garbage_is_named_and_harms_nobody(self):
        garbage = [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 4096, b"\0\0\0\0", struct.pack(">I", 1200) + os.urandom(1200),
                   struct.pack(">I", 256) + b"half", os.urandom(100000)]
        with respond("-v", "--echo") as r:
            for bytes_ in garbage:
                with socket.create_connection(("127.0.0.1", r.port)) as s:
                    s.settimeout(harness.PATIENCE)
                    try:
                        s.sendall(bytes_)
                        s.shutdown(socket.SHUT_WR)
                        self.assertEqual(s.recv(1), b"")
                    except OSError:  # it was reset before all was sent
                        pass
            self.answers(over(r.port), "still here", answer=b"still here")
            r.wait_stderr(rb"connection ended: a length that no datagram has")
            r.wait_stderr(rb"connection ended: what came is no datagram of this protocol")
            r.wait_stderr(rb"connection ended: it ended within a datagram")

    def test_many_idle_connections_leave_room(self):
        """More than there is room for: who speaks is served, the oldest of those who say nothing go."""
        with respond("--echo", via=("prlimit", "--nofile=128")) if harness.shutil.which("prlimit") else respond("--echo") as r:
            idle = []
            try:
                for _ in range(300):
                    idle.append(socket.create_connection(("127.0.0.1", r.port)))
                self.answers(over(r.port), "-T", "10s", "me too", answer=b"me too")
            finally:
                for s in idle:
                    s.close()
            r.stop()

    def test_options_that_cannot_be(self):
        for args, words in [
                (["relay", ":0", over(1)], "only UDP"),
                (["ping", over(1)], "over TCP nothing is lost"),
                (["respond", "tcp://:0", "--exec", "true"], "is more than loopback"),
        ]:
            got = run(*args)
            self.assertEqual(got.returncode, 2, got)
            self.assertRegex(got.stderr.decode(), words)


if __name__ == "__main__":
    harness.main(at_once=4)
