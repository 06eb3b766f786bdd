#!/usr/bin/env python3
"""Checks a published log without any code of this workspace: standard library and `cryptography` only.

Usage: check_log.py FOLDER, where FOLDER holds log/, verifier-key, witness-key, origin, receipt.tlog-proof
and leaf.

Implements C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles and tlog-proof, and RFC 6962 section 2.1.
Exit status 0: everything holds; 1: something does not, and the last line says what.
"""

import base64
import hashlib
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    pass


def demand(condition, message):
    if not condition:
        raise Refused(message)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(leaf):
    return sha256(b"\x00", leaf)


def tree_hash(hashes):
    """MTH of RFC 6962 section 2.1, over leaf hashes."""
    if not hashes:
        return sha256()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\x01", tree_hash(hashes[:split]), tree_hash(hashes[split:]))


def root_from_path(index, size, leaf, path):
    """The root that PATH(index, D[size]) of RFC 6962 section 2.1.1 leads to."""
    if size == 1:
        demand(not path, "inclusion proof is too long")
        return leaf
    demand(path, "inclusion proof is too short")
    split = 1 << ((size - 1).bit_length() - 1)
    if index < split:
        return sha256(b"\x01", root_from_path(index, split, leaf, path[:-1]), path[-1])
    return sha256(b"\x01", path[-1], root_from_path(index - split, size - split, leaf, path[:-1]))


def decode(text):
    raw = base64.b64decode(text, validate=True)
    demand(base64.b64encode(raw).decode() == text, "base64 is not canonical")
    return raw


def open_note(note, key, origin):
    """The size and root of a checkpoint signed by the key."""
    name, key_id, blob = key.split("+", 2)
    blob = decode(blob)
    demand(blob[0] == 1 and len(blob) == 33, "verifier key is not Ed25519")
    expected_id = sha256(name.encode(), b"\n", blob)[:4]
    demand(expected_id.hex() == key_id, "key id is not that of the key")
    body, separator, signatures = note.rpartition("\n\n")
    demand(separator and signatures.endswith("\n"), "note has no signatures")
    body += "\n"
    known = 0
    for line in signatures[:-1].split("\n"):
        dash, signer, signature = line.split(" ")
        demand(dash == "\u2014", "signature line is malformed")
        signature = decode(signature)
        if signer == name and signature[:4] == expected_id:
            Ed25519PublicKey.from_public_bytes(blob[1:]).verify(signature[4:], body.encode())
            known += 1
    demand(known, "no signature is by the log's key")
    lines = body.split("\n")
    demand(len(lines) == 4 and lines[3] == "", "checkpoint does not have three lines")
    demand(lines[0] == origin, "checkpoint is of another log")
    demand(lines[1] == str(int(lines[1])), "tree size is not canonical")
    root = decode(lines[2])
    demand(len(root) == 32, "root does not have 32 bytes")
    return int(lines[1]), root


def cosigned_at(note, key):
    """When the witness with this key cosigned the note, by cosignature/v1 of C2SP tlog-cosignature."""
    name, key_id, blob = key.split("+", 2)
    blob = decode(blob)
    demand(blob[0] == 4 and len(blob) == 33, "witness key is not of cosignature/v1")
    expected_id = sha256(name.encode(), b"\n", blob)[:4]
    demand(expected_id.hex() == key_id, "key id is not that of the witness key")
    body, _, signatures = note.rpartition("\n\n")
    for line in signatures[:-1].split("\n"):
        _, signer, signature = line.split(" ")
        signature = decode(signature)
        if signer == name and signature[:4] == expected_id:
            time = int.from_bytes(signature[4:12], "big")
            message = f"cosignature/v1\ntime {time}\n{body}\n"
            Ed25519PublicKey.from_public_bytes(blob[1:]).verify(signature[12:], message.encode())
            return time
    raise Refused("the witness did not cosign")


def tile_path(level, index, width):
    elements = f"{index % 1000:03}"
    index //= 1000
    while index:
        elements = f"x{index % 1000:03}/{elements}"
        index //= 1000
    return f"tile/{level}/{elements}" + (f".p/{width}" if width < 256 else "")


def entries(log, size):
    for start in range(0, size, 256):
        width = min(256, size - start)
        data = (log / tile_path("entries", start // 256, width)).read_bytes()
        found = 0
        while data:
            length = int.from_bytes(data[:2], "big")
            demand(len(data) >= 2 + length, "entry bundle ends early")
            yield data[2 : 2 + length]
            data, found = data[2 + length :], found + 1
        demand(found == width, "entry bundle has another width")


def check_tiles(log, hashes):
    """Every hash tile is what the entries give."""
    level, checked = 0, 0
    while hashes:
        for start in range(0, len(hashes), 256):
            tile = hashes[start : start + 256]
            stored = (log / tile_path(level, start // 256, len(tile))).read_bytes()
            demand(stored == b"".join(tile), f"tile {level}/{start // 256} differs from the entries")
            checked += 1
        full = len(hashes) // 256
        hashes = [tree_hash(hashes[256 * i : 256 * i + 256]) for i in range(full)]
        level += 1
    return checked


def check_receipt(receipt, leaf, key, origin):
    head, _, note = receipt.partition("\n\n")
    lines = head.split("\n")
    demand(lines[0] == "c2sp.org/tlog-proof@v1", "receipt has another version")
    lines = lines[2:] if lines[1].startswith("extra ") else lines[1:]
    demand(lines[0].startswith("index "), "receipt has no index")
    index = int(lines[0][6:])
    path = [decode(line) for line in lines[1:]]
    size, root = open_note(note, key, origin)
    demand(index < size, "index lies outside the tree")
    demand(root_from_path(index, size, leaf_hash(leaf), path) == root, "receipt does not lead to the root")
    return index


def main(folder):
    log = folder / "log"
    key, origin = (folder / "verifier-key").read_text(), (folder / "origin").read_text()
    note = (log / "checkpoint").read_bytes().decode()
    size, root = open_note(note, key, origin)
    demand(cosigned_at(note, (folder / "witness-key").read_text()) == 1_700_000_000, "cosignature has another time")
    leaves = list(entries(log, size))
    demand(all(len(leaf) == 55 and leaf[0] == 1 for leaf in leaves), "leaf has another version or length")
    hashes = [leaf_hash(leaf) for leaf in leaves]
    demand(tree_hash(hashes) == root, "entries do not give the signed root")
    tiles = check_tiles(log, hashes)
    leaf = (folder / "leaf").read_bytes()
    index = check_receipt((folder / "receipt.tlog-proof").read_bytes().decode(), leaf, key, origin)
    demand(leaves[index] == leaf, "proven leaf is not the one in the log")
    print(f"python: {size} leaves, {tiles} hash tiles, a cosignature and the receipt of leaf {index} hold")


if __name__ == "__main__":
    try:
        main(pathlib.Path(sys.argv[1]))
    except InvalidSignature:
        sys.exit("python: refused: signature does not verify")
    except (Refused, OSError, ValueError, IndexError) as error:
        sys.exit(f"python: refused: {error}")
