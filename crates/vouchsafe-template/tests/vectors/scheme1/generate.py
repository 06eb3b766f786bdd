#!/usr/bin/env python3
"""Independent implementation of protection scheme 1, from its specification. Standard library only.

usage: generate.py > references.txt
"""
import hashlib, hmac, math, struct


def stream(key, rnd, part):
    counter = 0
    while True:
        message = b"vouchsafe-template-1" + bytes([rnd, part]) + struct.pack(">I", counter)
        yield from hmac.new(key, message, hashlib.sha256).digest()
        counter += 1


def below(source, n):
    while True:
        r = next(source) << 8 | next(source)
        if r < 65536 - 65536 % n:
            return r % n


def walsh_hadamard(x):
    if len(x) == 1:
        return x
    m = len(x) // 2
    a, b = walsh_hadamard(x[:m]), walsh_hadamard(x[m:])
    return [p + q for p, q in zip(a, b)] + [p - q for p, q in zip(a, b)]


def protect(key, x):
    x = list(x)
    for rnd in (1, 2, 3):
        source = stream(key, rnd, 1)
        for i in range(len(x) - 1, 0, -1):
            j = below(source, i + 1)
            x[i], x[j] = x[j], x[i]
        source = stream(key, rnd, 2)
        for byte in range(len(x) // 8):
            bits = next(source)
            for bit in range(8):
                if bits >> bit & 1:
                    x[8 * byte + bit] = -x[8 * byte + bit]
        x = [v / math.sqrt(512) for v in walsh_hadamard(x)]
    return x


def vector(seed):
    """A unit vector: SHA-256 in counter mode, 16-bit values centred on 0, normalised, rounded to binary32."""
    raw = b"".join(hashlib.sha256(seed + struct.pack(">I", i)).digest() for i in range(32))
    v = [r - 32767.5 for (r,) in struct.iter_unpack(">H", raw)]
    norm = math.sqrt(math.fsum(r * r for r in v))
    return struct.unpack("<512f", struct.pack("<512f", *(r / norm for r in v)))


def case(name, key, x):
    model = hashlib.sha256(b"model of the vectors").digest()
    reference = bytes([1, 1, 1]) + struct.pack("<H", 512) + model + struct.pack("<512f", *protect(key, x))
    print(name, key.hex(), struct.pack("<512f", *x).hex(), reference.hex())


if __name__ == "__main__":
    unit = (1.0,) + (0.0,) * 511
    case("zero-key", bytes(32), vector(b"a"))
    case("counting-key", bytes(range(32)), vector(b"a"))
    case("counting-key-other-vector", bytes(range(32)), vector(b"b"))
    case("last-bit-of-key", bytes(31) + b"\1", vector(b"a"))
    case("first-axis", hashlib.sha256(b"key").digest(), unit)
