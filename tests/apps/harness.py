"""What the scripts that test the built command share: start it, read its real port, talk, look at it on a terminal.

A script is unittest as usual and ends with harness.main(). The environment's DGRAM names the command.
"""

import concurrent.futures
import contextlib
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from ports import free_port

DGRAM = os.environ.get("DGRAM") or sys.exit("DGRAM names no command: run this through ctest")
PATIENCE = 40  # seconds until a test that hangs is a failure; nothing is expected to take this long


def run(*args, stdin=b"", timeout=PATIENCE, env=None, **more):
    """Runs the command to its end. The result has returncode, stdout and stderr (bytes)."""
    return subprocess.run([DGRAM, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, env=env, **more)


class Running:
    """The command in the background; ends with the with block. port and local are what it printed at start. via: the
    words of a program that starts it."""

    def __init__(self, *args, wait_for=rb"on ((udp|tcp|unix)://|\S+:\d)", stdin=subprocess.DEVNULL, env=None,
                 stdout=subprocess.PIPE, via=()):
        self.process = subprocess.Popen([*via, DGRAM, *args], stdin=stdin, stdout=stdout,
                                        stderr=subprocess.PIPE, env=env)
        self.stderr = b""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()
        self.local = self.port = None
        if wait_for is not None:
            try:
                self.wait_stderr(wait_for)
            except AssertionError:
                self.close()
                raise
            found = re.search(rb"((udp|tcp)://|(?<= on ))(\S+):(\d+)|unix://\S+", self.stderr)
            if found:
                self.local = found.group(0).decode()
                self.port = int(found.group(4)) if found.group(4) else None

    def _read_stderr(self):
        while True:
            piece = os.read(self.process.stderr.fileno(), 65536)
            with self._news:
                self.stderr += piece
                self.ended = not piece
                self._news.notify_all()
            if not piece:
                return

    ended = False

    def wait_stderr(self, pattern):
        """Waits until stderr has a whole line in which the pattern is found."""
        full = re.compile(rb"(?m)^.*(?:" + pattern + rb").*\n")
        with self._news:
            self._news.wait_for(lambda: self.ended or full.search(self.stderr), PATIENCE)
            if not full.search(self.stderr):
                raise AssertionError("stderr never had %r: %r" % (pattern, self.stderr))

    def read_line(self):
        """The next line of stdout, with its newline."""
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        if not ready:
            raise AssertionError("no line on stdout; stderr: %r" % self.stderr)
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                break
            line += byte
        return line

    def stop(self, sig=signal.SIGINT):
        """Sends the signal, waits, and gives (exit code, rest of stdout); a negative code is a death by signal."""
        self.process.send_signal(sig)
        return self.wait()

    def wait(self):
        out = b"" if self.process.stdout is None else self.process.stdout.read()
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code, out

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE)
        for f in (self.process.stdin, self.process.stdout, self.process.stderr):
            if f is not None and f is not subprocess.DEVNULL:
                with contextlib.suppress(OSError):
                    f.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Terminal:
    """The command on a pseudo-terminal of its own (stdin, stdout and stderr all of it)."""

    def __init__(self, *args, columns=80, env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(env or {})
            try:
                os.execv(DGRAM, [DGRAM, *args])
            finally:
                os._exit(127)
        import fcntl, struct, termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.seen = b""
        self.code = None

    def _read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return None
        try:
            return os.read(self.fd, 65536)
        except OSError:  # EIO: the other side is closed
            return b""

    def wait_for(self, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            piece = self._read(max(0, end - time.monotonic()))
            if not piece:
                raise AssertionError("the terminal never showed %r: %r" % (pattern, self.seen))
            self.seen += piece

    def type(self, data):
        os.write(self.fd, data)

    def finish(self):
        """Reads to the end. Gives (exit code as subprocess has it, everything shown)."""
        while True:
            piece = self._read(PATIENCE)
            if piece is None:
                raise AssertionError("still running; seen so far: %r" % self.seen)
            if not piece:
                break
            self.seen += piece
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        return self.code, self.seen

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
        os.close(self.fd)


class Server:
    """A plain UDP socket on a thread: answer(data, peer, count) gives the bytes to answer, None for silence, or a list
    of answers. Counts what came in self.got."""

    def __init__(self, answer, family=socket.AF_INET, host=None):
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((host or ("::1" if family == socket.AF_INET6 else "127.0.0.1"), free_port()))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.got = []
        self.answered = 0  # of them, what had to be said to them has been
        self._answer = answer
        self._stop = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._stop:
            try:
                data, peer = self.socket.recvfrom(65536)
            except (TimeoutError, socket.timeout):
                continue
            except OSError:
                continue
            self.got.append(data)
            answers = self._answer(data, peer, len(self.got))
            if answers is None:
                continue
            for one in answers if isinstance(answers, list) else [answers]:
                with contextlib.suppress(OSError):
                    self.socket.sendto(one, peer)
            self.answered += 1

    def heard(self, count):
        """How many datagrams came, once so many are there: who sent them may have ended before this thread looked."""
        end = time.monotonic() + PATIENCE
        while len(self.got) < count and time.monotonic() < end:
            time.sleep(0.01)
        return len(self.got)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._stop = True
        self._thread.join()
        self.socket.close()


def echo():
    return Server(lambda data, peer, count: data)


def silent():
    """Bound and silent: no answer, no refusal."""
    return Server(lambda data, peer, count: None)


@contextlib.contextmanager
def udp_socket(family=socket.AF_INET):
    """At a port at which nothing arrives late that was meant for somebody before."""
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", free_port()))
        s.settimeout(PATIENCE)
        yield s


def unread(port):
    """Bytes that wait in the IPv4 UDP sockets that have this port, or that are connected to it (Linux)."""
    with open("/proc/net/udp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return sum(int(row[4].split(":")[1], 16) for row in rows if any(end.endswith(":%04X" % port) for end in row[1:3]))


def readable(file, seconds):
    return bool(select.select([file], [], [], seconds)[0])


def has_ipv6():
    try:
        with udp_socket(socket.AF_INET6):
            return True
    except OSError:
        return False


def needs(tool):
    """Decorator: a visible skip where the tool is not installed."""
    return unittest.skipUnless(shutil.which(tool), "%s is not installed" % tool)


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="dgram-test-") as path:
        yield path


class Together:
    """A runner for tests that mostly wait: so many at once, each on a thread. They have no setUpClass."""

    def __init__(self, at_once):
        self.pool = concurrent.futures.ThreadPoolExecutor(at_once)

    def run(self, suite):
        start, total = time.monotonic(), unittest.TestResult()
        for one in self.pool.map(unittest.TestCase.run, self.tests(suite)):
            total.testsRun += one.testsRun
            for kind in "failures", "errors", "skipped", "unexpectedSuccesses":
                getattr(total, kind).extend(getattr(one, kind))
        for test, text in total.failures + total.errors:
            print("FAIL: %s\n%s" % (test, text), file=sys.stderr)
        print("Ran %d tests in %.1f s" % (total.testsRun, time.monotonic() - start), file=sys.stderr)
        return total

    def tests(self, suite):
        return [test for part in suite for test in (self.tests(part) if isinstance(part, unittest.TestSuite) else [part])]


def main(at_once=1):
    """Runs the tests of the calling script; exit 77 where every one of them was skipped, with the reasons."""
    program = unittest.main(module="__main__", exit=False, testRunner=Together(at_once) if at_once > 1 else None)
    result = program.result
    for test, reason in result.skipped:
        print("skipped: %s: %s" % (test, reason))
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.testsRun > 0 and len(result.skipped) == result.testsRun else 0)
