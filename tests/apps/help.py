"""Help, the manual, completions and the table of exit codes say the same."""

import os
import re
import shutil
import subprocess
import unittest

import harness
from harness import DGRAM, Terminal, run

SOURCE = os.environ["DGRAM_SOURCE"]
MANUAL = os.path.join(SOURCE, "docs/man/dgram.1")


def commands():
    text = run("help").stdout.decode()
    return [re.match("[a-z]+", line[8:]).group() for line in text.splitlines()
            if re.match("(talk|answer|look|tcp|test|set up| ) *$", line[:8]) and line[8:9].islower()]


def options_of_help(command):
    """Every option of a command, from its --help: {'-t', '--timeout', ...}."""
    found = set()
    for line in run(command, "--help").stdout.decode().splitlines():
        names = re.match(r" {2,6}(-\w)?(?:, )?(--[a-z0-9-]+)?", line)
        if names and line.lstrip().startswith("-"):
            found.update(n for n in names.groups() if n)
    return found


def manual_sections():
    """{title: text} of the manual's sections and subsections."""
    with open(MANUAL) as f:
        parts = re.split(r"^\.S[hs] (.*)\n", f.read(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def options_of_manual(section):
    items = "\n".join(re.findall(r"^\.It (Fl .*)$", section, re.M))
    return {"-" + name for name in re.findall(r"Fl (-?[A-Za-z0-9][A-Za-z0-9-]*)", items)}


class Manual(unittest.TestCase):
    def section_of(self, command):
        for title, text in manual_sections().items():
            if title.startswith("dgram ") and command in re.split(r"[ ,]+", title):
                return text
        self.fail("the manual has no section on " + command)

    def test_every_option_of_every_command_is_in_the_manual(self):
        common = options_of_manual(manual_sections()["Common options"])
        self.assertIn("--timeout", common)
        for command in commands():
            with self.subTest(command):
                options = options_of_help(command)
                self.assertIn("--help", options)
                self.assertEqual(options - common - options_of_manual(self.section_of(command)), set())

    def test_the_manual_has_no_option_that_no_command_has(self):
        for command in commands():
            own = options_of_manual(self.section_of(command))
            self.assertEqual(own - options_of_help(command), set(), command)
        everywhere = set().union(*(options_of_help(c) for c in commands()))
        self.assertEqual(options_of_manual(manual_sections()["Common options"]) - everywhere, set())

    def test_every_command_is_in_the_synopsis(self):
        synopsis = manual_sections()["SYNOPSIS"]
        for command in commands():
            self.assertRegex(synopsis, r"(?m)^\.Cm %s$" % command)

    @harness.needs("mandoc")
    def test_mandoc_has_nothing_to_say(self):
        got = subprocess.run(["mandoc", "-T", "lint", "-W", "style", MANUAL], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        complaints = [l for l in got.stdout.splitlines() if "mandoc.db" not in l and "referenced manual not found" not in l]
        self.assertEqual(complaints, [])


class ExitCodes(unittest.TestCase):
    def test_help_and_the_manual_have_the_same_table(self):
        printed = {}
        for line in run("help", "exit-codes").stdout.decode().splitlines():
            code, _, text = line.split(None, 2)
            printed[int(code)] = text
        manual = {int(c): t for c, t in
                  re.findall(r"^\.It (\d+)\n(.*)$", manual_sections()["EXIT STATUS"], re.M)}
        self.assertEqual(printed, manual)
        self.assertEqual(sorted(printed), [0, 1, 2, 6, 7, 8, 18, 23, 26, 28, 45, 52, 56, 63, 67, 75, 130, 143])


class Help(unittest.TestCase):
    def test_dgram_alone_prints_the_list_on_stderr_and_exits_2(self):
        got = run()
        self.assertEqual((got.returncode, got.stdout), (2, b""))
        for command in commands():
            self.assertIn(command.encode(), got.stderr)

    def test_the_list_and_the_version_go_to_stdout_with_0(self):
        for args in ["-h"], ["--help"], ["help"]:
            got = run(*args)
            self.assertEqual((got.returncode, got.stderr), (0, b""))
            self.assertIn(b"request", got.stdout)
        for args in ["--version"], ["version"], ["request", "--version"]:
            got = run(*args)
            self.assertEqual((got.returncode, got.stderr), (0, b""))
            self.assertRegex(got.stdout, rb"^dgram \d+\.\d+\.\d+\n")

    def test_the_short_help_has_25_lines_at_most_and_an_example(self):
        for command in commands():
            got = run(command, "-h")
            self.assertEqual((got.returncode, got.stderr), (0, b""), command)
            lines = got.stdout.decode().splitlines()
            self.assertLessEqual(len(lines), 25, got.stdout.decode())
            self.assertEqual([l for l in lines if len(l) > 80 or l != l.rstrip()], [])
            self.assertIn("  dgram %s" % command, got.stdout.decode().replace("| ", "  "))

    def test_help_is_on_one_thing(self):
        got = run("help", "request", "extra")
        self.assertEqual((got.returncode, got.stdout), (2, b""))
        self.assertIn(b"'extra'", got.stderr)

    def test_the_full_help_is_help_of_the_command(self):
        for command in commands():
            full = run(command, "--help")
            self.assertEqual((full.returncode, full.stderr), (0, b""), command)
            self.assertEqual(full.stdout, run("help", command).stdout)
            self.assertEqual([l for l in full.stdout.decode().splitlines() if l != l.rstrip()], [])

    def test_help_fits_a_narrow_terminal(self):
        for args in ["request", "--help"], ["relay", "-h"], ["help"]:
            with Terminal("help", *args[:0], columns=60) if args == ["help"] else Terminal(*args, columns=60) as t:
                code, seen = t.finish()
                self.assertEqual(code, 0)
                prose = [l for l in seen.decode().splitlines() if not l.startswith("  dgram") and "|" not in l]
                self.assertEqual([l for l in prose if len(l) > 60 and l.startswith(" " * 8)], [])

    def test_topics(self):
        for topic in "exit-codes", "endpoints", "json":
            got = run("help", topic)
            self.assertEqual((got.returncode, got.stderr), (0, b""))
            self.assertGreater(len(got.stdout.splitlines()), 5)
            with Terminal("help", topic) as t:
                code, seen = t.finish()
            self.assertEqual([l for l in seen.decode().splitlines() if len(l) > 80], [])
            self.assertEqual(seen.split(), got.stdout.split())

    def test_the_full_help_is_80_columns_wide(self):
        for command in commands():
            lines = run(command, "--help").stdout.decode().splitlines()
            self.assertEqual([l for l in lines if len(l) > 80 and not l.startswith("  dgram")], [], command)

    def test_a_letter_has_its_value_too(self):
        self.assertRegex(run("ping", "--help").stdout.decode(), r"(?m)^  -c N  +the same as -n")

    def test_a_wrong_word_gets_did_you_mean(self):
        rows = [(["requst"], "request"), (["lsiten"], "listen"), (["req"], "request"), (["versoin"], "version"),
                (["help", "exit"], "exit-codes"), (["help", "realy"], "relay")]
        for args, meant in rows:
            got = run(*args)
            self.assertEqual(got.returncode, 2)
            self.assertIn(("did you mean '%s'?" % meant).encode(), got.stderr)
        got = run("xyzzy")
        self.assertEqual(got.returncode, 2)
        self.assertNotIn(b"did you mean", got.stderr)

    def test_a_wrong_option_says_which_and_where_help_is(self):
        for command in commands():
            got = run(command, "--no-such-option")
            self.assertEqual(got.returncode, 2, got)
            self.assertEqual(got.stderr.decode(), "dgram: unrecognized option '--no-such-option'\n"
                                                  "dgram: try: dgram %s -h\n" % command)

    def test_version_as_json(self):
        import json
        line = json.loads(run("version", "--json").stdout)
        self.assertEqual((line["v"], line["ev"], line["libsodium"]), (1, "version", None))
        self.assertTrue(line["jansson"])


class Completions(unittest.TestCase):
    def script(self, shell):
        got = run("completion", shell)
        self.assertEqual((got.returncode, got.stderr), (0, b""))
        for command in commands():
            self.assertIn(command.encode(), got.stdout)
        return got.stdout

    def test_every_option_is_completed_in_every_shell(self):
        for shell in "bash", "zsh", "fish":
            text = self.script(shell).decode()
            for option in set().union(*(options_of_help(c) for c in commands())):
                self.assertIn(option if shell != "fish" else "-l " + option[2:] if option[:2] == "--" else "-s " + option[1:], text)

    def test_the_shells_accept_them(self):
        checked = 0
        for shell in "bash", "zsh", "fish":
            if shutil.which(shell) is None:
                print("skipped: %s is not installed" % shell)
                continue
            got = subprocess.run([shell, "-n"], input=self.script(shell), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual((got.returncode, got.stderr), (0, b""), shell)
            checked += 1
        if checked == 0:
            self.skipTest("no shell to check with")

    @harness.needs("bash")
    def test_bash_completes(self):
        rows = [("dgram req", 1, "request"), ("dgram request --expl", 2, "--explain"), ("dgram help ex", 2, "exit-codes"),
                ("dgram request -p h", 3, "hex")]
        for line, index, wanted in rows:
            script = self.script("bash").decode() + "\nCOMP_WORDS=(%s) COMP_CWORD=%d; _dgram; echo \"${COMPREPLY[@]}\"" % (line, index)
            got = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True)
            self.assertEqual(got.stdout, wanted + "\n", line)

    def test_no_shell_or_another_is_2(self):
        for args in [], ["tcsh"], ["bash", "zsh"]:
            self.assertEqual(run("completion", *args).returncode, 2)


if __name__ == "__main__":
    harness.main()
