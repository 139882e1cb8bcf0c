"""The tutorial's programs against each other: Python's, the command's and those in C, each on either side.

Both conversations are driven in turns, so that every message is a read of its own, as among people.
"""

import os
import re
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "apps"))
import harness
from harness import DGRAM, PATIENCE, Terminal, free_port

EXAMPLES = os.path.join(os.environ["DGRAM_SOURCE"], "docs", "examples")
BUILT = os.environ["EXAMPLES"]


class Program:
    """One side: what is typed into it and what it shows, stdout and stderr together."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT,
                                        env=dict(os.environ, PYTHONIOENCODING="utf-8"))
        self.seen = ""

    def wait_for(self, text):
        while text not in self.seen:
            line = self.process.stdout.readline().decode()
            if not line:
                raise AssertionError("never showed %r: %r" % (text, self.seen))
            self.seen += line
        self.seen = self.seen.split(text, 1)[1]

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end(self):
        """End of input, then its exit code."""
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.seen += self.process.stdout.read().decode()
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def command(side, what, port):
    """What to start: side is server or client, what is tcp or chat."""
    address = "127.0.0.1:%d" % port
    verb = {"server": "listen", "client": "connect"}[side]
    return {
        "python": [sys.executable, "%s/%s_%s.py" % (EXAMPLES, what, side), str(port)],
        "c": ["%s/example_%s_%s" % (BUILT, what, side), address],
        "dgram": [DGRAM, "stream", verb, *(["--lines"] if what == "chat" else []), "tcp://" + address],
    }


READY = {"python": "等待连接……", "c": "等待连接……", "dgram": "listening on"}
SIDES = ("python", "dgram", "c")


class Pairings(unittest.TestCase):
    def start(self, *words):
        program = Program(*words)
        self.addCleanup(program.close)
        return program

    def start_pair(self, server, client, what):
        port = free_port()
        s = self.start(*command("server", what, port)[server])
        s.wait_for(READY[server])
        return s, self.start(*command("client", what, port)[client])

    def end_pair(self, s, c):
        """No more input for both; the command, with a pipe, goes on until its own has ended too."""
        s.process.stdin.close()
        c.process.stdin.close()
        self.assertEqual((c.end(), s.end()), (0, 0))

    def test_one_exchange_in_chinese(self):
        for server in SIDES:
            for client in SIDES:
                with self.subTest(server=server, client=client):
                    s, c = self.start_pair(server, client, "tcp")
                    if client == "dgram":
                        c.type("你好，服务器")
                    if server == "dgram":
                        s.type("你好，客户端")
                    self.end_pair(s, c)
                    self.assertIn("你好，客户端", c.seen)
                    self.assertIn("你好，服务器", s.seen)

    def test_a_chat_of_several_rounds_until_the_end_of_input(self):
        for server in SIDES:
            for client in SIDES:
                with self.subTest(server=server, client=client):
                    s, c = self.start_pair(server, client, "chat")
                    for question, answer in (("你好", "你也好"), ("吃了吗？", "吃了，谢谢"), ("x" * 900, "再见")):
                        c.type(question + "\n")
                        s.wait_for(question)
                        s.type(answer + "\n")
                        c.wait_for(answer)
                    c.process.stdin.close()
                    self.end_pair(s, c)

    def test_the_server_may_end_the_chat(self):
        for server in SIDES:
            for client in SIDES:
                with self.subTest(server=server, client=client):
                    s, c = self.start_pair(server, client, "chat")
                    c.type("喂\n")
                    s.wait_for("喂")
                    self.end_pair(s, c)

    def test_a_chat_on_a_terminal(self):
        port = free_port()
        server = self.start(*command("server", "chat", port)["python"])
        server.wait_for(READY["python"])
        with Terminal("stream", "connect", "--lines", "tcp://127.0.0.1:%d" % port) as t:
            t.wait_for(rb"connected")
            for question, answer in (("在吗", "在"), ("好", "好的")):
                t.type(question.encode() + b"\n")
                server.wait_for(question)
                server.type(answer + "\n")
                t.wait_for(("\n" + answer + "\r\n").encode())
            t.type(b"\x04")
            self.assertEqual((t.finish()[0], server.end()), (0, 0))

        with Terminal("stream", "listen", "--lines", "tcp://127.0.0.1:0") as t:
            t.wait_for(rb"listening on tcp://127.0.0.1:\d+\r\n")
            port = int(re.search(rb"listening on tcp://127.0.0.1:(\d+)", t.seen).group(1))
            client = self.start(*command("client", "chat", port)["python"])
            t.wait_for(rb"connected")
            client.type("在吗\n")
            t.wait_for("在吗\r\n".encode())
            t.type("在\n".encode())
            client.wait_for("在")
            self.assertEqual(client.end(), 0)
            self.assertEqual(t.finish()[0], 0)

    def test_datagrams(self):
        address = "127.0.0.1:0"
        server = self.start(BUILT + "/example_udp_server", address)
        line = server.process.stdout.readline().decode()
        address = line.split()[1]
        done = subprocess.run([BUILT + "/example_udp_client", address], stdout=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout.decode()), (0, "你好\n"))
        self.assertEqual(server.end(), 0)
        self.assertIn("你好", server.seen)
        with harness.echo() as peer:
            done = subprocess.run([BUILT + "/example_udp_client", "127.0.0.1:%d" % peer.port],
                                  stdout=subprocess.PIPE, timeout=PATIENCE)
            self.assertEqual(done.stdout.decode(), "你好\n")

    def test_every_family(self):
        with harness.directory() as d:
            addresses = ["unix://%s/s" % d, "unix://@dgram-test-%d" % os.getpid()]
            if harness.has_ipv6():
                addresses.append("[::1]:%d" % free_port())
            for address in addresses:
                with self.subTest(address=address):
                    server = self.start(BUILT + "/example_tcp_server", address)
                    server.wait_for(READY["c"])
                    done = subprocess.run([BUILT + "/example_tcp_client", address], stdout=subprocess.PIPE,
                                          timeout=PATIENCE)
                    self.assertEqual((done.returncode, done.stdout.decode()), (0, "服务器：你好，客户端\n"))
                    self.assertEqual(server.end(), 0)
            self.assertEqual(os.listdir(d), [])

    def test_probe(self):
        probe = BUILT + "/example_probe"
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            where = "127.0.0.1:%d" % s.getsockname()[1]
            done = subprocess.run([probe, where], stdout=subprocess.PIPE, timeout=PATIENCE)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout.decode(), r"^connected: 127\.0\.0\.1:\d+ -> %s\n$" % where)
        done = subprocess.run([probe, where], stdout=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout.decode()), (1, where + ": Connection refused\n"))


if __name__ == "__main__":
    harness.main()
