"""The dgram wire format, written from docs/WIRE.md alone: a second implementation to hold the first against. Of keyed
mode it knows what is inside once keyed.py has opened it; the trailer is then a field, "tag", and means nothing.

decode(datagram, sender) and encode(text, sender) turn bytes into lines and back, or raise Malformed. sender is the id
that the sender of a DATA datagram has in its session; other types do not use it. A line is the datagram's type and
its fields, then each frame likewise, set off by ";":

    DATA receiver=7 flags=16384 number=0 ; REQUEST flags=3 id=0 name=door deadline=0 grant=1024 data=6f70656e

Numbers are decimal, bytes hexadecimal ("-": none), names as they are. As a program it is a filter: "decode SENDER HEX"
and "encode SENDER LINE" on stdin, the result or "refused: why" on stdout.
"""

import re
import sys

MAGIC = b"\xe4grm"
VERSION = 1
KEYED, ASKS, PHASE = 0x8000, 0x4000, 0x2000
WHOLE, NAMED, HOPS, ORDERED, IDEMPOTENT, PUSHED, TOO_LONG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40
CELL = 64
BUSY = 1  # a NO that says when to ask again
SURVEY, HELLO, GOODBYE, SURVEY_REPLY = 2, 3, 4, 5
VARINT_MAX = 2 ** 62 - 1


class Malformed(Exception):
    """Says why."""


def need(condition, why):
    if not condition:
        raise Malformed(why)


def crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


# Reader and Writer have the same methods, so each layout below is written once. The reader fills `fields`, the writer
# empties them; both return the value, so that what follows can depend on it.

class Reader:
    def __init__(self, data):
        self.data, self.at, self.fields = data, 0, {}

    def left(self):
        return len(self.data) - self.at

    def bytes(self, size):
        need(size <= self.left(), "cut short")
        self.at += size
        return self.data[self.at - size:self.at]

    def zeros(self, size):
        need(not any(self.bytes(size)), "not zero where it must be")

    def keep(self, name, value):
        self.fields[name] = value
        return value

    def number(self, name, size):
        return self.keep(name, int.from_bytes(self.bytes(size), "big"))

    def varint(self, name):
        first = self.bytes(1)
        rest = self.bytes((1 << (first[0] >> 6)) - 1)
        value = int.from_bytes(bytes([first[0] & 0x3F]) + rest, "big")
        need(varint(value) == first + rest, "a varint that is longer than it must be")
        return self.keep(name, value)

    def blob(self, name, size):
        return self.keep(name, self.bytes(size))

    def counted(self, name):
        size = self.varint(name)
        return self.blob(name, size)

    def name(self):
        return self.keep("name", self.bytes(self.bytes(1)[0]).decode("latin-1"))

    def rest(self, name):
        return self.blob(name, self.left())

    def padding(self, name, _):
        size = self.left()
        self.zeros(size)
        return self.keep(name, size)


class Writer:
    def __init__(self, fields):
        self.data, self.fields = bytearray(), fields

    def left(self):
        return len(self.fields)

    def keep(self, name, kind=int):
        value = self.fields.pop(name, None)
        need(isinstance(value, kind), "no " + name)
        return value

    def zeros(self, size):
        self.data += bytes(size)

    def number(self, name, size):
        value = self.keep(name)
        need(0 <= value < 256 ** size, name + " too large")
        self.data += value.to_bytes(size, "big")
        return value

    def varint(self, name):
        value = self.keep(name)
        self.data += varint(value)
        return value

    def blob(self, name, size):
        value = self.keep(name, bytes)
        need(len(value) == size, name + " has another size")
        self.data += value
        return value

    def counted(self, name):
        value = self.keep(name, bytes)
        self.data += varint(len(value)) + value
        return value

    def name(self):
        value = self.keep("name", str).encode("latin-1")
        need(len(value) < 256, "name too long")
        self.data += bytes([len(value)]) + value
        return value.decode("latin-1")

    def rest(self, name):
        value = self.keep(name, bytes)
        self.data += value
        return value

    def padding(self, name, already):
        size = self.keep(name)
        need(0 <= size <= 65536, "too much padding")
        self.data += bytes(max(0, size - already))
        return size


def varint(value):
    need(0 <= value <= VARINT_MAX, "a varint that is too large")
    for power, size in enumerate((1, 2, 4, 8)):
        if value < 1 << (8 * size - 2):
            return (value | power << (8 * size - 2)).to_bytes(size, "big")
    raise AssertionError


# The datagrams

def hello(io, kind, keyed):
    need(io.number("session", 8), "session id 0")
    io.number("boot", 8)
    io.number("endpoint", 8)
    io.number("time", 8)
    io.number("capabilities", 8)
    need(io.number("idle", 4) >= 1000, "idle time under a second")
    io.number("credit", 4)
    need(508 <= io.number("largest", 2) <= 65507, "largest datagram out of range")
    need(io.number("delay", 2) <= 1000, "ACK delay over a second")
    spoken = io.blob("versions", 8).rstrip(b"\0")
    need(spoken and 0 not in spoken, "versions")
    need(len(set(spoken)) == len(spoken), "a version listed twice")
    if keyed and kind == "INIT":
        io.number("hint", 2)
    else:
        io.zeros(2)
    io.zeros(2)
    if kind == "INIT":
        io.blob("cookie", 16)
    else:
        need(len(spoken) == 1, "ACCEPT names one version")
        io.zeros(16)
    if keyed:
        io.blob("ephemeral", 32)
        io.blob("sealed", 16)
    else:
        io.zeros(48)
    if kind == "INIT":
        io.padding("padding", 0)


def cookie(io, _, keyed):
    need(not keyed, "a sealed cookie")
    io.zeros(24)
    io.blob("cookie", 16)


def packet(io, *_):
    need(io.number("number", 8) <= VARINT_MAX, "a packet number that no ACK could name")


def nosession(io, *_):
    io.number("number", 8)


def busy(io, *_):
    io.number("retry", 4)


def group(io, *_):
    io.number("boot", 8)
    io.number("endpoint", 8)
    io.number("counter", 8)
    kind = io.number("kind", 1)
    need(1 <= kind <= 5, "group kind")
    flags = io.number("group_flags", 1)
    need(not flags & ~(NAMED | HOPS | (TOO_LONG if kind == SURVEY_REPLY else 0)), "group flags")
    need(kind != HELLO or flags & NAMED, "a peer without a name")
    need(kind != GOODBYE or not flags & NAMED, "GOODBYE with a name")
    marks(io, flags)
    if kind in (SURVEY, SURVEY_REPLY):
        io.number("nonce", 8)
    if kind == SURVEY:
        io.counted("data")
        io.padding("padding", 0)
        return
    rest = io.rest("data")
    need(not rest or kind != GOODBYE and not flags & TOO_LONG, "data where there is none")
    if kind == HELLO:
        presence(rest)


def presence(data):
    """What a peer says of itself; (port, services left out, services)."""
    io, services = Reader(data), []
    need(io.number("port", 2), "port 0")
    io.varint("left_out")
    while io.left():
        services.append(valid_name(io))
    need(all(one.encode() < two.encode() for one, two in zip(services, services[1:])), "services out of order")
    return io.fields["port"], io.fields["left_out"], services


# type: name, layout, smallest and largest datagram in open mode, whether it has a receiver id
DATAGRAMS = {
    1: ("INIT", hello, 256, 1200, False),
    2: ("ACCEPT", hello, 148, 148, True),
    3: ("COOKIE", cookie, 60, 60, True),
    4: ("DATA", packet, 29, 65507, True),
    5: ("NOSESSION", nosession, 28, 28, True),
    6: ("BUSY", busy, 24, 24, True),
    7: ("GROUP", group, 46, 1200, False),
}
DATAGRAM_TYPES = {row[0]: kind for kind, row in DATAGRAMS.items()}


# The frames

def valid_name(io):
    name = io.name()
    need(1 <= len(name) <= 64, "a name of no or too many bytes")
    need(re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name, re.ASCII), "a name of other letters")
    return name


def marks(io, flags):
    if flags & NAMED:
        valid_name(io)
    if flags & HOPS:
        need(io.number("hops", 1), "0 hops")


def fragment(io, flags):
    """The place of this fragment; the answer is (total, offset), or None if the message is whole."""
    if flags & WHOLE:
        return None
    total = io.varint("total")
    return total, io.varint("cell") * CELL


def data(io, place):
    size = len(io.counted("data"))
    if place is None:
        return
    total, offset = place
    end = offset + size
    need(size, "an empty fragment")
    need(end <= total, "a fragment beyond its message")
    need(end == total or end % CELL == 0, "a fragment that ends in a cell")
    need(offset or size < total, "a whole message that does not say so")


def first_fragment(place):
    return place is None or place[1] == 0


def post(io):
    flags = io.number("flags", 1)
    need(not flags & ~(NAMED | HOPS), "flags")
    io.varint("counter")
    marks(io, flags)
    data(io, None)


def reliable(io, allowed, request):
    flags = io.number("flags", 1)
    need(not flags & ~allowed, "flags")
    number = io.varint("id")
    place = fragment(io, flags)
    first = first_fragment(place)
    need(first or not flags & ~WHOLE, "flags in a later fragment")
    marks(io, flags)
    if flags & ORDERED:
        need(io.varint("order") <= number, "ordered behind an id below 0")
    if request and first:
        io.varint("deadline")
        io.varint("grant")
    data(io, place)


def send(io):
    reliable(io, WHOLE | NAMED | HOPS | ORDERED, False)


def request(io):
    reliable(io, WHOLE | NAMED | HOPS | ORDERED | IDEMPOTENT, True)


def reply(io):
    flags = io.number("flags", 1)
    need(not flags & ~(WHOLE | PUSHED), "flags")
    need(flags, "a fragment of a reply that is not pushed")
    io.varint("id")
    place = fragment(io, flags)
    if first_fragment(place):
        need(io.varint("status") <= 255, "status")
        io.varint("service")
    data(io, place)


def accepted(io):
    io.varint("id")
    need(io.number("state", 1) in (1, 2), "state")


def no(io):
    need(not io.number("flags", 1) & ~PUSHED, "flags")
    io.varint("id")
    code = io.number("code", 1)
    need(1 <= code <= 7, "code")
    if code == BUSY:
        io.varint("retry")


def ack(io):
    largest = io.varint("largest")
    io.varint("delay")
    count = io.varint("count")
    need(count <= 64, "too many ranges")
    low = largest - io.varint("first")
    for index in range(count):
        low -= io.varint("gap%d" % index) + 2
        low -= io.varint("length%d" % index)
        need(low >= 0, "a range below 0")
    need(low >= 0, "a range below 0")


def close(io):
    io.varint("first")
    need(1 <= io.number("reason", 1) <= 5, "reason")


def varints(*names):
    def layout(io):
        for name in names:
            io.varint(name)
    return layout


def challenge(io):
    io.blob("data", 8)


def padding(io):
    need(io.padding("size", 1), "no padding")


FRAMES = {
    0x00: ("PADDING", padding),
    0x01: ("PING", varints()),
    0x02: ("ACK", ack),
    0x03: ("POST", post),
    0x04: ("SEND", send),
    0x05: ("REQUEST", request),
    0x06: ("REPLY", reply),
    0x07: ("ACCEPTED", accepted),
    0x08: ("NO", no),
    0x09: ("PULL", varints("id")),
    0x0A: ("CANCEL", varints("id", "total")),
    0x0B: ("RESET", varints("id", "total")),
    0x0C: ("SETTLED", varints("below")),
    0x0D: ("CREDIT", varints("bytes", "ids")),
    0x0E: ("GRANT", varints("id", "bytes")),
    0x0F: ("CLOSE", close),
    0x10: ("ECHO", varints("number")),
    0x11: ("ECHOED", varints("number", "received")),
    0x12: ("CHALLENGE", challenge),
    0x13: ("RESPONSE", challenge),
    0x14: ("NEED", varints("id", "total")),
}
FRAME_TYPES = {row[0]: kind for kind, row in FRAMES.items()}
ASKING = {"SEND", "REQUEST", "PING", "PULL", "CANCEL", "ECHO"}


# Both directions

def trailer(kind, body, sender):
    """Four bytes that close a datagram of this type in open mode."""
    secret = sender.to_bytes(8, "big") if kind == "DATA" else b""
    return crc32c(secret + body).to_bytes(4, "big")


def is_keyed(flags, kind):
    """Whether it is of keyed mode; the flags are such that this type can have."""
    if not flags & KEYED:
        need(not flags & ~(ASKS if kind == "DATA" else 0), "header flags")
        return False
    need(not flags & ~(KEYED | (PHASE if kind == "DATA" else 0)), "header flags")
    need(kind not in ("NOSESSION", "BUSY"), "open mode's alone")
    return True


def decode(datagram, sender):
    """The datagram as records: [(name, fields), ...], the header's first."""
    need(len(datagram) >= 20, "cut short")
    need(datagram[:4] == MAGIC, "magic")
    need(datagram[4] == VERSION, "version")
    need(datagram[5] in DATAGRAMS, "type")
    kind, layout, smallest, largest, received = DATAGRAMS[datagram[5]]
    keyed = is_keyed(int.from_bytes(datagram[6:8], "big"), kind)
    more = 12 if keyed else 0
    need(smallest + more * (kind != "INIT") <= len(datagram) <= largest + more * (largest < 1200), "size")
    end = -4 - more
    need(keyed or datagram[end:] == trailer(kind, datagram[:end], sender), "checksum")

    io = Reader(datagram[6:end])
    flags = io.number("flags", 2)
    need(bool(io.number("receiver", 8)) == received, "receiver id")
    layout(io, kind, keyed)
    if keyed:
        io.fields["tag"] = datagram[end:]
    records = [(kind, io.fields)]
    if kind == "DATA":
        need(io.left(), "no frame")
        while io.left():
            records.append(decode_frame(io))
        names = [name for name, _ in records if name != "PADDING"]
        need("CLOSE" not in names[:-1], "a frame behind CLOSE")
        asks = any(name in ASKING for name, _ in records) and not keyed
        need(bool(flags & ASKS) == asks, "ASKS")
    need(not io.left(), "bytes left over")
    return records


def decode_frame(io):
    kind = io.bytes(1)[0]
    need(kind in FRAMES, "frame type")
    name, layout = FRAMES[kind]
    if name == "PADDING":
        io.at -= 1
    io.fields = {}
    layout(io)
    return name, io.fields


def encode(records, sender):
    """The bytes of these records: only those of which decoding makes the same records."""
    kind, fields = records[0]
    need(kind in DATAGRAM_TYPES, "no such datagram")
    body = MAGIC + bytes([VERSION, DATAGRAM_TYPES[kind]])
    io = Writer(dict(fields))
    keyed = bool(io.number("flags", 2) & KEYED)
    io.number("receiver", 8)
    DATAGRAMS[DATAGRAM_TYPES[kind]][1](io, kind, keyed)
    tag = io.keep("tag", bytes) if keyed else None
    need(not io.left(), "a field too many")
    body += io.data
    for name, fields in records[1:]:
        need(name in FRAME_TYPES, "no such frame")
        io = Writer(dict(fields))
        FRAMES[FRAME_TYPES[name]][1](io)
        need(not io.left(), "a field too many")
        body += bytes([FRAME_TYPES[name]]) + io.data
    datagram = bytes(body) + (tag if keyed else trailer(kind, bytes(body), sender))
    need(decode(datagram, sender) == records, "not canonical")
    return datagram


# The line form

BYTES = {"cookie", "versions", "data", "ephemeral", "sealed", "tag"}


def show_field(name, value):
    if isinstance(value, bytes):
        return "%s=%s" % (name, value.hex() or "-")
    return "%s=%s" % (name, value)


def show(records):
    return " ; ".join(" ".join([name] + [show_field(*field) for field in fields.items()])
                      for name, fields in records)


def parse_field(token):
    name, _, value = token.partition("=")
    if name == "name":
        return name, value
    if name in BYTES:
        return name, bytes.fromhex(value.replace("-", ""))
    return name, int(value)


def parse(line):
    records = []
    for part in line.split(";"):
        name, *tokens = part.split()
        records.append((name, dict(parse_field(token) for token in tokens)))
    return records


def answer(line):
    """To a line of the filter."""
    verb, sender, argument = line.split(" ", 2)
    try:
        if verb == "decode":
            return show(decode(bytes.fromhex(argument), int(sender)))
        return encode(parse(argument), int(sender)).hex()
    except (Malformed, ValueError) as error:
        return "refused: %s" % error


if __name__ == "__main__":
    for request_line in sys.stdin:
        print(answer(request_line.rstrip("\n")), flush=True)
