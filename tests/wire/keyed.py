"""Keyed mode of the dgram wire format, written from section 9 of docs/WIRE.md alone."""

import hashlib
import hmac

import primitives

NAME = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
LABEL = b"dgram/1"
REKEY_NONCE = bytes(4) + b"\xff" * 8


def derived(key, context, size=32):
    """What libsodium's crypto_kdf_derive_from_key() makes of id 1 and this context."""
    return hashlib.blake2b(b"", digest_size=size, key=key, salt=b"\1" + bytes(15), person=context + bytes(8)).digest()


class Keys:
    """All that is made of one key file."""

    def __init__(self, key):
        self.psk = derived(key, b"dgPSKhs1")
        self.mac1 = derived(key, b"dgMAC1_1")
        self.cookie = derived(key, b"dgCOOKIE")
        self.group = derived(key, b"dgGROUP1")
        hint = int.from_bytes(derived(key, b"dgKEYID1", 16)[:2], "big")
        self.hint = hint or 1


def mac(key, data):
    return hashlib.blake2b(data, digest_size=16, key=key).digest()


# The handshake. A hello is a datagram without its trailer.

class Symmetric:
    """Noise's SymmetricState."""

    def __init__(self):
        self.h = self.ck = hashlib.sha256(NAME).digest()
        self.k, self.n = None, 0

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def hkdf(self, data, count):
        prk, out = hmac.digest(self.ck, data, "sha256"), [b""]
        for index in range(count):
            out.append(hmac.digest(prk, out[-1] + bytes([index + 1]), "sha256"))
        return out[1:]

    def mix_key(self, data):
        self.ck, self.k = self.hkdf(data, 2)
        self.n = 0

    def mix_key_and_hash(self, data):
        self.ck, mixed, self.k = self.hkdf(data, 3)
        self.mix_hash(mixed)
        self.n = 0

    def seal(self, plain):
        sealed = primitives.seal(self.k, nonce(self.n), self.h, plain)
        self.mix_hash(sealed)
        self.n += 1
        return sealed

    def unseal(self, sealed):
        plain = primitives.unseal(self.k, nonce(self.n), self.h, sealed)
        self.mix_hash(sealed)
        self.n += 1
        return plain


def nonce(number):
    return bytes(4) + number.to_bytes(8, "little")


def steady(hello):
    """The bytes of a hello that are the same in all of its copies."""
    return hello[:40] + hello[48:80]


class Handshake:
    """Both sides: begin() with INIT's hello, then answer() with ACCEPT's, which needs one secret of both."""

    def __init__(self, keys):
        self.keys, self.state = keys, Symmetric()

    def begin(self, init, public):
        """-> the tag of INIT."""
        self.state.mix_hash(LABEL + steady(init))
        self.state.mix_key_and_hash(self.keys.psk)
        self.mix_public(public)
        return self.state.seal(b"")

    def answer(self, accept, public, secret, peer):
        """-> the tag of ACCEPT. public is the responder's; secret and peer: one's own and the other side's."""
        self.state.mix_hash(steady(accept))
        self.mix_public(public)
        shared = primitives.x25519(secret, peer)
        if shared == bytes(32):
            return None
        self.state.mix_key(shared)
        return self.state.seal(b"")

    def mix_public(self, public):
        self.state.mix_hash(public)
        self.state.mix_key(public)

    def split(self):
        """The key of what the initiator sends, and of what the responder sends."""
        return self.state.hkdf(b"", 2)


def with_noise(hello, public, tag):
    return hello[:96] + public + tag + hello[144:]


def with_mac2(hello, cookie):
    return hello[:80] + mac(cookie, hello[:80] + bytes(16) + hello[96:]) + hello[96:]


def with_mac1(keys, hello):
    return hello + mac(keys.mac1, hello)


# COOKIE, DATA, GROUP

def cookie_datagram(keys, header, random, cookie, mac1):
    """mac1 is the trailer of the INIT that draws it; random: 24 bytes."""
    return header + random + primitives.seal(keys.cookie, random, header + mac1, cookie)


def cookie_of(keys, datagram, mac1):
    return primitives.unseal(keys.cookie, datagram[16:40], datagram[:16] + mac1, datagram[40:])


def data_datagram(key, header, number, frames):
    return header + number.to_bytes(8, "big") + primitives.seal(key, nonce(number), header, frames)


def frames_of(key, datagram):
    number = int.from_bytes(datagram[16:24], "big")
    return primitives.unseal(key, nonce(number), datagram[:16], datagram[24:])


def next_key(key):
    return primitives.seal(key, REKEY_NONCE, b"", bytes(32))[:32]


class Opener:
    """The receiving end of one direction, through all of its keys. 3 PTO are over when forget() is called."""

    def __init__(self, key):
        self.key, self.phase, self.since, self.before = key, 0, 0, None

    def open(self, datagram):
        """The frames, or None."""
        phase = int.from_bytes(datagram[6:8], "big") >> 13 & 1
        number = int.from_bytes(datagram[16:24], "big")
        if phase != self.phase and number < self.since:
            return self.before and frames_of(self.before, datagram)
        key = self.key if phase == self.phase else next_key(self.key)
        frames = frames_of(key, datagram)
        if frames is None:
            return None
        if phase != self.phase:
            self.before, self.key, self.phase, self.since = self.key, key, phase, number
        return frames

    def forget(self):
        self.before = None


def group_datagram(keys, header, body):
    return header + body[:24] + primitives.seal(keys.group, body[:24], header, body[24:])


def group_of(keys, datagram):
    """The body."""
    inner = primitives.unseal(keys.group, datagram[16:40], datagram[:16], datagram[40:])
    return None if inner is None else datagram[16:40] + inner
