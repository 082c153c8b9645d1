"""DNS: each message that tshark lists must be found in one of our rows."""
import re
from collections import defaultdict



# What is not plain text stands in other escapes, or as U+FFFD, on each side.
ODD = re.compile(r"\\[0-9]{3}|\\x[0-9a-f]{2}|\\.|[^\x21-\x7e]+")


def canonical(name):
    return ODD.sub("", name.replace("<Root>", "").rstrip(".").lower())


def stream_endpoints(capture):
    """tshark's stream (N of TCP, uN of UDP) to its two ends."""
    ends = {}
    for flow in capture.table("flows.tsv"):
        key = ("u" if flow["proto"] == "udp" else "") + flow["stream"]
        ends[key] = frozenset([(flow["a_ip"], int(flow["a_port"])), (flow["b_ip"], int(flow["b_port"]))])
    return ends


def split(row, field):
    return row[field].split("|") if row.get(field) else []


def addresses_of(row):
    text = set(row.get("addresses", []))
    for section in ("answers", "authorities", "additionals"):
        for value in row.get(section, []):
            text.add(value.split(" ")[-1])
    return text


def message_agrees(expected, response, row):
    if int(expected["dns.flags.opcode"].split("|")[0] or 0) != row.get("opcode"):
        return "opcode"
    names = split(expected, "dns.qry.name")
    if names and canonical(names[0]) != canonical(row.get("query", "")):
        return "query"
    types = split(expected, "dns.qry.type")
    if types and int(types[0]) != row.get("qtype"):
        return "qtype"
    if not response:
        return None if row["query_seen"] else "query_seen"
    if not row["answer_seen"]:
        return "answer_seen"
    rcodes = split(expected, "dns.flags.rcode")
    if rcodes and int(rcodes[-1]) != row.get("rcode", 0) & 15:
        return "rcode"
    if split(expected, "dns.count.answers") and int(split(expected, "dns.count.answers")[0]) != row["answer_count"]:
        return "answer_count"
    if not set(split(expected, "dns.a")) | set(split(expected, "dns.aaaa")) <= addresses_of(row):
        return "addresses"
    text = canonical(" ".join(row.get("answers", []) + row.get("authorities", []) + row.get("additionals", [])))
    for field in ("dns.cname", "dns.ptr.domain_name", "dns.mx.mail_exchange", "dns.ns"):
        if not all(canonical(v) in text for v in split(expected, field)):
            return field
    return None


def messages_of(row):
    """A frame of a TCP stream may end several messages: those are not told apart by their fields, so each is
    expected by its number alone."""
    ids = split(row, "dns.id")
    if len(ids) <= 1:
        yield ids[0] if ids else "0", row["dns.flags.response"] in ("1", "True"), row
        return
    responses = split(row, "dns.flags.response")
    opcodes = split(row, "dns.flags.opcode")
    for i, number in enumerate(ids):
        part = defaultdict(str, {"dns.flags.opcode": opcodes[i] if i < len(opcodes) else "0"})
        yield number, responses[i] in ("1", "True") if i < len(responses) else False, part


def compare(capture, records, tally):
    ends = stream_endpoints(capture)
    rows = records.by_endpoints("dns")
    everywhere = records.kinds["dns"]
    for expected in capture.table("dns.tsv"):
        where = ends.get(expected["stream"])
        candidates = rows.get(where, []) if where else everywhere
        for number, response, message in messages_of(expected):
            same_number = [r for r in candidates if r.get("trans_id") == int(number, 0)]
            wrong = [message_agrees(message, response, r) for r in same_number]
            kind = "response" if response else "query"
            tally.note("dns", capture.name, f"frame {expected['frame']} {kind} {expected['dns.qry.name']}",
                       None in wrong, f"stream {expected['stream']} {number}: " + (", ".join(w for w in wrong if w)
                                                                               or "no such message"))
