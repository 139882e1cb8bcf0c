"""Where a payload comes from, and what it becomes."""

import os
import resource
import subprocess
import unittest

import harness
from harness import DGRAM, run


PATIENT = ("-T", "30s", "-t", "30s")  # sent once, however slow the machine is


class Payload(unittest.TestCase):
    def setUp(self):
        self.server = harness.echo()
        self.to = "udp://127.0.0.1:%d" % self.server.port

    def tearDown(self):
        self.server.__exit__()

    def sends(self, args, messages, stdin=b"", code=0):
        got = run("request", *PATIENT, self.to, *args, stdin=stdin)
        self.assertEqual(got.returncode, code, got)
        self.assertEqual(self.server.got, messages)
        return got

    def test_text(self):
        self.sends(["hello"], [b"hello"], stdin=b"not this")

    def test_an_empty_text_is_an_empty_message(self):
        self.sends([""], [b""])

    def test_text_that_looks_like_an_option(self):
        self.sends(["--", "-t"], [b"-t"])

    def test_a_pipe_is_one_message_with_all_its_bytes(self):
        self.sends([], [b"two\nlines\n\0\xff"], stdin=b"two\nlines\n\0\xff")

    def test_an_empty_pipe_is_an_empty_message(self):
        self.sends([], [b""])

    def test_hexadecimal(self):
        self.sends(["-x", "ff 00\n1a2B"], [b"\xff\0\x1a\x2b"])

    def test_hexadecimal_from_a_pipe(self):
        self.sends(["-x"], [b"\xff\0"], stdin=b"ff00\n")

    def test_escapes(self):
        self.sends(["-e", r"a\n\t\r\0\e\\\x41"], [b"a\n\t\r\0\x1b\\A"])

    def test_lines_are_decoded_each(self):
        self.sends(["--lines", "-x"], [b"\x01", b"\x02"], stdin=b"01\n02\n")

    def test_a_bad_line_is_named_and_passed_over(self):
        got = self.sends(["--lines", "-x"], [b"\x01", b"\x03"], stdin=b"01\nzz\n03\n", code=2)
        self.assertRegex(got.stderr, b"^dgram: line 2: ")

    def test_lines_of_text_keep_empty_ones(self):
        self.sends(["--lines"], [b"a", b"", b"c\r", b"d"], stdin=b"a\n\nc\r\nd")

    def test_a_line_that_is_too_long_is_63_and_the_others_go(self):
        got = self.sends(["--lines"], [b"a", b"c"], stdin=b"a\n" + b"x" * 300000 + b"\nc\n", code=63)
        self.assertRegex(got.stderr, b"^dgram: line 2: too large")

    def test_many_lines_across_reads(self):
        lines = [b"%d" % i * (i % 700) for i in range(300)]
        self.sends(["--lines"], lines, stdin=b"\n".join(lines) + b"\n")

    def test_a_file(self):
        with harness.directory() as d:
            with open(d + "/f", "wb") as f:
                f.write(b"from a file\n")
            self.sends(["-f", d + "/f"], [b"from a file\n"])

    def test_a_file_of_lines(self):
        with harness.directory() as d:
            with open(d + "/f", "wb") as f:
                f.write(b"a\nb\n")
            self.sends(["--lines", "-f", d + "/f"], [b"a", b"b"])

    def test_minus_is_stdin(self):
        self.sends(["-f", "-"], [b"x"], stdin=b"x")

    def test_what_cannot_be_read_is_26(self):
        with harness.directory() as d:
            for name in d + "/none", d:
                got = run("request", "-j", self.to, "-f", name)
                self.assertEqual(got.returncode, 26, got)
                self.assertIn(name.encode(), got.stderr)
                self.assertIn(b'"name":"read"', got.stdout)

    def test_a_line_that_finds_no_memory_ends_it(self):
        def little():
            resource.setrlimit(resource.RLIMIT_AS, (30 << 20, 30 << 20))

        if run("version", preexec_fn=little).returncode != 0:
            self.skipTest("the command does not start in so little memory")
        for to in self.to, self.to[len("udp://"):]:
            got = run("send", "--lines", "-x", to, stdin=b"0" * (20 << 20), preexec_fn=little)
            self.assertEqual((got.returncode, got.stderr), (75, b"dgram: out of memory\n"))
        self.assertEqual(self.server.got, [])

    def test_an_unreadable_file_is_26(self):
        if os.geteuid() == 0:
            self.skipTest("root reads every file")
        with harness.directory() as d:
            os.close(os.open(d + "/f", os.O_CREAT, 0))
            self.assertEqual(run("request", self.to, "-f", d + "/f").returncode, 26)

    def test_a_closed_stdin_is_26(self):
        got = subprocess.run(["sh", "-c", '"$0" request "$1" <&-', DGRAM, self.to], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=harness.PATIENCE)
        self.assertEqual(got.returncode, 26, got)
        self.assertRegex(got.stderr, b"stdin: cannot read")


if __name__ == "__main__":
    harness.main()
