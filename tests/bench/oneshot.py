"""What one question costs as a whole process: dgram request beside a bare C program, in pairs.

    oneshot.py [PAIRS]     DGRAM and BARE name the two programs; 200 pairs unless told

Each pair runs both against the same echo server, now the one first, now the other. A figure of one machine at one
time: compare only within a run.
"""
import os
import statistics
import subprocess
import sys
import time

DGRAM, BARE = os.environ["DGRAM"], os.environ["BARE"]
pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
null_in = os.open(os.devnull, os.O_RDONLY)


def run(command):
    """Milliseconds from before the start to after the end; posix_spawn adds less than subprocess does."""
    read_end, write_end = os.pipe()
    start = time.perf_counter_ns()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, null_in, 0), (os.POSIX_SPAWN_DUP2, write_end, 1)])
    _, status = os.waitpid(pid, 0)
    took = (time.perf_counter_ns() - start) / 1e6
    os.close(write_end)
    with os.fdopen(read_end, "rb") as out:
        if status != 0 or out.read() != b"hi":
            sys.exit(f"{' '.join(command)}: no answer (status {status})")
    return took


def line(name, times):
    print(f"{name:<22} median {statistics.median(times):6.3f} ms   min {min(times):6.3f}   max {max(times):6.3f}")


with subprocess.Popen([BARE, "echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
    port = server.stdout.readline().strip()
    ours = [DGRAM, "request", f"udp://127.0.0.1:{port}", "hi"]
    theirs = [BARE, "ask", port]
    for command in (ours, theirs) * 5:
        run(command)
    times = {"dgram": [], "bare": []}
    for i in range(pairs):
        order = [("dgram", ours), ("bare", theirs)]
        for name, command in order if i % 2 else reversed(order):
            times[name].append(run(command))
    server.stdin.close()

line("bare C program", times["bare"])
line("dgram request udp://", times["dgram"])
ratios = [a / b for a, b in zip(times["dgram"], times["bare"])]
print(f"{pairs} pairs: ratio of the medians {statistics.median(times['dgram']) / statistics.median(times['bare']):.2f}, "
      f"median of the ratios {statistics.median(ratios):.2f} (the goal: 1.3 or less)")
