"""Flows as lines that others published: each that tells of IP must be a record with the same times, ends and counts."""
import csv
import datetime
import ipaddress
import json

import corpus
import program

ZEEK = {"id.orig_h": "src_addr", "id.resp_h": "dst_addr", "id.orig_p": "src_port", "id.resp_p": "dst_port", "orig_pkts": "packets",
        "orig_ip_bytes": "bytes", "resp_pkts": "reverse_packets", "resp_ip_bytes": "reverse_bytes"}
ARGUS = {"SrcAddr": "src_addr", "DstAddr": "dst_addr", "SrcPkts": "packets", "SrcBytes": "bytes"}
PROTOCOLS = {"tcp": (6,), "udp": (17,), "icmp": (1, 58), "ipv6-icmp": (58,), "igmp": (2,), "sctp": (132,), "unknown_transport": None}
NOTHING = (None, "", "-")
MICROSECOND = 1000


def seconds(text):
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**9 + int((fraction + "0" * 9)[:9])


def argus_time(text):
    plain = text.replace("/", "-").replace("+", " ")
    time = datetime.datetime.fromisoformat(plain).replace(tzinfo=datetime.timezone.utc)
    return round(time.timestamp() * 10**6) * MICROSECOND


def expected_of(row, names, time):
    told = {ours: row[theirs] for theirs, ours in names.items() if row.get(theirs) not in NOTHING}
    return time, row.get("proto", row.get("Proto")), told


def zeek(path):
    with corpus.open_text(path.removesuffix(".zst")) as lines:
        first = lines.readline()
        if first.startswith("{"):
            rows = [json.loads(line) for line in [first, *lines]]
            return [expected_of(row, ZEEK, round(row["ts"] * 10**6) * MICROSECOND) for row in rows]
    return [expected_of(row, ZEEK, seconds(row["ts"])) for row in corpus.zeek_rows(path.removesuffix(".zst"))]


def argus(path):
    with corpus.open_text(path.removesuffix(".zst")) as lines:
        rows = list(csv.DictReader(lines))
    return [expected_of(row, ARGUS, argus_time(row["StartTime"])) for row in rows if row["Proto"] not in ("arp", "lldp")]


READERS = (("conn.log", zeek), (".binetflow", argus), ("argus-", argus))


def is_same(name, theirs, ours):
    if name in ("src_addr", "dst_addr"):
        return ipaddress.ip_address(theirs) == ipaddress.ip_address(ours)
    return int(theirs) == ours


def differences(expected, row):
    time, protocol, told = expected
    wrong = [name for name, theirs in told.items() if name not in row or not is_same(name, theirs, row[name])]
    if program.nanos(row["first_seen"]) != time:
        wrong.append("first_seen")
    numbers = PROTOCOLS.get(protocol, ())
    if numbers is not None and row.get("proto") not in numbers:
        wrong.append("proto")
    return wrong


def compare(capture, tally):
    reader = next((read for part, read in READERS if part in capture.name), None)
    if reader is None:
        return
    expected, records = reader(capture.path), program.Records(capture.path, "collect")
    rows = records.kinds["flow"]
    tally.same("flow_lines", capture.name, "number of flows", len(expected), len(rows))
    for i, (theirs, row) in enumerate(zip(expected, rows)):
        wrong = differences(theirs, row)
        tally.note("flow_lines", capture.name, f"record {i}: {' '.join(wrong) or 'equal'}", not wrong, f"{theirs} here {row}")
