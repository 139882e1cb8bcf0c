"""A name that takes 0.6 s to find: what is waited for is counted from where it should be."""

import os
import time
import unittest

import harness
from harness import run, silent

ENV = dict(os.environ, LD_PRELOAD=os.environ["SLOW_NAMES"],
           ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")


class Names(unittest.TestCase):
    def took(self, code, *args):
        start = time.monotonic()
        got = run(*args, env=ENV)
        if got.returncode == 6 and b"did not resolve in" not in got.stderr:
            self.skipTest("the command does not take the name service that is loaded before")
        self.assertEqual(got.returncode, code, got)
        return time.monotonic() - start

    def test_a_deadline_that_is_given_covers_the_name(self):
        with silent() as s:
            for words in ("request", "slow.test:%d"), ("request", "udp://slow.test:%d"), ("peer", "udp://slow.test:%d"):
                self.took(6, words[0], "-T", "200ms", words[1] % s.port)

    def test_one_that_is_not_begins_with_the_address(self):
        with silent() as s:
            self.assertGreater(self.took(28, "request", "-r", "0", "-t", "200ms", "slow.test:%d" % s.port, "x"), 0.8)
            self.assertGreater(self.took(28, "request", "-r", "0", "-t", "200ms", "udp://slow.test:%d" % s.port, "x"), 0.78)

    def test_the_wait_for_several_answers_begins_with_the_address(self):
        with harness.Server(lambda data, peer, count: [b"one", b"two"]) as s:
            self.took(0, "request", "--replies", "2", "--wait", "300ms", "udp://slow.test:%d" % s.port, "x")


if __name__ == "__main__":
    harness.main(4)
