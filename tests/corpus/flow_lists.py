"""What other collectors say of flow exports, in the fields of `flow`.

Each reader gives rows of {field of ours: value}. Addresses are ip_address, times nanoseconds since 1970, and the rest
numbers or text. `duration` is last_seen - first_seen, where only that is told.
"""
import ipaddress
import json
import re
from datetime import datetime, timezone

from corpus import open_text

PROTOCOLS = {"hopopt": 0, "ip": 0, "icmp": 1, "igmp": 2, "ipencap": 4, "ipip": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "ipv6": 41,
             "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "eigrp": 88, "ospf": 89, "pim": 103,
             "vrrp": 112, "sctp": 132, "l2tp": 115}
PMACCT_TEST = "pmacct-test.output-flow-00.json"
UNKNOWN_VLAN = 0xffff
ICMP = (1, 58)
TIMES = ("first_seen", "last_seen")
END_REASONS = {"1": "idle", "2": "active", "3": "end", "4": "forced", "5": "resources", "end of flow": "end",
               "forced end": "forced", "idle timeout": "idle", "active timeout": "active"}


NOTHING = (None, 0, ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("::"), "00:00:00:00:00:00")


def address(text):
    if not text:
        return None
    told = ipaddress.ip_address(text)
    return getattr(told, "ipv4_mapped", None) or told


def number(value):
    """Of a number or of text in either notation; of several values the first."""
    text = str(value[0] if isinstance(value, list) else value)
    return int(text, 16) if text.startswith("0x") else int(float(text)) if "." in text else int(text)


def nanos_of(text, form):
    """Of a UTC time with a fraction behind the seconds."""
    whole, _, fraction = text.partition(".")
    seconds = int(datetime.strptime(whole, form).replace(tzinfo=timezone.utc).timestamp())
    return seconds * 10**9 + int((re.match(r"\d*", fraction).group() or "0").ljust(9, "0")[:9])


def iso(text):
    return nanos_of(text.rstrip("Z").ljust(20, ".") if "." not in text else text.rstrip("Z"), "%Y-%m-%dT%H:%M:%S")


def tshark_time(text):
    return nanos_of(text, "%b %d, %Y %H:%M:%S")


def letters(text):
    """Flags as nfdump prints them."""
    return sum(1 << (7 - i) for i, letter in enumerate(text) if letter != ".")


def lower(text):
    return str(text).lower()


def translate(row, names):
    """`names`: theirs to (ours, how); the first that is more than nothing wins. A time of 0 is none."""
    told = {}
    for theirs, (ours, how) in names.items():
        if theirs in row and told.get(ours) in NOTHING:
            value = how(row[theirs])
            if value is not None and (value or ours not in TIMES):
                told[ours] = value
    return told


NFDUMP = {
    "first": ("first_seen", iso), "last": ("last_seen", iso), "in_packets": ("packets", number),
    "t_event": ("first_seen", iso),
    "in_bytes": ("bytes", number), "out_packets": ("reverse_packets", number), "out_bytes": ("reverse_bytes", number),
    "proto": ("proto", number), "tcp_flags": ("tcp_flags", letters), "src_port": ("src_port", number),
    "dst_port": ("dst_port", number), "icmp_type": ("src_port", number), "icmp_code": ("dst_port", number),
    "src_tos": ("tos", number), "src4_addr": ("src_addr", address), "dst4_addr": ("dst_addr", address),
    "src6_addr": ("src_addr", address), "dst6_addr": ("dst_addr", address), "input_snmp": ("input", number),
    "output_snmp": ("output", number), "src_mask": ("src_mask", number), "dst_mask": ("dst_mask", number),
    "src_as": ("src_as", number), "dst_as": ("dst_as", number), "ip4_next_hop": ("next_hop", address),
    "ip6_next_hop": ("next_hop", address), "bgp4_next_hop": ("bgp_next_hop", address),
    "bgp6_next_hop": ("bgp_next_hop", address), "src_vlan": ("vlan", number), "dst_vlan": ("dst_vlan", number),
    "in_src_mac": ("src_mac", lower), "in_dst_mac": ("dst_mac", lower), "direction": ("direction", number),
    "src4_xlt_ip": ("nat_src_addr", address), "dst4_xlt_ip": ("nat_dst_addr", address),
    "src_xlt_port": ("nat_src_port", number), "dst_xlt_port": ("nat_dst_port", number),
    "nat_event_id": ("nat_event", number),
}

TSHARK = {
    "srcaddr": ("src_addr", address), "dstaddr": ("dst_addr", address), "srcaddrv6": ("src_addr", address),
    "dstaddrv6": ("dst_addr", address), "srcport": ("src_port", number), "dstport": ("dst_port", number),
    "protocol": ("proto", number), "octets": ("bytes", number), "packets": ("packets", number),
    "permanent_octets": ("bytes", number), "permanent_packets": ("packets", number), "tos": ("tos", number),
    "tcpflags": ("tcp_flags", number), "inputint": ("input", number), "outputint": ("output", number),
    "srcas": ("src_as", number), "dstas": ("dst_as", number), "srcmask": ("src_mask", number),
    "dstmask": ("dst_mask", number), "srcmaskv6": ("src_mask", number), "dstmaskv6": ("dst_mask", number),
    "nexthop": ("next_hop", address), "nexthopv6": ("next_hop", address), "bgpnexthop": ("bgp_next_hop", address),
    "bgpnexthopv6": ("bgp_next_hop", address), "srcmac": ("src_mac", lower), "dstmac": ("dst_mac", lower),
    "vlanid": ("vlan", number), "dot1q_vlan_id": ("vlan", number), "post_vlanid": ("dst_vlan", number),
    "direction": ("direction", number), "abstimestart": ("first_seen", tshark_time),
    "abstimeend": ("last_seen", tshark_time), "observation_time_milliseconds": ("first_seen", tshark_time),
    "timedelta": ("duration", lambda text: round(float(text) * 10**9)),
    "flow_end_reason": ("end_reason", lambda text: END_REASONS.get(str(text))), "nat_event": ("nat_event", number),
    "post_natsource_ipv4_address": ("nat_src_addr", address),
    "post_natdestination_ipv4_address": ("nat_dst_addr", address),
    "post_naptsource_transport_port": ("nat_src_port", number),
    "post_naptdestination_transport_port": ("nat_dst_port", number),
}

LOGSTASH = {
    "ipv4_src_addr": ("src_addr", address), "ipv4_dst_addr": ("dst_addr", address),
    "ipv6_src_addr": ("src_addr", address), "ipv6_dst_addr": ("dst_addr", address),
    "sourceIPv4Address": ("src_addr", address), "destinationIPv4Address": ("dst_addr", address),
    "sourceIPv6Address": ("src_addr", address), "destinationIPv6Address": ("dst_addr", address),
    "l4_src_port": ("src_port", number), "l4_dst_port": ("dst_port", number),
    "sourceTransportPort": ("src_port", number), "destinationTransportPort": ("dst_port", number),
    "protocol": ("proto", number), "protocolIdentifier": ("proto", number), "in_bytes": ("bytes", number),
    "in_pkts": ("packets", number), "octetDeltaCount": ("bytes", number), "packetDeltaCount": ("packets", number),
    "octetTotalCount": ("bytes", number), "packetTotalCount": ("packets", number), "src_tos": ("tos", number),
    "ipClassOfService": ("tos", number), "tcp_flags": ("tcp_flags", number), "tcpControlBits": ("tcp_flags", number),
    "input_snmp": ("input", number), "output_snmp": ("output", number), "ingressInterface": ("input", number),
    "egressInterface": ("output", number), "src_as": ("src_as", number), "dst_as": ("dst_as", number),
    "src_mask": ("src_mask", number), "dst_mask": ("dst_mask", number), "ipv4_next_hop": ("next_hop", address),
    "src_vlan": ("vlan", number), "vlanId": ("vlan", number), "dst_vlan": ("dst_vlan", number),
    "direction": ("direction", number), "flowDirection": ("direction", number), "in_src_mac": ("src_mac", lower),
    "in_dst_mac": ("dst_mac", lower), "sourceMacAddress": ("src_mac", lower), "first_switched": ("first_seen", iso),
    "last_switched": ("last_seen", iso), "flowStartMilliseconds": ("first_seen", iso),
    "flowEndMilliseconds": ("last_seen", iso),
}


def influx_number(text):
    return int(text.rstrip("ui"))


def influx_hex(text):
    return int(text, 16)


def influx_flags(text):
    return letters(text) if not text.startswith("0x") else int(text, 16)


TELEGRAF = {
    "src": ("src_addr", address), "dst": ("dst_addr", address), "src_port": ("src_port", influx_number),
    "dst_port": ("dst_port", influx_number), "protocol": ("proto", lambda name: PROTOCOLS.get(name)),
    "in_bytes": ("bytes", influx_number), "in_packets": ("packets", influx_number),
    "in_total_bytes": ("bytes", influx_number), "in_total_packets": ("packets", influx_number),
    "src_tos": ("tos", influx_hex), "tcp_flags": ("tcp_flags", influx_flags), "in_snmp": ("input", influx_number),
    "out_snmp": ("output", influx_number), "src_mask": ("src_mask", influx_number),
    "dst_mask": ("dst_mask", influx_number), "src_as": ("src_as", influx_number), "bgp_src_as": ("src_as", influx_number),
    "bgp_dst_as": ("dst_as", influx_number), "next_hop": ("next_hop", address), "vlan_src": ("vlan", influx_number),
    "flow_start_ms": ("first_seen", lambda text: influx_number(text) * 10**6),
    "flow_end_ms": ("last_seen", lambda text: influx_number(text) * 10**6),
    "flow_end_reason": ("end_reason", lambda text: END_REASONS.get(text)),
}
# Of a sampled packet the first is the length of the frame, and packets are those that the exporter has seen so far.
TELEGRAF_SFLOW = {ours: how for ours, how in TELEGRAF.items() if ours not in ("in_total_packets", "src_tos")}
TELEGRAF_SFLOW.update({"l2_bytes": ("frame_bytes", influx_number), "src_tos": ("tos", influx_number),
                       "in_src_mac": ("src_mac", lower), "out_dst_mac": ("dst_mac", lower),
                       "sampling_interval": ("sampling_rate", influx_number)})


def json_rows(capture, kind):
    with open_text(capture.expected_path(kind)) as lines:
        return [json.loads(line) for line in lines if line.strip() and not line.startswith("#")]


def told_forwards(row):
    """nfdump 1.7.1 takes flowStartSysUpTime and flowEndSysUpTime of IPFIX for one another."""
    if row.get("first_seen", 0) > row.get("last_seen", row.get("first_seen", 0)):
        row["first_seen"], row["last_seen"] = row["last_seen"], row["first_seen"]
    return row


def nfdump(capture):
    rows = [told_forwards(translate(row, NFDUMP)) for row in json_rows(capture, "nfdump.jsonl")]
    return [icmp_apart(row) for row in rows]


def icmp_apart(row):
    """Type and code of ICMP as ports, where they stand in one."""
    if row.get("proto") in ICMP and not row.get("src_port") and row.get("dst_port", 0) > 255:
        row["src_port"], row["dst_port"] = row["dst_port"] >> 8, row["dst_port"] & 255
    return row


# What tshark lists beside are records of options.
TSHARK_FLOW = ("srcaddr", "srcaddrv6", "octets", "permanent_octets", "data_link_frame_section")


def tshark(capture):
    rows = []
    for row in json_rows(capture, "tshark.jsonl"):
        fields = row["fields"]
        if any(name in fields for name in TSHARK_FLOW):
            rows.append(translate(fields, TSHARK))
            icmp = number(fields.get("icmp_type_code_ipv4", 0))
            if icmp:
                rows[-1].update(src_port=icmp >> 8, dst_port=icmp & 255)
            icmp_apart(rows[-1])
    return rows


def logstash(capture):
    with open_text(capture.expected_path("logstash.json")) as text:
        events = json.load(text)["events"]
    return [row for row in (translate(event.get("netflow", {}), LOGSTASH) for event in events.values())
            if "src_addr" in row or "bytes" in row]


INFLUX = re.compile(r'([^=,\s]+)=("(?:[^"\\]|\\.)*"|[^,\s]*)')


def telegraf(capture):
    rows = []
    with open_text(capture.expected_path("telegraf.out")) as lines:
        for line in lines:
            row = {name: value.strip('"') for name, value in INFLUX.findall(line)}
            is_sflow = row.get("version") == "sFlowV5"
            if "src" in row:
                rows.append(translate(row, TELEGRAF_SFLOW if is_sflow else TELEGRAF))
    return rows


def pmacct_test(capture):
    """Sums of pmacct's own tests, by more of the record than there is here."""
    rows = []
    for row in json_rows(capture, PMACCT_TEST):
        proto = row["ip_proto"]
        rows.append({"input": row["iface_in"], "output": row["iface_out"], "src_addr": address(row["ip_src"]),
                     "dst_addr": address(row["ip_dst"]), "src_port": row["port_src"], "dst_port": row["port_dst"],
                     "tos": row["tos"], "proto": PROTOCOLS[proto] if proto in PROTOCOLS else int(proto),
                     "packets": row["packets"], "bytes": row["bytes"]})
    return rows


def pmacct(capture):
    """Sums by key, as its tables hold them."""
    rows = []
    for row in json_rows(capture, "pmacct.jsonl"):
        proto = row["ip_proto"]
        vlan = 0 if row["vlan"] == UNKNOWN_VLAN else row["vlan"]
        rows.append({"vlan": vlan, "input": row["iface_in"], "output": row["iface_out"],
                     "src_addr": address(row["ip_src"]), "dst_addr": address(row["ip_dst"]), "src_port": row["port_src"],
                     "dst_port": row["port_dst"], "tos": row["tos"], "tcp_flags": int(row["tcp_flags"]),
                     "proto": PROTOCOLS[proto] if proto in PROTOCOLS else int(proto),
                     "packets": row.get("packets", 0), "bytes": row.get("bytes", 0)})
    return rows
