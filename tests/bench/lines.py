"""A thousand requests in one process beside a process each, through a relay that loses 10 % each way.

    lines.py [PROCESSES]     DGRAM names the command; how many processes stand for the thousand (50)

Three times the thousand: complete, in order, and in a twentieth of what a thousand processes take, at most.
"""
import os
import re
import subprocess
import sys
import time

DGRAM = os.environ["DGRAM"]
LINES, AT_LEAST = 1000, 20


def serve(*words):
    """A long-running command and the address that its first line names."""
    program = subprocess.Popen([DGRAM, *words], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return program, re.search(r"127\.0\.0\.1:\d+", program.stderr.readline()).group()


def stop(program):
    program.terminate()
    program.stderr.read()
    program.stderr.close()
    program.wait()


def ask(*words, text):
    """Seconds until the answer, which is the question."""
    start = time.monotonic()
    got = subprocess.run([DGRAM, "request", "-T", "30s", *words, relayed], input=text, stdout=subprocess.PIPE, check=False)
    if (got.returncode, got.stdout) != (0, text):
        sys.exit(f"exit {got.returncode}, {len(got.stdout)} of {len(text)} bytes, or another order")
    return time.monotonic() - start


processes = int(sys.argv[1]) if len(sys.argv) > 1 else 50
responder, answering = serve("respond", "127.0.0.1:0", "--echo")
relay, relayed = serve("relay", "127.0.0.1:0", answering, "--loss", "10%", "--seed", "1")
try:
    together = [ask("--lines", text=b"".join(b"question %d\n" % i for i in range(LINES))) for _ in range(3)]
    apart = sum(ask(text=b"question") for _ in range(processes)) * LINES / processes
finally:
    stop(relay)
    stop(responder)

print(f"{LINES} lines: {', '.join(f'{seconds:.2f}' for seconds in together)} s; as processes (by {processes}): {apart:.1f} s; "
      f"{apart / max(together):.0f} times faster at least")
sys.exit(apart < AT_LEAST * sorted(together)[1])
