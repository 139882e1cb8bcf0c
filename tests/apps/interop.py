"""Plain tools on the other side: nc, ncat, socat and Python take either end."""

import contextlib
import subprocess
import sys
import unittest

import harness
from harness import Running, needs, run


@contextlib.contextmanager
def tool(*command, stdin=subprocess.DEVNULL):
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for f in process.stdin, process.stdout, process.stderr:
            if f is not None:
                f.close()


ECHO = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', %d))\n" \
       "while True: d, p = s.recvfrom(65536); s.sendto(d, p)"
ASK = "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20)\n" \
      "s.sendto(b'hi', ('127.0.0.1', %d)); sys.stdout.write(s.recvfrom(100)[0].decode())"


class TheyAnswer(unittest.TestCase):
    """dgram request asks; --retry-refused waits until they listen."""

    def asked(self, *command):
        port = harness.free_port()
        with tool(*[part.replace("PORT", str(port)) for part in command]):
            got = run("request", "--retry-refused", "-T", "20s", "udp://127.0.0.1:%d" % port, "hi")
            self.assertEqual(got.returncode, 0, got)
            self.assertRegex(got.stdout, rb"\A(hi)+\Z")  # cat may find two tries in its pipe

    def test_python(self):
        port = harness.free_port()
        with tool(sys.executable, "-c", ECHO % port):
            got = run("request", "--retry-refused", "-T", "20s", "udp://127.0.0.1:%d" % port, "hi")
            self.assertEqual((got.returncode, got.stdout), (0, b"hi"), got)

    @needs("socat")
    def test_socat(self):
        self.asked("socat", "UDP4-RECVFROM:PORT,bind=127.0.0.1,fork", "EXEC:cat")

    @needs("ncat")
    def test_ncat(self):
        self.asked("ncat", "-u", "-l", "127.0.0.1", "PORT", "-e", "/bin/cat")


class TheyAsk(unittest.TestCase):
    def answered(self, command, stdin=b"hi"):
        with Running("respond", "udp://127.0.0.1:0", "--reply", "pong") as responder:
            with tool(*[part.replace("PORT", str(responder.port)) for part in command], stdin=subprocess.PIPE) as asking:
                asking.stdin.write(stdin)
                asking.stdin.flush()
                self.assertEqual(asking.stdout.read(4), b"pong")

    def test_python(self):
        with Running("respond", "udp://127.0.0.1:0", "--reply", "pong") as responder:
            got = subprocess.run([sys.executable, "-c", ASK % responder.port], stdout=subprocess.PIPE, timeout=harness.PATIENCE)
            self.assertEqual(got.stdout, b"pong")

    @needs("nc")
    def test_nc(self):
        self.answered(["nc", "-u", "127.0.0.1", "PORT"])

    @needs("ncat")
    def test_ncat(self):
        self.answered(["ncat", "-u", "127.0.0.1", "PORT"])

    @needs("socat")
    def test_socat(self):
        self.answered(["socat", "-", "UDP4:127.0.0.1:PORT"])


class TheySend(unittest.TestCase):
    def printed(self, *command):
        with Running("listen", "-n", "1", "udp://127.0.0.1:0") as listening:
            with tool(*[part.replace("PORT", str(listening.port)) for part in command], stdin=subprocess.PIPE) as sending:
                sending.stdin.write(b"hi\n")
                sending.stdin.flush()
                self.assertEqual(listening.wait(), (0, b"hi\n"))

    @needs("nc")
    def test_nc(self):
        self.printed("nc", "-u", "127.0.0.1", "PORT")

    @needs("ncat")
    def test_ncat(self):
        self.printed("ncat", "-u", "127.0.0.1", "PORT")

    @needs("socat")
    def test_socat(self):
        self.printed("socat", "-u", "-", "UDP4-SENDTO:127.0.0.1:PORT")

    @needs("socat")
    def test_socat_over_a_unix_path(self):
        with harness.directory() as d:
            with Running("listen", "-n", "1", "unix://" + d + "/s") as listening:
                with tool("socat", "-u", "-", "UNIX-SENDTO:" + d + "/s", stdin=subprocess.PIPE) as sending:
                    sending.stdin.write(b"hi\n")
                    sending.stdin.flush()
                    self.assertEqual(listening.wait(), (0, b"hi\n"))


class TheyListen(unittest.TestCase):
    """What dgram peer says arrives in them, and what they say arrives in it."""

    def talked(self, *command):
        port = harness.free_port()
        with tool(*[part.replace("PORT", str(port)) for part in command], stdin=subprocess.PIPE) as other, \
                Running("peer", "udp://127.0.0.1:%d" % port, stdin=subprocess.PIPE, wait_for=b"talking") as peer:
            for _ in range(200):  # until the other one listens
                peer.process.stdin.write(b"hello\n")
                peer.process.stdin.flush()
                if harness.readable(other.stdout, 0.1):
                    break
            self.assertEqual(other.stdout.read(5), b"hello")
            other.stdin.write(b"welcome\n")
            other.stdin.flush()
            self.assertEqual(peer.read_line(), b"welcome\n")

    @needs("nc")
    def test_nc(self):
        self.talked("nc", "-u", "-l", "127.0.0.1", "PORT")

    @needs("ncat")
    def test_ncat(self):
        self.talked("ncat", "-u", "-l", "127.0.0.1", "PORT")

    @needs("socat")
    def test_socat(self):
        self.talked("socat", "-", "UDP4-LISTEN:PORT,bind=127.0.0.1")


if __name__ == "__main__":
    harness.main()
