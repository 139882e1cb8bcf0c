"""X25519 (RFC 7748), ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), to check a
document with. Slow, and its time depends on the secrets: never for real keys.
"""

import hmac
import struct

# X25519

P = 2 ** 255 - 19


def x25519(secret, point):
    """32 bytes and 32 bytes make 32 bytes."""
    k = int.from_bytes(secret, "little")
    k = k & ~7 & (1 << 255) - 1 | 1 << 254
    x1 = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3 = 1, 0, x1, 1
    for bit in reversed(range(255)):
        if k >> bit & 1:
            x2, z2, x3, z3 = ladder(x1, x3, z3, x2, z2)
            x2, z2, x3, z3 = x3, z3, x2, z2
        else:
            x2, z2, x3, z3 = ladder(x1, x2, z2, x3, z3)
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def ladder(x1, x2, z2, x3, z3):
    """One step: (x2 : z2) is doubled, and (x3 : z3) becomes the sum of both."""
    a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
    da, cb = d * a % P, c * b % P
    aa, bb = a * a % P, b * b % P
    e = aa - bb
    return (aa * bb % P, e * (aa + 121665 * e) % P, (da + cb) * (da + cb) % P, x1 * (da - cb) * (da - cb) % P)


def public_key(secret):
    return x25519(secret, b"\x09" + bytes(31))


# ChaCha20

WORDS = 0xFFFFFFFF
QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def turned(value, by):
    return (value << by | value >> 32 - by) & WORDS


def rounds(state):
    state = list(state)
    for _ in range(10):
        for a, b, c, d in QUARTERS:
            for one, two, three, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                state[one] = state[one] + state[two] & WORDS
                state[three] = turned(state[three] ^ state[one], by)
    return state


def chacha_state(key, last):
    return struct.unpack("<16I", b"expand 32-byte k" + key + last)


def chacha20(key, nonce, counter, data):
    out = bytearray()
    for at in range(0, len(data), 64):
        state = chacha_state(key, struct.pack("<I", counter + at // 64) + nonce)
        stream = struct.pack("<16I", *(a + b & WORDS for a, b in zip(state, rounds(state))))
        out += bytes(a ^ b for a, b in zip(data[at:at + 64], stream))
    return bytes(out)


def hchacha20(key, nonce):
    """A key from a key and 16 bytes."""
    state = rounds(chacha_state(key, nonce))
    return struct.pack("<8I", *state[:4], *state[12:])


# The AEADs

def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at:at + 16] + b"\1", "little")) * r % (2 ** 130 - 5)
    return (total + int.from_bytes(key[16:], "little") & 2 ** 128 - 1).to_bytes(16, "little")


def tag_of(key, nonce, ad, sealed):
    padded = [part + bytes(-len(part) % 16) for part in (ad, sealed)]
    lengths = struct.pack("<QQ", len(ad), len(sealed))
    return poly1305(chacha20(key, nonce, 0, bytes(32)), padded[0] + padded[1] + lengths)


def seal(key, nonce, ad, plain):
    """The sealed bytes, then the tag: 16 bytes more. nonce: 12 bytes, or 24 for XChaCha."""
    if len(nonce) == 24:
        key, nonce = hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
    sealed = chacha20(key, nonce, 1, plain)
    return sealed + tag_of(key, nonce, ad, sealed)


def unseal(key, nonce, ad, sealed):
    """What was sealed, or None."""
    if len(nonce) == 24:
        key, nonce = hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
    sealed, tag = sealed[:-16], sealed[-16:]
    if not hmac.compare_digest(tag, tag_of(key, nonce, ad, sealed)):
        return None
    return chacha20(key, nonce, 1, sealed)
