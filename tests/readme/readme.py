"""readme.py examples|scripts|neighbours|quotations: what the README says is so.

examples    types its console examples and compares what they print, but for times and ports
scripts     the same with docs/scripts.md
neighbours  runs the rows of its table of exit codes; tools that are not here are named and left out
quotations  the files it quotes and links to say and are what it says
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "apps"))
from ports import free_port

SOURCE = pathlib.Path(os.environ["DGRAM_SOURCE"])
README = (SOURCE / "README.md").read_text(encoding="utf-8")
PATIENCE = 40  # seconds, on a machine that is busy with something else


def blocks(language, text=README):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def steps(text):
    """[(command, [lines it prints])] of all console blocks. A command goes on in lines with "> "."""
    found = []
    for line in "".join(blocks("console", text)).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> "):
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        else:
            found[-1][1].append(line)
    return found


# What --explain says or not, as fast as the machine is: that something is sent again, and whether an ACK came by itself.
BY_CHANCE = re.compile(r"try \d+ to .*|asks for a session again \(\d+\)|acknowledged")


def sentences(lines):
    """The lines, those of --explain as one sentence each, without what is said by chance."""
    for line in lines:
        told = re.fullmatch(r"(dgram: +[\d.]+ (?:us|ms|s))  (.*)", line)
        if told:
            yield from (f"{told[1]}  {sentence}" for sentence in told[2].split("; ") if not BY_CHANCE.fullmatch(sentence))
        else:
            yield line


def without_surprises(printed, expected):
    """Of what --explain says only what the page has, once: a busy machine has more to tell."""
    kept = []
    for line in printed.split("\n"):
        if not line.startswith("dgram: TIME ") or line in expected.split("\n") and line not in kept:
            kept.append(line)
    return "\n".join(kept)


def plain(lines):
    """Without what differs from run to run: times, ids, and how often something was said on a busy machine."""
    text = "\n".join(sentences(lines)).rstrip("\n")
    text = re.sub(r'"(t|id)":"[^"]*"', r'"\1":T', re.sub(r'"(rtt_us|service_us|tries)":\d+', r'"\1":N', text))
    return re.sub(r" +", " ", re.sub(r"[\d.]+ (us|ms|s)\b", "TIME", text))


class Session:
    """A shell's worth of commands with the README's ports replaced by free ones."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        os.symlink(os.environ["DGRAM"], self.home / "dgram")
        self.env = {**os.environ, "PATH": f"{home}:{os.environ['PATH']}"}
        self.ports, self.running = {}, []

    def own(self, text):
        return re.sub(r"\b74\d\d\b", lambda found: self.ports.setdefault(found[0], str(free_port())), text)

    def start(self, command, expected):
        """In the background, until it printed what is expected."""
        log = self.home / f"log{len(self.running)}"
        with open(log, "w", encoding="utf-8") as out:
            self.running.append(subprocess.Popen(["bash", "-c", f"exec {command}"], env=self.env, stdout=out,
                                                 stderr=out, stdin=subprocess.DEVNULL, cwd=self.home))
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.running[-1].poll() is None:
            if plain(log.read_text(encoding="utf-8").splitlines()) == expected:
                break
            time.sleep(0.02)
        return log.read_text(encoding="utf-8")

    def run(self, command):
        return subprocess.run(["bash", "-c", command], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, check=False, cwd=self.home).stdout

    def end(self):
        for process in reversed(self.running):
            process.terminate()
            process.wait(PATIENCE)


def examples(text=README):
    with tempfile.TemporaryDirectory() as home:
        session = Session(home)
        try:
            for command, lines in steps(text):
                command, expected = session.own(command), plain(map(session.own, lines))
                background = command.endswith("&")
                printed = session.start(command[:-1], expected) if background else session.run(command)
                if without_surprises(plain(printed.splitlines()), expected) != expected:
                    return f"$ {command}\nthe page says:\n{expected}\nit printed:\n{printed}"
        finally:
            session.end()
    print(f"{len(steps(text))} commands")
    return None if steps(text) else "no examples found"


def scripts():
    return examples((SOURCE / "docs/scripts.md").read_text(encoding="utf-8"))


def exit_code(command, patience):
    """Its exit code as the README puts it, or "hangs"."""
    with subprocess.Popen(["bash", "-c", f"exec {command}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        try:
            process.communicate(b"hi", timeout=patience)
            return f"exit {process.returncode}"
        except subprocess.TimeoutExpired:
            process.kill()
            return "hangs"


def table():
    """Yields (command, situation, what the README says of it)."""
    for row in re.findall(r"^\| `(.*PORT)` \|(.*)\|(.*)\|(.*)\|$", README, re.MULTILINE):
        for situation, cell in zip(("answered", "refused", "silent"), row[1:]):
            yield row[0], situation, re.search(r"exit \d+|hangs", cell)[0]


def neighbours():
    with tempfile.TemporaryDirectory() as home, concurrent.futures.ThreadPoolExecutor(8) as pool, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        session = Session(home)
        silent.bind(("127.0.0.1", 0))
        ports = {"answered": str(free_port()), "refused": str(free_port()), "silent": str(silent.getsockname()[1])}
        os.environ["PATH"] = session.env["PATH"]
        rows = [row for row in table() if shutil.which(row[0].split()[0])]
        left_out = {row[0].split()[0] for row in table()} - {row[0].split()[0] for row in rows}
        answering = f"dgram: echoing on udp://127.0.0.1:{ports['answered']}"
        session.start(f"dgram respond udp://127.0.0.1:{ports['answered']} --echo", answering)
        try:
            runs = [pool.submit(exit_code, command.replace("PORT", ports[situation]), 3 if said == "hangs" else PATIENCE)
                    for command, situation, said in rows]
            wrong = [f"{command}, {situation}: the README says {said}, it is {run.result()}"
                     for (command, situation, said), run in zip(rows, runs) if run.result() != said]
        finally:
            session.end()
    print(f"{len(rows)} cells", *(f"(not here: {name})" for name in sorted(left_out)))
    if left_out and not wrong:
        print(f"skipped in part: no {', '.join(sorted(left_out))} here")
    return "\n".join(wrong) or (None if rows else "no table found")


def quotations():
    wrong = [f"docs/examples has not this program:\n{block}" for block in blocks("c")
             if not any(block in path.read_text(encoding="utf-8") for path in (SOURCE / "docs/examples").glob("*.c"))]
    for document in [SOURCE / "README.md", *(SOURCE / "docs").glob("**/*.md"), SOURCE / ".github/CONTRIBUTING.md"]:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            if not (document.parent / link).exists():
                wrong.append(f"{document.relative_to(SOURCE)} links to {link}, which is not there")
    code = "".join(path.read_text(encoding="utf-8") for floor in ("lib", "apps") for path in (SOURCE / floor).rglob("*.[ch]"))
    for name in set(re.findall(r"\b(?:dgram|dg)_[a-z]\w+[a-z]\b", (SOURCE / "docs/ARCHITECTURE.md").read_text(encoding="utf-8"))):
        if not re.search(rf"\b{name}\b", code):
            wrong.append(f"docs/ARCHITECTURE.md speaks of {name}, which is nowhere in the code")
    options = set(re.findall(r"^(?:option|set)\((DGRAM_\w+)", (SOURCE / "CMakeLists.txt").read_text(), re.MULTILINE))
    told = set(re.findall(r"^\| `(DGRAM_\w+)`", README, re.MULTILINE))
    if options != told:
        wrong.append(f"CMake's options and the README's differ: {options ^ told}")
    return "\n".join(wrong) or None


if __name__ == "__main__":
    complaint = {"examples": examples, "scripts": scripts, "neighbours": neighbours, "quotations": quotations}[sys.argv[1]]()
    sys.exit(complaint)
