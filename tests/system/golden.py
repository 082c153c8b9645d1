#!/usr/bin/env python3
"""Every bundled capture gives the records that stand beside it, value for value.

tests/golden/SUITE/CASE.jsonl holds the records of CASE.pcap, one object a line, by kind and id; where that would be
large, CASE.digest holds what `weir digest` prints. tools/bless writes them anew when a change is meant."""

import json
import os

from program import TESTS, content_of, digest, golden_captures, main, need, read

EXPECTED_MAX = 200000  # bytes of a .jsonl; the digest stands for larger ones
LEFT_OUT = {"capture", "counter"}  # where the file lies, and what the stages did
SHOWN = 8  # differences


def records_of(path):
    rows = [json.loads(line) for line in read(path, "-o", "json").out.splitlines()]
    rows = [row for row in rows if row["kind"] not in LEFT_OUT]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    places = [(row["kind"], row.get("id", ""), line) for row, line in zip(rows, lines)]
    return "".join(line + "\n" for _, _, line in sorted(places))


def expected_of(path):
    """The path and the content of what is expected, as the program has it now."""
    text = records_of(path)
    if len(text.encode()) <= EXPECTED_MAX:
        return path[:-len(".pcap")] + ".jsonl", text
    return path[:-len(".pcap")] + ".digest", digest(path)


def field_differences(before, after):
    if before.get("id") != after.get("id") or before["kind"] != after["kind"]:
        yield "- %s" % json.dumps(before)[:300]
        yield "+ %s" % json.dumps(after)[:300]
        return
    for name in sorted(set(before) | set(after)):
        if before.get(name) != after.get(name):
            yield "%s %s: %s is %r, expected %r" % (after["kind"], after.get("id", ""), name, after.get(name),
                                                   before.get(name))


def differences(before, after):
    """What differs between two lists of records, as text."""
    old, new = ([json.loads(line) for line in text.splitlines()] for text in (before, after))
    if len(old) != len(new):
        yield "%d records, expected %d" % (len(new), len(old))
        key = lambda row: (row["kind"], row.get("id", row.get("first_seen")))
        keys = {key(row) for row in old} ^ {key(row) for row in new}
        yield from sorted("%s: %s" % ("unexpected" if k in set(map(key, new)) else "missing", k) for k in keys)
        return
    for before_row, after_row in zip(old, new):
        yield from field_differences(before_row, after_row)


def check(path):
    name, found = expected_of(path)
    need(os.path.exists(name), "%s is not there: look at the records, then tools/bless" % name)
    expected = content_of(name).decode()
    if found != expected:
        told = list(differences(expected, found)) if name.endswith(".jsonl") else [expected, found]
        need(False, os.path.basename(name), *told[:SHOWN])


def test_of(name, path):
    def one(folder):
        check(path)

    one.__name__ = name.replace("/", "-")
    return one


if __name__ == "__main__":
    TESTS.extend(test_of(name, path) for name, path in golden_captures().items())
    main()
