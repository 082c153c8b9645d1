"""Packets, bytes, times, and Community IDs."""
import base64
import hashlib
import ipaddress
import struct

from program import nanos

# Types of ICMP and ICMPv6 that have a counterpart, as Community ID pairs them.
PAIRED = {
    1: {8, 0, 13, 14, 15, 16, 17, 18, 10, 9},
    58: {128, 129, 133, 134, 135, 136, 130, 131, 144, 145, 139, 140},
}
WITH_PORTS = {1, 6, 17, 58, 132}


def community_id(row):
    proto = row["proto"]
    ends = [(ipaddress.ip_address(row[side + "_addr"]).packed, row.get(side + "_port", 0)) for side in ("src", "dst")]
    one_way = proto in PAIRED and ends[0][1] not in PAIRED[proto]
    if not one_way:
        ends.sort()
    image = struct.pack("!H", 0) + ends[0][0] + ends[1][0] + bytes([proto, 0])
    if proto in WITH_PORTS:
        image += struct.pack("!HH", ends[0][1], ends[1][1])
    return "1:" + base64.b64encode(hashlib.sha1(image).digest()).decode()


def compare(capture, records, tally):
    info = records.kinds["capture"][0] if records.kinds["capture"] else {}
    tally.same("packets", capture.name, "packets", capture.packets, info.get("packets"))
    for check, ours in (("wire_bytes", "bytes"), ("captured_bytes", "captured_bytes")):
        if check in capture.checks:
            tally.same("packets", capture.name, check, int(capture.checks[check]), info.get(ours))
    cut = any(row["reason"] == "file_cut" for row in records.kinds["loss"])
    tally.same("truncation", capture.name, "file cut", capture.checks.get("file_truncated") == "yes", cut)
    compare_times(capture, info, tally)
    compare_community(capture, records, tally)
    if "tcp_streams" in capture.checks:
        found = sum(row["proto"] == 6 for row in records.kinds["conversation"])
        tally.same("tcp_streams", capture.name, "count", int(capture.checks["tcp_streams"]), found)
    # What carries others has the same packets as they.
    own = [row for row in records.kinds["conversation"] if not row.get("carries")]
    sides = [row[side + "_packets"] for row in own for side in ("src", "dst")]
    lost = sum(row.get("packets", 0) for row in records.kinds["loss"] if row["stage"] == "decode")
    more = sum(row["value"] for row in records.kinds["counter"] if (row["stage"], row["name"]) == ("decode", "more"))
    tally.note("packets", capture.name, "accounted", sum(sides) + lost <= capture.packets + more)


def compare_times(capture, info, tally):
    if capture.checks.get("timestamps_monotonic") == "no":
        return  # theirs are of the first and the last packet in the file, ours of the earliest and the latest
    for check, ours in (("first_packet_ts", "first_seen"), ("last_packet_ts", "last_seen")):
        if check not in capture.checks:
            continue
        seconds, fraction = capture.checks[check].split(".")
        expected = int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])
        tally.same("times", capture.name, check, expected, nanos(info[ours]) if ours in info else None)


def compare_community(capture, records, tally):
    found = {community_id(row) for row in records.kinds["conversation"]}
    for flow in capture.table("flows.tsv"):
        tally.note("community", capture.name, f"{flow['proto']} {flow['stream']}", flow["community_id"] in found,
                   f"no {flow['community_id']}: {flow['a_ip']}:{flow['a_port']} {flow['b_ip']}:{flow['b_port']}")
    if "community_ids_sha256" in capture.checks:
        # Theirs are of the innermost conversations.
        inside = {community_id(row) for row in records.kinds["conversation"] if not row.get("carries")}
        text = "".join(i + "\n" for i in sorted(inside))
        tally.note("community_sets", capture.name, "set",
                   hashlib.sha256(text.encode()).hexdigest() == capture.checks["community_ids_sha256"],
                   f"expected {capture.checks.get('community_ids')}, found {len(found)}")
