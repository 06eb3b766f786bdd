#!/usr/bin/env python3
"""What other libraries take for a record: Tink (AES256_GCM) and IronCore Alloy, each in a process of its own.

Usage: peers.py [PEER ...]; the packages are `tink` and `ironcore-alloy`.

One JSON object a line: name, version, operation, ns_median, ns_least, n. A package that is not there is skipped,
with a line on standard error. The figures hold the way through the Python binding, some microseconds; Alloy's
also a turn of the event loop. Tink's key stays warm and it has neither key derivation nor commitment; Alloy's
standard form makes a fresh document key for each record and wraps it.
"""

import asyncio
import importlib.metadata
import json
import statistics
import subprocess
import sys
import time

RECORD = bytes(range(256)) * 8
ROUNDS = 3000
# Its binding hands a vector over number by number, so these take a thousand times as long.
VECTOR_ROUNDS = 500
WARM_UP = 300
PACKAGES = {"tink": "tink", "alloy": "ironcore-alloy"}


def report(peer, operation, nanoseconds):
    warm = nanoseconds[WARM_UP:]
    print(json.dumps({
        "name": PACKAGES[peer],
        "version": importlib.metadata.version(PACKAGES[peer]),
        "operation": operation,
        "ns_median": round(statistics.median(warm)),
        "ns_least": min(warm),
        "n": len(warm),
    }), flush=True)


def timed(act):
    """Nanoseconds of each call."""
    spent = []
    for _ in range(WARM_UP + ROUNDS):
        began = time.perf_counter_ns()
        act()
        spent.append(time.perf_counter_ns() - began)
    return spent


async def timed_async(act, rounds=ROUNDS):
    spent = []
    for _ in range(WARM_UP + rounds):
        began = time.perf_counter_ns()
        await act()
        spent.append(time.perf_counter_ns() - began)
    return spent


def tink():
    from tink import aead, new_keyset_handle

    aead.register()
    cipher = new_keyset_handle(aead.aead_key_templates.AES256_GCM).primitive(aead.Aead)
    context = bytes(115)
    sealed = cipher.encrypt(RECORD, context)
    assert cipher.decrypt(sealed, context) == RECORD
    report("tink", "seal 2 KiB", timed(lambda: cipher.encrypt(RECORD, context)))
    report("tink", "open 2 KiB", timed(lambda: cipher.decrypt(sealed, context)))


async def alloy():
    import ironcore_alloy as ironcore

    secret = ironcore.StandaloneSecret(id=1, secret=ironcore.Secret(bytes(range(32))))
    rotatable = ironcore.RotatableSecret(current_secret=secret, in_rotation_secret=None)
    vectors = {"": ironcore.VectorSecret(approximation_factor=2.0, secret=rotatable)}
    standard = ironcore.StandardSecrets(primary_secret_id=1, secrets=[secret])
    client = ironcore.Standalone(ironcore.StandaloneConfiguration(standard, {"": rotatable}, vectors))
    acme = ironcore.AlloyMetadata.new_simple("acme")

    documents, document = client.standard(), {"record": RECORD}
    sealed = await documents.encrypt(document, acme)
    assert (await documents.decrypt(sealed, acme))["record"] == RECORD
    report("alloy", "seal 2 KiB", await timed_async(lambda: documents.encrypt(document, acme)))
    report("alloy", "open 2 KiB", await timed_async(lambda: documents.decrypt(sealed, acme)))

    for length in (384, 512):
        numbers = [((at * 37) % 101 - 50) / 500 for at in range(length)]
        plain = ironcore.PlaintextVector(plaintext_vector=numbers, secret_path="", derivation_path="")
        vector = await client.vector().encrypt(plain, acme)
        encrypt = await timed_async(lambda plain=plain: client.vector().encrypt(plain, acme), VECTOR_ROUNDS)
        report("alloy", f"encrypt a vector of {length}", encrypt)
        decrypt = await timed_async(lambda vector=vector: client.vector().decrypt(vector, acme), VECTOR_ROUNDS)
        report("alloy", f"decrypt a vector of {length}", decrypt)


def run(peer):
    """One peer in a fresh process; false when it failed."""
    try:
        importlib.metadata.version(PACKAGES[peer])
    except importlib.metadata.PackageNotFoundError:
        print(f"SKIPPED: the package {PACKAGES[peer]} is not installed", file=sys.stderr)
        return True
    return subprocess.run([sys.executable, __file__, "--in-process", peer], check=False).returncode == 0


def main(arguments):
    if arguments[:1] == ["--in-process"]:
        if arguments[1] == "tink":
            tink()
        else:
            asyncio.run(alloy())
        return 0
    peers = arguments or list(PACKAGES)
    unknown = [peer for peer in peers if peer not in PACKAGES]
    if unknown:
        print(f"unknown: {unknown}; there are {list(PACKAGES)}", file=sys.stderr)
        return 2
    return 0 if all([run(peer) for peer in peers]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
