"""The relay between real sockets: whose answer goes where, what is lost and counted, and what cannot end it."""

import json
import re
import select
import signal
import socket
import subprocess
import time
import unittest

import harness
from harness import PATIENCE, Running, Server, echo, free_port, needs, run, silent, udp_socket


class Relay(Running):
    """A relay to a port of 127.0.0.1, on a free port."""

    def __init__(self, target, *options, listen="127.0.0.1:0", via=()):
        super().__init__("relay", listen, "127.0.0.1:%d" % target, "--json", *options, wait_for=rb"relaying \S+ to ", via=via)
        self.port = int(re.search(rb"relaying \S+:(\d+) to ", self.stderr).group(1))
        self.listening = json.loads(self.read_line())

    def summary(self, sig=signal.SIGINT):
        """Ends it in order; the counts, which have been checked to add up."""
        code, out = self.stop(sig)
        assert code == 0, (code, self.stderr)
        summary = json.loads(out)
        for way in summary["out"], summary["back"]:
            dropped = way["lost"] + way["too_large"] + way["queue_full"] + way["overflow"]
            assert way["arrived"] == way["passed"] + way["waiting"] + dropped, way
        return summary


def client(port, host="127.0.0.1", family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(PATIENCE)
    s.connect((host, port))
    return s


def ask(port, data=b"hi"):
    with client(port) as s:
        s.send(data)
        return s.recv(65536)


def nothing_more(s, seconds=0.05):
    return select.select([s], [], [], seconds)[0] == []


def wait_until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise AssertionError("it never happened")
        time.sleep(0.01)


def what_arrives(count, *options):
    """The datagrams, by number, that a silent target gets of count."""
    with silent() as server, Relay(server.port, "-v", *options) as relay, client(relay.port) as s:
        for i in range(count):
            s.send(b"%d" % i)
            relay.wait_stderr(rb"out %d, " % (i + 1))
        wait_until(lambda: len(re.findall(rb"(?m)^dgram: out .*: (?:passed|lost)", relay.stderr)) == count)
        out = relay.summary()["out"]
        wait_until(lambda: len(server.got) == out["passed"] + out["duplicated"])
        return [int(data) for data in server.got], out


class Forwarding(unittest.TestCase):
    def test_without_options_everything_passes_both_ways(self):
        with echo() as server, Relay(server.port) as relay:
            for data in b"hi", b"", b"\0" * 65507, b"\xff":
                self.assertEqual(ask(relay.port, data), data)
            summary = relay.summary(signal.SIGTERM)
            self.assertEqual(summary["clients"], 4)
            for way in summary["out"], summary["back"]:
                self.assertEqual((way["arrived"], way["passed"], way["passed_bytes"]), (4, 4, 65510))

    def test_the_first_line_has_both_addresses_the_options_and_the_seed(self):
        with Relay(9, "--loss", "30%", "--delay-out", "5ms", "--seed", "42") as relay:
            self.assertEqual(relay.stderr.decode(),
                             "dgram: relaying 127.0.0.1:%d to 127.0.0.1:9, loss 30%%, delay 5ms out, seed 42\n" % relay.port)
            self.assertEqual((relay.listening["ev"], relay.listening["local"], relay.listening["target"],
                              relay.listening["seed"]),
                             ("listening", "udp://127.0.0.1:%d" % relay.port, "udp://127.0.0.1:9", 42))

    def test_the_scheme_may_stand_there(self):
        with echo() as server, Running("relay", "udp://127.0.0.1:0", "udp://127.0.0.1:%d" % server.port,
                                       wait_for=b"relaying") as relay:
            port = int(re.search(rb"relaying \S+:(\d+) to ", relay.stderr).group(1))
            self.assertEqual(ask(port), b"hi")

    def test_many_clients_at_once_get_their_own_answers(self):
        with Server(lambda data, peer, count: [data + b"/1", data + b"/2"]) as server:
            with Relay(server.port, "--delay", "2ms") as relay:
                clients = [client(relay.port) for _ in range(50)]
                for i, s in enumerate(clients):
                    s.send(b"%d" % i)
                for i, s in enumerate(clients):
                    self.assertEqual([s.recv(100), s.recv(100)], [b"%d/1" % i, b"%d/2" % i])
                    self.assertTrue(nothing_more(s, 0))
                    s.close()
                self.assertEqual(relay.summary()["clients"], 50)

    def test_a_full_table_gives_the_place_that_is_idle_for_longest(self):
        with echo() as server, Relay(server.port, "--clients", "2") as relay:
            with client(relay.port) as first, client(relay.port) as second, client(relay.port) as third:
                for s in first, second, first, third, first:
                    s.send(b"hi")
                    self.assertEqual(s.recv(10), b"hi")
            summary = relay.summary()
            self.assertEqual((summary["clients"], summary["replaced"]), (3, 1))

    def test_an_answer_to_a_client_that_lost_its_place_is_counted(self):
        with echo() as server, Relay(server.port, "--clients", "1", "--delay-back", "1s") as relay:
            with client(relay.port) as first, client(relay.port) as second:
                first.send(b"one")
                wait_until(lambda: server.answered == 1 and harness.unread(server.port) == 0)
                second.send(b"two")
                self.assertEqual(second.recv(10), b"two")
                self.assertTrue(nothing_more(first))
            self.assertEqual(relay.summary()["back"]["homeless"], 1)

    def test_answers_leave_from_the_address_that_was_asked(self):
        with echo() as server, Relay(server.port, listen=":0") as relay:
            with udp_socket() as s:
                for host in "127.0.0.1", "127.0.0.2", "127.0.0.3":
                    s.sendto(host.encode(), (host, relay.port))
                    self.assertEqual(s.recvfrom(100), (host.encode(), (host, relay.port)))

    @unittest.skipUnless(harness.has_ipv6(), "no IPv6 here")
    def test_ipv6_clients_reach_an_ipv4_target(self):
        with echo() as server, Relay(server.port, listen="[::1]:0") as relay:
            with client(relay.port, "::1", socket.AF_INET6) as s:
                s.send(b"six")
                self.assertEqual(s.recv(10), b"six")

    @needs("socat")
    def test_socat_talks_through_it(self):
        with echo() as server, Relay(server.port, "--delay", "5ms") as relay:
            with subprocess.Popen(["socat", "-", "UDP:127.0.0.1:%d" % relay.port], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) as socat:
                socat.stdin.write(b"through\n")
                socat.stdin.flush()
                self.assertEqual(socat.stdout.readline(), b"through\n")
                socat.kill()

    def test_request_gets_through_a_third_of_loss(self):
        with echo() as server, Relay(server.port, "--loss", "30%", "--seed", "7") as relay:
            for i in range(10):
                got = run("request", "-T", "30s", "udp://127.0.0.1:%d" % relay.port, "q%d" % i)
                self.assertEqual((got.returncode, got.stdout), (0, b"q%d" % i))


class Survival(unittest.TestCase):
    def test_few_descriptors_are_few_clients_and_not_the_end(self):
        with echo() as target, Relay(target.port, via=("sh", "-c", 'ulimit -n 48 && exec "$@"', "sh")) as relay:
            for _ in range(80):
                self.assertEqual(ask(relay.port), b"hi")

    def test_a_target_that_refuses_does_not_end_it(self):
        port = free_port()
        with Relay(port) as relay, client(relay.port) as s:
            s.send(b"nobody")
            relay.wait_stderr(rb"refused \(no one listens on this port\); relaying on")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
                target.bind(("127.0.0.1", port))
                target.settimeout(PATIENCE)
                s.send(b"somebody")
                data, peer = target.recvfrom(100)
                self.assertEqual(data, b"somebody")
                target.sendto(b"yes", peer)
                self.assertEqual(s.recv(100), b"yes")
            s.send(b"nobody again")
            relay.wait_stderr(rb"(?s:relaying on.*relaying on)")
            self.assertEqual(relay.summary()["out"]["refused"], 2)

    def test_a_client_that_has_gone_does_not_harm_the_others(self):
        with echo() as server, Relay(server.port, "--delay-back", "500ms") as relay:
            with client(relay.port) as gone:
                gone.send(b"bye")
            for i in range(2):
                self.assertEqual(ask(relay.port, b"%d" % i), b"%d" % i)
            summary = relay.summary()
            self.assertEqual((summary["back"]["passed"], summary["back"]["refused"]), (3, 1))


class Impairments(unittest.TestCase):
    def test_the_same_seed_is_the_same_fate(self):
        first, out = what_arrives(60, "--loss", "30%", "--seed", "42")
        self.assertEqual(out["lost"], 60 - len(first))
        self.assertTrue(5 < out["lost"] < 35, out)
        self.assertEqual(what_arrives(60, "--loss", "30%", "--seed", "42")[0], first)
        self.assertNotEqual(what_arrives(60, "--loss", "30%", "--seed", "43")[0], first)
        more = what_arrives(60, "--loss", "30%", "--seed", "42", "--dup", "50%", "--reorder", "20%", "--delay", "3ms")[0]
        self.assertEqual(sorted(set(more)), first)

    def test_bursts_are_lost_in_one_piece(self):
        got, out = what_arrives(60, "--burst-loss", "5%,10%", "--seed", "1")
        holes = sum(1 for i in range(1, 60) if i not in got and i - 1 in got)
        self.assertGreater(out["lost"], 2 * holes)

    def test_a_delay_is_never_cut(self):
        for options, least in (["--delay", "30ms"], 0.060), (["--delay-out", "30ms"], 0.030), \
                (["--delay", "1s", "--delay-out", "10ms", "--delay-back", "10ms", "--jitter", "5ms"], 0.020):
            with echo() as server, Relay(server.port, *options) as relay:
                for _ in range(3):
                    began = time.monotonic()
                    ask(relay.port)
                    self.assertGreaterEqual(time.monotonic() - began, least)

    def test_what_is_larger_than_the_mtu_is_dropped(self):
        with Server(lambda data, peer, count: data * 2) as server, Relay(server.port, "--mtu", "100") as relay:
            with client(relay.port) as s:
                for size in 101, 100, 50:
                    s.send(b"x" * size)
                self.assertEqual(len(s.recv(1000)), 100)
                self.assertTrue(nothing_more(s))
            summary = relay.summary()
            self.assertEqual((summary["out"]["too_large"], summary["back"]["too_large"]), (1, 1))

    def test_a_copy_in_one_direction(self):
        with echo() as server, Relay(server.port, "--dup-out", "100%") as relay, client(relay.port) as s:
            s.send(b"twice")
            self.assertEqual([s.recv(10), s.recv(10)], [b"twice", b"twice"])
            self.assertTrue(nothing_more(s))
            summary = relay.summary()
            self.assertEqual((summary["out"]["duplicated"], summary["back"]["duplicated"]), (1, 0))

    def test_neighbours_change_places(self):
        with silent() as server, Relay(server.port, "--reorder-out", "100%") as relay, client(relay.port) as s:
            relay.process.send_signal(signal.SIGSTOP)  # it finds both
            s.send(b"A")
            s.send(b"B")
            relay.process.send_signal(signal.SIGCONT)
            wait_until(lambda: len(server.got) == 2)
            self.assertEqual(server.got, [b"B", b"A"])
            s.send(b"C")  # and one without a successor comes all the same
            wait_until(lambda: len(server.got) == 3)
            self.assertEqual(relay.summary()["out"]["reordered"], 1)

    def test_one_bit_is_flipped(self):
        with echo() as server, Relay(server.port, "--corrupt-back", "100%") as relay:
            for size in 1, 2, 1000:
                got = ask(relay.port, b"\0" * size)
                self.assertEqual(len(got), size)
                self.assertEqual(sum(bin(byte).count("1") for byte in got), 1)
            self.assertEqual(ask(relay.port, b""), b"")
            summary = relay.summary()
            self.assertEqual((summary["out"]["corrupted"], summary["back"]["corrupted"]), (0, 3))

    def test_a_rate_takes_its_time(self):
        with silent() as server, Relay(server.port, "--rate-out", "1mbit", "--queue", "5s") as relay:
            with client(relay.port) as s:
                began = time.monotonic()
                for _ in range(10):
                    s.send(b"x" * 1250)
                wait_until(lambda: len(server.got) == 10)
                self.assertGreaterEqual(time.monotonic() - began, 0.1)

    def test_a_full_queue_drops_and_counts(self):
        with silent() as server, Relay(server.port, "--rate", "8kbit", "--queue", "100ms", "-v") as relay:
            with client(relay.port) as s:
                for _ in range(10):
                    s.send(b"x" * 1000)  # a second each
                relay.wait_stderr(rb"out 10, .*queue full")
            out = relay.summary()["out"]
            self.assertEqual((out["arrived"], out["queue_full"], out["waiting"]), (10, 9, 1))


class Words(unittest.TestCase):
    def test_mistakes_are_named(self):
        for words, pattern in (
                ([], "two endpoints are needed"),
                ([":0"], "two endpoints are needed"),
                ([":0", "127.0.0.1:1", "x"], "two endpoints are needed"),
                ([":0", "127.0.0.1"], "port"),
                ([":0", "127.0.0.1:0"], "port 0"),
                ([":0", "unix:///nowhere"], "only UDP"),
                (["unix:///nowhere", "127.0.0.1:1"], "only UDP"),
                ([":0", "tcp://127.0.0.1:1"], "only UDP"),
                ([":0", "239.1.2.3:1"], "group"),
                ([":0", "127.0.0.1:1", "--loss", "5"], "--loss: '5' is"),
                ([":0", "127.0.0.1:1", "--loss-out", "101%"], "--loss-out: '101%' is"),
                ([":0", "127.0.0.1:1", "--burst-loss", "1%"], "--burst-loss: '1%' is"),
                ([":0", "127.0.0.1:1", "--burst-loss", "1%,0%"], "never ends"),
                ([":0", "127.0.0.1:1", "--delay", "2h"], "1h is the most"),
                ([":0", "127.0.0.1:1", "--jitter-back", "soon"], "--jitter-back: 'soon' is"),
                ([":0", "127.0.0.1:1", "--mtu", "0"], "--mtu: '0' is"),
                ([":0", "127.0.0.1:1", "--mtu", "70000"], "--mtu: '70000' is"),
                ([":0", "127.0.0.1:1", "--rate", "10"], "--rate: '10' is"),
                ([":0", "127.0.0.1:1", "--clients", "0"], "--clients: '0' is"),
                ([":0", "127.0.0.1:1", "--seed", "x"], "--seed: 'x' is"),
                ([":0", "127.0.0.1:1", "--lose", "5%"], "--lose")):
            got = run("relay", *words)
            self.assertEqual((got.returncode, got.stdout), (2, b""), words)
            self.assertIn(pattern, got.stderr.decode())

    def test_a_relay_to_itself_is_refused(self):
        for listen in "127.0.0.1:%d", ":%d":
            port = free_port()
            got = run("relay", listen % port, "127.0.0.1:%d" % port)
            self.assertEqual(got.returncode, 2, got)
            self.assertIn(b"is the relay itself", got.stderr)

    def test_a_port_in_use_is_45(self):
        with udp_socket() as s:
            got = run("relay", "127.0.0.1:%d" % s.getsockname()[1], "127.0.0.1:1")
            self.assertEqual(got.returncode, 45, got)

    def test_the_end_is_a_sentence_for_each_direction(self):
        with echo() as server, Relay(server.port, "--loss-back", "100%", "-v") as relay:
            with client(relay.port) as s:
                s.send(b"hi")
                relay.wait_stderr(rb"back 1, ")
                self.assertTrue(nothing_more(s))
            relay.summary()
            self.assertEqual(relay.stderr.decode().split("\n")[-3:],
                             ["dgram: out: 1 arrived, 1 passed", "dgram: back: 1 arrived, 0 passed, 1 lost", ""])

    def test_a_report_tells_what_became_of_which_kind(self):
        with Running("respond", "127.0.0.1:0", "--echo") as r, Relay(r.port, "--report", "--loss", "20%", "--dup", "20%",
                                                                     "--seed", "4") as relay:
            with client(relay.port) as c:
                c.send(b"plain")
            got = run("request", "--lines", "-T", "30s", "127.0.0.1:%d" % relay.port, stdin=b"hello\n" * 40)
            self.assertEqual((got.returncode, got.stdout), (0, b"hello\n" * 40))
            summary = relay.summary()
            for way, one in (summary["out"], "INIT"), (summary["back"], "ACCEPT"):
                kinds = way["kinds"]
                self.assertEqual(set(kinds) - {"DATA", "other"}, {one})
                self.assertEqual(sum(k["arrived"] for k in kinds.values()), way["arrived"])
                self.assertEqual(sum(k["dropped"] for k in kinds.values()), way["lost"])
                self.assertEqual(sum(k["passed"] for k in kinds.values()), way["passed"])
                self.assertEqual(sum(k["duplicated"] for k in kinds.values()), way["duplicated"])
                self.assertGreater(kinds["DATA"]["dropped"] + kinds["DATA"]["duplicated"], 0)
            self.assertEqual(summary["out"]["kinds"].get("other", {"arrived": 0})["arrived"], 1)
            self.assertRegex(relay.stderr, rb"(?m)^INIT +\d+ +\d+ +\d+ +\d+ +0 +0$")
            self.assertRegex(relay.stderr, rb"(?m)^back +arrived +dropped +passed +duplicated +reordered +corrupted$")

    def test_a_report_has_every_count(self):
        with echo() as server, Relay(server.port, "--report") as relay:
            ask(relay.port)
            relay.summary()
            for row in "arrived", "lost", "reordered", "corrupted", "mean delay in us", "clients":
                self.assertRegex(relay.stderr.decode(), r"(?m)^%s +\d+" % row)

    def test_quiet_is_quiet(self):
        port = free_port()
        with Running("relay", "-q", "127.0.0.1:%d" % port, "127.0.0.1:9", "--json", wait_for=None) as relay:
            relay.read_line()
            self.assertEqual(relay.stop()[0], 0)
            self.assertEqual(relay.stderr, b"")


if __name__ == "__main__":
    harness.main(at_once=4)
