"""Every exit code that a message can end with, made by what really causes it: the code, the JSON line, the sentence.

A row is a situation: a method that brings it about and yields the words of a request (or send) that meets it. The rows
together have every code of the page.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import unittest

import harness
from harness import DGRAM, Running, free_port
from middleman import BACK, Middleman

CODES = {0, 1, 2, 6, 7, 8, 23, 26, 28, 45, 52, 63, 75, 130, 143, 141}
BUSY_LINES, BUSY_CLIENTS = 32, 3  # as many as one session may have waiting; and more than one handler and 64 places


class Situations:
    """Each gives (words of the command, what is on its stdin, when to send it a signal)."""

    def __init__(self, stack):
        self.stack = stack

    def start(self, *words):
        running = self.stack.enter_context(Running(*words))
        running.to = "127.0.0.1:%s" % running.port
        return running

    def gate(self):
        d = self.stack.enter_context(harness.directory())
        os.mkfifo(d + "/gate")
        self.stack.callback(os.close, os.open(d + "/gate", os.O_RDWR))
        return d + "/gate"

    def waiting(self):
        """A handler that runs until the test ends, and says so."""
        return self.start("respond", "--max-procs", "1", "--exec-timeout", "60s", "127.0.0.1:%d" % free_port(), "--sh", "--exec",
                          "echo runs >&2; exec cat " + self.gate())

    def answered(self):
        return [self.start("respond", "127.0.0.1:0", "--echo").to, "hi"]

    def delivered(self):
        return [self.start("listen", "127.0.0.1:0").to, "hi"]

    def failed(self):
        return [self.start("respond", "127.0.0.1:0", "--sh", "--exec", "exit 3").to, "hi"]

    def no_name(self):
        return [self.start("respond", "127.0.0.1:0", "time=date").to + "/tmie", "hi"]

    def listens(self):
        return [self.start("listen", "127.0.0.1:0").to, "hi"]

    def two_words(self):
        return ["127.0.0.1:9", "two", "words"]

    def no_host(self):
        return ["-T", "30s", "no-such-host.invalid", "hi"]

    def nobody(self):
        return ["127.0.0.1:%d" % free_port(), "hi"]

    def echo(self):
        return ["127.0.0.1:%d" % self.stack.enter_context(harness.echo()).port, "hi"]

    def long_answer(self):
        return ["--max-reply", "10", self.start("respond", "127.0.0.1:0", "--echo").to, "eleven byte"]

    def no_file(self):
        return ["-f", "/nonexistent/file", "127.0.0.1:9"]

    def silent(self):
        return ["-T", "300ms", "127.0.0.1:%d" % self.stack.enter_context(harness.silent()).port, "hi"]

    def foreign_source(self):
        return ["-b", "192.0.2.1", "127.0.0.1:9", "hi"]

    def killed(self):
        responder = self.waiting()

        def kill():
            responder.wait_stderr(b"handler: runs")
            responder.process.kill()
        self.then = kill
        return ["-T", "4s", responder.to, "hi"]

    def unheard(self):
        """A path on which nothing comes back but the first answer."""
        middle = self.stack.enter_context(Middleman(self.start("listen", "127.0.0.1:0").port, lambda entry:
                                                    None if entry.way == BACK and entry.kind == "DATA" else entry.data))
        return ["-T", "3s", "127.0.0.1:%d" % middle.port, "hi"]

    def too_large_for_us(self):
        return ["--max-request", "10", "127.0.0.1:9", "eleven byte"]

    def too_large_for_it(self):
        return [self.start("respond", "--max-request", "10", "127.0.0.1:0", "--echo").to, "eleven byte"]

    def too_large_for_anybody(self):
        d = self.stack.enter_context(harness.directory())
        with open(d + "/large", "wb") as f:
            f.truncate((4 << 20) + 1)
        return ["-f", d + "/large", "127.0.0.1:9"]

    def busy(self):
        responder = self.waiting()
        for _ in range(BUSY_CLIENTS):
            p = self.stack.enter_context(subprocess.Popen([DGRAM, "request", "--lines", "-T", "60s", responder.to],
                                                          stdin=subprocess.PIPE))
            self.stack.callback(p.kill)
            p.stdin.write(b"x\n" * BUSY_LINES)
            p.stdin.flush()
        responder.wait_stderr(rb"refused: every handler runs and the queue is full")
        return ["-T", "4s", responder.to, "hi"]

    def signalled(self, number):
        responder = self.waiting()

        def send():
            responder.wait_stderr(b"handler: runs")
            self.process.send_signal(number)
        self.then = send
        return ["-T", "60s", responder.to, "hi"]

    def interrupted(self):
        return self.signalled(signal.SIGINT)

    def terminated(self):
        return self.signalled(signal.SIGTERM)

    def unread(self):
        """Its reader is gone before the answer."""
        words = self.answered()
        self.then = lambda: self.process.stdout.close()
        return ["--lines", words[0]]

    def then(self):
        """What happens once the command runs."""


#        command    situation             code  JSON line                  what stderr says, after "dgram: "
ROWS = (("request", "answered",               0, ("reply", 0, "hi"),         None),
        ("send",    "delivered",              0, ("sent", 2),                None),
        ("request", "failed",                 1, ("reply", 3, ""),           r"127\S+: the handler failed: exit 3"),
        ("request", "no_name",                1, ("error", 1, "no"),         r"127\S+: there is no 'tmie' there; not executed"),
        ("request", "listens",                1, ("error", 1, "no"),         r"127\S+: it only listens, .*; not executed"),
        ("request", "two_words",              2, ("error", 2, "usage"),      r"2 words of text: quote it, .*"),
        ("request", "no_host",                6, ("error", 6, "resolve"),    r"no-such-host\.invalid:24726: .+"),
        ("send",    "no_host",                6, ("error", 6, "resolve"),    r"no-such-host\.invalid:24726: .+"),
        ("request", "nobody",                 7, ("error", 7, "refused"),    r"127\S+: refused \(no one listens on this port\)"),
        ("send",    "nobody",                 7, ("error", 7, "refused"),    r"127\S+: refused \(no one listens on this port\)"),
        ("request", "echo",                   8, ("error", 8, "malformed"),  r"127\S+: the peer echoes; it does not speak dgram.*"),
        ("request", "long_answer",            8, ("error", 8, "malformed"),  r"127\S+: the answer is longer than --max-reply.*"),
        ("request", "no_file",               26, ("error", 26, "read"),      r"/nonexistent/file: .*No such file.*"),
        ("send",    "no_file",               26, ("error", 26, "read"),      r"/nonexistent/file: .*No such file.*"),
        ("request", "silent",                28, ("error", 28, "timeout"),   r"127\S+: no answer in 300 ms; if it does .* use udp://127\S+"),
        ("send",    "silent",                28, ("error", 28, "timeout"),   r"127\S+: no answer in 300 ms; if it does .* use udp://127\S+"),
        ("request", "foreign_source",        45, ("error", 45, "bind"),      r"192\.0\.2\.1: cannot bind: .*"),
        ("request", "killed",                52, ("error", 52, "unknown"),   r"127\S+: no answer in .*: .*; it may have run"),
        ("request", "unheard",               52, ("error", 52, "unknown"),   r"127\S+: no answer in 3 s: .*; it may have run"),
        ("send",    "unheard",               52, ("error", 52, "unknown"),   r"127\S+: no answer in 3 s: .*; it may have arrived"),
        ("request", "too_large_for_us",      63, ("error", 63, "size"),      r".*nothing was sent"),
        ("request", "too_large_for_it",      63, ("error", 63, "size"),      r"127\S+: 11 bytes are too large for it; not executed"),
        ("send",    "too_large_for_anybody", 63, ("error", 63, "size"),      r"too large: a message has 4194304 bytes at most; nothing .*"),
        ("request", "busy",                  75, ("error", 75, "busy"),      r"127\S+: busy for .*; not executed"),
        ("request", "interrupted",           130, None,                       None),
        ("request", "terminated",            143, None,                       None),
        ("request", "unread",                141, None,                       None))


def line_of(out):
    """The last line of JSON as the table has it."""
    if not out:
        return None
    line = json.loads(out.splitlines()[-1])
    if line["ev"] == "reply":
        return "reply", line["status"], line["text"]
    return ("sent", line["len"]) if line["ev"] == "sent" else (line["ev"], line["code"], line["name"])


class Outcomes(unittest.TestCase):
    def meets(self, command, name, json_too=True):
        """(exit code as a shell has it, stdout, stderr)"""
        with contextlib.ExitStack() as stack:
            situation = Situations(stack)
            words = getattr(situation, name)()
            p = situation.process = subprocess.Popen([DGRAM, command, *(["--json"] if json_too else []), *words],
                                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(p.kill)
            situation.then()
            if p.stdout.closed:
                p.stdout = None
            out, err = p.communicate(b"a line\n", timeout=2 * harness.PATIENCE)
        return (p.returncode if p.returncode >= 0 else 128 - p.returncode), out, err

    def test_the_rows_have_every_code(self):
        self.assertEqual({row[2] for row in ROWS} | {23}, CODES)

    def test_output_that_cannot_be_written_is_23(self):
        with Running("respond", "127.0.0.1:0", "--echo") as r, open("/dev/full", "wb") as full:
            for options in [], ["--json"]:
                got = subprocess.run([DGRAM, "request", *options, "127.0.0.1:%d" % r.port, "hi"], stdout=full,
                                     stderr=subprocess.PIPE, check=False)
                self.assertEqual((got.returncode, got.stderr), (23, b"dgram: cannot write output: No space left on device\n"))


def method(row):
    command, name, code, line, sentence = row

    def check(self):
        for json_too in True, False:
            got = self.meets(command, name, json_too)
            self.assertEqual(got[0], code, got)
            self.assertRegex(got[2].decode(), r"\A%s\Z" % ("" if sentence is None else "(?s:dgram: %s\n)" % sentence))
            if json_too:
                self.assertEqual(line_of(got[1]), line, got)
            elif code not in (0, 1):
                self.assertIn(got[1], (b"", None))
    return check


for each in ROWS:
    setattr(Outcomes, "test_%03d_%s_%s" % (each[2], each[0], each[1]), method(each))

if __name__ == "__main__":
    harness.main(at_once=8)
