"""Captures of headers only, against the logs of tcprs (a Bro of 2016): what was sent is known from the headers, so
payload that is not there is cut and not lost; what came again is counted by direction."""
import os
from collections import Counter

import corpus
from compare_zeek import CONN, ends_of, number


def log_rows(capture, log):
    path = capture.expected_path(f"tcprs.{log}.log")
    return corpus.zeek_rows(path) if os.path.exists(path) or os.path.exists(path + ".zst") else None


def compare(capture, records, tally):
    if not capture.name.startswith("lossy/"):
        return
    by_ends = records.by_endpoints("conversation")
    connections = log_rows(capture, "conn") or []
    count = Counter(ends_of(row) for row in connections)
    for i, expected in enumerate(connections):
        found = by_ends.get(ends_of(expected), [])
        if count[ends_of(expected)] != 1 or len(found) != 1:
            tally.note("lossy_conn", capture.name, f"{i}", False, f"{len(found)} conversations")
            continue
        compare_connection(capture, expected, found[0], tally)
        compare_retransmissions(capture, expected, found[0], tally)
        missed = found[0]["src_missed_bytes"] + found[0]["dst_missed_bytes"]
        cut = found[0].get("src_cut_bytes", 0) + found[0].get("dst_cut_bytes", 0)
        tally.same("lossy_missed", capture.name, "missed and cut", int(expected["missed_bytes"]), missed + cut)


def compare_connection(capture, expected, row, tally):
    for field, (ours, read) in CONN.items():
        if expected.get(field, "-") == "-":
            continue
        wanted, found = read(expected[field]), row.get(ours)
        if field == "history":  # in that version a letter came once for each side
            found = "".join(dict.fromkeys(found))
        tally.same("lossy_conn", capture.name, field, wanted, found)


def compare_retransmissions(capture, expected, row, tally):
    rows = log_rows(capture, "tcpretransmissions")
    if rows is None:
        return
    sent = Counter(r["orig"] for r in rows if ends_of(r) == ends_of(expected))
    from_src = (expected["id.orig_h"], number(expected["id.orig_p"])) == (row["src_addr"], row["src_port"])
    for side, letter in (("src", "T" if from_src else "F"), ("dst", "F" if from_src else "T")):
        tally.same("lossy_retransmits", capture.name, side, sent[letter], row[side + "_retransmits"])
