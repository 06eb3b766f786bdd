#!/usr/bin/env python3
"""Sealed records once more, written from docs/record-format.md alone: standard library and `cryptography` only.

Reads requests from standard input, one JSON object a line, and answers each with one line. Bytes are hexadecimal.

  {"do": "seal", "key", "context", "plaintext", "salt"?}  -> {"sealed"}
  {"do": "open", "key", "context", "sealed"}              -> {"plaintext"} or {"refused"}
  {"do": "spoil", "key", "context", "plaintext"}          -> {"spoiled": [[how, sealed], ...]}
  {"do": "derive", "root", "data_key", "leaf"}            -> {"leaf_key", "record_key"}
"""

import hmac
import json
import os
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

VERSION = b"\x01"
CHUNK = 16384
TAG = 16
HEADER = 24 + 32
MOST = 1048576

CLASSES = {
    "biometric": 1, "consent_evidence": 2, "account": 3, "billing": 4, "support": 5, "usage": 6,
    "verification_log": 7, "audit_log": 8, "destruction_evidence": 9, "rights_request": 10, "disclosure": 11,
}
MODALITIES = {"none": 0, "face": 1, "voice": 2}
ROLES = {"administrator": 1, "end user": 2}
PURPOSES = {
    "verification": 1, "fraud prevention": 2, "presence token": 3, "audit": 4, "communication": 5,
    "service security": 6,
}


class Refused(Exception):
    """Its text is the error of the specification."""


def big_endian(number, length):
    return number.to_bytes(length, "big")


def part(value, length=2, order="big"):
    return len(value).to_bytes(length, order) + value


def optional(value, encode):
    return b"" if value is None else encode(value)


def scope_codes(scope):
    modality, role, purpose = scope
    return bytes([MODALITIES[modality], ROLES[role], PURPOSES[purpose]])


def context_parts(context):
    return [
        b"vouchsafe record context v1",
        context["organisation"].encode("ascii"),
        big_endian(context["leaf"], 8),
        bytes([CLASSES[context["class"]]]),
        optional(context["scope"], scope_codes),
        bytes.fromhex(context["record"]),
        optional(context["model"], bytes.fromhex),
        optional(context["dimension"], lambda number: big_endian(number, 2)),
        big_endian(context["key_version"], 4),
    ]


def join(parts):
    return b"".join(part(value) for value in parts)


def message_keys(key, salt, context):
    info = b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + b"\x00" + salt + context
    out = HKDFExpand(algorithm=hashes.SHA512(), length=76, info=info).derive(key)
    return AESGCM(out[:32]), int.from_bytes(out[32:44], "big"), out[44:]


def nonce(base, number):
    return big_endian(base ^ number, 12)


def seal(key, context, plaintext, salt):
    """`context` is encoded already, so that a wrong encoding can be tried."""
    cipher, base, commitment = message_keys(key, salt, context)
    chunks = [plaintext[at:at + CHUNK] for at in range(0, len(plaintext) + 1, CHUNK)]
    sealed = [cipher.encrypt(nonce(base, number), chunk, None) for number, chunk in enumerate(chunks)]
    return VERSION + salt + commitment + b"".join(sealed)


def open_record(key, context, sealed):
    chunks = sealed[1 + HEADER:]
    full, last = divmod(len(chunks), CHUNK + TAG)
    if len(sealed) < 1 + HEADER + TAG or last < TAG or full * CHUNK + last - TAG > MOST:
        raise Refused("malformed")
    if sealed[:1] != VERSION:
        raise Refused("not authentic")
    cipher, base, commitment = message_keys(key, sealed[1:25], context)
    if not hmac.compare_digest(commitment, sealed[25:57]):
        raise Refused("not authentic")
    plaintext = b""
    for number in range(full + 1):
        at = number * (CHUNK + TAG)
        try:
            plaintext += cipher.decrypt(nonce(base, number), chunks[at:at + CHUNK + TAG], None)
        except InvalidTag:
            raise Refused("not authentic") from None
    return plaintext


def leaf_key(root, leaf):
    node = root
    for level in reversed(range(48)):
        bit = leaf >> level & 1
        node = hmac.digest(node, b"vouchsafe tree node v1" + bytes([bit]), "sha256")
    return node


def record_key(leaf, data_key):
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=data_key, info=b"vouchsafe record v1")
    return kdf.derive(leaf)


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def spoiled_contexts(parts):
    """Encodings that are not the one encoding of this context."""
    for at in range(len(parts)):
        rest = parts[:at] + parts[at + 1:]
        yield f"part {at} missing", join(rest)
        yield f"part {at} empty", join(parts[:at] + [b""] + parts[at + 1:])
        yield f"part {at} twice", join(parts[:at + 1] + parts[at:])
        yield f"part {at} longer", join(parts[:at] + [parts[at] + b"\x00"] + parts[at + 1:])
        yield f"part {at} first", join([parts[at]] + rest)
        yield f"part {at} last", join(rest + [parts[at]])
    yield "no context", b""
    yield "a part more", join(parts + [b""])
    yield "another label", join([b"vouchsafe record context v2"] + parts[1:])
    yield "little-endian lengths", b"".join(part(value, 2, "little") for value in parts)
    yield "lengths of four bytes", b"".join(part(value, 4) for value in parts)
    yield "no lengths", b"".join(parts)


def spoil(key, parts, plaintext):
    """Records that must be refused under `key` and the context of `parts`."""
    honest, salt = join(parts), os.urandom(24)
    sealed = seal(key, honest, plaintext, salt)
    short = len(sealed) < 200
    for how, context in spoiled_contexts(parts):
        if context != honest:
            yield how, seal(key, context, plaintext, salt)
    for bit in range(len(sealed) * 8 if short else 0):
        yield f"bit {bit} flipped", flipped(sealed, bit)
    for bit in range(256 if short else 1):
        yield f"bit {bit} of the key flipped", seal(flipped(key, bit), honest, plaintext, salt)
    for version in [0, *range(2, 256)] if short else [0]:
        yield f"version {version}", bytes([version]) + sealed[1:]
    for length in range(len(sealed)) if short else (56, 73, CHUNK + 73, len(sealed) - 1):
        yield f"cut to {length} bytes", sealed[:length]
    for more in (b"\x00", b"\x01", bytes(16), bytes(CHUNK + TAG), sealed):
        yield f"{len(more)} bytes more", sealed + more
    chunks = sealed[57:]
    if len(chunks) > 2 * (CHUNK + TAG):
        first, second = chunks[:CHUNK + TAG], chunks[CHUNK + TAG:2 * (CHUNK + TAG)]
        rest = chunks[2 * (CHUNK + TAG):]
        yield "chunks swapped", sealed[:57] + second + first + rest
        yield "first chunk missing", sealed[:57] + second + rest
        yield "first chunk twice", sealed[:57] + first + first + rest


def answer(request):
    do = request["do"]
    if do == "derive":
        leaf = leaf_key(bytes.fromhex(request["root"]), request["leaf"])
        key = record_key(leaf, bytes.fromhex(request["data_key"]))
        return {"leaf_key": leaf.hex(), "record_key": key.hex()}
    key, parts = bytes.fromhex(request["key"]), context_parts(request["context"])
    if do == "open":
        try:
            return {"plaintext": open_record(key, join(parts), bytes.fromhex(request["sealed"])).hex()}
        except Refused as error:
            return {"refused": str(error)}
    plaintext = bytes.fromhex(request["plaintext"])
    if do == "spoil":
        return {"spoiled": [[how, sealed.hex()] for how, sealed in spoil(key, parts, plaintext)]}
    salt = bytes.fromhex(request["salt"]) if "salt" in request else os.urandom(24)
    return {"sealed": seal(key, join(parts), plaintext, salt).hex()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))))
