"""Every way a plain request ends, with its sentence, its exit code and its JSON line."""

import fcntl
import json
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest

import harness
from harness import DGRAM, echo, free_port, run, silent, udp_socket


def sentence(result):
    return result.stderr.decode()


def last_json(result):
    return json.loads(result.stdout.splitlines()[-1])


class Outcomes(unittest.TestCase):
    def ends(self, result, code, pattern=None):
        self.assertEqual(result.returncode, code, result)
        if pattern is not None:
            self.assertRegex(sentence(result), pattern)

    def test_an_answer_is_printed_exactly(self):
        for payload in b"hi", b"", b"a\n", b"\0\xff\x1b[31m\r\n":
            with echo() as server:
                got = run("request", "udp://127.0.0.1:%d" % server.port, stdin=payload)
                self.ends(got, 0)
                self.assertEqual((got.stdout, got.stderr), (payload, b""))

    def test_streams_that_others_made_non_blocking_are_waited_for(self):
        payload = os.urandom(60000)
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        fcntl.fcntl(out_write, fcntl.F_SETPIPE_SZ, 4096)
        for fd in in_read, out_write:
            os.set_blocking(fd, False)
        with echo() as server, subprocess.Popen([DGRAM, "request", "udp://127.0.0.1:%d" % server.port], stdin=in_read,
                                                stdout=out_write, stderr=subprocess.PIPE) as process:
            os.close(in_read)
            os.close(out_write)
            with open(in_write, "wb") as i, open(out_read, "rb") as o:
                i.write(payload[:1000])
                i.flush()
                self.assertFalse(harness.readable(o, 0.05))
                i.write(payload[1000:])
                i.close()
                self.assertTrue(harness.readable(o, harness.PATIENCE))
                self.assertEqual(o.read(), payload)
            self.assertEqual((process.wait(harness.PATIENCE), process.stderr.read()), (0, b""))

    def test_nobody_listens_is_7(self):
        port = free_port()
        got = run("request", "udp://127.0.0.1:%d" % port, "hi")
        self.ends(got, 7)
        self.assertEqual(sentence(got), "dgram: 127.0.0.1:%d: refused (no one listens on this port)\n" % port)
        self.assertEqual(got.stdout, b"")

    def test_our_own_port_is_7(self):
        for scheme in ("", "udp://"):
            own = "127.0.0.1:%d" % free_port()
            got = run("request", "-b", own, scheme + own, "hi")
            self.ends(got, 7, "refused")
            self.assertEqual(got.stdout, b"")

    def test_nobody_listens_as_json(self):
        got = run("request", "-j", "udp://127.0.0.1:%d" % free_port(), "hi")
        self.ends(got, 7, "refused")
        line = last_json(got)
        self.assertEqual(list(line)[:5], ["v", "t", "ev", "code", "name"])
        self.assertEqual((line["v"], line["ev"], line["code"], line["name"]), (1, "error", 7, "refused"))

    def test_silence_is_28_with_the_time_and_the_tries(self):
        with silent() as server:
            got = run("request", "-T", "1s", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 28)
            self.assertRegex(sentence(got), r"^dgram: 127\.0\.0\.1:%d: no answer in 1 s \(\d+ tries\)\n$" % server.port)
            tries = int(re.search(r"(\d+) tries", sentence(got)).group(1))
            self.assertEqual(server.heard(tries), tries)
            self.assertGreaterEqual(tries, 2)

    def test_silence_as_json(self):
        with silent() as server:
            got = run("request", "--json", "-T", "100ms", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 28)
            self.assertEqual((last_json(got)["code"], last_json(got)["name"]), (28, "timeout"))

    def test_no_retries_is_one_try(self):
        with silent() as server:
            got = run("request", "-r", "0", "-t", "50ms", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 28, r"no answer in .* \(1 try\)")
            self.assertEqual((server.heard(1), server.got), (1, [b"hi"]))

    def test_two_retries_are_three_datagrams(self):
        with silent() as server:
            self.ends(run("request", "-r", "2", "-t", "20ms", "udp://127.0.0.1:%d" % server.port, "hi"), 28, r"\(3 tries\)")
            self.assertEqual((server.heard(3), server.got), (3, [b"hi"] * 3))

    def test_the_third_try_is_answered(self):
        with harness.Server(lambda data, peer, count: b"at last" if count == 3 else None) as server:
            got = run("request", "-j", "-t", "30ms", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 0)
            line = last_json(got)
            self.assertEqual(list(line), ["v", "t", "ev", "from", "len", "text", "tries", "rtt_us"])
            self.assertEqual((line["ev"], line["from"], line["len"], line["text"], line["tries"]),
                             ("reply", "127.0.0.1:%d" % server.port, 7, "at last", server.heard(line["tries"])))
            self.assertGreaterEqual(line["tries"], 3)
            self.assertRegex(line["t"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    @harness.needs("strace")
    def test_the_round_trip_begins_before_the_send(self):
        calls = "sendto,sendmsg,sendmmsg"
        slow = ["strace", "-o", "/dev/null", "-e", "trace=" + calls, "-e", "inject=%s:delay_exit=30000" % calls]
        quiet = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}  # no leak check under ptrace
        with harness.echo() as server:
            got = subprocess.run([*slow, harness.DGRAM, "request", "-j", "udp://127.0.0.1:%d" % server.port, "hi"], env=quiet,
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=harness.PATIENCE)
        if b"ptrace" in got.stderr.lower():
            self.skipTest("strace may not trace here")
        self.ends(got, 0)
        self.assertGreaterEqual(last_json(got)["rtt_us"], 30000)

    def test_a_late_answer_to_the_first_try_counts(self):
        first = []

        def late(data, peer, count):
            first.append(peer)
            return b"late" if count == 4 and peer == first[0] else None

        with harness.Server(late) as server:
            got = run("request", "-t", "30ms", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 0)
            self.assertEqual(got.stdout, b"late")
            self.assertEqual(len(set(first)), 1, "all tries leave from one socket")

    def test_refused_after_an_earlier_try_was_not_is_52(self):
        port = free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", port))
            s.settimeout(harness.PATIENCE)
            asking = subprocess.Popen([DGRAM, "request", "-j", "-t", "100ms", "udp://127.0.0.1:%d" % port, "hi"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            s.recvfrom(100)
            s.close()
            out, err = asking.communicate(timeout=harness.PATIENCE)
        self.assertEqual(asking.returncode, 52, err)
        self.assertRegex(err.decode(), "may have run")
        self.assertEqual(json.loads(out)["name"], "unknown")

    def test_retry_refused_waits_for_a_responder_that_starts_late(self):
        port = free_port()
        asking = subprocess.Popen([DGRAM, "request", "--retry-refused", "-T", "20s", "udp://127.0.0.1:%d" % port, "hi"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.2)  # that it is refused at least once; when it is not, the test still holds
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", port))
            s.settimeout(harness.PATIENCE)
            data, peer = s.recvfrom(100)
            s.sendto(b"yes", peer)
            out, err = asking.communicate(timeout=harness.PATIENCE)
        self.assertEqual((asking.returncode, out), (0, b"yes"), err)

    @unittest.skipUnless(harness.has_ipv6(), "no IPv6 here")
    def test_the_address_to_leave_from_is_of_the_targets_family(self):
        rows = [("[::1]", "127.0.0.1", r"'\[::1\]' is IPv6 and 127\.0\.0\.1:9 is IPv4"),
                ("127.0.0.1", "[::1]", r"'127\.0\.0\.1' is IPv4 and \[::1\]:9 is IPv6"),
                ("0.0.0.0", "[::1]", r"'0\.0\.0\.0' is IPv4 and \[::1\]:9 is IPv6")]
        for bind, host, pattern in rows:
            for words in ["request", "udp://%s:9"], ["send", "udp://%s:9"], ["stream", "connect", "tcp://%s:9"]:
                self.ends(run(*words[:-1], "-b", bind, words[-1] % host), 45, pattern)
        with echo() as server:
            for bind in "127.0.0.1", "[::]", "localhost", ":0":
                got = run("request", "-b", bind, "udp://localhost:%d" % server.port, "hi")
                self.assertEqual((got.returncode, got.stdout), (0, b"hi"), (bind, got.stderr))

    def test_a_name_that_does_not_exist_is_6(self):
        got = run("request", "-T", "30s", "udp://no-such-host.invalid:7400", "hi")
        self.ends(got, 6, "no-such-host.invalid:7400: ")
        got = run("request", "-j", "-T", "30s", "udp://no-such-host.invalid:7400", "hi")
        self.assertEqual(last_json(got)["name"], "resolve")

    def test_too_large_is_63_and_nothing_is_sent(self):
        with echo() as server:
            for size in 65508, 65537, 200000:
                got = run("request", "udp://127.0.0.1:%d" % server.port, stdin=b"x" * size)
                self.ends(got, 63, "too large.*nothing was sent")
            self.ends(run("request", "-j", "--max-request", "2", "udp://127.0.0.1:%d" % server.port, "abc"), 63)
            self.assertEqual(server.got, [])

    def test_the_largest_datagram_goes_both_ways(self):
        payload = os.urandom(65507)
        with echo() as server:
            got = run("request", "udp://127.0.0.1:%d" % server.port, stdin=payload)
            self.ends(got, 0)
            self.assertEqual(got.stdout, payload)
            got = run("request", "udp://127.0.0.1:%d" % server.port, stdin=payload + b"x")
            self.ends(got, 63, "a message has 65507 bytes at most")

    def test_an_answer_over_max_reply_is_8(self):
        with harness.Server(lambda data, peer, count: b"x" * 100) as server:
            got = run("request", "-j", "--max-reply", "99", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 8, "longer than --max-reply")
            self.assertEqual(last_json(got)["name"], "malformed")

    def test_an_address_that_cannot_be_bound_is_45(self):
        with harness.udp_socket() as s:
            for how in "192.0.2.1", "127.0.0.1:%d" % s.getsockname()[1]:
                self.ends(run("request", "-b", how, "udp://127.0.0.1:9", "hi"), 45, "cannot bind")
        self.ends(run("request", "-i", "nosuchif", "udp://127.0.0.1:9", "hi"), 45, "-i: 'nosuchif'")

    def test_bind_is_the_source(self):
        port = free_port()
        with harness.Server(lambda data, peer, count: repr(peer).encode()) as server:
            to = "udp://127.0.0.1:%d" % server.port
            self.assertEqual(run("request", "-b", "127.0.0.2:%d" % port, to, "hi").stdout, b"('127.0.0.2', %d)" % port)
            self.assertEqual(run("request", "-b", ":%d" % port, to, "hi").stdout, b"('127.0.0.1', %d)" % port)
            self.assertRegex(run("request", "-b", "127.0.0.3", to, "hi").stdout, rb"^\('127.0.0.3', \d+\)$")

    def test_ipv6_is_shown_in_brackets(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        got = run("request", "-r0", "-t", "10s", "udp://[::1]:%d" % free_port(), "hi")
        self.ends(got, 7, r"^dgram: \[::1\]:\d+: refused")
        with harness.Server(lambda data, peer, count: data, family=socket.AF_INET6) as server:
            got = run("request", "-j", "udp://[::1]:%d" % server.port, "hi")
            self.ends(got, 0)
            self.assertEqual(last_json(got)["from"], "[::1]:%d" % server.port)

    def test_a_name_with_two_addresses_is_asked_at_both(self):
        if not harness.has_ipv6():
            self.skipTest("no IPv6 here")
        with harness.Server(lambda data, peer, count: data, family=socket.AF_INET6) as server:  # 127.0.0.1 refuses
            got = run("request", "udp://localhost:%d" % server.port, "hi")
            self.assertEqual((got.returncode, got.stdout), (0, b"hi"), got)

    def test_an_answer_from_somebody_else_is_none(self):
        with harness.udp_socket() as other, silent() as server:
            def forge(data, peer, count):
                other.sendto(b"forged", peer)
                return None
            server._answer = forge
            got = run("request", "-T", "300ms", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 28)
            self.assertEqual(got.stdout, b"")

    def test_an_empty_answer_is_an_answer(self):
        with harness.Server(lambda data, peer, count: b"") as server:
            got = run("request", "-j", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 0)
            self.assertEqual((last_json(got)["len"], last_json(got)["text"]), (0, ""))

    def test_the_time_line_of_tries(self):
        with harness.Server(lambda data, peer, count: b"ok" if count >= 2 else None) as server:
            got = run("request", "--explain", "-t", "30ms", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 0)
            self.assertEqual(got.stdout, b"ok")
            self.assertRegex(sentence(got), r"try 1 to 127.0.0.1:\d+\n(.*\n)*.*try 2 to .*\n(.*\n)*.*answer from 127.0.0.1:\d+, 2 bytes\n")

    def test_a_trace_has_every_event_and_payloads_only_when_asked(self):
        with harness.directory() as d, harness.Server(lambda data, peer, count: b"no" if count >= 2 else None) as server:
            to = "udp://127.0.0.1:%d" % server.port
            self.ends(run("request", "--trace", d + "/t", "-t", "30ms", to, "hi"), 0)
            with open(d + "/t") as f:
                events = [json.loads(line) for line in f]
            tries = len(events) - 1  # 2, unless the answer took longer than the third wait
            self.assertEqual([e["ev"] for e in events], ["try"] * tries + ["reply"])
            self.assertGreaterEqual(tries, 2)
            self.assertEqual((events[1]["try"], events[1]["to"], events[-1]["tries"]), (2, to[6:], tries))
            self.assertTrue(all("text" not in e for e in events))
            self.assertEqual(sorted(e["t"] for e in events), [e["t"] for e in events])
            self.assertEqual(os.stat(d + "/t").st_mode & 0o777, 0o600)
            self.ends(run("request", "--trace", d + "/t", "--trace-payload", "-t", "20s", "-T", "20s", to, "hi"), 0)
            with open(d + "/t") as f:
                self.assertEqual([json.loads(line)["text"] for line in f], ["hi", "no"])
            self.ends(run("request", "--trace", d + "/t", "udp://127.0.0.1:%d" % free_port(), "hi"), 7)
            with open(d + "/t") as f:
                self.assertEqual([json.loads(line)["ev"] for line in f], ["try", "failed", "error"])
            os.symlink(d + "/t", d + "/link")
            self.ends(run("request", "--trace", d + "/link", to, "hi"), 23, "--trace")

    def test_verbose_says_who_and_how_many_tries(self):
        with echo() as server:
            got = run("request", "-v", "-t", "20s", "-T", "20s", "udp://127.0.0.1:%d" % server.port, "hi")
            self.ends(got, 0, r"^dgram: 127.0.0.1:%d answered: 2 bytes, 1 try, " % server.port)
            self.assertEqual(got.stdout, b"hi")

    def test_one_byte_is_one_byte(self):
        with echo() as server:
            got = run("request", "-v", "--explain", "udp://127.0.0.1:%d" % server.port, "x")
            self.assertRegex(got.stderr, rb"answer from \S+ 1 byte\n(?s:.*)answered: 1 byte, 1 try, ")

    def test_the_reason_is_there_whatever_it_quotes(self):
        for file in b"/no\xffsuch", b"/" + "\u00e9".encode() * 1000, b"/no\x1bsuch":
            got = run("request", "-j", "-f", file, "udp://127.0.0.1:9")
            self.assertEqual(got.returncode, 26)
            self.assertIn("/", last_json(got)["reason"])

    def test_quiet_keeps_errors(self):
        self.ends(run("request", "-q", "udp://127.0.0.1:%d" % free_port(), "hi"), 7, "refused")


class Replies(unittest.TestCase):
    def setUp(self):
        three = lambda data, peer, count: [b"one", b"two", b"three"] if count == 1 else None
        self.server = harness.Server(three)
        self.to = "udp://127.0.0.1:%d" % self.server.port

    def tearDown(self):
        self.server.__exit__()

    def test_as_many_as_were_asked_for_is_0(self):
        got = run("request", "--replies", "3", self.to, "hi")
        self.assertEqual((got.returncode, got.stdout), (0, b"one\ntwo\nthree\n"), got)

    def test_fewer_is_18(self):
        got = run("request", "--json", "--replies", "4", "--wait", "2s", self.to, "hi")
        self.assertEqual(got.returncode, 18, got)
        self.assertRegex(sentence(got), "3 of 4 answers")
        self.assertEqual(json.loads(got.stdout.splitlines()[-1])["name"], "partial")

    def test_a_wait_alone_is_for_one(self):
        got = run("request", "--wait", "5s", self.to, "hi")
        self.assertEqual((got.returncode, got.stdout), (0, b"one\n"), got)

    def test_all_is_what_came(self):
        got = run("request", "--replies", "all", "--wait", "2s", self.to, "hi")
        self.assertEqual((got.returncode, got.stdout), (0, b"one\ntwo\nthree\n"), got)

    def test_none_is_28(self):
        with silent() as server:
            for how in "2", "all":
                got = run("request", "--replies", how, "--wait", "100ms", "udp://127.0.0.1:%d" % server.port, "hi")
                self.assertEqual(got.returncode, 28, got)

    def test_answers_that_keep_coming_do_not_outlast_the_wait(self):
        with udp_socket() as s:
            asking = subprocess.Popen([DGRAM, "request", "--replies", "all", "--wait", "2s",
                                       "udp://127.0.0.1:%d" % s.getsockname()[1], "hi"], stdout=subprocess.PIPE)
            peer, end = s.recvfrom(100)[1], time.monotonic() + 2.1
            s.sendto(b"first", peer)
            self.assertEqual(asking.stdout.readline(), b"first\n")
            asking.send_signal(signal.SIGSTOP)  # so it is slower than they come
            os.waitid(os.P_PID, asking.pid, os.WSTOPPED)
            for _ in range(50):
                s.sendto(b"more", peer)
            while (left := end - time.monotonic()) > 0:
                if harness.readable(s, left):
                    s.recv(100)  # it had asked again
            asking.send_signal(signal.SIGCONT)
            out, _ = asking.communicate(timeout=harness.PATIENCE)
            self.assertEqual(asking.returncode, 0)
            self.assertLess(out.count(b"more\n"), 5)

    def test_answers_to_repetitions_are_printed_once(self):
        with harness.Server(lambda data, peer, count: [b"same"] * 3 if count == 3 else None) as server:
            got = run("request", "--replies", "all", "--wait", "2s", "-t", "20ms",
                      "udp://127.0.0.1:%d" % server.port, "hi")
            self.assertEqual((got.returncode, got.stdout), (0, b"same\n"), got)


class Groups(unittest.TestCase):
    """Answers to a broadcast come from anywhere: here from two sockets at 127.0.0.x, asked at 127.255.255.255."""

    def members(self, port_of_first=0):
        ask = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ask.bind(("", 0))
        ask.settimeout(harness.PATIENCE)
        return ask

    def answer(self, s, others):
        data, peer = s.recvfrom(100)
        s.sendto(b"first", peer)
        for o in others:
            o.sendto(b"other", peer)

    def test_the_first_answer_from_anywhere_counts_and_all_can_be_collected(self):
        for args, code, shown in ([], 0, {b"first"}), (["--replies", "3"], 0, {b"first", b"other"}), \
                (["--replies", "all", "--wait", "2s"], 0, {b"first", b"other"}), \
                (["--replies", "9", "--wait", "2s"], 18, {b"first", b"other"}):
            with self.members() as s, harness.udp_socket() as a, harness.udp_socket() as b:
                thread = threading.Thread(target=self.answer, args=(s, [a, b]))
                thread.start()
                got = run("request", *args, "udp://127.255.255.255:%d" % s.getsockname()[1], "who?")
                thread.join()
                self.assertEqual(got.returncode, code, got)
                self.assertEqual(set(got.stdout.split(b"\n")) - {b""}, shown)
                if args:
                    self.assertEqual(len(got.stdout.splitlines()), 3)

    def test_nobody_answers_is_28(self):
        with self.members() as s:
            got = run("request", "-T", "150ms", "udp://127.255.255.255:%d" % s.getsockname()[1], "who?")
            self.assertEqual(got.returncode, 28, got)

    def test_a_multicast_group_answers(self):
        with harness.udp_socket() as answering, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("239.255.99.8", 0))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         socket.inet_aton("239.255.99.8") + socket.inet_aton("127.0.0.1"))
            s.settimeout(harness.PATIENCE)

            def serve():
                data, peer = s.recvfrom(100)
                answering.sendto(b"here", peer)

            thread = threading.Thread(target=serve)
            thread.start()
            got = run("request", "-i", "lo", "-b", "127.0.0.1", "udp://239.255.99.8:%d" % s.getsockname()[1], "who?")
            self.assertEqual((got.returncode, got.stdout), (0, b"here"), got)
            thread.join()


class Lines(unittest.TestCase):
    def test_answers_come_in_the_order_of_the_lines(self):
        lines = b"".join(b"line %d\n" % i for i in range(50))
        with harness.Server(lambda data, peer, count: data if count % 3 else None) as server:
            got = run("request", "--lines", "-t", "10ms", "-T", "20s", "udp://127.0.0.1:%d" % server.port, stdin=lines)
            self.assertEqual((got.returncode, got.stdout), (0, lines), got)

    def test_a_failed_line_is_named_and_the_others_run(self):
        answer = lambda data, peer, count: None if data == b"b" else data
        with harness.Server(answer) as server:
            got = run("request", "--lines", "-j", "-T", "2s", "udp://127.0.0.1:%d" % server.port, stdin=b"a\nb\nc")
            self.assertEqual(got.returncode, 28, got)
            self.assertRegex(sentence(got), r"^dgram: line 2: 127.0.0.1:\d+: no answer")
            lines = [json.loads(l) for l in got.stdout.splitlines()]
            self.assertEqual([(l["ev"], l["line"]) for l in lines], [("reply", 1), ("error", 2), ("reply", 3)])

    def test_count_stops(self):
        with echo() as server:
            got = run("request", "--lines", "-n", "2", "udp://127.0.0.1:%d" % server.port, stdin=b"a\nb\nc\n")
            self.assertEqual((got.returncode, got.stdout), (0, b"a\nb\n"), got)

    def test_nul_separates(self):
        with echo() as server:
            got = run("request", "-0", "-t", "20s", "-T", "20s", "udp://127.0.0.1:%d" % server.port, stdin=b"a\nb\0c\0")
            self.assertEqual((got.returncode, got.stdout), (0, b"a\nb\nc\n"), got)
            self.assertEqual(server.got, [b"a\nb", b"c"])

    def test_answers_are_printed_as_they_come(self):
        with echo() as server:
            asking = subprocess.Popen([DGRAM, "request", "--lines", "udp://127.0.0.1:%d" % server.port],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for line in b"one\n", b"two\n":
                asking.stdin.write(line)
                asking.stdin.flush()
                self.assertEqual(asking.stdout.readline(), line)
            asking.stdin.close()
            self.assertEqual(asking.wait(harness.PATIENCE), 0)
            asking.stdout.close()

    def test_a_reader_that_has_gone_ends_it_though_every_line_fails(self):
        plain, there = "udp://127.0.0.1:%d" % free_port(), "127.0.0.1:%d" % free_port()
        reading, writing = os.pipe()
        os.close(reading)
        for words in ("request", plain), ("request", there), ("send", there), ("send", "-x", plain):
            got = subprocess.run([DGRAM, words[0], "--json", "--lines", *words[1:]], input=b"no hex\n" * 1000,
                                 stdout=writing, stderr=subprocess.PIPE, timeout=harness.PATIENCE)
            self.assertEqual(got.returncode, -signal.SIGPIPE, words)
            self.assertLess(got.stderr.count(b"\n"), 100, words)
        os.close(writing)

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_no_room_for_error_lines_is_23_with_one_sentence(self):
        for to in "udp://127.0.0.1:%d" % free_port(), "127.0.0.1:%d" % free_port():
            with open("/dev/full", "wb") as full:
                got = subprocess.run([DGRAM, "request", "--json", "--lines", to], input=b"a\n" * 1000, stdout=full,
                                     stderr=subprocess.PIPE, timeout=harness.PATIENCE)
                self.assertEqual(got.returncode, 23)
                self.assertEqual(got.stderr.count(b"dgram: cannot write output: No space left on device\n"), 1)
                self.assertLess(got.stderr.count(b"\n"), 100)

    def test_a_loop_that_gives_text_reads_every_line(self):
        with echo() as server:
            script = 'while read -r l; do "$0" request udp://127.0.0.1:%d "$l"; echo; done' % server.port
            got = subprocess.run(["sh", "-c", script, DGRAM], input=b"a\nb\nc\n", stdout=subprocess.PIPE,
                                 timeout=harness.PATIENCE)
            self.assertEqual(got.stdout, b"a\nb\nc\n")


class Unix(unittest.TestCase):
    def test_a_unix_path_answers(self):
        with harness.directory() as d, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(d + "/s")
            s.settimeout(harness.PATIENCE)
            seen = []

            def serve():
                data, peer = s.recvfrom(300000)
                seen.append((data, os.stat(os.path.dirname(peer)).st_mode & 0o777))
                s.sendto(data[::-1], peer)

            thread = threading.Thread(target=serve)
            thread.start()
            env = dict(os.environ, TMPDIR=d)
            got = run("request", "unix://" + d + "/s", "abc", env=env)
            thread.join()
            self.assertEqual((got.returncode, got.stdout), (0, b"cba"), got)
            self.assertEqual(seen, [(b"abc", 0o711)])
            self.assertEqual(os.listdir(d), ["s"], "the client's own path is gone")

    def test_a_path_that_nobody_serves_is_7(self):
        with harness.directory() as d:
            got = run("request", "unix://" + d + "/none", "abc", env=dict(os.environ, TMPDIR=d))
            self.assertEqual(got.returncode, 7, got)
            self.assertRegex(sentence(got), r"unix://\S+/none: refused \(no one is bound to this path\)")
            self.assertEqual(os.listdir(d), [])

    def test_interrupted_it_removes_its_path_and_dies_by_the_signal(self):
        with harness.directory() as d, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(d + "/s")
            s.settimeout(harness.PATIENCE)
            for sig in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM:
                def heed():  # whatever we were started with; and no core of QUIT
                    signal.signal(sig, signal.SIG_DFL)
                    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                asking = subprocess.Popen([DGRAM, "request", "-r0", "-t10s", "unix://" + d + "/s", "abc"],
                                          env=dict(os.environ, TMPDIR=d), preexec_fn=heed)
                s.recv(100)
                asking.send_signal(sig)
                self.assertEqual(asking.wait(harness.PATIENCE), -sig)
                self.assertEqual(os.listdir(d), ["s"])

    def test_between_lines_a_signal_removes_nobody_elses_path(self):
        with harness.directory() as d, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(d + "/s")
            s.settimeout(harness.PATIENCE)
            asking = subprocess.Popen([DGRAM, "request", "--lines", "-b", "unix://" + d + "/own", "unix://" + d + "/s"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            asking.stdin.write(b"a\n")
            asking.stdin.flush()
            s.sendto(*s.recvfrom(10))
            asking.stdout.readline()
            self.wait_until_gone(d + "/own")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
                other.bind(d + "/own")
                asking.terminate()
                self.assertEqual(asking.wait(harness.PATIENCE), -signal.SIGTERM)
                self.assertEqual(sorted(os.listdir(d)), ["own", "s"])
            asking.stdin.close()
            asking.stdout.close()

    def wait_until_gone(self, path):
        end = time.monotonic() + harness.PATIENCE
        while os.path.exists(path):
            self.assertLess(time.monotonic(), end)


class Signals(unittest.TestCase):
    def test_a_request_dies_by_the_signal(self):
        for sig in signal.SIGINT, signal.SIGTERM:
            with silent() as server:
                asking = subprocess.Popen([DGRAM, "request", "-r0", "-t10s", "udp://127.0.0.1:%d" % server.port, "hi"])
                while not server.got:
                    time.sleep(0.005)
                asking.send_signal(sig)
                self.assertEqual(asking.wait(harness.PATIENCE), -sig)


class Refusals(unittest.TestCase):
    """What is wrong before anything is sent: exit 2, what to write instead."""

    def test_each_is_2_with_a_hint(self):
        rows = [
            (["@anna", "hi"], "not in this version"),
            (["group://239.1.1.1:1", "hi"], "write udp://239.1.1.1:1"),
            (["udp://127.0.0.1", "hi"], "port"),
            (["udp://127.0.0.1:0", "hi"], "port"),
            (["udp://127.0.0.1:99999", "hi"], "port"),
            (["udp://127.0.0.1:9/time", "hi"], "name"),
            ([], "an endpoint is missing"),
            (["udp://127.0.0.1:9", "two", "words"], "quote"),
            (["0.0.0.0:9", "hi"], "to reach this machine write 127.0.0.1:9"),
            (["tcp://[::]:9", "hi"], r"to reach this machine write tcp://\[::1\]:9"),
            (["@anna", "hi"], r"write HOST:PORT\[/NAME\]"),
            (["-t", "soon", "udp://127.0.0.1:9", "hi"], "-t: 'soon' is no duration"),
            (["-t", "0", "udp://127.0.0.1:9", "hi"], "-t: '0'"),
            (["-T", "0s", "udp://127.0.0.1:9", "hi"], "-T: '0s'"),
            (["-r", "-1", "udp://127.0.0.1:9", "hi"], "-r: '-1'"),
            (["-p", "html", "udp://127.0.0.1:9", "hi"], "-p: 'html' is none of text, hex, raw, none"),
            (["--backoff", "0.5", "udp://127.0.0.1:9", "hi"], "--backoff: '0.5'"),
            (["--replies", "0", "udp://127.0.0.1:9", "hi"], "--replies: '0'"),
            (["--color", "red", "udp://127.0.0.1:9", "hi"], "--color: 'red'"),
            (["-k", "file", "udp://127.0.0.1:9", "hi"], "carries no key"),
            (["-b", "unix:///tmp/x", "udp://127.0.0.1:9", "hi"], "-b"),
            (["--nonsense", "udp://127.0.0.1:9", "hi"], "unrecognized option '--nonsense'"),
            (["-x", "udp://127.0.0.1:9", "abc"], "half a byte"),
            (["-x", "udp://127.0.0.1:9", "xy"], "not hexadecimal"),
            (["-e", "udp://127.0.0.1:9", "\\q"], "-e"),
            (["-x", "-e", "udp://127.0.0.1:9", "00"], "one of them"),
            (["-f", "x", "udp://127.0.0.1:9", "text"], "TEXT and -f"),
        ]
        for args, pattern in rows:
            with self.subTest(args):
                got = run("request", *args)
                self.assertEqual(got.returncode, 2, got)
                self.assertRegex(sentence(got).replace("\n", "$", 1).split("$")[0] + "\n", "(?m)" + pattern)
                self.assertEqual(got.stdout, b"")

    def test_a_key_of_the_environment_is_never_silently_ignored(self):
        to = "127.0.0.1:%d" % free_port()
        with harness.directory() as d:
            os.mkdir(d + "/dgram")
            for name in "dgram.key", "dgram/key":
                open(d + "/" + name, "w").close()
            for variable, value in ("DGRAM_KEY_FILE", "/nonexistent"), ("CREDENTIALS_DIRECTORY", d), ("XDG_CONFIG_HOME", d):
                env = dict(os.environ, **{variable: value})
                for words in ("request", to, "x"), ("send", "tcp://" + to, "x"), ("ping", to), ("listen", to), \
                        ("respond", to, "--echo"):
                    got = run(*words, env=env)
                    self.assertEqual(got.returncode, 2, got)
                    self.assertRegex(sentence(got), r"^dgram: \$%s names a key, %s.*--open ignores it" % (variable, value))
                self.assertEqual(run("request", "--open", to, "x", env=env).returncode, 7)
                self.assertEqual(run("request", "udp://" + to, "x", env=env).returncode, 7, "in clear by its scheme")
            for variable, value in ("DGRAM_KEY_FILE", ""), ("CREDENTIALS_DIRECTORY", d + "/dgram"):
                self.assertEqual(run("request", to, "x", env=dict(os.environ, **{variable: value})).returncode, 7)

    def test_a_key_is_never_silently_ignored(self):
        for args in ["-k", "file"], ["--key", "file"], ["--key-fd", "3"]:
            got = run("request", *args, "udp://127.0.0.1:9", "hi")
            self.assertEqual(got.returncode, 2, got)
            self.assertIn("carries no key", sentence(got))

    def test_what_plain_endpoints_do_anyway_may_be_asked_for(self):
        with echo() as server:
            got = run("request", "--open", "--idempotent", "udp://127.0.0.1:%d" % server.port, "hi")
            self.assertEqual((got.returncode, got.stdout), (0, b"hi"), got)

    def test_refusals_are_json_lines_too(self):
        for args in ["-j", "@anna", "x"], ["-j", "-t", "soon"], ["-j", "--nonsense"], ["-j"]:
            got = run("request", *args)
            self.assertEqual(got.returncode, 2, got)
            self.assertEqual((last_json(got)["code"], last_json(got)["name"]), (2, "usage"))

    def test_a_bare_link_local_address_names_the_zones(self):
        got = run("request", "udp://[fe80::1]:9", "hi")
        self.assertEqual(got.returncode, 2, got)
        self.assertRegex(sentence(got), r"interface, (and none here|one of: %(\S+).*; write udp://\[fe80::1%\2\]:9)")

    def test_an_address_of_the_other_family_is_6(self):
        got = run("request", "-6", "udp://127.0.0.1:9", "hi")
        self.assertEqual(got.returncode, 6, got)
        self.assertIn("has no IPv6 address (-6)", sentence(got))

    def test_an_unknown_zone_is_45(self):
        got = run("request", "udp://[fe80::1%nosuchif]:9", "hi")
        self.assertEqual(got.returncode, 45, got)
        self.assertIn("no interface is called 'nosuchif'", sentence(got))


if __name__ == "__main__":
    harness.main(at_once=6)
