"""The vectors of keyed mode: keyed.py, which knows only docs/WIRE.md, makes each line of keyed.txt from the inputs at
its top, and opens what it holds; nothing opens with the wrong key or when a bit of it is changed. What is inside is
taken by both codecs.

sealed.py CODEC: the program built from codec.c. sealed.py --write: makes keyed.txt anew.
"""

import os
import random
import subprocess
import sys

import keyed
import primitives
import wire

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, "keyed.txt")
KEYED, PHASE = 0x8000, 0x2000
INITIATOR, RESPONDER = 0x1122334455667788, 0x99AABBCCDDEEFF00  # session ids


# The primitives

def check_primitives():
    text = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
            b"sunscreen would be it.")
    key, ad = bytes(range(0x80, 0xA0)), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    nine = b"\x09" + bytes(31)
    rows = [
        ("RFC 7748, 5.2", primitives.x25519(nine, nine),
         "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
        ("RFC 7748, 5.2", primitives.x25519(
            bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
            bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
        ("RFC 8439, 2.8.2", primitives.seal(key, bytes.fromhex("070000004041424344454647"), ad, text)[-16:],
         "1ae10b594f09e26a7e902ecbd0600691"),
        ("xchacha-03, A.3.1", primitives.seal(key, bytes(range(0x40, 0x58)), ad, text)[-16:],
         "c0875924c1c7987947deafd8780acf49"),
    ]
    for source, got, want in rows:
        if got.hex() != want:
            sys.exit("%s: %s instead of %s" % (source, got.hex(), want))


# The session

def hello(kind, receiver, session, time, fields):
    """A hello in keyed mode without what is Noise's, and without trailer."""
    form = {"flags": KEYED, "receiver": receiver, "session": session, "boot": 5, "endpoint": 6, "time": time,
            "capabilities": 0, "idle": 120000, "credit": 16384, "largest": 65507, "delay": 25,
            "versions": b"\1" + bytes(7), **fields, "ephemeral": bytes(32), "sealed": bytes(16)}
    if kind == "INIT":
        form["padding"] = 96
    return wire.encode([(kind, {**form, "tag": bytes(16)})], 0)[:-16]


def header(kind, receiver, flags):
    return wire.MAGIC + bytes([1, kind]) + (KEYED | flags).to_bytes(2, "big") + receiver.to_bytes(8, "big")


def session(row):
    """Fills in all that follows from the inputs."""
    keys = keyed.Keys(row["key"])
    for name in ("psk", "mac1", "cookie", "group"):
        row[name + "_key"] = getattr(keys, name)
    row["hint"] = keys.hint.to_bytes(2, "big")

    ours, theirs = keyed.Handshake(keys), keyed.Handshake(keys)
    init = hello("INIT", 0, INITIATOR, 0, {"hint": keys.hint, "cookie": bytes(16)})
    row["initiator_e"] = primitives.public_key(row["initiator_secret"])
    init = keyed.with_noise(init, row["initiator_e"], ours.begin(init, row["initiator_e"]))
    row["hash_after_init"] = ours.state.h
    row["INIT"] = keyed.with_mac1(keys, init)
    row["COOKIE"] = keyed.cookie_datagram(keys, header(3, INITIATOR, 0), row["cookie_nonce"], row["cookie"],
                                          row["INIT"][-16:])
    again = init[:40] + (100000).to_bytes(8, "big") + init[48:]
    row["INIT_with_cookie"] = keyed.with_mac1(keys, keyed.with_mac2(again, row["cookie"]))

    tag = theirs.begin(row["INIT_with_cookie"], row["INIT_with_cookie"][96:128])
    assert tag == row["INIT_with_cookie"][128:144]
    accept = hello("ACCEPT", INITIATOR, RESPONDER, 100000, {})
    row["responder_e"] = primitives.public_key(row["responder_secret"])
    tag = theirs.answer(accept, row["responder_e"], row["responder_secret"], row["initiator_e"])
    accept = keyed.with_noise(accept, row["responder_e"], tag)
    row["ACCEPT"] = keyed.with_mac1(keys, accept)
    row["shared_secret"] = primitives.x25519(row["initiator_secret"], row["responder_e"])
    assert tag == ours.answer(accept, row["responder_e"], row["initiator_secret"], row["responder_e"])
    assert ours.split() == theirs.split()
    row["initiator_key"], row["responder_key"] = ours.split()

    to_responder, to_initiator = header(4, RESPONDER, 0), header(4, INITIATOR, 0)
    request = bytes.fromhex("0503") + b"\0\4door\0\x44\0\4open"  # REQUEST, WHOLE and NAMED, id 0
    row["DATA_0_of_initiator"] = keyed.data_datagram(row["initiator_key"], to_responder, 0, request)
    reply = bytes.fromhex("020000000006010000412c02") + b"ok"     # ACK of 0, REPLY
    row["DATA_0_of_responder"] = keyed.data_datagram(row["responder_key"], to_initiator, 0, reply)
    row["DATA_258_of_initiator"] = keyed.data_datagram(row["initiator_key"], to_responder, 258, b"\1")
    row["initiator_key_2"] = keyed.next_key(row["initiator_key"])
    row["DATA_259_of_initiator"] = keyed.data_datagram(row["initiator_key_2"], header(4, RESPONDER, PHASE), 259, b"\1")
    group = (5).to_bytes(8, "big") + (6).to_bytes(8, "big") + (7).to_bytes(8, "big") + b"\1\2\3allhi"  # POST, NAMED
    row["GROUP"] = keyed.group_datagram(keys, header(7, 0, 0), group)
    return row


INPUTS = {
    "key": bytes(range(32)),
    "initiator_secret": bytes(range(0x20, 0x40)),
    "responder_secret": bytes(range(0x40, 0x60)),
    "cookie": bytes(range(0x60, 0x70)),
    "cookie_nonce": bytes(range(0x70, 0x88)),
}
HEAD = """\
# Keyed mode, section 9 of docs/WIRE.md: the inputs, then what follows from them, in order. Ids: 1122334455667788
# opened a session, 99aabbccddeeff00 answered it. The cookie is any 16 bytes. sealed.py checks each line.
"""


def written(row):
    lines = []
    for name, value in row.items():
        lines.append(name)
        lines += ["    " + value[at:at + 48].hex() for at in range(0, len(value), 48)]
    return HEAD + "\n".join(lines) + "\n"


# What opens, and what does not

def openers(row, keys):
    """Datagram: how it is opened."""
    first, second, other = row["initiator_key"], row["initiator_key_2"], row["responder_key"]
    return {
        "INIT": lambda d: keyed.mac(keys.mac1, d[:-16]) == d[-16:] and d[:-16],
        "INIT_with_cookie": lambda d: keyed.mac(keys.mac1, d[:-16]) == d[-16:] and d[:-16],
        "ACCEPT": lambda d: keyed.mac(keys.mac1, d[:-16]) == d[-16:] and d[:-16],
        "COOKIE": lambda d: keyed.cookie_of(keys, d, row["INIT"][-16:]),
        "DATA_0_of_initiator": lambda d: keyed.frames_of(first, d),
        "DATA_258_of_initiator": lambda d: keyed.frames_of(first, d),
        "DATA_259_of_initiator": lambda d: keyed.frames_of(second, d),
        "DATA_0_of_responder": lambda d: keyed.frames_of(other, d),
        "GROUP": lambda d: keyed.group_of(keys, d),
    }


def check_openings(row):
    keys, wrong = keyed.Keys(row["key"]), keyed.Keys(b"\1" + row["key"][1:])
    strange = {**row, "initiator_key": row["responder_key"], "initiator_key_2": row["initiator_key"],
               "responder_key": row["initiator_key"]}
    strangers = openers(strange, wrong)
    for name, opener in openers(row, keys).items():
        datagram = row[name]
        if not opener(datagram):
            sys.exit(name + " does not open")
        if strangers[name](datagram):
            sys.exit(name + " opens with another key")
        for at in range(len(datagram)):
            changed = datagram[:at] + bytes([datagram[at] ^ 1 << at % 8]) + datagram[at + 1:]
            if opener(changed):
                sys.exit("%s opens, though its byte %d is another" % (name, at))
    if keyed.cookie_of(keys, row["COOKIE"], row["INIT_with_cookie"][-16:]):
        sys.exit("COOKIE opens for an INIT that did not draw it")
    if keyed.with_mac2(row["INIT_with_cookie"][:-16], row["cookie"]) != row["INIT_with_cookie"][:-16]:
        sys.exit("mac2")


def check_transcript(row):
    """Each byte of a hello that both must have seen alike changes a tag; session time and mac2 do not."""
    keys = keyed.Keys(row["key"])

    def tags_of(init, accept):
        state = keyed.Handshake(keys)
        return (state.begin(init, row["initiator_e"]),
                state.answer(accept, row["responder_e"], row["initiator_secret"], row["responder_e"]))

    both = [row["INIT"], row["ACCEPT"]]
    if tags_of(*both) != (both[0][128:144], both[1][128:144]):
        sys.exit("the tags of INIT and ACCEPT")
    for which in (0, 1):
        for at in range(0, 96, 3):
            other = list(both)
            other[which] = both[which][:at] + bytes([both[which][at] ^ 1]) + both[which][at + 1:]
            left_out = 40 <= at < 48 or at >= 80
            if (tags_of(*other)[which] == both[which][128:144]) != left_out:
                sys.exit("byte %d of %s" % (at, ("INIT", "ACCEPT")[which]))


def check_key_changes(seed):
    """Datagrams that overtake each other come twice or late, through many keys: each opens as what was sealed, but one
    that is two keys old, or one key where that was forgotten. The answer is how many did not."""
    rng = random.Random(seed)
    key, number, generation = rng.randbytes(32), 0, 0
    opener, under_way, opened, acknowledged, lost = keyed.Opener(key), [], 0, False, 0
    while generation < 12:
        if acknowledged and rng.randrange(4) == 0:
            key, generation, acknowledged = keyed.next_key(key), generation + 1, False
        flags = PHASE if generation % 2 else 0
        under_way.append((generation, number, keyed.data_datagram(key, header(4, 7, flags), number, b"\1" * (number % 7 + 1))))
        number += rng.randrange(1, 4)
        if rng.randrange(8) == 0:
            opener.forget()
        for _ in range(rng.randrange(3)):
            which = rng.randrange(max(0, len(under_way) - 12), len(under_way))
            sealed_with, its_number, datagram = under_way[which]
            kept = opener.before is not None
            frames = opener.open(datagram)
            if frames is None:
                lost += 1
                if sealed_with >= opened or sealed_with == opened - 1 and kept:
                    sys.exit("seed %d: number %d does not open" % (seed, its_number))
                continue
            if frames != b"\1" * (its_number % 7 + 1):
                sys.exit("seed %d: number %d opens as another" % (seed, its_number))
            opened = max(opened, sealed_with)
            acknowledged |= sealed_with == generation
    return lost


def check_codecs(codec, row):
    """What is inside, once opened, is a datagram that both codecs take and read alike."""
    keys = keyed.Keys(row["key"])
    opened = {name: row[name] for name in ("INIT", "INIT_with_cookie", "ACCEPT")}
    opened["GROUP"] = row["GROUP"][:16] + keyed.group_of(keys, row["GROUP"]) + row["GROUP"][-16:]
    for name, opener in openers(row, keys).items():
        if name.startswith("DATA"):
            opened[name] = row[name][:24] + opener(row[name]) + row[name][-16:]
    lines = ["decode 0 " + datagram.hex() for datagram in opened.values()]
    answers = subprocess.run([codec], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True,
                             check=True).stdout.splitlines()
    for name, line, answer in zip(opened, lines, answers):
        if answer.startswith("refused") or answer != wire.answer(line):
            sys.exit("%s: the codecs say\n  %s\n  %s" % (name, wire.answer(line), answer))


def main():
    check_primitives()
    row = session(dict(INPUTS))
    if sys.argv[1:] == ["--write"]:
        with open(FILE, "w", encoding="ascii") as file:
            file.write(written(row))
        return
    with open(FILE, encoding="ascii") as file:
        if file.read() != written(row):
            sys.exit("keyed.txt is not what follows from its inputs")
    check_openings(row)
    check_transcript(row)
    check_codecs(sys.argv[1], row)
    seed = random.SystemRandom().randrange(2 ** 32)
    if not sum(check_key_changes(seed + more) for more in range(20)):
        sys.exit("seed %d: too little happened" % seed)
    print("%d values" % len(row))


if __name__ == "__main__":
    main()
