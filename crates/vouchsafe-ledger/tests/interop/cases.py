"""Reads cases from standard input and prints a verdict for each: what every Python verifier here shares.

It knows no format of the log but the paths of its files: checking is each verifier's own work.
"""

import base64
import json
import pathlib
import sys


class Refused(Exception):
    pass


def demand(condition, message):
    if not condition:
        raise Refused(message)


class Files:
    """The files of a log, some of them changed; a missing one is None."""

    def __init__(self, folder, changes):
        self.folder, self.changes = pathlib.Path(folder), changes

    def read(self, path):
        if path in self.changes:
            changed = self.changes[path]
            return None if changed is None else base64.b64decode(changed)
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def demand(self, path):
        data = self.read(path)
        demand(data is not None, f"{path} is missing")
        return data


BYTES = ("note", "receipt", "leaf", "root", "old_root")


def judge(checks, refusals):
    """Prints the verdict of `checks[op](case)` on each case: it returns, or it raises one of `refusals`."""
    for line in sys.stdin:
        case = json.loads(line)
        for name in BYTES:
            if name in case:
                case[name] = base64.b64decode(case[name])
        case["proof"] = [base64.b64decode(hash) for hash in case.get("proof", [])]
        if "log" in case:
            case["files"] = Files(case["log"], case["changes"])
        try:
            checks[case["op"]](case)
            verdict = "accepted"
        except (Refused, *refusals) as error:
            verdict = f"refused {type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001 - a crash is no verdict, and must be told from one
            verdict = f"crashed {type(error).__name__}: {error}"
        print(case["id"], " ".join(verdict.split()))


def tile_path(level, index, width):
    elements = f"{index % 1000:03}"
    index //= 1000
    while index:
        elements = f"x{index % 1000:03}/{elements}"
        index //= 1000
    return f"tile/{level}/{elements}" + (f".p/{width}" if width < 256 else "")


def entries(files, size):
    """The leaves of a log, bundle by bundle."""
    for start in range(0, size, 256):
        width = min(256, size - start)
        data = files.demand(tile_path("entries", start // 256, width))
        found = at = 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            demand(end <= len(data), "entry bundle ends early")
            yield data[at + 2 : end]
            at, found = end, found + 1
        demand(found == width, "entry bundle has another width")
