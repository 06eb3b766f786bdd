#!/usr/bin/env python3
"""Judges inclusion proofs with PyPI `sigstore`, which checks those of another log, Rekor, with the same tree.

Usage: check_sigstore.py < CASES (see matrix.py).
"""

from types import SimpleNamespace

from cases import judge
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError


def check_inclusion(case):
    proof = SimpleNamespace(
        log_index=case["index"], tree_size=case["size"], root_hash=case["root"], hashes=case["proof"]
    )
    entry = SimpleNamespace(inclusion_proof=proof, canonicalized_body=case["leaf"])
    verify_merkle_inclusion(SimpleNamespace(_inner=entry))


if __name__ == "__main__":
    judge({"inclusion": check_inclusion}, (VerificationError,))
