#!/usr/bin/env python3
"""Bytes with two readings: who wins, what is told, what is flagged, and how it is shown."""

import os

from program import content_of, golden, main, need, need_equal, query, read, test, weir, write


def case_of(folder, name, *words):
    capture = write(os.path.join(folder, "a.pcap"), content_of(golden(name)))
    case = os.path.join(folder, "case.weir")
    read(capture, "-w", case, *words)
    return case


@test
def what_speaks_against_either(folder):
    case = case_of(folder, "tcp/evasions")
    rows = query(case, "select array_to_string(taken_marks, ' ') as taken, other_marks from ambiguity order by ts")
    need_equal([row["taken"] for row in rows], ["out_of_window", "low_ttl", "bad_checksum", "old_timestamp"])
    need(not any(row.get("other_marks") for row in rows), rows)
    need_equal(query(case, "select ambiguities from conversation"), [{"ambiguities": 4}])
    need_equal(query(case, "select count(*) as n from http where ambiguous"), [{"n": 4}])


@test
def shown_where_it_stands(folder):
    case = case_of(folder, "tcp/evasions")
    conversation, = query(case, "select id from conversation")
    lines = weir("show", case, conversation["id"]).out.decode().split("\n")
    at = lines.index("  two readings of 6 bytes at 125, first:")
    need(lines[at + 1].startswith("  taken  70 75 62 6c 69 63") and lines[at + 1].endswith("public  low_ttl"), lines[at + 1])
    need(lines[at + 2].startswith("  other  73 65 63 72 65 74") and lines[at + 2].endswith("secret"), lines[at + 2])


@test
def the_receiver_decides(folder):
    # The server's segments wait for one before them; their receiver is the client.
    taken = {}
    for number, policy in enumerate(("first", "last", "192.0.2.10=last", "192.0.2.80=last", "last,192.0.2.0/24=linux")):
        inside = os.path.join(folder, str(number))
        os.mkdir(inside)
        case = case_of(inside, "tcp/conflicting-overlap", "--overlap", policy)
        row, = query(case, "select policy, taken from ambiguity where \"offset\" = 300")
        taken[policy] = (row["policy"], row["taken"].startswith("5858"))
    need_equal(taken, {"first": ("first", False), "last": ("last", True), "192.0.2.10=last": ("last", True),
                       "192.0.2.80=last": ("first", False), "last,192.0.2.0/24=linux": ("linux", False)})


@test
def other_policies_are_another_reading(folder):
    case = case_of(folder, "tcp/conflicting-overlap", "--overlap", "last")
    capture = os.path.join(folder, "a.pcap")
    done = weir("read", "-q", capture, "-w", case, status=2)
    need(b"read with other options" in done.err, done)
    conversation, = query(case, "select id from conversation")
    need(b"XXXX" in weir("show", case, conversation["id"], "--raw", "dst").out, "shown as it was read")


@test
def flagged_when_it_is_found_out_late(folder):
    case = case_of(folder, "tcp/disputed-late")
    for kind in "http", "file":
        need_equal(query(case, "select ambiguous from %s" % kind), [{"ambiguous": True}], kind)
    told = weir("read", "-q", os.path.join(folder, "a.pcap"), "-w", "none", "-o", "json").rows()
    need(not any("ambiguous" in row for row in told if row["kind"] == "http"), "not known by then")


@test
def policies_that_are_not_understood(folder):
    capture = golden("tcp/evasions")
    for text, word in ("openbsd", "windows2k3"), ("10.0.0.0/33=linux", "10.0.0.0/33"), ("first,last", "NETWORK=POLICY"):
        done = weir("read", "-q", capture, "-w", "none", "--overlap", text, status=2)
        need(word.encode() in done.err and done.err.count(b"\n") == 1, done)


main()
