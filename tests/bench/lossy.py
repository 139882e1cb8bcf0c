"""Requests through a relay that loses 30 % each way: all of them must be answered, each with its own answer.

    lossy.py [REQUESTS [AT_ONCE [SEED]]]     DGRAM names the command; 1000, 8 and 1 unless told

Prints how many were answered, how long a request took as a whole process, and how many tries it needed.
"""
import collections
import json
import os
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

DGRAM = os.environ["DGRAM"]
requests, at_once, seed = [int(a) for a in sys.argv[1:]] + [1000, 8, 1][len(sys.argv) - 1:]


def serve(*words):
    """A long-running command and the address that its first line names."""
    program = subprocess.Popen([DGRAM, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    return program, re.search(r"127\.0\.0\.1:\d+", program.stderr.readline()).group()


def stop(program):
    program.terminate()
    print(program.stderr.read(), end="")
    program.stderr.close()
    program.wait()


def ask(number):
    """(right answer, ms, tries)"""
    text = f"question {number}"
    start = time.monotonic()
    got = subprocess.run([DGRAM, "request", "-T", "15s", "--json", f"udp://{relayed}", text],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took = 1000 * (time.monotonic() - start)
    line = json.loads(got.stdout)
    if got.returncode != 0 or line.get("text") != text:
        print(f"{text}: exit {got.returncode}, {line}, {got.stderr.decode().strip()}")
        return False, took, 0
    return True, took, line["tries"]


responder, answering = serve("respond", "udp://127.0.0.1:0", "--echo")
relay, relayed = serve("relay", "127.0.0.1:0", answering, "--loss", "30%", "--seed", str(seed))
try:
    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(ask, range(requests)))
finally:
    stop(relay)
    stop(responder)

right = [r for r in results if r[0]]
times = sorted(r[1] for r in right)
tries = collections.Counter(r[2] for r in right)
print(f"{len(right)} of {requests} answered, {at_once} at a time, seed {seed}")
if times:
    print(f"time of a request: p50 {statistics.median(times):.1f} ms, p90 {times[len(times) * 9 // 10]:.1f} ms, "
          f"max {times[-1]:.1f} ms")
    for n in sorted(tries):
        print(f"{n:3} {'try  ' if n == 1 else 'tries'} {tries[n]:5}  {'#' * -(-60 * tries[n] // len(right))}")
sys.exit(len(right) != requests)
