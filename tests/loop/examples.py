"""examples.py RESPONDER...: each of these programs of docs/examples answers call and loop_poll, and outlives clients that
are gone.
"""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

for folder in "apps", "wire":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))
import wire
from ports import free_port

BUILT = pathlib.Path(os.environ["EXAMPLES"])
PATIENCE = 40  # seconds, on a machine that is busy with something else
LINES = [f"line {number}" for number in range(50)]


def run(name, *words, text=""):
    return subprocess.run([BUILT / f"example_{name}", *words], input=text, text=True, capture_output=True,
                          timeout=PATIENCE, check=False)


def first_answer(where, responder):
    """It takes a moment to start: until then the port refuses, at once."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and responder.poll() is None:
        done = run("call", where, "up?")
        if done.returncode == 0:
            return done.stdout
    return None


def knock_and_go(where):
    """An INIT whose answer nobody takes: an ICMP message tells the responder so."""
    host, port = where.split(":")
    hello = {"flags": 0, "receiver": 0, "boot": 1, "endpoint": 1, "time": 0, "capabilities": 0, "idle": 120000, "credit": 0,
             "largest": 1472, "delay": 5, "versions": b"\1".ljust(8, b"\0"), "cookie": bytes(16), "padding": 108}
    for number in range(1, 5):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect((host, int(port)))
            client.send(wire.encode([("INIT", {**hello, "session": number})], 0))


def check(name):
    """Yields what is wrong with one responder."""
    where = f"127.0.0.1:{free_port()}"
    with subprocess.Popen([BUILT / f"example_{name}", where]) as responder:
        try:
            if first_answer(where, responder) != "up?":
                yield "does not answer"
                return
            answers = run("loop_poll", where, text="".join(line + "\n" for line in LINES))
            if sorted(answers.stdout.split("\n")) != sorted(LINES + [""]) or answers.returncode != 0:
                yield f"loop_poll: exit {answers.returncode}\n{answers.stdout}{answers.stderr}"
            with subprocess.Popen([BUILT / "example_loop_poll", where], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) as client:
                client.stdin.write(b"one\n")
                client.stdin.flush()
                if client.stdout.readline() != b"one\n":
                    yield "loop_poll does not answer line by line"
                client.kill()  # without a CLOSE
            knock_and_go(where)
            after = run("call", where, "after")
            if (after.returncode, after.stdout) != (0, "after"):
                yield f"call afterwards: exit {after.returncode}, {after.stdout!r}, {after.stderr!r}"
            if responder.poll() is not None:
                yield f"ended with {responder.returncode}"
        finally:
            responder.send_signal(signal.SIGTERM)
            responder.wait(PATIENCE)


def main():
    wrong = []
    for name in sys.argv[1:]:
        if not (BUILT / f"example_{name}").exists():
            print(f"skipped: {name} was not built: its library is not here")
            return 77
        wrong += [f"{name}: {complaint}" for complaint in check(name)]
    nobody = run("call", f"127.0.0.1:{free_port()}")  # without an error queue, a refusal is silence
    if nobody.returncode != 1 or not nobody.stderr.startswith(("refused", "no answer in time")):
        wrong.append(f"call to nobody: exit {nobody.returncode}, {nobody.stderr!r}")
    print("\n".join(wrong) or f"{len(sys.argv) - 1} responders")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
