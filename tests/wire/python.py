"""Two codecs, the library's and wire.py's, which knows only docs/WIRE.md: the same verdict, fields and bytes for the
vectors, for random datagrams that either of them made, and for what becomes of those when they are flipped, cut,
extended, spliced.

python.py CODEC [SEED [N]]: the program built from codec.c; N datagrams from each side.
"""

import os
import random
import re
import subprocess
import sys

import wire

SENDER = 9
MUTANTS = 4       # of each datagram
TOO_FEW = 0.2     # of the mutants must be taken, or the test has become too rough to tell anything
HERE = os.path.dirname(os.path.abspath(__file__))


def library(codec, lines):
    """What the library says to each line."""
    run = subprocess.run([codec], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    answers = run.stdout.split("\n")[:-1]
    assert len(answers) == len(lines), "%d answers to %d lines" % (len(answers), len(lines))
    return answers


def document(line):
    """What wire.py says to a line."""
    answer = wire.answer(line)
    return "refused" if answer.startswith("refused") else answer


def compare(codec, lines, what):
    """Both answers to each line; they are the same."""
    answers = library(codec, lines)
    for line, theirs in zip(lines, answers):
        ours = document(line)
        if ours != theirs:
            sys.exit("%s: they disagree about\n  %s\n  document: %s\n  library:  %s"
                     % (what, line, wire.answer(line), theirs))
    return answers


def there_and_back(codec, datagrams, what):
    """Decoded by both, and what that gave encoded by both; the answer is how many were taken."""
    forms = compare(codec, ["decode %d %s" % (SENDER, datagram) for datagram in datagrams], what)
    taken = [(datagram, form) for datagram, form in zip(datagrams, forms) if form != "refused"]
    back = compare(codec, ["encode %d %s" % (SENDER, form) for _, form in taken], what)
    for (datagram, form), again in zip(taken, back):
        if datagram != again:
            sys.exit("%s: two datagrams for one meaning\n  %s\n  %s\n  %s" % (what, form, datagram, again))
    return len(taken)


# The vectors

def vectors():
    """(verb, sender, hex, what follows): "take" with the form, "refuse" with the reason."""
    with open(os.path.join(HERE, "vectors.txt"), encoding="ascii") as file:
        lines = [line for line in file.read().replace("\\\n", "").splitlines() if line and line[0] != "#"]
    for first, second in zip(lines[::2], lines[1::2]):
        yield first.split(" ") + [second.strip()]


# What only the encoder meets, what a size rules out before, and what keyed.py opens.
NOT_BY_A_DATAGRAM = {"a varint that is too large", "no padding", "no frame", "bytes left over", "a sealed cookie"}


def reasons():
    """Why wire.py may refuse a datagram."""
    with open(wire.__file__, encoding="ascii") as file:
        source = re.sub(r"(?s)\nclass Writer:.*?\n\n\n", "", file.read())
    return set(re.findall(r'need\(.*, "([^"]+)"\)', source)) - {"no such datagram", "no such frame", "a field too many",
                                                                "not canonical"}


def check_vectors(codec):
    named, refused = set(), set()
    for verb, sender, datagram, rest in vectors():
        line = "decode %s %s" % (sender, datagram)
        want = rest if verb == "take" else "refused: " + rest
        if wire.answer(line) != want:
            sys.exit("vector %s:\n  %s\n  %s" % (datagram, want, wire.answer(line)))
        compare(codec, [line], "vector")
        if verb == "refuse":
            refused.add(rest)
        else:
            named |= {part.split()[0] for part in rest.split(";")}
            if compare(codec, ["encode %s %s" % (sender, rest)], "vector") != [datagram]:
                sys.exit("vector is not what its form encodes to: " + datagram)
    missing = reasons() - refused - NOT_BY_A_DATAGRAM
    if missing:
        sys.exit("no vector that is refused for: " + "; ".join(sorted(missing)))
    missing = (set(wire.DATAGRAM_TYPES) | set(wire.FRAME_TYPES)) - named
    if missing:
        sys.exit("no vector for " + " ".join(sorted(missing)))


# Random datagrams. Values are mostly valid; what the encoder refuses is made again.

def some_number(rng, top=wire.VARINT_MAX):
    value = rng.choice([rng.randrange(70), (1 << rng.randrange(63)) - rng.randrange(2)])
    return min(value, top)


def some_data(rng):
    return rng.randbytes(rng.choice([0, 1, 63, 64, 64, 128, rng.randrange(300)]))


def some_name(rng):
    letters = "abcz019_-"
    return ".".join("".join(rng.choices(letters, k=rng.randrange(1, 9))) for _ in range(rng.randrange(1, 5)))


def some_marks(rng, flags):
    fields = {}
    if flags & wire.NAMED:
        fields["name"] = some_name(rng)
    if flags & wire.HOPS:
        fields["hops"] = rng.randrange(1, 256)
    return fields


def some_place(rng, size):
    """total and cell of a fragment of so many bytes."""
    cell = rng.choice([0, 0, rng.randrange(100), some_number(rng, 1 << 55)])
    end = cell * wire.CELL + size
    return {"total": end + (0 if size % wire.CELL else rng.choice([0, some_number(rng, 1 << 60)])), "cell": cell}


def some_message(rng, name):
    flags = rng.randrange(64)
    if name == "POST":
        flags &= wire.NAMED | wire.HOPS
        return {"flags": flags, "counter": some_number(rng), **some_marks(rng, flags), "data": some_data(rng)}
    data = some_data(rng)
    place = {} if flags & wire.WHOLE else some_place(rng, len(data))
    if name == "REPLY":
        flags &= wire.WHOLE | wire.PUSHED
    else:
        flags &= 0x1F if name == "REQUEST" else 0x0F
        flags &= wire.WHOLE if place.get("cell") else 0x1F
    fields = {"flags": flags, "id": some_number(rng), **place, **some_marks(rng, flags)}
    if flags & wire.ORDERED:
        fields["order"] = min(fields["id"], some_number(rng))
    if not place.get("cell"):
        if name == "REQUEST":
            fields.update(deadline=some_number(rng), grant=some_number(rng))
        if name == "REPLY":
            fields.update(status=rng.randrange(256), service=some_number(rng))
    return {**fields, "data": data}


def some_ack(rng):
    count = rng.choice([0, 1, 3, rng.randrange(66)])
    fields = {"largest": some_number(rng), "delay": some_number(rng), "count": count, "first": rng.randrange(4)}
    for index in range(count):
        fields.update({"gap%d" % index: rng.randrange(70), "length%d" % index: rng.randrange(70)})
    return fields


def some_frame(rng):
    name = rng.choice(list(wire.FRAME_TYPES))
    if name in ("POST", "SEND", "REQUEST", "REPLY"):
        return name, some_message(rng, name)
    if name == "ACK":
        return name, some_ack(rng)
    if name == "PADDING":
        return name, {"size": rng.randrange(1, 50)}
    if name == "NO":
        code = rng.randrange(1, 8)
        retry = {"retry": some_number(rng)} if code == wire.BUSY else {}
        return name, {"flags": rng.choice([0, wire.PUSHED]), "id": some_number(rng), "code": code, **retry}
    if name in ("CHALLENGE", "RESPONSE"):
        return name, {"data": rng.randbytes(8)}
    if name == "ACCEPTED":
        return name, {"id": some_number(rng), "state": rng.randrange(1, 3)}
    if name == "CLOSE":
        return name, {"first": some_number(rng), "reason": rng.randrange(1, 6)}
    return name, {field: some_number(rng) for field in NUMBERS[name]}


NUMBERS = {
    "PING": (), "PULL": ("id",), "CANCEL": ("id", "total"), "RESET": ("id", "total"), "NEED": ("id", "total"),
    "SETTLED": ("below",), "CREDIT": ("bytes", "ids"), "GRANT": ("id", "bytes"), "ECHO": ("number",),
    "ECHOED": ("number", "received"),
}


def some_hello(rng, kind, keyed):
    spoken = bytes(rng.sample(range(1, 256), 1 if kind == "ACCEPT" else rng.randrange(1, 9)))
    wide = 2 ** 64 - 1
    fields = {
        "session": 1 + some_number(rng), "boot": rng.choice([0, wide, some_number(rng)]),
        "endpoint": some_number(rng), "time": rng.choice([wide, some_number(rng)]),
        "capabilities": some_number(rng), "idle": rng.choice([1000, 2 ** 32 - 1]),
        "credit": rng.choice([0, 16384, 2 ** 32 - 1]), "largest": rng.choice([508, 1200, 65507]),
        "delay": rng.choice([0, 25, 1000]), "versions": spoken.ljust(8, b"\0"),
    }
    if keyed and kind == "INIT":
        fields["hint"] = rng.randrange(2 ** 16)
    if kind == "INIT":
        fields["cookie"] = rng.randbytes(16)
    if keyed:
        fields.update(ephemeral=rng.randbytes(32), sealed=rng.randbytes(16))
    if kind == "INIT":
        fields["padding"] = rng.choice([0, 1, 944, rng.randrange(945)]) + (96 if keyed else 108)
    return fields


def some_presence(rng):
    services = sorted({some_name(rng).encode() for _ in range(rng.randrange(5))})
    return (rng.randrange(1, 65536).to_bytes(2, "big") + wire.varint(some_number(rng)) +
            b"".join(bytes([len(name)]) + name for name in services))


def some_group(rng):
    kind, flags = rng.randrange(1, 6), rng.choice([0, 2, 4, 6])
    if kind == wire.HELLO:
        flags |= wire.NAMED
    elif kind == wire.GOODBYE:
        flags &= wire.HOPS
    elif kind == wire.SURVEY_REPLY:
        flags |= rng.choice([0, wire.TOO_LONG])
    fields = {"boot": some_number(rng), "endpoint": some_number(rng), "counter": some_number(rng), "kind": kind,
              "group_flags": flags, **some_marks(rng, flags)}
    if kind in (wire.SURVEY, wire.SURVEY_REPLY):
        fields["nonce"] = some_number(rng)
    fields["data"] = some_data(rng)
    if kind == wire.HELLO:
        fields["data"] = some_presence(rng)
    elif kind == wire.GOODBYE or flags & wire.TOO_LONG:
        fields["data"] = b""
    if kind == wire.SURVEY:
        fields["padding"] = rng.randrange(600)
    return fields


def some_records(rng):
    kind = rng.choice(list(wire.DATAGRAM_TYPES) + ["DATA"] * 8)
    receiver = 0 if kind in ("INIT", "GROUP") else 1 + some_number(rng)
    keyed = kind in ("INIT", "ACCEPT", "DATA", "GROUP") and rng.randrange(4) == 0
    records = [[kind, {"flags": wire.KEYED if keyed else 0, "receiver": receiver}]]
    fields = records[0][1]
    if kind in ("INIT", "ACCEPT"):
        fields.update(some_hello(rng, kind, keyed))
    elif kind == "GROUP":
        fields.update(some_group(rng))
    elif kind == "COOKIE":
        fields["cookie"] = rng.randbytes(16)
    elif kind == "BUSY":
        fields["retry"] = some_number(rng, 2 ** 32 - 1)
    else:
        fields["number"] = some_number(rng)
    if keyed:
        fields["tag"] = rng.randbytes(16)
    if kind == "DATA":
        records += [some_frame(rng) for _ in range(rng.choice([1, 1, 2, 5]))]
        if keyed:
            fields["flags"] |= rng.choice([0, wire.PHASE])
        elif any(name in wire.ASKING for name, _ in records):
            fields["flags"] = wire.ASKS
    return [tuple(record) for record in records]


def some_datagram(rng):
    while True:
        try:
            return wire.encode(some_records(rng), SENDER).hex()
        except wire.Malformed:
            pass


# Mutants

def flip(rng, body, _):
    for _ in range(rng.choice([1, 1, 2, 8])):
        body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)


def cut(rng, body, _):
    del body[rng.randrange(max(0, len(body) - rng.choice([3, 300])), len(body)):]


def extend(rng, body, _):
    body += rng.choice([b"\0", b"\1", b"\0" * 20, rng.randbytes(rng.randrange(1, 9))])


def splice(rng, body, other):
    """This one up to somewhere, and the other from somewhere on: the frames of both, with luck."""
    body[rng.randrange(24, len(body) + 1) if len(body) > 24 else len(body):] = other[rng.randrange(len(other)):]


def edge(rng, body, _):
    """A byte of its own that counts: type, flag, length, the top of a varint."""
    at = rng.randrange(5, len(body))
    body[at] = rng.choice([0, 1, 2, 0x20, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF, body[at] + 1 & 0xFF])


def mutant(rng, datagram, other):
    """Mostly with a good trailer, for it would hide the rest."""
    body = bytearray.fromhex(datagram)[:-4]
    rng.choice([flip, cut, extend, splice, edge])(rng, body, bytes.fromhex(other)[24:-4] or b"\1")
    kind = wire.DATAGRAMS.get(body[5], [""])[0] if len(body) > 5 else ""
    if rng.randrange(20) == 0:
        return (body + rng.randbytes(4)).hex()
    return (bytes(body) + wire.trailer(kind, bytes(body), SENDER)).hex()


def main():
    codec = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2 ** 32)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 2500
    print("seed %d" % seed, flush=True)
    rng = random.Random(seed)

    check_vectors(codec)
    ours = [some_datagram(rng) for _ in range(count)]
    theirs = library(codec, ["invent %d %d" % (SENDER, rng.randrange(2 ** 63)) for _ in range(count)])
    for what, datagrams in (("made by wire.py", ours), ("made by the library", theirs)):
        taken = there_and_back(codec, datagrams, what)
        if taken != len(datagrams):
            sys.exit("%s: %d of %d were refused" % (what, len(datagrams) - taken, len(datagrams)))
    mutants = [mutant(rng, datagram, rng.choice(ours)) for datagram in ours + theirs for _ in range(MUTANTS)]
    taken = there_and_back(codec, mutants, "mutant")
    print("%d datagrams and %d mutants, %d of them taken" % (2 * count, len(mutants), taken))
    if not TOO_FEW * len(mutants) < taken < (1 - TOO_FEW) * len(mutants):
        sys.exit("too few or too many mutants were taken")


if __name__ == "__main__":
    main()
