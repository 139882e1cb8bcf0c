"""dgram stream as its users meet it: against plain sockets of Python, through pipes and on a terminal."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "apps"))
import harness
from harness import DGRAM, PATIENCE, Running, Terminal, run


@contextlib.contextmanager
def refusing_endpoint():
    """Bound, so that no test beside this one gets the port, but not listening."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield "tcp://127.0.0.1:%d" % s.getsockname()[1]


class Peer:
    """A TCP or UNIX listener on a thread: serve(connection) handles one connection, then it is closed."""

    def __init__(self, serve, family=socket.AF_INET, path=None, count=1):
        self.listener = socket.socket(family)
        self.listener.bind(path or ("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.listener.listen()
        self.listener.settimeout(PATIENCE)
        if path is None:
            host, port = self.listener.getsockname()[:2]
            self.endpoint = "tcp://[%s]:%d" % (host, port) if ":" in host else "tcp://%s:%d" % (host, port)
        else:
            self.endpoint = "unix://" + path
        self.failed = None
        self._thread = threading.Thread(target=self._run, args=(serve, count), daemon=True)
        self._thread.start()

    def _run(self, serve, count):
        try:
            for _ in range(count):
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(PATIENCE)
                    serve(connection)
        except Exception as e:
            self.failed = e

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._thread.join(PATIENCE)
        self.listener.close()
        if self.failed and exc == (None, None, None):
            raise self.failed


def read_all(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def connect(listening):
    s = socket.create_connection(("127.0.0.1", listening.port), PATIENCE)
    s.settimeout(PATIENCE)
    return s


class Connect(unittest.TestCase):
    def test_stdin_goes_there_and_the_answer_comes_after_its_end(self):
        def serve(c):
            c.sendall(b"got " + read_all(c))

        with Peer(serve) as peer:
            done = run("stream", "connect", peer.endpoint, stdin=b"hello\n")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"got hello\n", b""))

    def test_bytes_go_as_they_are(self):
        every = bytes(range(256)) * 300
        with Peer(lambda c: c.sendall(read_all(c))) as peer:
            done = run("stream", "connect", peer.endpoint, stdin=every)
        self.assertEqual((done.returncode, done.stdout), (0, every))

    def test_what_came_is_printed_when_the_peer_ends_first_and_stdin_is_sent_to_its_end(self):
        got = []

        def serve(c):
            c.sendall(b"bye\n")
            c.shutdown(socket.SHUT_WR)
            got.append(read_all(c))

        with Peer(serve) as peer:
            p = subprocess.Popen([DGRAM, "stream", "connect", peer.endpoint], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
            self.assertEqual(p.stdout.readline(), b"bye\n")
            p.stdin.write(b"late")
            p.stdin.close()
            self.assertEqual(p.stdout.read(), b"")
            p.stdout.close()
            self.assertEqual(p.wait(PATIENCE), 0)
        self.assertEqual(got, [b"late"])

    def test_a_reset_while_up_is_56_after_what_came_before(self):
        def serve(c):
            c.sendall(b"before")
            c.recv(1)
            reset(c)

        with Peer(serve) as peer:
            p = subprocess.Popen([DGRAM, "stream", "connect", peer.endpoint], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(os.read(p.stdout.fileno(), 100), b"before")
            out, err = p.communicate(b"x", PATIENCE)
        self.assertEqual((p.returncode, out), (56, b""))
        self.assertIn(b"the connection broke", err)

    def test_a_reset_ends_it_even_when_nothing_is_to_be_read_any_more(self):
        def serve(c):
            c.shutdown(socket.SHUT_WR)
            c.recv(1)
            reset(c)

        with Peer(serve) as peer:
            p = subprocess.Popen([DGRAM, "stream", "connect", peer.endpoint], stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            p.stdin.write(b"x")
            p.stdin.flush()
            self.assertEqual(p.wait(PATIENCE), 56)
            p.stdin.close()

    def test_refused_is_7_at_once(self):
        with refusing_endpoint() as endpoint:
            done = run("stream", "connect", endpoint, "-T", "1h")
        self.assertEqual(done.returncode, 7)
        self.assertIn(b"refused (no one listens on this port)", done.stderr)
        with harness.directory() as d:
            done = run("stream", "connect", "unix://%s/nobody" % d)
            self.assertEqual(done.returncode, 7)

    def test_the_deadline_bounds_the_connect_alone(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = []
            for _ in range(4):
                s = socket.socket()
                s.setblocking(False)
                s.connect_ex(full.getsockname())
                waiting.append(s)
            done = run("stream", "connect", "-T", "300ms", "tcp://127.0.0.1:%d" % full.getsockname()[1])
            self.assertEqual(done.returncode, 28)
            self.assertIn(b"no connection in 300 ms", done.stderr)
            for s in waiting:
                s.close()

        def serve(c):
            with self.assertRaises(socket.timeout):
                c.settimeout(0.5)
                c.recv(1)
            c.sendall(b"late")

        with Peer(serve) as peer:
            p = subprocess.Popen([DGRAM, "stream", "connect", "-T", "100ms", peer.endpoint],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.assertEqual(p.stdout.read(4), b"late")
            p.stdin.close()
            p.stdout.close()
            self.assertEqual(p.wait(PATIENCE), 0)

    def test_of_several_addresses_each_is_tried(self):
        if not harness.has_ipv6():
            self.skipTest("no IPv6 here")
        with Peer(lambda c: c.sendall(b"ok"), family=socket.AF_INET6) as peer:  # 127.0.0.1 comes first, and refuses
            port = peer.endpoint.rsplit(":", 1)[1]
            done = run("stream", "connect", "tcp://localhost:" + port)
        self.assertEqual((done.returncode, done.stdout), (0, b"ok"))

    def test_retry_refused_waits_for_the_listener(self):
        with harness.directory() as d:
            endpoint = "unix://%s/s" % d
            p = subprocess.Popen([DGRAM, "stream", "connect", "--retry-refused", "-vT", "20s", endpoint],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertIn(b"refused", p.stderr.readline())
            with Running("stream", "listen", endpoint, stdin=subprocess.PIPE) as server:
                server.process.stdin.write(b"here")
                server.process.stdin.close()
                self.assertEqual(p.communicate(timeout=PATIENCE)[0], b"here")
                self.assertEqual(p.returncode, 0)
                self.assertEqual(server.wait()[0], 0)
        with refusing_endpoint() as endpoint:
            done = run("stream", "connect", "--retry-refused", "-T", "1s", endpoint)
        self.assertEqual(done.returncode, 7)

    def test_an_option_of_the_other_side_is_2(self):
        for words in (("connect", "--keep"), ("listen", "--retry-refused")):
            done = run("stream", *words, "tcp://127.0.0.1:1")
            self.assertEqual(done.returncode, 2)
            self.assertIn(words[1].encode() + b" is for ", done.stderr)

    def test_a_unix_socket_of_the_other_kind_is_told(self):
        with harness.directory() as d:
            endpoint = "unix://%s/s" % d
            with Running("listen", endpoint):
                done = run("stream", "connect", endpoint)
            self.assertEqual(done.returncode, 7)
            self.assertIn(b"datagrams and streams do not mix", done.stderr)
            with Running("stream", "listen", endpoint, stdin=subprocess.PIPE):
                for verb in ("request", "send"):
                    done = run(verb, endpoint, "hi")
                    self.assertEqual(done.returncode, 7)
                    self.assertIn(b"datagrams and streams do not mix", done.stderr)

    def test_an_unresolvable_name_is_6_and_a_foreign_address_45(self):
        self.assertEqual(run("stream", "connect", "tcp://no.such.host.invalid:1", "-T", "10s").returncode, 6)
        self.assertEqual(run("stream", "connect", "-b", "192.0.2.1", "tcp://127.0.0.1:1").returncode, 45)
        code = run("stream", "connect", "-i", "nosuchif0", "tcp://127.0.0.1:1").returncode
        self.assertIn(code, (45, 2))  # 2: the portable build cannot bind to an interface

    def test_b_chooses_where_it_leaves_from(self):
        names = []
        with Peer(lambda c: names.append(c.getpeername()[0])) as peer:
            self.assertEqual(run("stream", "connect", "-b", "127.0.0.3", peer.endpoint).returncode, 0)
        self.assertEqual(names, ["127.0.0.3"])

    def test_wrong_words_are_2(self):
        for words in ([], ["listen"], ["conect", "tcp://127.0.0.1:1"], ["connect", "127.0.0.1:1"],
                      ["connect", "udp://127.0.0.1:1"], ["connect", "tcp://127.0.0.1:1/name"],
                      ["connect", "tcp://127.0.0.1:0"], ["connect", "tcp://127.0.0.1:1", "text"],
                      ["listen", "-b", "127.0.0.1", "tcp://127.0.0.1:0"]):
            with self.subTest(words=words):
                done = run("stream", *words)
                self.assertEqual(done.returncode, 2)
                self.assertTrue(done.stderr.startswith(b"dgram: "))

    def test_eight_mebibytes_each_way_at_once_do_not_deadlock(self):
        size = 8 << 20
        ours = bytes(range(251)) * (size // 251 + 1)
        theirs = ours[::-1]
        got = []

        def serve(c):
            sender = threading.Thread(target=c.sendall, args=(theirs,))
            sender.start()
            got.append(read_all(c))
            sender.join()

        with Peer(serve) as peer:
            done = run("stream", "connect", peer.endpoint, stdin=ours, timeout=60)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout == theirs and got == [ours])

    def test_a_reader_that_waits_for_us_to_send_first_does_not_deadlock(self):
        """stdout is read only after all of stdin was taken, while the peer sends all the time."""
        size = 8 << 20

        def serve(c):
            c.settimeout(60)
            sender = threading.Thread(target=c.sendall, args=(b"x" * size,))
            sender.start()
            self.assertEqual(len(read_all(c)), size)
            sender.join()

        with Peer(serve) as peer:
            p = subprocess.Popen([DGRAM, "stream", "connect", peer.endpoint], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
            if hasattr(fcntl, "F_SETPIPE_SZ"):  # the smallest there is: a write that is too long blocks for certain
                fcntl.fcntl(p.stdout, fcntl.F_SETPIPE_SZ, 4096)
            p.stdin.write(b"y" * size)
            p.stdin.close()
            self.assertEqual(len(p.stdout.read()), size)
            p.stdout.close()
            self.assertEqual(p.wait(60), 0)

    def test_while_nobody_reads_it_does_not_spin(self):
        with Peer(lambda c: c.sendall(b"x" * (1 << 20))) as peer:
            p = subprocess.Popen([DGRAM, "stream", "connect", peer.endpoint], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE)
            time.sleep(0.6)  # what it does in this time is what the test is about
            self.assertEqual(len(p.stdout.read()), 1 << 20)
            p.stdout.close()
            _, status, used = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(p.returncode, 0)
        self.assertLess(used.ru_utime + used.ru_stime, 0.3)

    def test_when_nobody_reads_stdout_it_ends_silently(self):
        def serve(c):
            try:
                while True:
                    c.sendall(b"line\n" * 1000)
            except OSError:
                pass

        with Peer(serve) as peer:
            p = subprocess.Popen([DGRAM, "stream", "connect", peer.endpoint], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            p.stdout.readline()
            p.stdout.close()
            self.assertEqual(p.stderr.read(), b"")
            p.stderr.close()
            self.assertEqual(p.wait(PATIENCE), -13)

    def test_a_closed_stdout_is_23_and_never_the_socket(self):
        got = []

        def serve(c):
            c.sendall(b"data")
            try:
                got.append(read_all(c))
            except ConnectionResetError:
                got.append(b"")

        with Peer(serve) as peer:
            p = subprocess.run(["sh", "-c", 'exec "$0" stream connect "$1" >&-', DGRAM, peer.endpoint],
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(p.returncode, 23)
        self.assertEqual(got, [b""])

    def test_a_closed_stdin_is_26_and_never_the_socket(self):
        with Peer(lambda c: c.sendall(b"data" + read_all(c))) as peer:
            p = subprocess.run(["sh", "-c", 'exec "$0" stream connect "$1" <&-', DGRAM, peer.endpoint],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual((p.returncode, p.stdout), (26, b""))

    @unittest.skipUnless(harness.has_ipv6(), "no IPv6 on this machine")
    def test_ipv6(self):
        with Peer(lambda c: c.sendall(read_all(c)), socket.AF_INET6) as peer:
            done = run("stream", "connect", peer.endpoint, stdin=b"six")
        self.assertEqual((done.returncode, done.stdout), (0, b"six"))

    def test_unix(self):
        with harness.directory() as d:
            with Peer(lambda c: c.sendall(read_all(c)), socket.AF_UNIX, d + "/s") as peer:
                done = run("stream", "connect", peer.endpoint, stdin=b"local")
        self.assertEqual((done.returncode, done.stdout), (0, b"local"))

    def test_json_has_every_line_on_stdout(self):
        def serve(c):
            c.sendall("好".encode()[:1])
            c.recv(2)
            c.sendall("好".encode()[1:] + b"\n")
            c.recv(1)
            reset(c)

        with Peer(serve) as peer:
            p = subprocess.Popen([DGRAM, "stream", "connect", "--json", peer.endpoint],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.assertEqual(json.loads(p.stdout.readline())["ev"], "peer")
            p.stdin.write(b"ab")
            p.stdin.flush()
            message = json.loads(p.stdout.readline())
            out = p.communicate(b"c", PATIENCE)[0]
        self.assertEqual((message["ev"], message["text"], message["len"]), ("message", "好\n", 4))
        self.assertEqual("tcp://" + message["from"], peer.endpoint)
        last = json.loads(out)
        self.assertEqual((last["ev"], last["code"], last["name"]), ("error", 56, "broken"))


class Listen(unittest.TestCase):
    def test_under_nohup_it_outlives_its_terminal(self):
        with Running("stream", "listen", "tcp://127.0.0.1:0", via=("sh", "-c", 'trap "" HUP; exec "$@"', "sh")) as ours:
            ours.process.send_signal(signal.SIGHUP)
            with socket.create_connection(("127.0.0.1", ours.port), PATIENCE) as s:
                s.sendall(b"still here")
            self.assertEqual(ours.wait(), (0, b"still here"))

    def test_it_serves_one_connection_and_exits_with_it(self):
        with Running("stream", "listen", "tcp://127.0.0.1:0", stdin=subprocess.PIPE) as server:
            self.assertEqual(server.stderr, b"dgram: listening on tcp://127.0.0.1:%d\n" % server.port)
            with connect(server) as s:
                s.sendall(b"question")
                self.assertEqual(os.read(server.process.stdout.fileno(), 100), b"question")
                with self.assertRaises(ConnectionRefusedError):
                    connect(server)
                server.process.stdin.write(b"answer")
                server.process.stdin.close()
                self.assertEqual(read_all(s), b"answer")
                s.sendall(b", more")
            self.assertEqual(server.wait(), (0, b", more"))

    def test_stdin_is_not_read_before_there_is_a_connection(self):
        r, w = os.pipe()
        with Running("stream", "listen", "tcp://127.0.0.1:0", stdin=r) as server:
            os.write(w, b"typed early")
            self.assertEqual(os.read(r, 5), b"typed")  # still there for us
            os.close(w)
            with connect(server) as s:
                self.assertEqual(read_all(s), b" early")
            self.assertEqual(server.wait()[0], 0)
        os.close(r)

    def test_a_reset_is_56(self):
        with Running("stream", "listen", "tcp://127.0.0.1:0", stdin=subprocess.PIPE) as server:
            reset(connect(server))
            self.assertEqual(server.wait()[0], 56)

    def test_keep_takes_the_next_and_ends_in_order(self):
        with Running("stream", "listen", "--keep", "tcp://127.0.0.1:0") as server:
            for word in (b"one\n", b"two\n"):
                with connect(server) as s:
                    s.sendall(word)
                    s.shutdown(socket.SHUT_WR)
                    self.assertEqual(read_all(s), b"")
                    self.assertEqual(server.read_line(), word)
            broken = connect(server)
            self.assertEqual(broken.recv(1), b"")
            reset(broken)
            server.wait_stderr(b"the connection broke")
            with connect(server) as s:
                s.sendall(b"three\n")
            self.assertEqual(server.read_line(), b"three\n")
            code, rest = server.stop()
            self.assertEqual((code, rest), (0, b""))
            self.assertIn(b"4 connections, 1 broke; 14 bytes received, 0 sent", server.stderr)

    def test_one_connection_dies_by_the_signal(self):
        with harness.directory() as d:
            for endpoint in ("tcp://127.0.0.1:0", "unix://" + d + "/s"):
                with Running("stream", "listen", endpoint) as server:
                    self.assertEqual(server.stop()[0], -2)
                self.assertEqual(os.listdir(d), [])

    def test_nobody_in_time_is_28(self):
        done = run("stream", "listen", "-T", "100ms", "tcp://127.0.0.1:0")
        self.assertEqual(done.returncode, 28)
        self.assertIn(b"nobody connected in 100 ms", done.stderr)

    def test_an_address_in_use_is_45(self):
        with Running("stream", "listen", "tcp://127.0.0.1:0") as server:
            self.assertEqual(run("stream", "listen", server.local).returncode, 45)
        self.assertEqual(run("stream", "listen", "tcp://192.0.2.1:0").returncode, 45)

    def test_a_unix_path_is_replaced_only_when_nobody_is_there(self):
        with harness.directory() as d:
            path = d + "/s"
            with Running("stream", "listen", "unix://" + path, stdin=subprocess.PIPE) as server:
                self.assertEqual(run("stream", "listen", "unix://" + path).returncode, 45)
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(PATIENCE)
                    s.connect(path)
                    s.sendall(b"once")
                    self.assertEqual(os.read(server.process.stdout.fileno(), 100), b"once")
                    self.assertEqual(os.listdir(d), [])
                server.process.stdin.close()
                self.assertEqual(server.wait()[0], 0)
            stale = socket.socket(socket.AF_UNIX)
            stale.bind(path)
            stale.close()
            with Running("stream", "listen", "unix://" + path) as server:
                self.assertEqual(server.local, "unix://" + path)

    def test_no_host_is_every_address(self):
        with Running("stream", "listen", "tcp://:0", stdin=subprocess.PIPE) as server:
            with connect(server):
                pass
            server.process.stdin.close()
            self.assertEqual(server.wait()[0], 0)

    def test_json(self):
        with Running("stream", "listen", "--keep", "--json", "tcp://127.0.0.1:0") as server:
            self.assertEqual(json.loads(server.read_line())["local"], server.local)
            with connect(server) as s:
                peer = json.loads(server.read_line())
                self.assertEqual(peer["addr"], "127.0.0.1:%d" % s.getsockname()[1])
                s.sendall(b"\xff")
            self.assertEqual(json.loads(server.read_line())["b64"], "/w==")
            code, rest = server.stop()
            self.assertEqual(code, 0)
            summary = json.loads(rest)
            self.assertEqual((summary["ev"], summary["connections"], summary["received"]), ("summary", 1, 1))


class Lines(unittest.TestCase):
    """--lines: what input() and recv(1024) programs expect."""

    def talk(self, *more, stdin=subprocess.PIPE):
        server = Running("stream", "listen", *more, "tcp://127.0.0.1:0", stdin=stdin)
        self.addCleanup(server.close)
        s = connect(server)
        self.addCleanup(s.close)
        return server, s

    def test_a_line_is_a_send_without_its_newline_and_a_chunk_a_line(self):
        server, s = self.talk("--lines")
        for text in ("hello", "你好，世界", "x" * 1000):
            server.process.stdin.write(text.encode() + b"\n")
            server.process.stdin.flush()
            self.assertEqual(s.recv(1024).decode(), text)
            s.sendall(text.encode())
            self.assertEqual(server.read_line().decode(), text + "\n")
        s.sendall(b"with newline\n")
        self.assertEqual(server.read_line(), b"with newline\n")
        server.process.stdin.write(b"\n\nlast without newline, and a \0")
        server.process.stdin.close()
        self.assertEqual(read_all(s), b"last without newline, and a \0")
        s.close()
        self.assertEqual(server.wait(), (0, b""))

    def test_half_a_line_is_not_sent_before_its_end(self):
        server, s = self.talk("--lines")
        server.process.stdin.write(b"ab")
        server.process.stdin.flush()
        s.settimeout(0.2)
        with self.assertRaises(socket.timeout):
            s.recv(1)
        s.settimeout(PATIENCE)
        server.process.stdin.write(b"c\n")
        server.process.stdin.flush()
        self.assertEqual(s.recv(10), b"abc")

    def test_a_line_longer_than_the_buffer_goes_whole(self):
        server, s = self.talk("--lines")
        threading.Thread(target=lambda: (server.process.stdin.write(b"z" * 200000 + b"\n"),
                                         server.process.stdin.close())).start()
        self.assertEqual(read_all(s), b"z" * 200000)

    def test_0_splits_at_nul(self):
        server, s = self.talk("-0")
        server.process.stdin.write(b"one\ntwo\0")
        server.process.stdin.flush()
        self.assertEqual(s.recv(100), b"one\ntwo")

    def test_utf8_split_across_reads_prints_whole_at_every_position(self):
        """Between two pieces the peer answers, so that they are two reads."""
        for sample in ("aé", "中文", "z€", "🙂"):
            data = sample.encode()
            for cut in range(1, len(data)):
                with self.subTest(sample=sample, cut=cut):
                    server, s = self.talk("--lines", "-v")
                    s.sendall(data[:cut])
                    whole = data[:cut].decode(errors="ignore")
                    if whole:
                        self.assertEqual(server.read_line().decode(), whole + "\n")
                    else:
                        # nothing to see: what we type next comes back to us, so it was read
                        server.process.stdin.write(b"ping\n")
                        server.process.stdin.flush()
                        self.assertEqual(s.recv(10), b"ping")
                    s.sendall(data[cut:])
                    self.assertEqual(server.read_line().decode(), sample[len(whole):] + "\n")
                    server.close()
                    s.close()

    def test_a_crlf_that_is_cut_in_two_is_one_end_of_line(self):
        server, s = self.talk("--lines")
        s.sendall(b"one\r")
        self.assertEqual(server.read_line(), b"one\r\n")
        s.sendall(b"\ntwo\r\n")
        self.assertEqual(server.read_line(), b"two\r\n")

    def test_a_character_that_never_ends_is_printed_as_it_came(self):
        server, s = self.talk("--lines")
        s.sendall(b"ok\xe4\xb8")
        self.assertEqual(server.read_line(), b"ok\n")
        server.process.stdin.close()
        s.close()
        self.assertEqual(server.wait(), (0, b"\xe4\xb8\n"))


class OnATerminal(unittest.TestCase):
    def test_escapes_of_the_peer_are_shown_and_split_characters_whole(self):
        def serve(c):
            c.sendall(b"\x1b[2J\xe4")
            c.recv(2)
            c.sendall(b"\xb8\xad\x00\n")
            self.assertEqual(c.recv(100), b"")

        with Peer(serve) as peer, Terminal("stream", "connect", peer.endpoint) as t:
            t.wait_for(rb"\\x1B\[2J")
            t.type(b"a\n")
            t.wait_for("中".encode() + rb"\\x00\r\n")
            t.type(b"\x04")
            code, seen = t.finish()
        self.assertEqual(code, 0)
        self.assertNotIn(b"\x1b", seen)

    def test_when_the_peer_ends_a_terminal_is_left_at_once(self):
        with Peer(lambda c: c.sendall(b"bye\n")) as peer, Terminal("stream", "connect", peer.endpoint) as t:
            code, seen = t.finish()
        self.assertEqual(code, 0)
        self.assertIn(b"bye\r\n", seen)

    def test_the_end_of_typing_half_closes_and_reads_on(self):
        def serve(c):
            self.assertEqual(read_all(c), b"hi\n")
            c.sendall(b"then this\n")

        with Peer(serve) as peer, Terminal("stream", "connect", peer.endpoint) as t:
            t.wait_for(rb"connected: ")
            t.type(b"hi\n\x04")
            code, seen = t.finish()
        self.assertEqual(code, 0)
        self.assertIn(b"then this\r\n", seen)

    def test_interrupt_ends_it_by_the_signal(self):
        with Peer(lambda c: c.recv(1)) as peer, Terminal("stream", "connect", peer.endpoint) as t:
            t.wait_for(rb"connected: ")
            t.type(b"\x03")
            code, _ = t.finish()
        self.assertEqual(code, -2)


class OtherTools(unittest.TestCase):
    def check(self, *command):
        with Running("stream", "listen", "tcp://127.0.0.1:0", stdin=subprocess.PIPE) as server:
            p = subprocess.Popen([w.replace("PORT", str(server.port)) for w in command],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            p.stdin.write("你好\n".encode())
            p.stdin.flush()
            self.assertEqual(server.read_line().decode(), "你好\n")
            server.process.stdin.write("收到\n".encode())
            server.process.stdin.close()
            self.assertEqual(p.stdout.readline().decode(), "收到\n")
            p.stdin.close()
            p.stdout.close()
            p.wait(PATIENCE)
            self.assertEqual(server.wait(), (0, b""))

    @harness.needs("nc")
    def test_nc(self):
        self.check("nc", "127.0.0.1", "PORT")

    @harness.needs("ncat")
    def test_ncat(self):
        self.check("ncat", "127.0.0.1", "PORT")

    @harness.needs("socat")
    def test_socat(self):
        self.check("socat", "-", "TCP:127.0.0.1:PORT")


if __name__ == "__main__":
    harness.main()
