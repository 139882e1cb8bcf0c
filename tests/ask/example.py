"""The example program asks a Python peer that loses its first request, a port that refuses, and no address at all;
README shows it as it is."""
import pathlib
import socket
import subprocess
import sys


def example(*words):
    return subprocess.Popen([sys.argv[1], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def check(what, program, code, out, err):
    got_out, got_err = program.communicate(timeout=30)
    if program.returncode != code or got_out != out or err not in got_err:
        sys.exit(f"{what}: exit {program.returncode}, {got_out!r}, {got_err!r}")


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
    peer.settimeout(30)
    peer.bind(("127.0.0.1", 0))
    where = "127.0.0.1:%d" % peer.getsockname()[1]
    program = example(where, "time?")
    peer.recvfrom(100)
    question, asker = peer.recvfrom(100)
    peer.sendto(question + b" noon", asker)
    check("answered", program, 0, b"time? noon", b"")

    # Connected elsewhere, the peer refuses everybody.
    peer.connect(("127.0.0.1", 9))
    check("refused", example(where), 1, b"", b"refused")
check("no address", example("nowhere"), 1, b"", b"not an address")

source = pathlib.Path(__file__).resolve().parents[2]
_, _, program = (source / "docs/examples/ask.c").read_text().partition("\n")
if f"```c\n{program}```\n" not in (source / "README.md").read_text():
    sys.exit("README does not show docs/examples/ask.c without its first line")
