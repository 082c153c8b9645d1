"""Delivered bytes of each direction, and files that HTTP carried."""
import hashlib
from collections import Counter, defaultdict

import program

EMPTY = hashlib.sha256(b"").hexdigest()


def compare(capture, records, tally):
    if capture.has("streams.tsv"):
        compare_streams(capture, tally)
    compare_objects(capture, records, tally)


def tcpflow_sums(capture):
    """SHA-256 by endpoints, as text of the same form as ours."""
    sums = defaultdict(set)
    for row in capture.table("tcpflow.tsv"):
        name = row["flow_file(tcpflow naming)"]
        try:
            ends = [end.rsplit(".", 1) for end in name.split("-")[:2]]
            ends = [(".".join(str(int(n)) for n in a.split(".")), int(p[:5])) for a, p in ends]
        except ValueError:
            continue
        sums[tuple(f"{a}:{p}" for a, p in ends)].add(row["sha256"])
    return sums


def compare_streams(capture, tally):
    ours = defaultdict(list)
    for row in program.streams(capture.path):
        ours[row["from"], row["to"]].append(row)
    tcpflow = tcpflow_sums(capture)
    # Those without bytes last: what is left over then has no partner.
    for row in sorted(capture.table("streams.tsv"), key=lambda row: row["sha256_of_delivered"] == "-"):
        key = (bracketed(row["from"]), bracketed(row["to"]))
        topic = "streams" if row["gaps"] == "0" else "streams_with_gaps"
        expected = row["sha256_of_delivered"]
        expected = EMPTY if expected == "-" else expected
        rows = ours.get(key, [])
        same = [o for o in rows if expected == o["sha256"]]
        if not same and expected != EMPTY:
            same = [o for o in rows if o["filled"] in tcpflow.get(key, ())]
        if same:
            rows.remove(same[0])
            compare_gaps(capture, row, same[0], tally)
        elif expected == EMPTY and not any(o["bytes"] for o in rows):
            same = [True]
        tally.note(topic, capture.name, f"{row['tcp_stream']} {row['from']} {row['to']}", bool(same),
                   f"expected {row['bytes_delivered']} bytes, {row['gaps']} gaps of {row['gap_bytes']}; found "
                   + "; ".join(f"{o['bytes']}, {o['gaps']} of {o['gap_bytes']}" for o in rows[:4]))


def compare_gaps(capture, row, found, tally):
    """Where a stream is the same, so are its holes. They have none that only an acknowledgement shows, at the end, and
    none where a card or a snap length cut packets."""
    expected = (int(row["gaps"]), int(row["gap_bytes"]))
    ours = (found["inner_gaps"], found["inner_gap_bytes"])
    if any(expected) or any(ours):
        tally.same("gaps", capture.name, f"{row['tcp_stream']} {row['from']} {row['to']}", expected, ours)


def bracketed(endpoint):
    """IPv6 endpoints are written with and without brackets."""
    address, port = endpoint.rsplit(":", 1)
    return f"[{address.strip('[]')}]:{port}" if ":" in address else endpoint


def compare_objects(capture, records, tally):
    found = Counter(row.get("sha256") for row in records.kinds["file"])
    for row in capture.table("objects.tsv"):
        if row["kind"] != "http":
            continue
        same = found[row["sha256"]] > 0
        found[row["sha256"]] -= 1
        tally.note("files", capture.name, f"{row['name']} {row['bytes']}", same, row["sha256"])
