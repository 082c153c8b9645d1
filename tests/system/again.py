#!/usr/bin/env python3
"""Conversations again from their packets alone: what was made of them is made again, and takes the place of the old."""

import glob
import hashlib
import json
import os
import random
import shutil

from program import (CORPUS, LONG, Skip, call, digest, golden, golden_captures, listing, main, need, need_equal, query,
                     read, records, test, weir)

NOTHING_FOUND, USAGE, BAD_INPUT = 1, 2, 3
STAY = {"capture", "conversation", "flow", "counter", "packets", "loss"}


def lines(rows, conversations=None):
    """What is made again of these conversations, in an order of its own."""
    return sorted(json.dumps(row, sort_keys=True) for row in rows
                  if row["kind"] not in STAY and "conversation_id" in row
                  and (conversations is None or row["conversation_id"] in conversations))


def need_same(case, capture, *words):
    made = lines(weir("dissect", case, "-o", "json", *words, status=(0, 3)).rows())
    there = lines(records(capture))
    need(made == there, capture, "only now: %s" % sorted(set(made) - set(there))[:3],
         "only then: %s" % sorted(set(there) - set(made))[:3], "%d, %d" % (len(made), len(there)))
    return len(made)


def artifacts(case):
    return {name: size for name, size in listing(os.path.join(case, "artifacts")).items() if size is not None}


# ---- the same ---------------------------------------------------------------------------------------------------


@test
def every_bundled_capture(folder):
    total = 0
    for name, path in golden_captures().items():
        case = os.path.join(folder, name.replace("/", "-"))
        read(path, "-w", case)
        if query(case, "SELECT id FROM conversation LIMIT 1"):
            total += need_same(case, path)
    need(total > 500, "only %d records" % total)


@test
def the_corpus(folder):
    if not os.path.isdir(CORPUS):
        raise Skip("no corpus at %s" % CORPUS)
    found = [path for ending in ("pcap", "pcapng", "cap")
             for path in sorted(glob.glob(os.path.join(CORPUS, "**", "*." + ending), recursive=True))]
    found = [path for path in found if os.path.getsize(path) < (1 << 30 if LONG else 4 << 20)]
    chosen = found if LONG else random.Random(4).sample(found, min(40, len(found)))
    total = 0
    for path in chosen:
        case = os.path.join(folder, "case")
        call("read", "-q", path, "-w", case)
        if os.path.isdir(case) and query(case, "SELECT conversation_id_us FROM raw.packets LIMIT 1", status=(0, 1)):
            total += need_same(case, path)
        shutil.rmtree(case, ignore_errors=True)
    need(total > 20, "only %d records" % total)


@test
def replaced_by_the_same(folder):
    """Everything once more: the case says what it said, and keeps what it kept."""
    case = os.path.join(folder, "case")
    read(golden("demo"), "-w", case, "--tap", "a tap")
    before, kept = digest(case), artifacts(case)
    done = weir("dissect", case, "--why", "to be sure")
    need(b"conversations dissected again" in done.err, done)
    need_equal(digest(case), before)
    need_equal(artifacts(case), kept)
    with open(os.path.join(case, "log", "00000001.jsonl"), encoding="utf-8") as log:
        entries = [json.loads(line) for line in log]
    (entry,) = [entry for entry in entries if entry["type"] == "dissect"]
    need_equal(entry["why"], "to be sure")
    need(entry["segments"] and entry["removes"], entry)
    for segment in entry["segments"]:
        with open(os.path.join(case, segment["path"]), "rb") as file:
            need_equal(hashlib.sha256(file.read()).hexdigest(), segment["sha256"], segment["path"])
    named = {segment["path"] for e in entries for segment in e.get("segments", [])} - set(entry["removes"])
    there = {"records/" + path for path, size in listing(os.path.join(case, "records")).items() if size is not None}
    need_equal(there, named, "files that the log does not name, or that are gone")


@test
def some_of_many(folder):
    """Only those that match are touched, and the rest stays where it was."""
    case = os.path.join(folder, "case")
    read(golden("demo"), golden("http/nginx-gzip"), "-w", case)
    before = digest(case)
    made = weir("dissect", case, "-Y", 'service == "http"', "-o", "json").rows()
    wanted = {row["id"] for row in query(case, "SELECT id FROM conversation WHERE service = 'http'")}
    need({row["conversation_id"] for row in made} <= wanted, "records of others")
    there = records(golden("demo")) + records(golden("http/nginx-gzip"))
    need_equal(lines(made), lines(there, wanted))
    weir("dissect", case, "-Y", 'service == "http"')
    need_equal(digest(case), before)
    weir("dissect", case, "-Y", 'service == "dns"')
    need_equal(digest(case), before)


@test
def several_captures_and_readings(folder):
    """Each reading is replaced by itself; captures that were read together take turns as they did."""
    case = os.path.join(folder, "case")
    for names in ["tcp/*", "http/*"], ["dns/*", "fragment/*", "tunnel/*"]:
        paths = [path for name in names for path in sorted(glob.glob(golden(name)))]
        read(*paths, "-w", case)
    before = digest(case)
    weir("dissect", case)
    need_equal(digest(case), before)


@test
def tunnels(folder):
    """A conversation inside a tunnel alone, and its carrier alone."""
    case = os.path.join(folder, "case")
    read(golden("tunnel/gre"), "-w", case)
    before = digest(case)
    for expression in "tunnel", "carries == true":
        weir("dissect", case, "-Y", expression)
        need_equal(digest(case), before, expression)


# ---- with other options -----------------------------------------------------------------------------------------


@test
def with_another_limit(folder):
    case = os.path.join(folder, "case")
    read(golden("http/nginx-gzip"), "-w", case)
    (before,) = query(case, "SELECT id, sha256, size FROM file ORDER BY size DESC LIMIT 1")
    weir("dissect", case, "--file-limit", "10")
    (after,) = query(case, "SELECT id, sha256, size, truncated FROM file WHERE id = '%s'" % before["id"])
    need(after["truncated"] and after["sha256"] == before["sha256"] and after["size"] == before["size"], after)
    made = weir("dissect", case, "-o", "json", "--file-limit", "25M").rows()
    need(not any(row.get("truncated") for row in made), "the limit of the call does not hold")


# ---- what can go wrong ------------------------------------------------------------------------------------------


@test
def what_can_not_be_dissected(folder):
    case, path = os.path.join(folder, "case"), os.path.join(folder, "gone.pcap")
    shutil.copy(golden("http/nginx-gzip"), path)
    read(path, "-w", case)

    def refuse(status, words, *named):
        done = call("dissect", *words)
        need(done.status == status and not done.out and done.err.count(b"\n") == 1, done)
        need(all(word.encode() in done.err for word in named), named, done)

    refuse(USAGE, [], "weir dissect CASE")
    refuse(USAGE, [case, "-o", "csv"], "csv", "json")
    refuse(USAGE, [path], "gone.pcap", "-o json")
    refuse(NOTHING_FOUND, [case, "-Y", "dst_port == 1"], "conversation")
    refuse(BAD_INPUT, [os.path.join(folder, "nothing")], "nothing")
    before = digest(case)
    os.rename(path, path + ".away")
    refuse(BAD_INPUT, [case], "gone.pcap")
    refuse(BAD_INPUT, [case, "-o", "json"], "gone.pcap")
    need_equal(digest(case), before)


main()
