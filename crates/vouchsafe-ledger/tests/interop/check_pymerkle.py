#!/usr/bin/env python3
"""Judges what a log published with PyPI `pymerkle`, which knows trees and no signatures.

Usage: check_pymerkle.py < CASES (see matrix.py).

Its `security` mode puts 0x00 before leaves and 0x01 before nodes, which is the tree of RFC 6962. It counts leaves
from one, and its proof starts with the leaf's hash. Its consistency proofs are not those of RFC 6962 (they go down
to a single leaf), so it is not asked about consistency; it computes the root from the leaves instead.
"""

import pymerkle
from cases import demand, entries, judge
from pymerkle.core import _inclusion_path_layout
from pymerkle.hasher import MerkleHasher

HASHER = MerkleHasher("sha256")


def check_inclusion(case):
    index, size = case["index"] + 1, case["size"]
    demand(0 < index <= size, "index lies outside the tree")
    base = HASHER.hash_buff(case["leaf"])
    proof = pymerkle.InclusionProof(
        algorithm="sha256",
        security=True,
        size=size,
        index=index,
        rule=_inclusion_path_layout(index, size)[0],
        path=[base, *case["proof"]],
    )
    pymerkle.verify_inclusion(base, case["root"], proof, index=index, size=size, algorithm="sha256")


def check_log(case):
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in entries(case["files"], case["size"]):
        tree.append_entry(leaf)
    demand(tree.get_root() == case["root"], "entries do not give the root")


if __name__ == "__main__":
    judge({"inclusion": check_inclusion, "log": check_log}, (pymerkle.InvalidProof,))
