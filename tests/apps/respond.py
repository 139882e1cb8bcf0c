"""dgram respond and plain datagrams, on plain endpoints and with --plain at a port of the dgram protocol: what it answers,
what it does not, and what it says."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import unittest

import harness


def ask(sock, port, data, host="127.0.0.1"):
    sock.sendto(data, (host, port))
    return sock.recvfrom(70000)


BOTH = "--plain"
also = []  # [BOTH]: the same at a port of the dgram protocol


def at(endpoint):
    return endpoint.removeprefix("udp://") if also else endpoint


def responder(*args, endpoint=None, **more):
    endpoint = endpoint or "udp://127.0.0.1:%d" % harness.free_port()
    return harness.Running("respond", at(endpoint), *also, *args, **more)


def said_by(*command):
    """The first line that a tool prints after it was given its own name."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tool:
        tool.stdin.write(command[0].encode() + b"\n")
        tool.stdin.flush()
        line = tool.stdout.readline()
        tool.kill()
        return line


class AtBoth:
    """Of tests: what holds on a plain endpoint holds there too, and a request of the protocol is answered beside it."""

    @classmethod
    def setUpClass(cls):
        also.append(BOTH)

    @classmethod
    def tearDownClass(cls):
        also.clear()


def spoofed(source, source_port, port, data=b"x"):
    """Sends a datagram to 127.0.0.1:port as if it came from elsewhere; needs the privilege of raw sockets."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        udp = struct.pack("!HHHH", source_port, port, 8 + len(data), 0) + data
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0,
                         socket.inet_aton(source), socket.inet_aton("127.0.0.1"))
        raw.sendto(ip + udp, ("127.0.0.1", 0))


def can_spoof():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW):
        return True
    return False


@contextlib.contextmanager
def low_port():
    """A socket with a source port below 1024, where this user may have one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(harness.PATIENCE)
        for port in range(1023, 600, -1):
            try:
                s.bind(("127.0.0.1", port))
            except PermissionError:
                raise unittest.SkipTest("no privilege to take a port below 1024")
            except OSError:
                continue
            yield s
            return
        raise unittest.SkipTest("no port below 1024 is free")


class Answers(unittest.TestCase):
    def test_echo_gives_every_datagram_back(self):
        with responder("--echo") as r, harness.udp_socket() as s:
            for data in (b"", b"x", b"\x00\xff\n", b"y" * 65507):
                self.assertEqual(ask(s, r.port, data), (data, ("127.0.0.1", r.port)))
            code, _ = r.stop()
        self.assertEqual(code, 0)
        self.assertIn(b"4 requests, 4 answers\n", r.stderr)

    def test_echo_keeps_up_with_a_burst(self):
        with responder("--echo") as r, harness.udp_socket() as s:
            for i in range(200):
                s.sendto(b"%d" % i, ("127.0.0.1", r.port))
            self.assertEqual({s.recv(100) for _ in range(200)}, {b"%d" % i for i in range(200)})

    def test_reply_gives_the_same_bytes(self):
        for args, answer in ((["--reply", "pong"], b"pong"), (["--reply", ""], b""),
                             (["-e", "--reply", r"a\n\x00b"], b"a\n\0b"), (["-x", "--reply", "00 ff"], b"\x00\xff"),
                             (["--reply", "--echo"], b"--echo")):
            with responder(*args) as r, harness.udp_socket() as s:
                self.assertEqual(ask(s, r.port, b"anything")[0], answer)

    def test_exec_gives_what_the_command_prints(self):
        with responder("--exec", "rev") as r, harness.udp_socket() as s:
            self.assertEqual(ask(s, r.port, b"abc\n")[0], b"cba\n")

    def test_exec_ends_option_parsing(self):
        with responder("--exec", "echo", "-n", "--echo", "--", "-v", "udp://x") as r, harness.udp_socket() as s:
            self.assertEqual(ask(s, r.port, b"")[0], b"--echo -- -v udp://x")
        with harness.Running("respond", "-v", "--exec-timeout", "3s", "udp://127.0.0.1:0",
                             "--exec", "printf", "%s", "-n") as r, harness.udp_socket() as s:
            self.assertEqual(ask(s, r.port, b"")[0], b"-n")

    def test_a_unix_endpoint_answers_and_is_removed(self):
        with harness.directory() as d:
            path, mine = d + "/responder", d + "/mine"
            with responder("--echo", endpoint="unix://" + path) as r:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                    s.sendto(b"nobody", path)  # a sender without a name gets nothing and harms nobody
                    r.wait_stderr(rb"no port or path to answer to")
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                    s.settimeout(harness.PATIENCE)
                    s.bind(mine)
                    s.sendto(b"hi", path)
                    self.assertEqual(s.recv(100), b"hi")
                r.stop()
            self.assertEqual(os.listdir(d), ["mine"])

    @unittest.skipUnless(harness.has_ipv6(), "no IPv6 here")
    def test_ipv6_and_no_address_at_all(self):
        with responder("--echo", endpoint="udp://[::1]:0") as r, harness.udp_socket(socket.AF_INET6) as s:
            self.assertEqual(ask(s, r.port, b"six", "::1")[0], b"six")
        with responder("--echo", endpoint="udp://:0") as r:
            with harness.udp_socket(socket.AF_INET6) as s:
                self.assertEqual(ask(s, r.port, b"six", "::1")[0], b"six")
            with harness.udp_socket() as s:
                self.assertEqual(ask(s, r.port, b"four")[0], b"four")

    def test_the_answer_leaves_from_the_address_that_was_asked(self):
        for form in (["--echo"], ["--reply", "x"], ["--insecure-open", "--exec", "cat"]):
            with responder(*form, endpoint="udp://0.0.0.0:0") as r, harness.udp_socket() as s:
                self.assertEqual(ask(s, r.port, b"x", "127.0.0.2"), (b"x", ("127.0.0.2", r.port)))

    def test_count_ends_it(self):
        for form in (["--echo"], ["--exec", "cat"]):
            with responder("-n", "2", *form) as r, harness.udp_socket() as s:
                self.assertEqual(ask(s, r.port, b"1")[0], b"1")
                self.assertEqual(ask(s, r.port, b"2")[0], b"2")
                self.assertEqual(r.wait()[0], 0)

    def test_count_waits_for_the_last_handler(self):
        with responder("-n", "1", "--sh", "--exec", "sleep 0.2; cat") as r, harness.udp_socket() as s:
            self.assertEqual(ask(s, r.port, b"slow")[0], b"slow")
            self.assertEqual(r.wait()[0], 0)

    def test_signals_end_it_in_order(self):
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with responder("--echo") as r:
                self.assertEqual(r.stop(sig)[0], 0)
                self.assertIn(b"0 requests, 0 answers\n", r.stderr)

    def test_json_has_a_line_for_everything(self):
        with responder("--json", "--sh", "--exec", 'read -r a; [ "$a" = no ] && exit 3; echo "$a"') as r, \
                harness.udp_socket() as s:
            me = "127.0.0.1:%d" % s.getsockname()[1]
            self.assertEqual(ask(s, r.port, b"hi\n")[0], b"hi\n")
            s.sendto(b"no\n", ("127.0.0.1", r.port))
            r.wait_stderr(rb"exit 3")
            code, out = r.stop()
        lines = [json.loads(line) for line in out.splitlines()]
        for line in lines:
            self.assertEqual(line.pop("v"), 1)
            self.assertRegex(line.pop("t"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(lines[0], {"ev": "listening", "local": at("udp://127.0.0.1:%d" % r.port)})
        self.assertEqual(lines[1], {"ev": "message", "from": me, "len": 3, "text": "hi\n"})
        self.assertEqual(lines[2], {"ev": "reply", "to": me, "status": 0, "len": 3, "text": "hi\n"})
        self.assertEqual(lines[4]["ev"], "error")
        self.assertEqual((lines[4]["from"], lines[4]["status"]), (me, 3))
        self.assertEqual((lines[5]["ev"], lines[5]["requests"], lines[5]["answers"], lines[5]["failed"]),
                         ("summary", 2, 1, 1))

    def test_a_reader_who_goes_ends_it(self):
        read, write = os.pipe()
        with responder("--json", "--echo", stdout=write) as r, harness.udp_socket() as s:
            os.close(write)
            os.close(read)
            s.sendto(b"x", ("127.0.0.1", r.port))
            self.assertEqual(r.process.wait(harness.PATIENCE), -signal.SIGPIPE)

    def test_verbose_has_a_line_for_each_request(self):
        with responder("-v", "--echo") as r, harness.udp_socket() as s:
            ask(s, r.port, b"hello")
            r.wait_stderr(rb"127\.0\.0\.1:%d: 5 bytes, answered with 5" % s.getsockname()[1])

    @harness.needs("socat")
    def test_socat_takes_the_other_side(self):
        with responder("--exec", "tr", "a-z", "A-Z") as r:
            self.assertEqual(said_by("socat", "-", "UDP:127.0.0.1:%d" % r.port), b"SOCAT\n")

    @harness.needs("nc")
    def test_nc_takes_the_other_side(self):
        with responder("--echo") as r:
            self.assertEqual(said_by("nc", "-u", "127.0.0.1", str(r.port)), b"nc\n")


class Silence(unittest.TestCase):
    """What is not answered; each time the responder is asked properly afterwards, so that silence is no accident."""

    def still_there(self, r):
        with harness.udp_socket() as s:
            self.assertEqual(ask(s, r.port, b"still there?")[0], b"still there?")

    def test_a_source_port_below_1024_is_not_answered(self):
        with low_port() as low:
            with responder("--echo") as r:
                low.sendto(b"x", ("127.0.0.1", r.port))
                self.still_there(r)
                low.setblocking(False)
                self.assertRaises(BlockingIOError, low.recv, 100)
                r.wait_stderr(b"its source port is below 1024")
            low.settimeout(harness.PATIENCE)
            with responder("--echo", "--allow-low-ports") as r:
                self.assertEqual(ask(low, r.port, b"x")[0], b"x")

    @unittest.skipUnless(can_spoof(), "no privilege for raw sockets")
    def test_source_port_0_and_our_own_address_are_not_answered(self):
        with responder("--echo") as r:
            spoofed("127.0.0.1", 0, r.port)
            r.wait_stderr(rb"not answered: its sender has no port")
            spoofed("127.0.0.1", r.port, r.port)
            r.wait_stderr(rb"not answered: it comes from our own address")
            self.still_there(r)
            r.stop()
            self.assertIn(b"1 request, 1 answer, 2 not answered by rule\n", r.stderr)
        with responder("--echo", endpoint="udp://:0") as r:
            spoofed("127.0.0.3", r.port, r.port)
            r.wait_stderr(rb"not answered: it comes from our own address")
            self.still_there(r)

    def test_a_broadcast_is_not_answered(self):
        with responder("--echo", endpoint="udp://0.0.0.0:0") as r, harness.udp_socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.sendto(b"x", ("127.255.255.255", r.port))
            r.wait_stderr(rb"not answered: sent to a multicast or broadcast address")
            self.still_there(r)
            s.setblocking(False)
            self.assertRaises(BlockingIOError, s.recv, 100)

    def test_a_group_is_no_place_to_answer(self):
        done = harness.run("respond", "udp://239.255.0.1:0", "--echo")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"is not answered", done.stderr)

    def test_limits_of_both_ways(self):
        with responder("--max-request", "12", "--echo") as r, harness.udp_socket() as s:
            s.sendto(b"thirteen byte", ("127.0.0.1", r.port))
            r.wait_stderr(rb"longer than a request may be")
            self.still_there(r)
        with responder("--max-reply", "4", "--exec", "cat") as r, harness.udp_socket() as s:
            s.sendto(b"12345", ("127.0.0.1", r.port))
            r.wait_stderr(rb"wrote more than 4 bytes")
            self.assertEqual(ask(s, r.port, b"1234")[0], b"1234")

    def test_warnings_are_limited_and_counted(self):
        with responder("--max-request", "1", "--reply", "ok") as r, harness.udp_socket() as s:
            for _ in range(200):
                s.sendto(b"long", ("127.0.0.1", r.port))
            self.assertEqual(ask(s, r.port, b"x")[0], b"ok")
            r.stop()
        lines = r.stderr.count(b"not answered: longer")
        left_out = sum(int(n) for n in re.findall(rb"(\d+) more warnings", r.stderr))
        self.assertLessEqual(lines, 60)
        self.assertEqual(lines + left_out, 200)


class AnswersAtBoth(AtBoth, Answers):
    def test_requests_of_the_protocol_are_answered_too(self):
        with responder("-n", "3", "--exec", "rev") as r, harness.udp_socket() as s:
            for text in "one", "two":
                self.assertEqual(ask(s, r.port, text.encode())[0], text[::-1].encode())
            done = harness.run("request", "127.0.0.1:%d" % r.port, "three")
            self.assertEqual((done.returncode, done.stdout), (0, b"eerht"))
            self.assertEqual(r.wait()[0], 0)
        self.assertIn(b"running rev for each request on 127.0.0.1:%d, plain datagrams too\n" % r.port, r.stderr)
        self.assertIn(b"dgram: 3 requests, 3 answers\n", r.stderr)

    def test_a_handler_that_fails_is_silence_there_and_an_answer_here(self):
        with responder("-v", "--sh", "--exec", "echo oops >&2; exit 3") as r, harness.udp_socket() as s:
            s.sendto(b"x", ("127.0.0.1", r.port))
            r.wait_stderr(rb"%d: the handler failed: exit 3; nothing is sent" % s.getsockname()[1])
            r.wait_stderr(rb"%d: handler: oops" % s.getsockname()[1])
            done = harness.run("request", "127.0.0.1:%d" % r.port, "x")
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"exit 3", done.stderr)
            s.setblocking(False)
            self.assertRaises(BlockingIOError, s.recv, 100)
            r.stop()
        self.assertIn(b"2 requests, 1 answer, 2 failed\n", r.stderr)


class SilenceAtBoth(AtBoth, Silence):
    pass


class Usage(unittest.TestCase):
    ROWS = (
        (["udp://127.0.0.1:0"], rb"how shall it answer\? --echo, --reply TEXT or --exec"),
        ([], rb"no endpoint"),
        (["--echo"], rb"no endpoint"),
        (["--exec", "cat", "udp://127.0.0.1:0"], rb"no endpoint before --exec"),
        (["udp://127.0.0.1:0", "--echo", "--reply", "x"], rb"one of them"),
        (["udp://127.0.0.1:0", "--echo", "--exec", "cat"], rb"one of them"),
        (["udp://127.0.0.1:0", "--exec"], rb"no command follows"),
        (["udp://127.0.0.1:0", "time=date +%s"], rb"--exec date \+%s"),
        (["udp://127.0.0.1:0", "time='date"], rb"a quote is not closed"),
        (["udp://127.0.0.1:0", "--echo", "more"], rb"one endpoint"),
        (["udp://127.0.0.1", "--echo"], rb"port"),
        (["udp://127.0.0.1:0", "--exec", "no-such-program-here"], rb"no such program"),
        (["udp://127.0.0.1:0", "--exec", "/etc/passwd"], rb"not a program"),
        (["udp://127.0.0.1:0", "--exec", "date +%s"], rb"without quotes around them all"),
        (["udp://127.0.0.1:0", "--exec", "date | rev"], rb"put --sh before --exec"),
        (["udp://127.0.0.1:0", "--sh", "--echo"], rb"--sh is for --exec"),
        (["udp://127.0.0.1:0", "-e", "--echo"], rb"for --reply"),
        (["udp://127.0.0.1:0", "--max-procs", "0", "--exec", "cat"], rb"--max-procs"),
        (["udp://127.0.0.1:0", "--exec-timeout", "soon", "--exec", "cat"], rb"'soon'"),
        (["udp://127.0.0.1:0", "--exec-timeout", "0", "--exec", "cat"], rb"--exec-timeout"),
        (["udp://127.0.0.1:0", "--env", "A=B", "--exec", "cat"], rb"--env"),
        (["udp://127.0.0.1:0", "-x", "--reply", "0"], rb"hex"),
        (["udp://127.0.0.1:0", "-k", "key", "--echo"], rb"-k"),
        (["udp://0.0.0.0:0", "--exec", "cat"], rb"127\.0\.0\.1.*a key.*--insecure-open"),
        (["udp://:0", "--exec", "cat"], rb"127\.0\.0\.1.*a key.*--insecure-open"),
        (["udp://:0", "--exec", "cat", "--insecure-open"], rb"--insecure-open before --exec"),
        (["127.0.0.1:0", "--plain", "time=date"], rb"--plain: plain datagrams carry no name"),
        (["tcp://127.0.0.1:0", "--plain", "--echo"], rb"--plain: over TCP there are no plain datagrams"),
        ([":0", "--plain", "--exec", "cat"], rb"127\.0\.0\.1.*a key.*--insecure-open"),
    )

    def test_wrong_words_are_told_with_exit_2(self):
        for args, sentence in self.ROWS:
            with self.subTest(args=args):
                done = harness.run("respond", *args)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, sentence)
                self.assertEqual(done.stdout, b"")

    def test_a_port_in_use_is_45(self):
        with harness.udp_socket() as s:
            done = harness.run("respond", "udp://127.0.0.1:%d" % s.getsockname()[1], "--echo")
        self.assertEqual(done.returncode, 45)

    def test_help_warns_that_a_request_may_run_twice(self):
        done = harness.run("respond", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"sent again runs again", b" ".join(done.stdout.split()))


INSIDE = "--inside"  # this script again, in a network of its own: argument of the child


class BeyondLoopback(unittest.TestCase):
    """The rules for strangers, in a network namespace in which 10.9.8.7 is ours."""

    def run_inside(self, name):
        if subprocess.run(["unshare", "-rn", "ip", "addr", "add", "10.9.8.7/32", "dev", "lo"],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no network namespaces, or no ip command")
        done = subprocess.run(["unshare", "-rn", sys.executable, __file__, INSIDE, name, *also], timeout=60)
        self.assertEqual(done.returncode, 0)

    def test_an_address_gets_100_answers_in_a_second(self):
        self.run_inside("rate")

    def test_an_answer_is_at_most_three_times_its_request(self):
        self.run_inside("growth")

    def test_commands_need_insecure_open(self):
        self.run_inside("commands")


class BeyondLoopbackAtBoth(AtBoth, BeyondLoopback):
    pass


class Inside:
    HOST = "10.9.8.7"

    def __init__(self):
        subprocess.run("ip link set lo up && ip addr add 10.9.8.7/32 dev lo", shell=True, check=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.HOST, 0))
        self.socket.settimeout(harness.PATIENCE)

    def rate(self):
        with responder("--echo", endpoint="udp://%s:0" % self.HOST) as r:
            for i in range(150):
                self.socket.sendto(b"%d" % i, (self.HOST, r.port))
            for i in range(100):
                assert self.socket.recv(100) == b"%d" % i
            r.wait_stderr(rb"100 answers in a second already")
            r.stop()
            requests = int(re.search(rb"(\d+) requests?,", r.stderr)[1])
            assert 100 <= requests < 150, r.stderr

    def growth(self):
        with responder("--reply", "seven b", endpoint="udp://:0") as r:
            self.socket.sendto(b"12", (self.HOST, r.port))
            r.wait_stderr(rb"more than 3 times the request")
            assert ask(self.socket, r.port, b"123", self.HOST)[0] == b"seven b"
            with harness.udp_socket() as near:
                assert ask(near, r.port, b"")[0] == b"seven b"
        with responder("--insecure-open", "--reply", "seven b", endpoint="udp://:0") as r:
            assert ask(self.socket, r.port, b"", self.HOST)[0] == b"seven b"

    def commands(self):
        done = harness.run("respond", at("udp://%s:0" % self.HOST), *also, "--exec", "cat")
        assert done.returncode == 2 and b"--insecure-open" in done.stderr, done
        with responder("--insecure-open", "--exec", "cat", endpoint="udp://%s:0" % self.HOST) as r:
            assert ask(self.socket, r.port, b"run", self.HOST)[0] == b"run"


if __name__ == "__main__":
    if sys.argv[1:2] == [INSIDE]:
        also = sys.argv[3:]
        getattr(Inside(), sys.argv[2])()
    else:
        harness.main()
