"""Exports of flows: each record that another collector lists must be found among ours, equal in what both tell.

What one of both does not tell is nothing, or zero. nfdump multiplies by the sampling rate, we never do: either is right.
"""
import ipaddress
from collections import Counter, defaultdict

import flow_lists
import program
from corpus import FLOW_EXPORTS
from flow_lists import NOTHING

ENDS = ("src_addr", "dst_addr", "src_port", "dst_port", "proto")
ADDRESSES = ("src_addr", "dst_addr", "next_hop", "bgp_next_hop", "nat_src_addr", "nat_dst_addr")
TIMES = ("first_seen", "last_seen", "duration")
ROUNDING_NS = 1_000_000
PMACCT_KEY = ("vlan", "input", "output", "src_addr", "dst_addr", "src_port", "dst_port", "proto", "tos")


# Of ICMP and ICMPv6: a message that has an answer has the answer's type in place of its code with us.
ANSWERS = {1: {8: 0, 13: 14, 15: 16, 10: 9, 17: 18}, 58: {128: 129, 133: 134, 135: 136, 130: 131, 139: 140, 144: 145}}
SFLOW = "flow-export/sflow/"


def element(row, name):
    for text in row.get("elements", []):
        if text.startswith(name + "="):
            return int(text.partition("=")[2])
    return None


def duration_of(own):
    """Of counts of an exporter that does not tell when it began, or of times."""
    first, last = element(own, "flowStartSysUpTime"), element(own, "flowEndSysUpTime")
    if first is not None and last is not None:
        return (last - first) * 10**6
    return own["last_seen"] - own["first_seen"]


def is_answered(row):
    pair = row.get("src_port"), row.get("dst_port")
    pairs = ANSWERS.get(row.get("proto"), {}).items()
    return pair in pairs or pair[::-1] in pairs


def ours_of(row):
    own = dict(row)
    if is_answered(row):
        own["dst_port"] = 0
    for name in ADDRESSES:
        if name in own:
            own[name] = ipaddress.ip_address(own[name])
    for name in TIMES[:2]:
        own[name] = program.nanos(own[name])
    own["duration"] = duration_of(own)
    # Of sFlow, what is no interface has its form in the upper bits, as it was sent.
    for form, name in ((1, "discardReason"), (2, "outputInterfaces")):
        if element(row, name) is not None:
            own["output"] = form << 30 | element(row, name)
    # nfdump has one counter for what came back and what went out.
    for name, beside in (("reverse_packets", "postPacketDeltaCount"), ("reverse_bytes", "postOctetDeltaCount")):
        own.setdefault(name, element(row, beside))
    return own


def agrees(name, theirs, ours, rate):
    if theirs in NOTHING and ours in NOTHING:
        return True
    if name in TIMES and ours is not None:
        return abs(theirs - ours) <= ROUNDING_NS
    if name in ("packets", "bytes") and ours is not None:
        return theirs in (ours, ours * rate)
    return theirs == ours


def differences(theirs, ours):
    rate = ours.get("sampling_rate", 1)
    return [name for name, value in theirs.items() if not agrees(name, value, ours.get(name), rate)]


def key_of(row):
    return tuple(None if row.get(name) in NOTHING else row[name] for name in ENDS)


class Unmatched:
    """Our rows of which none of theirs was found yet. Equal ones go first, so that none takes the place of another."""

    def __init__(self, rows):
        self.by_key = defaultdict(list)
        for row in rows:
            self.by_key[key_of(row)].append(row)

    def take_equal(self, theirs):
        rows = self.by_key.get(key_of(theirs), [])
        for i, row in enumerate(rows):
            if not differences(theirs, row):
                del rows[i]
                return True
        return False

    def take_nearest(self, theirs):
        """The names that differ, with both values; None when there is nothing left."""
        rows = self.by_key.get(key_of(theirs)) or [row for rows in self.by_key.values() for row in rows]
        if not rows:
            return None
        nearest = min(rows, key=lambda row: len(differences(theirs, row)))
        self.by_key[key_of(nearest)].remove(nearest)
        return {name: (theirs[name], nearest.get(name)) for name in differences(theirs, nearest)}


def compare_list(topic, name, expected, rows, tally):
    unmatched = Unmatched(rows)
    rest = []
    for i, theirs in enumerate(expected):
        if unmatched.take_equal(theirs):
            tally.note(topic, name, f"record {i}", True)
        else:
            rest.append((i, theirs))
    for i, theirs in rest:
        wrong = unmatched.take_nearest(theirs)
        if wrong is None:
            tally.note(topic, name, f"record {i}: none", False, f"expected {theirs}")
        else:
            detail = ", ".join(f"{field} {a} here {b}" for field, (a, b) in wrong.items())
            tally.note(topic, name, f"record {i}: {' '.join(sorted(wrong)) or 'equal'}", not wrong, detail)


def without_icmp(row):
    return {**row, "src_port": 0, "dst_port": 0} if row.get("proto") in flow_lists.ICMP else row


def pmacct_sums(rows, is_sflow):
    """Ours as pmacct adds them up: flags by or, of sFlow the bytes of frames, and no ports of ICMP."""
    sums = {}
    for row in map(without_icmp, rows):
        key = tuple(None if row.get(name) in NOTHING else row[name] for name in PMACCT_KEY)
        into = sums.setdefault(key, {**{n: row.get(n) for n in PMACCT_KEY}, "packets": 0, "bytes": 0, "tcp_flags": 0})
        into["packets"] += row.get("packets", 0)
        into["bytes"] += row["frame_bytes"] if is_sflow and row["frame_bytes"] else row.get("bytes", 0)
        into["tcp_flags"] |= row.get("tcp_flags", 0)
    return list(sums.values())


def sums(rows, names):
    """By these fields; what is sampled is multiplied by its rate."""
    added = {}
    for row in map(without_icmp, rows):
        key = tuple(None if row.get(name) in NOTHING else row[name] for name in names)
        into = added.setdefault(key, {**{n: row.get(n) for n in names}, "packets": 0, "bytes": 0})
        for name in ("packets", "bytes"):
            into[name] += row.get(name, 0) * row.get("sampling_rate", 1)
    return list(added.values())


def compare_sums(capture, rows, tally):
    """Numbers over whole files, where lists are cut. Rows of options are in tshark's count."""
    for name, field in (("sum_octets_tshark", "bytes"), ("sum_packets_tshark", "packets"), ("sum_in_bytes_nfdump", "bytes"),
                        ("sum_in_packets_nfdump", "packets")):
        if name in capture.checks:
            plain = sum(row.get(field, 0) for row in rows)
            sampled = sum(row.get(field, 0) * row.get("sampling_rate", 1) for row in rows)
            expected = int(capture.checks[name])
            tally.note("flow_sums", capture.name, name, expected in (plain, sampled),
                       f"expected {expected}, found {plain}, by the rates {sampled}")
    if "records_nfdump" in capture.checks:
        tally.same("flow_sums", capture.name, "records_nfdump", int(capture.checks["records_nfdump"]), len(rows))


def compare_samples(capture, records, tally):
    """sFlow: the samples that tshark lists by type (1 and 3 are packets), with rate and interface of their arrival."""
    expected, found = Counter(), Counter()
    for row in capture.table("tshark-sflow.tsv"):
        types = [t for t in row["sampletypes"].split(",") if t]
        packets = [t for t in types if t in ("1", "3")]
        expected["packets"] += len(packets)
        rates = [r for r in row["sampling_rates"].split(",") if r]
        expected.update(f"rate {rate}" for rate in rates)
        if row["agent"]:
            expected[f"agent {row['agent']}"] += len(packets)
    for row in records.kinds["flow"]:
        if "sampling_rate" not in row:
            continue  # of NetFlow, in the same capture
        found["packets"] += 1
        found[f"rate {row.get('sampling_rate')}"] += 1
        found[f"agent {row['exporter']}"] += 1
    for what, count in expected.items():
        tally.same("sflow_samples", capture.name, what, count, found[what])


LISTS = (("nfdump.jsonl", flow_lists.nfdump), ("tshark.jsonl", flow_lists.tshark),
         ("logstash.json", flow_lists.logstash), ("telegraf.out", flow_lists.telegraf))


def compare(capture, _, tally):
    if not capture.name.startswith(FLOW_EXPORTS):
        return
    records = program.Records(capture.path, "collect")
    tally.note("collects", capture.name, "status", records.status in (0, 1, 3),
               f"status {records.status}: {records.remarks}")
    rows = [ours_of(row) for row in records.kinds["flow"]]
    for kind, read in LISTS:
        if capture.has(kind):
            compare_list("flows_" + kind.partition(".")[0], capture.name, read(capture), rows, tally)
    if capture.has("pmacct.jsonl"):
        theirs = [without_icmp(row) for row in flow_lists.pmacct(capture)]
        compare_list("flows_pmacct", capture.name, theirs, pmacct_sums(rows, capture.name.startswith(SFLOW)), tally)
    if capture.has(flow_lists.PMACCT_TEST):
        names = [name for name in PMACCT_KEY if name != "vlan"]
        theirs = sums(flow_lists.pmacct_test(capture), names)
        compare_list("flows_pmacct_test", capture.name, theirs, sums(rows, names), tally)
    compare_sums(capture, rows, tally)
    compare_samples(capture, records, tally)
