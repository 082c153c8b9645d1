"""What is inside of tunnels, what was joined from fragments, and what came twice and differed."""
from collections import Counter

import program

PROTOCOLS = {"tcp": 6, "udp": 17}

# Segments that disagree, as frames 5 and 6 have them: both readings, from where they differ.
DISPUTED = {
    "tcp-reassembly/suri-eve-overlap-payload-01.pcap": (b"GOOD", b"EVIL"),
    "tcp-reassembly/suri-eve-payload-04-partial-overlap.pcap": (b"OOD", bytes.fromhex("585858")),
}


def compare(capture, records, tally):
    if capture.name.startswith("tunnels/"):
        compare_tunnels(capture, records, tally)
    compare_datagrams(capture, tally)
    compare_disputes(capture, records, tally)


def compare_tunnels(capture, records, tally):
    """Theirs are the innermost addresses, with the packets of each side; the ports are those of the outermost UDP or
    TCP header where that is a tunnel's. So a row agrees with the conversation of those ends and that protocol, or else,
    if the ports are those of a carrier, with one of those addresses that has a parent."""
    inside = [row for row in records.kinds["conversation"] if not row.get("carries")]
    carrier_ports = {(row["proto"], frozenset([row["src_port"], row["dst_port"]]))
                     for row in records.kinds["conversation"] if row.get("carries") and "src_port" in row}
    exact = {(row["proto"], program.endpoints_of(row)) for row in inside if "src_port" in row}
    carried = {frozenset([row["src_addr"], row["dst_addr"]]) for row in inside if row.get("tunnel")}
    for flow in capture.table("flows.tsv"):
        proto, ports = PROTOCOLS[flow["proto"]], (int(flow["a_port"]), int(flow["b_port"]))
        found = (proto, frozenset(zip((flow["a_ip"], flow["b_ip"]), ports))) in exact
        if not found and (proto, frozenset(ports)) in carrier_ports:
            found = frozenset([flow["a_ip"], flow["b_ip"]]) in carried
        tally.note("tunnel_flows", capture.name, f"{flow['proto']} {flow['stream']}", found,
                   f"no {flow['a_ip']}:{flow['a_port']} {flow['b_ip']}:{flow['b_port']}")


def compare_datagrams(capture, tally):
    """Each that they joined must have been joined here with the same frame and the same length."""
    if not capture.has("reassembled-ip.tsv"):
        return
    found = Counter((row["frame"], row["bytes"]) for row in program.datagrams(capture.path))
    for row in capture.table("reassembled-ip.tsv"):
        name = int(row["frame_completing"]), int(row["reassembled_payload_length"])
        tally.note("datagrams", capture.name, f"frame {name[0]}", found[name] > 0,
                   f"expected {name[1]} bytes; found {[size for frame, size in found if frame == name[0]]}")
        found[name] -= 1


def compare_disputes(capture, records, tally):
    """Both readings must be there where two differ, and none where fragments came twice alike."""
    if capture.name in DISPUTED:
        found = [(row.get("taken"), row.get("other")) for row in records.kinds["ambiguity"] if row["layer"] == "tcp"]
        tally.same("disputes", capture.name, "segments", [tuple(text.hex() for text in DISPUTED[capture.name])], found)
    if "ip_fragment_overlap_datagrams" in capture.checks:
        expected = int(capture.checks.get("ip_fragment_conflict_datagrams", 0))
        found = {row["datagram"] for row in records.kinds["ambiguity"] if "datagram" in row}
        tally.same("disputes", capture.name, "datagrams", expected, len(found))
