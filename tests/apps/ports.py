"""A port that stays free until a test takes it: for addresses that are told before anybody is there, that nobody is to
answer at, or that a second process takes after the first.

A socket that asks for no port gets one of the system's own range (32768 and above on Linux). A port of that range which
is free now belongs to any socket on this machine a moment later, so these are from below it; and among the tests that run
at once each is given out once, for as long as the process that took it lives.
"""

import contextlib
import random
import socket

CLAIMS = []  # kept open: each is the claim on a port


def claim(port):
    """Whether the port is ours now. A name that goes with its process, and that no address or file is in the way of."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        s.bind("\0dgram-test-port-%d" % port)
    except FileNotFoundError:  # a system without such names: chance has to do
        s.close()
        return True
    except OSError:
        s.close()
        return False
    CLAIMS.append(s)
    return True


def unused(port):
    """As Linux tells it. To bind to it for a look would be in the way of the test itself: what another thread starts at this
    moment has the socket as well, until it is a program of its own."""
    for kind in "udp", "udp6", "tcp", "tcp6":
        with contextlib.suppress(OSError), open("/proc/net/" + kind) as f:
            if any(line.split()[1].endswith(":%04X" % port) for line in f):
                return False
    return True


def free_port():
    """A port that nobody has, neither of UDP nor of TCP, and that nobody gets who does not name it."""
    while True:
        port = random.randrange(10000, 32768)
        if claim(port) and unused(port):
            return port
