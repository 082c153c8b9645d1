#!/usr/bin/env python3
"""weir read -o json: all records as lines of JSON, the same with one lane and with many."""
import json
import os
import subprocess
import sys
import tempfile

from program import GOLDEN, WEIR

failed = False


def check(name, holds, detail=""):
    global failed
    failed |= not holds
    print(f"{'ok' if holds else 'not ok'} {name}" + (f" {detail}" if detail and not holds else ""))


def read(*words):
    done = subprocess.run([WEIR, "read", *words], capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def main():
    demo = os.path.join(GOLDEN, "demo.pcap")
    status, text, _ = read(demo, "-o", "json")
    rows = [json.loads(line) for line in text.splitlines()]
    check("status", status == 0, str(status))
    check("kind-comes-first", all(next(iter(row)) == "kind" for row in rows))
    kinds = {row["kind"] for row in rows}
    check("kinds", {"capture", "conversation", "flow", "http", "dns", "file"} <= kinds, " ".join(sorted(kinds)))
    many = read(demo, "-o", "json", "-j", "4")[1]
    check("lanes", sorted(text.splitlines()) == sorted(many.splitlines()))
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        read(demo, "-o", "json")
        check("keeps-nothing", os.listdir(scratch) == [], " ".join(os.listdir(scratch)))
    status, _, told = read(demo, "-o", "xml")
    check("unknown-format", status == 2 and "xml" in told, told)
    return failed


sys.exit(main())
