"""dgram respond --exec, bad handlers and bad requests: nothing is injected, leaked, left behind or let loose."""

import contextlib
import os
import re
import select
import signal
import socket
import time
import unittest

import harness


def children(pid):
    """Processes below pid as (pid, state); a zombie's state is Z."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            with open("/proc/%d/stat" % int(entry)) as f:
                name_end = f.read().rpartition(")")[2].split()
            if int(name_end[1]) == pid:
                found.append((int(entry), name_end[0]))
    return found


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(condition):
    """Waits for what the kernel does in its own time."""
    end = time.monotonic() + harness.PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def resident(pid):
    """KiB of memory that the process holds."""
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def shell(script, *options, **more):
    """A responder that runs a script of sh for each request."""
    return harness.Running("respond", "udp://127.0.0.1:%d" % harness.free_port(), *options, "--exec", "sh", "-c", script, **more)


class Handlers(unittest.TestCase):
    def setUp(self):
        manager = harness.udp_socket()
        self.socket = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)

    def send(self, r, data):
        self.socket.sendto(data, ("127.0.0.1", r.port))

    def ask(self, r, data):
        self.send(r, data)
        return self.socket.recv(70000)

    def ask_again(self, r, data):
        """Asks until there is an answer: on a busy machine the command may run into its time limit."""
        while True:
            self.send(r, data)
            if select.select([self.socket], [], [], 1)[0]:
                return self.socket.recv(70000)

    def quiet(self):
        """Nothing has come by now."""
        return not select.select([self.socket], [], [], 0)[0]

    def test_a_request_is_data_and_never_words_or_code(self):
        with harness.directory() as d:
            touch = b"touch %s/x" % d.encode()
            evil = b"$(%s) `%s`; %s | %s\n'\"\\ -rf %%s\0 () { :; };" % (touch, touch, touch, touch)
            for command in (["--exec", "cat"], ["--sh", "--exec", "cat"],
                            ["--sh", "--exec", 'read -r a; echo "$a" >/dev/null; echo "$# $*"']):
                with harness.Running("respond", "udp://127.0.0.1:0", *command) as r:
                    answer = self.ask(r, evil)
                self.assertEqual(answer, b"0 \n" if "read" in command[-1] else evil)
            self.assertEqual(os.listdir(d), [])

    def test_a_peer_s_name_is_data_too(self):
        with harness.directory() as d:
            name = "$(touch x);`touch x`\n x"
            with harness.Running("respond", "unix://%s/r" % d, "--sh", "--exec", 'cd "%s"; echo "$DGRAM_PEER"' % d) as r, \
                    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.settimeout(harness.PATIENCE)
                s.bind("%s/%s" % (d, name))
                s.sendto(b"", d + "/r")
                expected = b"unix://%s/$(touch x);`touch x`\\x0a x\n" % d.encode()
                self.assertEqual(s.recv(1000).lower(), expected.lower())
                r.stop()
            self.assertEqual(os.listdir(d), [name])

    def test_the_environment_is_rebuilt(self):
        env = {"PATH": os.environ["PATH"], "HOME": "/h", "LC_ALL": "C", "SECRET": "s", "EXTRA": "e", "LD_X": "y",
               "BASH_FUNC_ls%%": "() { :; }", "DGRAM_PEER": "forged"}
        with harness.Running("respond", "udp://127.0.0.1:0", "--env", "EXTRA", "--exec-timeout", "2500ms",
                             "--exec", "env", env=env) as r:
            answer = self.ask(r, b"")
        got = dict(line.split("=", 1) for line in answer.decode().splitlines())
        self.assertEqual(got, {"PATH": env["PATH"], "HOME": "/h", "LC_ALL": "C", "EXTRA": "e", "DGRAM_NAME": "",
                               "DGRAM_PEER": "127.0.0.1:%d" % self.socket.getsockname()[1], "DGRAM_ID": "",
                               "DGRAM_KEY_ID": "", "DGRAM_DEADLINE_MS": "2500"})

    def test_a_handler_has_descriptors_0_1_2_and_default_signals(self):
        script = ("i=0; while [ $i -lt 256 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; "
                  "grep -E 'Sig(Blk|Ign)' /proc/self/status")
        with shell(script, via=("sh", "-c", "trap '' HUP USR1 CHLD; exec 7>&2 8</ 9>&2; exec \"$@\"", "sh")) as r:
            answer = self.ask(r, b"")
        self.assertEqual(answer, b"0\n1\n2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")

    def test_nothing_is_sent_for_a_failure_and_the_log_says_which(self):
        with harness.directory() as d:
            gone = d + "/gone"
            with open(gone, "w") as f:
                f.write("#!/bin/sh\nexit 0\n")
            os.chmod(gone, 0o755)
            with harness.Running("respond", "udp://127.0.0.1:0", "--exec", gone) as r:
                os.unlink(gone)
                self.send(r, b"")
                r.wait_stderr(rb"could not be started: No such file")
        rows = ((b"exit 3", rb"failed: exit 3"), (b"echo part; exit 1", rb"failed: exit 1"),
                (b"kill -SEGV $$", rb"died by signal 11"), (b"sleep 1000", rb"ran longer than 3 s"),
                (b"exec >&-; sleep 1000", rb"ran longer than 3 s.*had closed its output"),
                (b"yes", rb"wrote more than 65507 bytes"))
        with shell("eval \"$(cat)\"", "--exec-timeout", "3s") as r:
            for script, sentence in rows:
                self.send(r, script)
                r.wait_stderr(sentence)
            self.assertEqual(self.ask(r, b"echo ok"), b"ok\n")
            self.assertTrue(self.quiet())
            r.stop()
            self.assertIn(b"7 requests, 1 answer, 6 failed\n", r.stderr)

    def test_a_handler_that_ignores_its_stdin_answers(self):
        with harness.Running("respond", "udp://127.0.0.1:0", "--exec", "echo", "hi") as r:
            for data in (b"", b"x" * 65507):
                for _ in range(20):
                    self.assertEqual(self.ask(r, data), b"hi\n")

    def test_a_daemon_that_keeps_the_pipe_holds_nobody_up_and_ends(self):
        with shell("sleep 1000 & echo $!") as r:
            pid = int(self.ask(r, b""))
            self.assertTrue(eventually(lambda: not alive(pid)))
            r.wait_stderr(rb"left 1 process behind")
        with shell("setsid sh -c 'echo $$; exec 1>&-; sleep 1000' & sleep 0.2") as r:
            pid = int(self.ask(r, b""))
            self.assertTrue(eventually(lambda: not alive(pid)))

    def test_no_zombie_stays(self):
        with shell("true & (true & true) & exit 0") as r:
            for _ in range(30):
                self.assertEqual(self.ask(r, b""), b"")
            self.assertTrue(eventually(lambda: children(r.process.pid) == []))

    def test_a_handler_that_ignores_term_is_killed_with_its_group(self):
        with shell("trap '' TERM; sleep 1000 & echo $$ $! >&2; while :; do sleep 1000; done",
                   "--exec-timeout", "3s") as r:
            self.send(r, b"")
            r.wait_stderr(rb"handler: \d+ \d+")
            pids = [int(n) for n in re.search(rb"handler: (\d+) (\d+)", r.stderr).groups()]
            r.wait_stderr(rb"ran longer than 3 s")
            self.assertTrue(eventually(lambda: not any(map(alive, pids))))

    def test_a_responder_that_is_killed_takes_the_group_with_it(self):
        with shell("sleep 1000 & echo $$ $! >&2; wait") as r:
            self.send(r, b"")
            r.wait_stderr(rb"handler: \d+ \d+")
            pids = [int(n) for n in re.search(rb"handler: (\d+) (\d+)", r.stderr).groups()]
            r.process.kill()
            r.process.wait()
            self.assertTrue(eventually(lambda: not any(map(alive, pids))))

    def test_floods_leave_memory_and_descriptors_as_they_were(self):
        with shell('eval "$(cat)"', "--max-procs", "2", "--exec-timeout", "200ms") as r:
            counts = []
            for script in (b"yes", b"yes >&2") * 10:
                self.send(r, script)
                self.assertEqual(self.ask_again(r, b"echo ok"), b"ok\n")
                self.assertTrue(eventually(lambda: children(r.process.pid) == []))
                counts.append((resident(r.process.pid), descriptors(r.process.pid)))
        self.assertEqual(counts[3][1], counts[-1][1])
        self.assertLess(counts[-1][0] - counts[3][0], 1024)

    def test_requests_cannot_make_a_fork_bomb(self):
        with shell("exec sleep 1000", "--max-procs", "3") as r:
            for _ in range(100):
                self.send(r, b"")
            r.wait_stderr(rb"the queue is full")
            most = 0
            for _ in range(20):
                most = max(most, len(children(r.process.pid)))
                time.sleep(0.005)
            self.assertEqual(most, 3)
            self.assertTrue(eventually(lambda: harness.unread(r.port) == 0))
            code, _ = r.stop()
            self.assertEqual(code, 0)
            self.assertIn(b"67 requests, 0 answers, 3 failed, 33 dropped as busy, 64 forgotten in the queue\n",
                          r.stderr)

    def test_stderr_is_escaped_bounded_and_limited(self):
        with shell("printf 'a\\033[31m\\001\\377 %0300d\\n' 7 >&2; i=0; "
                   "while [ $i -lt 100 ]; do echo line >&2; i=$((i+1)); done; echo ok") as r:
            self.assertEqual(self.ask(r, b""), b"ok\n")
            r.stop()
        self.assertIn(rb"handler: a\x1B[31m\x01\xFF 0000", r.stderr)
        self.assertNotIn(b"0" * 300, r.stderr)
        self.assertLessEqual(r.stderr.count(b"handler: line"), 30)
        self.assertRegex(r.stderr, rb"\d+ more lines of handlers were left out")

    def test_the_end_takes_everything_with_it(self):
        script = "trap '' TERM; sleep 1000 & setsid sleep 1000 & echo $$ $! >&2; while :; do sleep 1000; done"
        for sig, kinds in ((signal.SIGINT, 2), (signal.SIGTERM, 2), (signal.SIGHUP, 2), (signal.SIGKILL, 1)):
            with shell(script, "--exec-timeout", "3s" if kinds == 2 else "100s") as r:
                self.send(r, b"")
                r.wait_stderr(rb"handler: \d+ \d+")
                pids = [int(n) for n in re.search(rb"handler: (\d+) (\d+)", r.stderr).groups()]
                code, _ = r.stop(sig)
                self.assertEqual(code, 0 if kinds == 2 else -signal.SIGKILL)
                # Killed itself, it can take only the handler along; what that started is init's.
                self.assertTrue(eventually(lambda: not any(map(alive, pids[:kinds]))))
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pids[0], signal.SIGKILL)
                for pid in filter(alive, pids):
                    os.kill(pid, signal.SIGKILL)

    def test_signals_at_any_moment_do_no_harm(self):
        with shell("cat") as r:
            for i in range(300):
                for sig in (signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH, signal.SIGURG):
                    r.process.send_signal(sig)
                if i % 10 == 0:
                    self.assertEqual(self.ask(r, b"%d" % i), b"%d" % i)
            for _ in range(20):
                self.send(r, b"x")
            self.assertEqual(r.stop(signal.SIGTERM)[0], 0)

    def test_a_child_that_was_there_before_is_left_alone(self):
        """`something & exec dgram respond`: that child is not ours to kill."""
        before = 'sleep 1000 <&- >&- 2>&- & echo "older $!" >&2; exec "$@"'
        with shell("sleep 1000 & echo hi", via=("sh", "-c", before, "sh")) as r:
            pid = int(re.search(rb"older (\d+)", r.stderr)[1])
            try:
                for _ in range(3):
                    self.assertEqual(self.ask(r, b""), b"hi\n")
                self.assertEqual(r.stop()[0], 0)
                self.assertTrue(alive(pid))
            finally:
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    harness.main(at_once=4)
