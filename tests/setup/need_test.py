"""tests/setup/need on machines of all kinds: each is a PATH with exactly the programs that it has.

apt-get and sudo are stand-ins that write down how they were called; nothing is installed.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

NEED = pathlib.Path(__file__).with_name("need")
BASE = ("sh", "sed", "awk", "uname", "cat", "grep", "ls", "touch")
COMPILER = "case $(cat) in *{missing}*) exit 1 ;; esac"  # a compiler that finds every header but one


class Machine:
    def __init__(self, top, user="root", apt=True, sudo=None, missing="nothing", cmake="3.25.1", installs=False):
        self.path = pathlib.Path(top)
        self.calls = self.path / "calls"
        for name in BASE:
            os.symlink(shutil.which(name), self.path / name)
        self.program("id", "echo " + ("0" if user == "root" else "1000"))
        self.program("cmake", f"echo cmake version {cmake}")
        self.program("python3", "exit 0")
        self.program("make", "exit 0")
        self.program("gcc", f"[ -e {self.path}/installed ] && exit 0\n" + COMPILER.format(missing=missing))
        if apt:
            self.program("apt-get", self.record("apt-get") + (
                f"case $* in *install*) touch {self.path}/installed ;; esac" if installs else ""))
        if sudo == "free":
            self.program("sudo", self.record("sudo") + '[ "$1" = -n ] || exec "$@"')
        if sudo == "password":
            self.program("sudo", "exit 1")
        self.program("env", 'exec "$@"')

    def record(self, name):
        return f'echo "{name} $*" >>{self.calls}\n'

    def program(self, name, text):
        path = self.path / name
        path.write_text(f"#!{shutil.which('sh')}\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def need(self, kind="tests"):
        """(exit code, what it said, what was called)"""
        done = subprocess.run([shutil.which("sh"), NEED, kind], env={"PATH": str(self.path)}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        called = self.calls.read_text(encoding="utf-8") if self.calls.exists() else ""
        return done.returncode, done.stdout, called


@unittest.skipUnless(os.path.exists("/etc/debian_version"), "not a Debian: the stand-ins imitate one")
class Need(unittest.TestCase):
    def machine(self, **facts):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        return Machine(top.name, **facts)

    def test_where_nothing_is_missing_it_is_silent_and_touches_nothing(self):
        for kind in ("try", "tests"):
            self.assertEqual(self.machine(sudo="free").need(kind), (0, "", ""))

    def test_root_installs_after_an_update(self):
        code, said, called = self.machine(missing="cmocka.h", installs=True).need()
        self.assertEqual(code, 0, said)
        self.assertIn("apt-get update && apt-get install -y --no-install-recommends libcmocka-dev\n", said)
        self.assertRegex(called, r"^apt-get .*update\napt-get .*install .*libcmocka-dev\n$")

    def test_a_user_installs_with_sudo(self):
        code, said, called = self.machine(user="joe", sudo="free", missing="cmocka.h", installs=True).need()
        self.assertEqual(code, 0, said)
        self.assertIn("sudo apt-get install", said)
        self.assertIn("sudo apt-get", called)

    def test_a_user_without_sudo_or_a_terminal_for_the_password_gets_the_line(self):
        for sudo in (None, "password"):
            code, said, called = self.machine(user="joe", sudo=sudo, missing="cmocka.h").need()
            self.assertEqual((code, called), (2, ""))
            self.assertIn("apt-get install -y --no-install-recommends libcmocka-dev\n", said)

    def test_elsewhere_it_names_the_packages(self):
        code, said, called = self.machine(apt=False, missing="cmocka.h").need()
        self.assertEqual((code, called), (2, ""))
        for line in ("dnf install libcmocka-devel", "pacman -S cmocka", "apk add cmocka-dev", "brew install cmocka"):
            self.assertIn(line, said)

    def test_what_packages_cannot_mend_is_said(self):
        code, said, _ = self.machine(cmake="3.18.4").need()
        self.assertEqual(code, 2)
        self.assertIn("Still missing: cmake (3.25 or newer)", said)
        self.assertEqual(self.machine(cmake="4.0.1").need()[0], 0)

    def test_trying_needs_less_than_testing(self):
        machine = self.machine(missing="cmocka.h")
        self.assertEqual(machine.need("try"), (0, "", ""))
        self.assertIn("cmocka.h", machine.need("tests")[1])

    def test_a_wrong_word_is_refused(self):
        self.assertEqual(self.machine().need("all")[0], 2)


if __name__ == "__main__":
    unittest.main()
