#!/usr/bin/env python3
"""Judges what a log published without any code of this workspace: standard library and `cryptography` only.

Usage: check_log.py < CASES (see matrix.py).
Implements C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles and tlog-proof, and RFC 6962 section 2.1.
"""

import base64
import hashlib

from cases import demand, entries, judge, tile_path
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(leaf):
    return sha256(b"\x00", leaf)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


def split(size):
    """The largest power of two smaller than the size."""
    return 1 << ((size - 1).bit_length() - 1)


def tree_hash(hashes):
    """MTH of RFC 6962 section 2.1, over leaf hashes."""
    if not hashes:
        return sha256()
    if len(hashes) == 1:
        return hashes[0]
    left = split(len(hashes))
    return node_hash(tree_hash(hashes[:left]), tree_hash(hashes[left:]))


def root_from_path(index, size, leaf, path):
    """The root that PATH(index, D[size]) of RFC 6962 section 2.1.1 leads to."""
    if size == 1:
        demand(not path, "inclusion proof is too long")
        return leaf
    demand(path, "inclusion proof is too short")
    left = split(size)
    if index < left:
        return node_hash(root_from_path(index, left, leaf, path[:-1]), path[-1])
    return node_hash(path[-1], root_from_path(index - left, size - left, leaf, path[:-1]))


def roots_from_proof(old, size, old_root, whole, proof):
    """The two roots that SUBPROOF(old, D[size], whole) of RFC 6962 section 2.1.2 leads to."""
    if old == size:
        if whole:
            demand(not proof, "consistency proof is too long")
            return old_root, old_root
        demand(len(proof) == 1, "consistency proof has another length")
        return proof[0], proof[0]
    demand(proof, "consistency proof is too short")
    left = split(size)
    if old <= left:
        before, after = roots_from_proof(old, left, old_root, whole, proof[:-1])
        return before, node_hash(after, proof[-1])
    before, after = roots_from_proof(old - left, size - left, old_root, False, proof[:-1])
    return node_hash(proof[-1], before), node_hash(proof[-1], after)


def check_inclusion(case):
    check_path(case["leaf"], case["index"], case["size"], case["root"], case["proof"])


def check_path(leaf, index, size, root, path):
    demand(0 <= index < size, "index lies outside the tree")
    demand(all(len(hash) == 32 for hash in path), "hash has another length")
    demand(root_from_path(index, size, leaf_hash(leaf), path) == root, "proof does not lead to the root")


def check_consistency(case):
    old, size, proof = case["old_size"], case["size"], case["proof"]
    demand(0 < old <= size, "sizes are out of order")
    demand(all(len(hash) == 32 for hash in proof), "hash has another length")
    roots = roots_from_proof(old, size, case["old_root"], True, proof)
    demand(roots == (case["old_root"], case["root"]), "proof does not lead to the roots")


def decode(text):
    raw = base64.b64decode(text, validate=True)
    demand(base64.b64encode(raw).decode() == text, "base64 is not canonical")
    return raw


def parse_key(key, algorithm):
    """The name, the id and the public key of a key in its text form."""
    name, key_id, blob = key.split("+", 2)
    blob = decode(blob)
    demand(len(blob) == 33 and blob[0] == algorithm, "key is of another kind")
    expected_id = sha256(name.encode(), b"\n", blob)[:4]
    demand(expected_id.hex() == key_id, "key id is not that of the key")
    return name, expected_id, blob[1:]


def verify_note(note, name, key_id, public, statement):
    """The text of a note; `statement` splits a signature and the text into what Ed25519 verifies."""
    body, separator, signatures = note.decode().rpartition("\n\n")
    demand(separator and signatures.endswith("\n"), "note has no signatures")
    body += "\n"
    known = 0
    for line in signatures[:-1].split("\n"):
        dash, signer, signature = line.split(" ")
        demand(dash == "\u2014", "signature line is malformed")
        signature = decode(signature)
        if signer == name and signature[:4] == key_id:
            signature, message = statement(signature[4:], body)
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message.encode())
            known += 1
    demand(known, "no signature is by the key")
    return body


def cosigned(signature, body):
    """What a signature of the kind cosignature/v1 is over."""
    time = int.from_bytes(signature[:8], "big")
    return signature[8:], f"cosignature/v1\ntime {time}\n{body}"


def check_cosignature(case):
    open_note(case["note"], case["key"], case["origin"])
    verify_note(case["note"], *parse_key(case["witness_key"], 4), cosigned)


def open_note(note, key, origin):
    """The size and root of a checkpoint signed by the key."""
    body = verify_note(note, *parse_key(key, 1), lambda signature, body: (signature, body))
    lines = body.split("\n")
    demand(len(lines) == 4 and lines[3] == "", "checkpoint does not have three lines")
    demand(lines[0] == origin, "checkpoint is of another log")
    demand(lines[1] == str(int(lines[1])), "tree size is not canonical")
    root = decode(lines[2])
    demand(len(root) == 32, "root does not have 32 bytes")
    return int(lines[1]), root


def check_receipt(case):
    head, _, note = case["receipt"].partition(b"\n\n")
    lines = head.decode().split("\n")
    demand(lines[0] == "c2sp.org/tlog-proof@v1" and len(lines) > 1, "receipt has another version")
    lines = lines[2:] if lines[1].startswith("extra ") else lines[1:]
    demand(lines and lines[0].startswith("index "), "receipt has no index")
    index = int(lines[0][6:])
    demand(lines[0] == f"index {index}", "index is not canonical")
    path = [decode(line) for line in lines[1:]]
    size, root = open_note(note, case["key"], case["origin"])
    check_path(case["leaf"], index, size, root, path)


def check_tiles(files, hashes):
    """Every hash tile is what the entries give."""
    level = 0
    while hashes:
        for start in range(0, len(hashes), 256):
            tile = hashes[start : start + 256]
            stored = files.demand(tile_path(level, start // 256, len(tile)))
            demand(stored == b"".join(tile), f"tile {level}/{start // 256} differs from the entries")
        full = len(hashes) // 256
        hashes = [tree_hash(hashes[256 * i : 256 * i + 256]) for i in range(full)]
        level += 1


def check_log(case):
    files = case["files"]
    size, root = open_note(files.demand("checkpoint"), case["key"], case["origin"])
    leaves = list(entries(files, size))
    demand(all(len(leaf) == 55 and leaf[0] == 1 for leaf in leaves), "leaf has another version or length")
    hashes = [leaf_hash(leaf) for leaf in leaves]
    demand(tree_hash(hashes) == root, "entries do not give the signed root")
    check_tiles(files, hashes)


if __name__ == "__main__":
    judge(
        {
            "checkpoint": lambda case: open_note(case["note"], case["key"], case["origin"]),
            "cosignature": check_cosignature,
            "consistency": check_consistency,
            "inclusion": check_inclusion,
            "log": check_log,
            "receipt": check_receipt,
        },
        (InvalidSignature, ValueError),
    )
