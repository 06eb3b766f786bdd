#!/usr/bin/env python3
"""Judges an audit bundle without any code of this workspace: standard library and `cryptography` only.

Usage: check_bundle.py FOLDER VKEY [NOW]

NOW is an hour like 2026-11-25T16:00:00Z, instead of this machine's clock: no entry may lie a day ahead of it.

Prints one line of counts and leaves with 0 when everything holds; prints the first thing that does not and leaves with
1 otherwise. Implements C2SP signed-note, tlog-checkpoint, tlog-tiles and tlog-proof and RFC 6962 section 2.1, and the
formats `vouchsafe.dev/audit-bundle@v1`, `vouchsafe.dev/log-handover@v1` and `vouchsafe destruction certificate v2`.
Witnesses and older checkpoints are not looked at.
"""

import base64
import collections
import datetime
import functools
import hashlib
import hmac
import json
import os
import re
import stat
import sys
import tomllib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENROLLED, ROTATED, RECOVERED, EXPIRED = 0x0401, 0x0902, 0x0901, 0x0503
NOTICE, CREATED, ACTIVATED = 0x0201, 0x0301, 0x0802
TEMPLATE, PAYLOAD = (0x0404, 0x0405), (0x0501, 0x0502)
AGAIN = (0x0405, 0x0502)
CERTIFIED = TEMPLATE + PAYLOAD
PUBLIC = {int(kind, 16) for kind in "0201 0301 0503 0801 0802 0803 0804 0805 0806 0807 0901 0902 0903 0A01 0A02 0A03".split()}
# How many kinds of entries there are in each group; they are numbered from 1.
KINDS = {0x01: 9, 0x02: 2, 0x03: 1, 0x04: 5, 0x05: 3, 0x06: 2, 0x07: 1, 0x08: 7, 0x09: 3, 0x0A: 3, 0x0C: 4, 0x0D: 5, 0x0E: 2, 0x0F: 4}  # fmt: skip
CLASSES = (
    "account audit_log billing biometric consent_evidence destruction_evidence disclosure rights_request support usage "
    "verification_log"
).split()
CAUSES = (
    "withdrawal revocation expiry invalidation account_deletion retention_rule destroyed_before_restore learned_minor "
    "purpose_met method_disabled employment_ended offboarding deletion_request correction"
).split()
STRENGTHS = "service_attested service_excluded_from_backup host_only none".split()
# What a payload may say, beside its version, its entry, its time and who acted.
TEXTS = "scope consented expression acted_at expires ip mark outcome cause strength rule policy due id".split()
NUMBERS = "sequence served enrolment".split()
DEMANDED, LISTS = ("v", "entry", "at", "actor"), ("entries", "classes", "words")
# What a pack of a policy may hold.
TABLES = "rule setting adopt honour note age clock export recipient".split()
SINGLE = "organisation approval breaker aggregate".split()
MOST_FILE, MOST_LIST, MOST_NOTE = 4 << 20, 128 << 20, 1_000_000
DAY = 24
SEVEN_YEARS = (7 * 365 + 1) * 24
RETIRED = "no longer in the policy"
HEX = "[0-9a-f]{64}"
DECIMAL = "(0|[1-9][0-9]{0,18})"
ELEMENTS = "(x[0-9]{3}/)*[0-9]{3}"
# What a list may name. None of it leads out of the folder.
PATH = re.compile(
    rf"keys|certificates/{DECIMAL}|public/{DECIMAL}\.(json|txt)|notices/{HEX}(\.json|\.schedule)?"
    rf"|policy/{HEX}/({DECIMAL}\.toml|zone)|log/(checkpoint|handover/{ELEMENTS}|tile/(entries|{DECIMAL})/{ELEMENTS}(\.p/{DECIMAL})?)"
)
# The lines of a certificate, and what each may say.
LEFT = f"(copies-of-the-key-host|everything|recipients {DECIMAL})"
FIELDS = {
    "origin": ".*", "class": "|".join(CLASSES), "enrolment-entry": f"none|{DECIMAL}", "enrolment-leaf": f"none|{HEX}",
    "destruction-entry": DECIMAL, "destruction-leaf": HEX, "hour": ".*", "cause": "|".join(CAUSES), "rule": ".*",
    "clause": ".*", "policy": f"none|{HEX}", "key-service-statements": f"none|{DECIMAL}", "state-digest": f"none|{HEX}",
    "erasure-strength": "|".join(STRENGTHS), "not-reached": f"none|{LEFT}(, {LEFT})*",
}  # fmt: skip


class Finding(Exception):
    pass


def demand(holds, reason):
    if not holds:
        raise Finding(reason)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(leaf):
    return sha256(b"\x00", leaf)


def tree_hash(hashes):
    """MTH of RFC 6962 section 2.1, over leaf hashes, level by level."""
    if not hashes:
        return sha256()
    while len(hashes) > 1:
        pairs = [sha256(b"\x01", left, right) for left, right in zip(hashes[::2], hashes[1::2])]
        hashes = pairs + ([hashes[-1]] if len(hashes) % 2 else [])
    return hashes[0]


def decode(text):
    raw = base64.b64decode(text, validate=True)
    demand(base64.b64encode(raw).decode() == text, "base64 is not canonical")
    return raw


def number(text, what):
    demand(re.fullmatch(DECIMAL, text), f"{what} is no number")
    return int(text)


def name_of_key(text):
    demand(text and not re.search("[\\s+\x00-\x1f]", text), "name of a key is malformed")
    return text


class Key:
    def __init__(self, text):
        self.text = text
        name, key_id, blob = text.split("+", 2)
        self.name = name_of_key(name)
        blob = decode(blob)
        demand(len(blob) == 33 and blob[0] == 1, "key is of another kind")
        self.id = sha256(self.name.encode(), b"\n", blob)[:4]
        demand(self.id.hex() == key_id, "key id is not that of the key")
        self.public = Ed25519PublicKey.from_public_bytes(blob[1:])


def open_note(note, keys):
    """The text of a note, and those of the keys that signed it."""
    demand(len(note.encode()) <= MOST_NOTE, "note is too long")
    body, separator, signatures = note.rpartition("\n\n")
    demand(separator and signatures.endswith("\n"), "note has no signatures")
    body += "\n"
    demand(not re.search("[\x00-\x09\x0b-\x1f]", body), "note holds control characters")
    signers, lines = [], signatures[:-1].split("\n")
    demand(len(lines) <= 100, "note has too many signatures")
    for line in lines:
        dash, name, signature = line.split(" ")
        signature = decode(signature)
        demand(dash == "\u2014" and name_of_key(name) and len(signature) > 4, "signature line is malformed")
        for key in keys:
            if (name, signature[:4]) == (key.name, key.id):
                key.public.verify(signature[4:], body.encode())
                signers.append(key)
    demand(signers, "no signature is by a key of the log")
    return body, signers


def open_checkpoint(note, keys, origin):
    body, signers = open_note(note, keys)
    lines = body.split("\n")
    demand(len(lines) == 4 and lines[3] == "", "checkpoint does not have three lines")
    demand(lines[0] == origin, "checkpoint is of another log")
    root = decode(lines[2])
    demand(len(root) == 32, "root does not have 32 bytes")
    return number(lines[1], "size"), root, signers


def elements(index):
    text = f"{index % 1000:03}"
    while index := index // 1000:
        text = f"x{index % 1000:03}/{text}"
    return text


def tile_path(level, index, width):
    return f"log/tile/{level}/{elements(index)}" + ("" if width == 256 else f".p/{width}")


def commitment(payload):
    return hmac.digest(bytes(32), payload, "sha256")


def root_from_path(index, size, leaf, path):
    if size == 1:
        demand(not path, "inclusion proof is too long")
        return leaf
    demand(path, "inclusion proof is too short")
    left = 1 << ((size - 1).bit_length() - 1)
    if index < left:
        return sha256(b"\x01", root_from_path(index, left, leaf, path[:-1]), path[-1])
    return sha256(b"\x01", path[-1], root_from_path(index - left, size - left, leaf, path[:-1]))


def statement(text):
    """The origin, the keys and the reason of a handover."""
    lines = text.decode().split("\n")
    demand(len(lines) == 6 and lines[5] == "", "handover states something else")
    demand(lines[0] == "vouchsafe.dev/log-key@v1", "handover has another version")
    old, new = Key(lines[2]), Key(lines[3])
    demand(old.text.split("+", 2)[2] != new.text.split("+", 2)[2], "handover is to the same key")
    demand(lines[4] in ("compromised", "scheduled"), "handover has another reason")
    return name_of_key(lines[1]), old, new, lines[4]


def follow(handover, key, origin):
    """The key that a handover leads to from this one; `None` when it is not about this key."""
    header, leaf, proof = handover.decode().split("\n", 2)
    demand(header == "vouchsafe.dev/log-handover@v1" and proof[:1] == "\n", "handover has another version")
    proof, _, note = proof[1:].partition("\n\n")
    lines = proof.split("\n")
    demand(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra "), "handover has no statement")
    extra = decode(lines[1][6:])
    said, old, new, reason = statement(extra)
    if old.text != key.text:
        return None, old
    demand(said == origin, "handover is of another log")
    demand(reason != "compromised", "a compromised key is handed over with a quorum of witnesses only")
    leaf = decode(leaf)
    demand(int.from_bytes(leaf[1:3], "big") == ROTATED and leaf[23:] == commitment(extra), "handover is not what its leaf says")
    size, root, signers = open_checkpoint(note, [old, new], origin)
    demand({key.text for key in signers} == {old.text, new.text}, "both keys sign a handover")
    index = number(lines[2].removeprefix("index "), "index")
    demand(index < size, "index lies outside the tree")
    path = [decode(line) for line in lines[3:]]
    demand(root_from_path(index, size, leaf_hash(leaf), path) == root, "handover is not in the log")
    return new, old


class Bundle:
    """The folder, as its list says it is."""

    def __init__(self, folder):
        self.folder, self.found, self.folders, self.used = folder, set(), set(), set()
        demand(not os.path.islink(folder), "the folder is a link")
        pending = [""]
        while pending:
            prefix = pending.pop()
            for entry in os.scandir(os.path.join(folder, prefix)):
                path = prefix + entry.name
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    self.folders.add(path)
                    pending.append(path + "/")
                else:
                    demand(stat.S_ISREG(mode), f"{path!r} is no file")
                    self.found.add(path)

    def raw(self, path):
        demand(path in self.found, f"{path} is missing")
        most = {"MANIFEST": MOST_NOTE, "FILES": MOST_LIST}.get(path, MOST_FILE)
        demand(os.path.getsize(os.path.join(self.folder, path)) <= most, f"{path} is too large")
        with open(os.path.join(self.folder, path), "rb") as file:
            return file.read()

    def keys(self, key):
        """Every key of the log from the trusted one on, and what the file of the keys has to say."""
        origin, keys, known, last, count = key.name, [key], [], key, 0
        while f"log/handover/{elements(count)}" in self.found:
            new, old = follow(self.raw(f"log/handover/{elements(count)}"), keys[-1], origin)
            demand(new or len(keys) == 1, "handovers do not follow each other")
            known.append(old.text)
            if new:
                demand(new.text not in [key.text for key in keys], "a key comes back")
                keys.append(new)
            count += 1
        self.handovers, self.expected = count, "\n".join([origin, *known, keys[-1].text]) + "\n"
        return keys

    def open(self, keys):
        origin = keys[0].name
        body, _ = open_note(self.raw("MANIFEST").decode(), keys[-1:])
        lines = body.split("\n")
        demand(lines[0] == "vouchsafe.dev/audit-bundle@v1" and len(lines) == 6 and lines[5] == "", "manifest is malformed")
        listed = self.raw("FILES")
        digest, length, name = lines[4].split(" ")
        demand((digest, length, name) == (hashlib.sha256(listed).hexdigest(), str(len(listed)), "FILES"), "FILES is not what the manifest says")
        self.files, last = {}, ""
        listed = listed.decode()
        demand(listed.endswith("\n"), "list is malformed")
        for line in listed[:-1].split("\n"):
            digest, length, path = line.split(" ", 2)
            demand(PATH.fullmatch(path), f"list names {path!r}")
            demand(path.encode() > last.encode(), "list is not in order")
            self.files[path], last = (digest, length), path
        for path, (digest, length) in self.files.items():
            data = self.raw(path)
            demand((digest, length) == (hashlib.sha256(data).hexdigest(), str(len(data))), f"{path} is not what the list says")
        for path in self.found - self.files.keys() - {"MANIFEST", "FILES"}:
            raise Finding(f"{path!r} is no part of the bundle")
        parents = {path[: at.start()] for path in self.files for at in re.finditer("/", path)}
        demand(self.folders == parents, "there is a folder that is no part of the bundle")
        demand(self.take("keys") == self.expected.encode(), "the keys are not the trusted one and those of the handovers")
        for count in range(self.handovers):
            self.take(f"log/handover/{elements(count)}")
        head = open_checkpoint(self.take("log/checkpoint").decode(), keys[-1:], origin)
        demand("\n".join(lines[1:4]) == f"{origin}\n{head[0]}\n{base64.b64encode(head[1]).decode()}", "manifest is about another checkpoint")
        return head[0], head[1]

    def take(self, path, demanded=True):
        self.used.add(path)
        if path not in self.files:
            demand(not demanded, f"{path} is missing")
            return None
        return self.raw(path)

    def log(self, size, root):
        """The leaves and their hashes, once they give the signed root and every tile."""
        leaves = []
        for start in range(0, size, 256):
            width = min(256, size - start)
            data, at, before = self.take(tile_path("entries", start // 256, width)), 0, len(leaves)
            while at < len(data):
                end = at + 2 + int.from_bytes(data[at : at + 2], "big")
                demand(end <= len(data), "entry bundle ends early")
                leaves.append(data[at + 2 : end])
                at = end
            demand(len(leaves) - before == width, "entry bundle has another width")
        demand(all(len(leaf) == 55 and leaf[0] == 1 for leaf in leaves), "leaf has another version or length")
        hashes = [leaf_hash(leaf) for leaf in leaves]
        demand(tree_hash(hashes) == root, "entries do not give the signed root")
        level, row = 0, hashes
        while row:
            for start in range(0, len(row), 256):
                tile = row[start : start + 256]
                path = tile_path(level, start // 256, len(tile))
                demand(self.take(path) == b"".join(tile), f"{path} is not what the entries give")
            row = [tree_hash(row[256 * tile : 256 * tile + 256]) for tile in range(len(row) // 256)]
            level += 1
        return leaves, hashes

    def policies(self):
        """Class and clause of every rule, by the digest of its policy."""
        rules = {}
        for digest in {path.split("/")[1] for path in self.files if path.startswith("policy/")}:
            packs = sum(path.startswith(f"policy/{digest}/") for path in self.files) - 1
            texts = [self.take(f"policy/{digest}/{place}.toml") for place in range(packs)]
            zone = self.take(f"policy/{digest}/zone")
            parts = [len(text).to_bytes(8, "big") + text for text in texts]
            demand(sha256(sha256(b"vouchsafe-policy-1", *parts), zone).hex() == digest, f"policy/{digest} is not the policy of that digest")
            tables = [table for text in texts for table in parse_pack(text)]
            rules[digest] = {table["id"]: (table["class"], table["clause"]) for table in tables}
            demand(re.fullmatch("[!-~]{1,64}", zone.decode()), f"policy/{digest} has no zone")
            demand(len(rules[digest]) == len(tables), f"policy/{digest} has two rules of one name")
        return rules

    def certificates(self, page, keys):
        path = f"certificates/{page}"
        data = self.take(path, False)
        if data is None:
            return {}
        text, found, last = data.decode(), {}, -1
        demand(text, f"{path} is empty")
        while text:
            blank = text.find("\n\n")
            end = text.find("\n", blank + 2) + 1
            demand(blank >= 0 and end > 0, f"{path} ends early")
            certificate = parse_certificate(*open_note(text[:end], keys), path)
            entry = certificate["destruction-entry"]
            demand(entry > last and entry // 1024 == page, f"{path} is not in the order of its entries")
            found[entry], last, text = certificate, entry, text[end:]
        return found


def parse_pack(text):
    """The rules of a pack of a policy; what the fields of its tables may say is not looked at."""
    pack = tomllib.loads(text.decode())
    forms = {
        "format": lambda value: type(value) is int and value == 1,
        **dict.fromkeys(["id", "version", "title", "kind"], lambda value: type(value) is str),
        **dict.fromkeys(TABLES, lambda value: type(value) is list and all(map(is_words, value))),
        **dict.fromkeys(SINGLE, is_words),
    }
    known = all(name in forms and forms[name](value) for name, value in pack.items())
    demand(known and {"format", "id", "version", "title"} <= pack.keys(), "a pack is malformed")
    rules = pack.get("rule", [])
    demand(all(rule["class"] in CLASSES for rule in rules), "a pack names no class")
    return rules


def parse_certificate(body, _, path):
    lines, values = body.split("\n"), {}
    form = lines[0] == "vouchsafe destruction certificate v2" and len(lines) == len(FIELDS) + 2 and lines[-1] == ""
    for field, line in zip(FIELDS, lines[1:]):
        name, _, values[field] = line.partition(" ")
        form = form and name == field and " " in line and re.fullmatch(FIELDS[field], values[field])
    for one, other in (("enrolment-entry", "enrolment-leaf"), ("rule", "clause")):
        form = form and (values[one] == "none") == (values[other] == "none")
    demand(form, f"a certificate of {path} is malformed")
    for name in ("destruction-entry", "enrolment-entry"):
        values[name] = None if values[name] == "none" else int(values[name])
    return values


def once(pairs):
    """An object of JSON in which every name stands once."""
    read = dict(pairs)
    demand(len(read) == len(pairs), "a name stands twice")
    return read


def parse_payload(payload):
    text = payload.decode()
    demand(not text.startswith("\ufeff"), "payload begins with a mark")
    # JSON's -0 is no whole number.
    said = json.loads(text, object_pairs_hook=once, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))
    # Halves of characters and endless numbers are no JSON, though Python reads them.
    json.dumps(said, ensure_ascii=False, allow_nan=False).encode()
    demand(type(said) is dict and depth(said) < 128, "payload is malformed")
    # What is absent may be spelled null, but not a list.
    said = {name: value for name, value in said.items() if value is not None or name in (*DEMANDED, *LISTS)}
    known = all(name in FORMS and FORMS[name](value) for name, value in said.items())
    demand(known and said.keys() >= set(DEMANDED), "payload is malformed")
    return said


def depth(value):
    inner = value.values() if type(value) is dict else value
    return 1 + max(map(depth, inner), default=0) if type(value) in (dict, list) else 0


def is_number(value):
    return type(value) is int and 0 <= value < 1 << 64


def are_texts(values):
    return all(type(value) is str for value in values)


def is_words(value):
    return type(value) is dict and are_texts(value.values())


# What each name of a payload stands for.
FORMS = {
    **dict.fromkeys(["v", "entry", *NUMBERS], is_number),
    **dict.fromkeys(["at", "actor", *TEXTS], lambda value: type(value) is str),
    "age": lambda value: is_number(value) and value < 256,
    "notice": lambda value: is_words(value) and value.keys() == {"id", "version", "locale", "sha256"},
    "terms": lambda value: True,
    "entries": lambda value: type(value) is list and all(map(is_number, value)),
    "gap": lambda value: type(value) is list and len(value) == 2 and all(map(is_number, value)),
    "classes": lambda value: type(value) is list and are_texts(value),
    "words": is_words,
}


@functools.lru_cache
def hour_of(text):
    demand(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:00:00Z", text), f"{text!r} is no hour")
    time = datetime.datetime.strptime(text, "%Y-%m-%dT%H:00:00Z").replace(tzinfo=datetime.timezone.utc)
    return int(time.timestamp()) // 3600


class Audit:
    def __init__(self, bundle, keys, now):
        self.bundle, self.keys, self.origin, self.now = bundle, keys, keys[0].name, now
        self.counts = collections.Counter()
        self.tallies = collections.Counter()
        self.missing, self.gaps, self.bare, self.ended = set(), [], [], {}
        self.enrolled, self.destroyed, self.in_force, self.newest = set(), set(), [], 0

    def run(self):
        size, root = self.bundle.open(self.keys)
        leaves, hashes = self.bundle.log(size, root)
        self.rules = self.bundle.policies()
        page = {}
        for entry, (leaf, hash) in enumerate(zip(leaves, hashes)):
            if entry % 1024 == 0:
                demand(not page, "a certificate is about no destruction")
                page = self.bundle.certificates(entry // 1024, self.keys)
            kind, hour = int.from_bytes(leaf[1:3], "big"), int.from_bytes(leaf[3:7], "big")
            demand(0 < leaf[2] <= KINDS.get(leaf[1], 0), f"entry {entry} is of no known kind")
            demand(self.origin == "vouchsafe/" + leaf[7:23].hex(), f"entry {entry} is one of another organisation")
            demand(entry > 0 or kind == CREATED, "the first entry is not organisation.created")
            self.newest = max(self.newest, hour)
            if kind in PUBLIC:
                self.public(entry, kind, hour, leaf[23:])
            if kind == ENROLLED:
                self.enrolled.add(entry)
            if entry in page:
                self.certificate(entry, kind, hour, hashes, page.pop(entry))
            elif kind in CERTIFIED:
                self.bare.append((entry, kind, hour))
        demand(not page, "a certificate is about no destruction")
        self.end()
        for path in self.bundle.files.keys() - self.bundle.used:
            raise Finding(f"{path} is no part of the bundle")
        self.counts["entries"] = size

    def public(self, entry, kind, hour, committed):
        path = f"public/{entry}." + ("txt" if kind == ROTATED else "json")
        payload = self.bundle.take(path, False)
        if payload is None:
            self.missing.add(entry)
            return
        demand(commitment(payload) == committed, f"{path} is not what the entry committed to")
        self.counts["public"] += 1
        if kind == ROTATED:
            statement(payload)
            return
        said = parse_payload(payload)
        demand(said["v"] == 1 and said["entry"] == entry, f"{path} is of another entry")
        if "gap" in said:
            first, end = said["gap"]
            demand(kind == RECOVERED and first < end <= entry, f"entry {entry}: gap is not one of a recovery")
            self.gaps.append(range(first, end))
        if kind == EXPIRED:
            self.ended.update((gone, hour) for gone in said.get("entries", []))
        if kind in (CREATED, ACTIVATED) and re.fullmatch(HEX, said.get("policy", "")):
            self.in_force.append(said["policy"])
        if kind == NOTICE:
            self.notice(said)

    def notice(self, said):
        label = said["notice"]
        path = "notices/" + label["sha256"]
        demand(re.fullmatch(HEX, label["sha256"]), f"{path!r} is no notice")
        shown = self.bundle.take(path)
        demand(hashlib.sha256(shown).hexdigest() == label["sha256"], f"{path} is another notice")
        terms, schedule = (self.bundle.take(path + part, False) for part in (".json", ".schedule"))
        demand((terms is not None) == ("terms" in said), f"{path}.json is not what the entry says")
        stated = None
        if terms is not None:
            terms = terms.decode()
            read = json.loads(terms)
            one_form = json.dumps(read, separators=(",", ":"), ensure_ascii=False) == terms
            demand(one_form and read == said["terms"], f"{path}.json is not what the entry says")
            demand(all(read[name] == label[name] for name in label), f"{path}.json is of another notice")
            stated = read["terms"] and read["terms"]["schedule_sha256"]
            passages = [read["terms"][name] for name in ("collected", "purpose", "term", "release") if read["terms"]]
            demand(all(passage in shown.decode() for passage in passages), f"{path} does not say what its terms state")
        given = hashlib.sha256(schedule).hexdigest() if schedule is not None else None
        demand(stated == given, f"{path}.schedule is not what the notice says")
        self.counts["notices"] += 1

    def certificate(self, entry, kind, hour, hashes, said):
        template = kind in TEMPLATE
        what = f"certificate of entry {entry}"
        demand(
            kind in CERTIFIED
            and said["origin"] == self.origin
            and said["destruction-leaf"] == hashes[entry].hex()
            and hour_of(said["hour"]) == hour
            and (said["cause"] != "destroyed_before_restore" or kind in AGAIN)
            and template == (said["class"] == "biometric")
            and template == (said["enrolment-entry"] is not None)
            and said["class"] != "destruction_evidence",
            f"{what} is not about that entry of the log",
        )
        if template:
            enrolment = said["enrolment-entry"]
            demand(enrolment in self.enrolled and said["enrolment-leaf"] == hashes[enrolment].hex(), f"{what} names no enrolment that came before it")
            demand(enrolment not in self.destroyed, f"enrolment of entry {enrolment} is destroyed twice")
            self.destroyed.add(enrolment)
        self.counts["certificates"] += 1
        for name, field in (("class", "class"), ("cause", "cause"), ("strength", "erasure-strength")):
            self.tallies[f"{name}.{said[field]}"] += 1
        if said["not-reached"] != "none":
            for left in said["not-reached"].split(", "):
                self.tallies["not-reached." + left.split(" ")[0]] += 1
        self.rule(what, said)

    def rule(self, what, said):
        named, policy = said["rule"] != "none", said["policy"]
        self.counts["policy-not-in-force"] += policy != "none" and policy not in self.in_force
        if policy not in self.rules:
            self.counts["policy-absent"] += policy != "none" or named
        elif named and said["rule"] in self.rules[policy]:
            known = self.rules[policy][said["rule"]] == (said["class"], said["clause"])
            demand(known, f"{what} names a clause that its policy does not have")
        elif named:
            earlier = any(digest != policy for digest in self.in_force)
            demand(earlier and said["clause"] == RETIRED, f"{what} names a rule that its policy does not have")
            self.counts["rule-retired"] += 1

    def end(self):
        def lost(entry):
            return any(entry in gap for gap in self.gaps)

        for entry in self.missing:
            demand(lost(entry), f"payload of entry {entry} is missing")
        self.counts["public-lost"] = len(self.missing)
        gone = 0
        for entry, kind, hour in self.bare:
            if lost(entry):
                self.counts["lost"] += 1
                continue
            if entry in self.ended:
                self.counts["expired" if self.ended[entry] - hour >= SEVEN_YEARS else "early"] += 1
            else:
                demand(self.newest - hour >= SEVEN_YEARS, f"destruction of entry {entry} has no certificate")
                self.counts["expired"] += 1
            gone += kind in TEMPLATE
        demand(self.newest <= self.now + DAY, "log is dated ahead")
        self.counts["enrolled"] = len(self.enrolled)
        self.counts["destroyed"] = len(self.destroyed)
        self.counts["enrolments-lost"] = sum(lost(entry) for entry in self.enrolled - self.destroyed)
        held = len(self.enrolled) - len(self.destroyed) - self.counts["enrolments-lost"] - gone
        self.counts["held"] = max(held, 0)

    def __str__(self):
        names = (
            "entries public public-lost notices enrolled destroyed held enrolments-lost certificates expired early "
            "lost policy-absent rule-retired policy-not-in-force"
        )
        counts = [f"{name}={self.counts[name]}" for name in names.split()]
        kinds = ("class", "cause", "strength", "not-reached")
        for kind in kinds:
            counts += [f"{name}={count}" for name, count in sorted(self.tallies.items()) if name.startswith(kind + ".")]
        return " ".join(counts)


def main(folder, key, now=None):
    try:
        now = hour_of(now) if now else datetime.datetime.now(datetime.timezone.utc).timestamp() / 3600
        bundle = Bundle(folder)
        audit = Audit(bundle, bundle.keys(Key(key)), now)
        audit.run()
    except Finding as finding:
        sys.exit(f"finding: {finding}")
    except InvalidSignature:
        sys.exit("finding: a signature does not verify")
    except OSError as error:
        sys.exit(f"finding: the folder cannot be read: {error!r}")
    except Exception as error:  # Whatever else stops the reading is no bundle.
        sys.exit(f"finding: malformed: {error!r}")
    print(audit)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: check_bundle.py FOLDER VKEY [NOW]")
    main(*sys.argv[1:])
