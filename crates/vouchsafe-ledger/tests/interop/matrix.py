#!/usr/bin/env python3
"""Asks independent verifiers about sample logs as they were written, and about changed ones.

Usage: matrix.py SAMPLES NAME=COMMAND...

Every verifier is asked about every artefact that it reads (READERS): it must accept all that is as written and
refuse all that is changed. The one of this workspace is asked the same. Prints how often each did, and fails if one verdict is wrong, missing or a crash.

A case is one line of JSON with `id`, `op` (checkpoint, cosignature, receipt, inclusion, consistency or log) and what that
question needs; bytes are base 64. It does not tell which verdict is expected.
"""

import base64
import collections
import concurrent.futures
import hashlib
import itertools
import json
import pathlib
import shlex
import subprocess
import sys

STRICT = ("vouchsafe", "python")
SIGNED = ("vouchsafe", "go", "python", "aics-tlog")
TREES = (*SIGNED, "sigstore")
READERS = {
    ("checkpoint", "text"): SIGNED,
    ("checkpoint", "signature line"): SIGNED,
    # These two say the same in another spelling, which signed-note forbids. Go's base 64 ignores stray bits.
    ("checkpoint", "stray bits"): (*STRICT, "aics-tlog"),
    # aics-tlog 0.2.1 does without the last newline.
    ("checkpoint", "last newline"): (*STRICT, "go"),
    ("checkpoint", "verifier key"): SIGNED,
    ("checkpoint", "origin"): SIGNED,
    ("cosignature", "text"): (*STRICT, "aics-tlog"),
    ("cosignature", "signature line"): (*STRICT, "aics-tlog"),
    ("cosignature", "witness key"): (*STRICT, "aics-tlog"),
    ("receipt", "text"): (*STRICT, "go"),
    ("receipt", "stray bits"): STRICT,
    ("inclusion", "proof hash"): TREES,
    ("inclusion", "leaf"): TREES,
    ("inclusion", "index"): TREES,
    ("inclusion", "size"): TREES,
    # sigstore 4.5.1 does not compare the index with the size.
    ("inclusion", "size up to index"): SIGNED,
    ("inclusion", "root"): TREES,
    ("consistency", "proof hash"): SIGNED,
    ("consistency", "older size"): SIGNED,
    ("consistency", "older root"): SIGNED,
    ("consistency", "size"): SIGNED,
    ("consistency", "root"): SIGNED,
    ("log", "checkpoint"): SIGNED,
    ("log", "hash tile"): SIGNED,
    # aics-tlog 0.2.1 reads as much of the last tile of a level as the checkpoint covers.
    ("log", "longer last tile"): (*STRICT, "go"),
    ("log", "entry bundle"): SIGNED,
}
OPERATIONS = {op: {name for (of, _), names in READERS.items() if of == op for name in names} for op, _ in READERS}
LENGTH = 32
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def flip(data, at):
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def flips(data):
    return [flip(data, at) for at in range(len(data))]


class Sample:
    """One log, with what its writer handed out."""

    def __init__(self, folder):
        self.folder = folder
        self.key, self.origin = (folder / "verifier-key").read_text(), (folder / "origin").read_text()
        self.note = (folder / "log/checkpoint").read_bytes()
        self.size, self.root = head(self.note)
        self.cosigned = (folder / "cosigned.checkpoint").read_bytes()
        self.witness_key = (folder / "witness-key").read_text()
        self.receipts = [
            (int(path.stem), path.read_bytes(), path.with_suffix(".leaf").read_bytes())
            for path in sorted(folder.glob("receipts/*.tlog-proof"))
        ]
        self.growth = [
            (path.with_suffix(".checkpoint").read_bytes(), decode_lines(path.read_bytes()))
            for path in sorted(folder.glob("growth/*.proof"))
        ]

    def file(self, path):
        return (self.folder / "log" / path).read_bytes()


def head(note):
    _, size, root = note.split(b"\n")[:3]
    return int(size), base64.b64decode(root)


def decode_lines(lines):
    return [base64.b64decode(line) for line in lines.split()]


def encoded(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: encoded(part) for name, part in value.items()}
    return [encoded(part) for part in value] if isinstance(value, list) else value


class Cases:
    def __init__(self):
        self.lines, self.expected = [], []

    def add(self, artefact, case):
        """A case as written has no artefact that was changed."""
        self.lines.append(json.dumps({"id": len(self.lines), **encoded(case)}))
        self.expected.append((case["op"], artefact))

    def vary(self, case, artefact, name, changed):
        for value in changed:
            assert value != case[name], (artefact, name)
            self.add(artefact, {**case, name: value})


def checkpoints(cases, sample):
    older = [note for note, _ in sample.growth]
    for note in [sample.note, *older]:
        case = {"op": "checkpoint", "note": note, "key": sample.key, "origin": sample.origin}
        cases.add(None, case)
        text, line = note.split(b"\n\n")
        lines = text.split(b"\n")
        texts = [*flips(text), b"\n".join(lines[:2]), text + b"\nmore", lines[0] + b"\n0" + text[len(lines[0]) + 1 :]]
        texts += [other.split(b"\n\n")[0] for other in [sample.note, *older] if other != note]
        cases.vary(case, "text", "note", [changed + b"\n\n" + line for changed in texts])
        others = [other.split(b"\n\n")[1] for other in [sample.note, *older] if other != note]
        signatures = [*flips(line), b"", line[:-9] + b"\n", *others]
        vary_signed(cases, case, "signature line", "note", [text + b"\n\n" + changed for changed in signatures])
        cases.vary(case, "last newline", "note", [note[:-1]])
        vary_signed(cases, case, "signature line", "note", [with_stray_bit(note)])
        keys = [changed.decode() for changed in flips(sample.key.encode())]
        cases.vary(case, "verifier key", "key", [*keys, sample.key[:-4], ""])
        cases.vary(case, "origin", "origin", [*(o.decode() for o in flips(sample.origin.encode())), ""])


def cosignatures(cases, sample):
    """Whoever knows no witness ignores the second signature; whoever does must find it good."""
    known = {"key": sample.key, "origin": sample.origin}
    cases.add(None, {"op": "checkpoint", "note": sample.cosigned, **known})
    case = {"op": "cosignature", "note": sample.cosigned, "witness_key": sample.witness_key, **known}
    cases.add(None, case)
    text, lines = sample.cosigned.split(b"\n\n")
    own, line = lines.split(b"\n")[:2]
    cases.vary(case, "text", "note", [changed + b"\n\n" + lines for changed in flips(text)])
    # 76 bytes end in a digit whose four lowest bits say nothing.
    changed = [*flips(line), line[:-2] + ALPHABET[ALPHABET.index(line[-3:-2]) ^ 8 :][:1] + b"=="]
    noted = [text + b"\n\n" + own + b"\n" + changed + b"\n" for changed in changed]
    noted += [sample.note, text + b"\n\n" + line + b"\n"]
    cases.vary(case, "signature line", "note", [note for note in noted if note != sample.cosigned])
    keys = [changed.decode() for changed in flips(sample.witness_key.encode())]
    cases.vary(case, "witness key", "witness_key", [*keys, sample.key])


def vary_signed(cases, case, artefact, name, changed):
    """Tells apart the changes that leave the signature the same to whoever ignores stray bits."""
    for value in changed:
        same = signature(value) == signature(case[name]) and value.rpartition(b" ")[0] == case[name].rpartition(b" ")[0]
        cases.vary(case, "stray bits" if same else artefact, name, [value])


def signature(note):
    try:
        return base64.b64decode(note.rpartition(b" ")[2].rstrip(b"\n"), validate=True)
    except ValueError:
        return None


def with_stray_bit(note):
    """Base 64 of the 68 bytes of a signature ends in a digit whose two lowest bits say nothing."""
    assert note.endswith(b"=\n") and note[-3:-2] != b"="
    return note[:-3] + ALPHABET[ALPHABET.index(note[-3:-2]) ^ 2 :][:1] + b"=\n"


def changed_proofs(proof, root):
    for at, hash in enumerate(proof):
        yield [*proof[:at], flip(hash, at % LENGTH), *proof[at + 1 :]]
        yield [*proof[:at], hash[:-1], *proof[at + 1 :]]
        yield [*proof[:at], hash + b"\0", *proof[at + 1 :]]
        yield [*proof[:at], root, *proof[at + 1 :]]
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[:at], hash, hash, *proof[at + 1 :]]
        if at:
            yield [*proof[: at - 1], hash, proof[at - 1], *proof[at + 1 :]]
    yield [*proof, bytes(LENGTH)]
    yield [root, *proof]
    if len(proof) > 1:
        yield []
        yield proof[::-1]


def changed_roots(root):
    return [*flips(root), root[:-1], root + b"\0", b"", hashlib.sha256().digest()]


def shape(index, size):
    """How many hashes of an inclusion proof lie on either side, and how many to the left of its subtree only."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def other_sizes(index, size):
    """Sizes that do not go with the proof.

    A proof by itself fits every size that gives it the same shape: a root belongs to one size only because the
    checkpoint signs both, and there ("checkpoint text") each digit of the size is changed.
    """
    candidates = [0, 1, index, size - 1, size + 1, size // 2, 2 * size, 1 << 40]
    return sorted({c for c in candidates if c != size and (c <= index or shape(index, c) != shape(index, size))})


def inclusions(cases, sample):
    for index, receipt, leaf in sample.receipts:
        known = {"key": sample.key, "origin": sample.origin}
        case = {"op": "receipt", "receipt": receipt, "leaf": leaf, **known}
        cases.add(None, case)
        lines = receipt.split(b"\n")
        without = [b"\n".join(lines[:at] + lines[at + 1 :]) for at in range(len(lines) - 1)]
        vary_signed(cases, case, "text", "receipt", [*flips(receipt), *without, b"", with_stray_bit(receipt)])

        proof = decode_lines(b"\n".join(receipt.split(b"\n\n")[0].split(b"\n")[2:]))
        case = {"op": "inclusion", "leaf": leaf, "index": index, "size": sample.size, "root": sample.root, "proof": proof}
        cases.add(None, case)
        cases.vary(case, "proof hash", "proof", changed_proofs(proof, sample.root))
        other = next(leaf for at, _, leaf in reversed(sample.receipts) if at != index or len(sample.receipts) == 1)
        leaves = [*flips(leaf), leaf[:-1], leaf + b"\0", b"", b"\0" + leaf]
        cases.vary(case, "leaf", "leaf", leaves + [other] * (other != leaf))
        # The parent of the leaf, handed in as a leaf of a tree of half the height.
        pair = [hashlib.sha256(b"\0" + leaf).digest(), proof[0]]
        parent = b"".join(reversed(pair) if index & 1 else pair)
        smaller = {"index": index // 2, "size": (sample.size + 1) // 2, "proof": proof[1:]}
        cases.add("leaf", {**case, **smaller, "leaf": parent})
        indices = {index ^ 1 << bit for bit in range(sample.size.bit_length() + 1)} | {sample.size, index + 1}
        cases.vary(case, "index", "index", sorted(indices - {index}))
        for size in other_sizes(index, sample.size):
            cases.vary(case, "size" if size > index else "size up to index", "size", [size])
        cases.vary(case, "root", "root", changed_roots(sample.root))


def consistencies(cases, sample):
    for note, proof in sample.growth:
        old, old_root = head(note)
        case = {
            "op": "consistency",
            "old_size": old,
            "old_root": old_root,
            "size": sample.size,
            "root": sample.root,
            "proof": proof,
        }
        cases.add(None, case)
        cases.vary(case, "proof hash", "proof", changed_proofs(proof, sample.root))
        olds = {old ^ 1 << bit for bit in range(sample.size.bit_length())} | {old + 1, sample.size, sample.size + 1}
        cases.vary(case, "older size", "old_size", sorted(olds - {old}))
        cases.vary(case, "older root", "old_root", [*changed_roots(old_root), sample.root])
        cases.vary(case, "size", "size", [size for size in other_sizes(old - 1, sample.size) if size != old or proof])
        cases.vary(case, "root", "root", [*changed_roots(sample.root), old_root])


def tiles(size, level):
    """The paths of the tiles of a level, or of its entry bundles, that a log of this size must have."""
    hashes = size if level == "entries" else size >> 8 * level
    for start in range(0, hashes, 256):
        width = min(256, hashes - start)
        yield f"tile/{level}/{start // 256:03}" + (f".p/{width}" if width < 256 else "")


def logs(cases, sample, every):
    """Changes every hash and every leaf, or only some of a large log."""
    known = {"key": sample.key, "origin": sample.origin, "size": sample.size, "root": sample.root}
    case = {"op": "log", "log": str(sample.folder / "log"), "changes": {}, **known}
    cases.add(None, case)

    def change(artefact, path, data):
        cases.add(artefact, {**case, "changes": {path: data}})

    change("checkpoint", "checkpoint", None)
    change("checkpoint", "checkpoint", flip(sample.note, sample.note.index(b"\n") + 1))
    for level in [*itertools.takewhile(lambda level: sample.size >> 8 * level, itertools.count()), "entries"]:
        artefact, width = ("entry bundle", 57) if level == "entries" else ("hash tile", LENGTH)
        paths = list(tiles(sample.size, level))
        chosen = paths if every else sorted({paths[0], paths[len(paths) // 2], paths[-1]})
        for path in chosen:
            data = sample.file(path)
            steps = range(0, len(data), width) if every else [0, len(data) - width]
            for at in steps:
                change(artefact, path, flip(data, at + at // width % width))
            wholes = [None, b"", data[:-1], data[:-width], data + b"\0", data + data[:width]]
            wholes += [data[width : 2 * width] + data[:width] + data[2 * width :]] if len(data) > width else []
            wholes += [other for other in (sample.file(p) for p in paths[:2]) if other != data]
            for whole in wholes if every else wholes[:1]:
                longer = artefact == "hash tile" and ".p/" in path and whole and whole[: len(data)] == data
                change("longer last tile" if longer else artefact, path, whole)


def ask(name, command, cases):
    """The verdict of a verifier on each case that it can judge."""
    asked = {
        number: line
        for number, (line, (op, artefact)) in enumerate(zip(cases.lines, cases.expected))
        if name in (OPERATIONS[op] if artefact is None else READERS[op, artefact])
    }
    questions = "".join(line + "\n" for line in asked.values())
    run = subprocess.run(shlex.split(command), input=questions, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"FAILED: {name} stopped with status {run.returncode}")
    verdicts = {int(number): verdict for number, verdict in (line.split(" ", 1) for line in run.stdout.splitlines())}
    if verdicts.keys() != asked.keys():
        raise SystemExit(f"FAILED: {name} did not judge every case")
    return verdicts


def main(samples, verifiers):
    cases = Cases()
    large, small = Sample(samples / "large"), Sample(samples / "small")
    for sample in (large, small):
        checkpoints(cases, sample)
        cosignatures(cases, sample)
        inclusions(cases, sample)
        consistencies(cases, sample)
    logs(cases, large, every=False)
    logs(cases, small, every=True)

    wrong = 0
    with concurrent.futures.ThreadPoolExecutor() as pool:
        judged = list(pool.map(lambda verifier: ask(*verifier, cases), verifiers))
    print(f"{'verifier':<10} {'question':<12} {'changed artefact':<17} {'accepted':>8} {'refused':>8}")
    for (name, _), verdicts in zip(verifiers, judged):
        counts = collections.Counter()
        for number, verdict in verdicts.items():
            (op, artefact), word = cases.expected[number], verdict.split(" ")[0]
            counts[op, artefact, word] += 1
            if word != ("accepted" if artefact is None else "refused"):
                wrong += 1
                print(f"WRONG: {name}: {op}, {artefact or 'as written'}: {verdict}")
                print(f"       {cases.lines[number][:400]}")
        rows = [(op, None) for op in OPERATIONS if name in OPERATIONS[op]]
        rows += [row for row, readers in READERS.items() if name in readers]
        for op, artefact in sorted(rows, key=lambda row: list(OPERATIONS).index(row[0])):
            accepted, refused = counts[op, artefact, "accepted"], counts[op, artefact, "refused"]
            print(f"{name:<10} {op:<12} {artefact or '(as written)':<17} {accepted:>8} {refused:>8}")
            if not accepted + refused:
                wrong += 1
                print(f"WRONG: {name} was not asked")
    if wrong:
        sys.exit(f"FAILED: {wrong} wrong verdicts")
    print(f"interop: {', '.join(name for name, _ in verifiers)}: accept what was written, refuse every change to it")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), [argument.split("=", 1) for argument in sys.argv[2:]])
