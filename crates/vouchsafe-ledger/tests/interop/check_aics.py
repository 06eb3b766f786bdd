#!/usr/bin/env python3
"""Judges what a log published with PyPI `aics-tlog`.

Usage: check_aics.py < CASES (see matrix.py).
"""

import aics_tlog
from cases import demand, judge


def open_checkpoint(note, key, origin):
    opened = aics_tlog.verify_checkpoint(
        aics_tlog.parse_note(note), aics_tlog.parse_vkey(key), expected_origin=origin
    )
    demand(opened.ok, opened.error)
    return opened.size, opened.root


def check_cosignature(case):
    cosigned = aics_tlog.verify_checkpoint(
        aics_tlog.parse_note(case["note"]),
        aics_tlog.parse_vkey(case["key"]),
        [aics_tlog.parse_vkey(case["witness_key"])],
        quorum=1,
        expected_origin=case["origin"],
    )
    demand(cosigned.ok, cosigned.error)


def check_inclusion(case):
    leads = aics_tlog.verify_leaf_inclusion(
        case["leaf"], case["index"], case["size"], case["proof"], case["root"]
    )
    demand(leads, "proof does not lead to the root")


def check_consistency(case):
    leads = aics_tlog.verify_consistency(
        case["old_size"], case["size"], case["old_root"], case["root"], case["proof"]
    )
    demand(leads, "proof does not lead to the roots")


class Tiles:
    """The log's files as its tile reader."""

    def __init__(self, files):
        self.files = files

    def read_tile(self, level, index, width):
        return self.files.read(aics_tlog.tiles.tile_path(level, index, width))

    def read_entry_bundle(self, index, width):
        return self.files.read(aics_tlog.tiles.entry_bundle_path(index, width))


def check_log(case):
    checkpoint = case["files"].demand("checkpoint")
    size, root = open_checkpoint(checkpoint, case["key"], case["origin"])
    aics_tlog.audit_tiles(Tiles(case["files"]), size, root)


if __name__ == "__main__":
    judge(
        {
            "checkpoint": lambda case: open_checkpoint(case["note"], case["key"], case["origin"]),
            "cosignature": check_cosignature,
            "consistency": check_consistency,
            "inclusion": check_inclusion,
            "log": check_log,
        },
        (aics_tlog.TileMissingError, aics_tlog.TileVerificationError, ValueError),
    )
