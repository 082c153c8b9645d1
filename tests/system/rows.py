#!/usr/bin/env python3
"""The project's acceptance rows for conversations and streams, by captures that were built to their numbers.

A PDU is written as in `weir show`: "--> 128" comes from src, "<-- 1427" from dst; "<-- gap 1000" is a hole in front
of the next PDU of that direction."""

import re

from program import golden, golden_captures, main, need, need_equal, records, test, weir

ARROW = re.compile(rb"^(-->|<--) (?:\s*([\d.-]+) s  (\d+) bytes at (\d+)|   (\d+) bytes missing: (.*))$")


def conversations(name):
    return records(golden(name), kinds={"conversation"})


def only(rows):
    need_equal(len(rows), 1, "number of rows")
    return rows[0]


def pdu_lines(name, conversation):
    """(arrow, seconds, length, position) of each PDU; a gap has no seconds and no position."""
    for line in weir("show", golden(name), conversation["id"]).out.splitlines():
        match = ARROW.match(line)
        if match and match.group(3):
            yield match.group(1).decode(), float(match.group(2)), int(match.group(3)), int(match.group(4))
        elif match:
            yield match.group(1).decode(), None, int(match.group(5)), None


def pdus(name, conversation):
    return ["%s %s%d" % (arrow, "gap " if seconds is None else "", length)
            for arrow, seconds, length, _ in pdu_lines(name, conversation)]


def raw(name, conversation, side):
    return weir("show", golden(name), conversation["id"], "--raw", side).out


def need_pdus(name, *expected):
    """Each conversation of the capture has these PDUs."""
    found = conversations(name)
    need_equal([pdus(name, c) for c in found], list(expected), name)
    return found


# ---- streams ---------------------------------------------------------------------------------------------------


@test
def G22_simple_exchange(folder):
    c = only(need_pdus("tcp/simple-exchange", ["--> 128", "<-- 1427"]))
    need(raw("tcp/simple-exchange", c, "src").startswith(b"GET "))
    need(raw("tcp/simple-exchange", c, "dst").startswith(b"HTTP/1.1 200 OK"))
    frames = weir("show", golden("tcp/simple-exchange"), c["id"], "--packets").out.decode().splitlines()
    lengths = [int(re.search(r"(\d+) bytes", line).group(1)) for line in frames]
    need_equal(lengths, [62, 62, 54, 182, 60, 1481, 54, 60, 54], "frames")


PUSHES = ["--> 322", "<-- 4110", "<-- 4096", "<-- 4096", "<-- 778"]


@test
def G23_pushes(folder):
    need_pdus("tcp/pushes", PUSHES)


@test
def G24_only_the_client(folder):
    c = only(need_pdus("tcp/client-only", ["--> 322"]))
    need_equal((c["src_addr"], c["dst_packets"]), ("192.0.2.10", 0))


@test
def G24_only_the_server(folder):
    c = only(need_pdus("tcp/server-only-no-handshake", ["--> 4110", "--> 4096", "--> 4096", "--> 778"]))
    need_equal((c["src_addr"], c["src_port"], c["dst_packets"]), ("192.0.2.80", 80, 0))


@test
def G24_only_the_server_answering_a_syn(folder):
    c = only(conversations("tcp/server-only"))
    need_equal((c["src_addr"], c["src_port"], c["dst_packets"]), ("192.0.2.80", 80, 0))
    found = [line for line in pdus("tcp/server-only", c) if "gap" not in line]  # what it acknowledges was never seen
    need_equal(found, ["--> 4110", "--> 4096", "--> 4096", "--> 778"])


@test
def G25_retransmissions(folder):
    c = only(need_pdus("tcp/retransmission-full", ["--> 200", "<-- 900"]))
    need_equal((c["src_retransmits"], c["dst_retransmits"]), (1, 1))
    only(need_pdus("tcp/retransmission-partial", ["--> 200", "<-- 1400"]))
    only(need_pdus("tcp/retransmission-whole", ["--> 200", "<-- 1400"]))
    only(need_pdus("tcp/retransmission-longer", ["--> 200", "<-- 1100", "<-- 300"]))
    wanted = raw("tcp/retransmission-partial", only(conversations("tcp/retransmission-partial")), "dst")
    for name in "tcp/retransmission-longer", "tcp/retransmission-whole":
        need_equal(raw(name, only(conversations(name)), "dst"), wanted, name)


@test
def G26_port_reuse(folder):
    found = conversations("tcp/port-reuse")
    need_equal(len(found), 8, "conversations")
    need_equal(len({c["id"] for c in found}), 8, "ids")
    need_equal(len({(c["src_addr"], c["src_port"], c["dst_addr"], c["dst_port"]) for c in found}), 1, "tuples")
    for c in found:
        arrows = [line.split()[0] for line in pdus("tcp/port-reuse", c)]
        need(arrows in (["-->", "<--"], ["-->"]), "at most one PDU each way", arrows)


@test
def G27_keep_alives(folder):
    c = only(conversations("tcp/keep-alives"))
    lines = list(pdu_lines("tcp/keep-alives", c))
    need_equal([sum(line[0] == arrow for line in lines) for arrow in ("-->", "<--")], [138, 139], "PDUs up and down")
    for side, arrow in ("src", "-->"), ("dst", "<--"):
        total = sum(length for a, _, length, _ in lines if a == arrow)
        need_equal(c[side + "_payload_bytes"], total, "bytes of keep-alives in the payload of " + side)
        need_equal(c[side + "_missed_bytes"], 0, "missed by " + side)
    only(need_pdus("tcp/keep-alive-before-answer", ["--> 100", "<-- 500"]))


@test
def G28_swapped_ports(folder):
    need_pdus("tcp/swapped-ports", *[["--> 130", "<-- 300"]] * 4)
    ports = [(c["src_port"], c["dst_port"]) for c in conversations("tcp/swapped-ports")]
    need_equal(sorted(ports), [(80, 1000)] * 2 + [(1000, 80)] * 2)


@test
def G29_losses(folder):
    c = only(conversations("tcp/losses"))
    lines = list(pdu_lines("tcp/losses", c))
    need_equal(sum(seconds is not None for _, seconds, _, _ in lines), 20, "PDUs")
    need_equal([(arrow, length) for arrow, seconds, length, _ in lines if seconds is None], [("<--", 1000)] * 12, "gaps")
    at = 0
    for arrow, seconds, length, position in lines:  # gaps fill exactly what lies between the PDUs
        if arrow == "<--":
            need(seconds is None or position == at, "a PDU at %s where %d is expected" % (position, at))
            at += length
    need_equal((at, c["dst_missed_bytes"], c["dst_payload_bytes"]), (28000, 12000, 16000))
    bodies = records(golden("tcp/losses"), kinds={"file"})
    need(bodies and all(row["missing_bytes"] > 0 and not row["complete"] for row in bodies), "files do not tell the gaps")
    need_equal(sum(row["missing_bytes"] for row in bodies), 12000, "missing bytes of files")
    gaps = records(golden("tcp/losses"), kinds={"loss"})
    need_equal(len(gaps), 12, "the map of gaps")
    need({row["side"] for row in gaps} == {"dst"} and {row["bytes"] for row in gaps} == {1000}, "whose gaps")
    need_equal(sorted(row["offset"] for row in gaps), gap_places(lines), "places of the gaps")
    times = [[at.rstrip("Z") for at in (c["first_seen"], row["ts"], row["last_seen"], c["last_seen"])] for row in gaps]
    need(all(four == sorted(four) for four in times), "times of the gaps")
    need(len({row["ts"] for row in gaps}) == 12, "each gap has its own time")


def gap_places(lines):
    """Where the gaps of dst begin: each follows what was shown before."""
    at, places = 0, []
    for arrow, seconds, length, _ in lines:
        if arrow != "<--":
            continue
        if seconds is None:
            places.append(at)
        at += length
    return places


@test
def snapped_bytes_are_cut_not_lost(folder):
    c = only(conversations("tcp/snapped"))
    cut = c.get("src_cut_bytes", 0) + c.get("dst_cut_bytes", 0)
    need(cut > 0, "no bytes are told as cut")
    need_equal((c["src_missed_bytes"], c["dst_missed_bytes"]), (0, 0), "missed bytes")
    rows = records(golden("tcp/snapped"), kinds={"loss"})
    need_equal({row["reason"] for row in rows}, {"snapped"})
    need_equal(sum(row["bytes"] for row in rows), cut, "the ledger and the conversation")


@test
def G30_reordering(folder):
    expected, found = (only(conversations(name)) for name in ("tcp/pushes", "tcp/reordered"))
    for side in "src", "dst":
        need(raw("tcp/reordered", found, side) == raw("tcp/pushes", expected, side), "payload of %s differs" % side)
    need_equal((found["dst_missed_bytes"], found["dst_retransmits"]), (0, 0))


@test
def G31_ends(folder):
    only(need_pdus("tcp/syn-with-data", ["--> 200", "<-- 500"]))
    need_pdus("tcp/fast-open", *[["--> 120", "<-- 300"]] * 2)
    only(need_pdus("tcp/half-close", ["--> 20", "<-- 3000"]))
    only(need_pdus("tcp/fin-with-data", ["--> 9", "<-- 7"]))
    c = only(need_pdus("tcp/reset-with-payload", ["--> 150", "<-- 600"]))
    need_equal((c["conn_state"], c["history"][-1]), ("RSTR", "r"), "how it ended")
    need(b"RST" not in raw("tcp/reset-with-payload", c, "dst")[-64:], "the text of the RST is in the payload")
    need_equal([c["conn_state"] for c in conversations("tcp/closed-ports")], ["REJ"] * 8)
    need_equal(only(conversations("tcp/no-answer"))["conn_state"], "S0")


@test
def G32_wrap(folder):
    c = only(need_pdus("tcp/sequence-wrap", PUSHES))
    expected = only(conversations("tcp/pushes"))
    need(raw("tcp/sequence-wrap", c, "dst") == raw("tcp/pushes", expected, "dst"), "payload differs")
    need_equal((c["src_missed_bytes"], c["dst_missed_bytes"]), (0, 0))


@test
def G34_pairing(folder):
    """Both directions are one conversation when they share a handshake, and without one."""
    c = only(conversations("tcp/pushes"))
    need_equal((c["src_packets"] > 0, c["dst_packets"] > 0), (True, True))
    c = only(conversations("tcp/mid-stream"))
    need_equal((c["src_packets"] > 0, c["dst_packets"] > 0), (True, True), "without handshake")
    only(need_pdus("tcp/simultaneous-open", ["--> 3", "<-- 4"]))


@test
def G35_timeouts(folder):
    need_pdus("tcp/silence-601", *[["--> 100", "<-- 200"]] * 2)
    need_pdus("udp/silence-601", ["--> 3", "<-- 3"], ["--> 5", "<-- 4"])
    only(conversations("tcp/silence-599"))
    only(conversations("udp/silence-599"))
    for name in "tcp/silence-601", "udp/silence-601":
        only(records(golden(name), "--timeout", "602s", kinds={"conversation"}))
    for name in "tcp/silence-599", "udp/silence-599":
        need_equal(len(records(golden(name), "--timeout", "598s", kinds={"conversation"})), 2, name)


@test
def G36_datagrams(folder):
    only(need_pdus("udp/exchange", ["--> 46", "<-- 146"]))


@test
def G36_by_first_seen(folder):
    for name in "tcp/losses", "tcp/keep-alives", "tcp/one-byte-segments", "udp/junk":
        times = [seconds for _, seconds, _, _ in pdu_lines(name, only(conversations(name))) if seconds is not None]
        need_equal(times, sorted(times), name)


@test
def G38_times_that_go_back(folder):
    need_equal(only(records(golden("tcp/backward-times"), kinds={"capture"}))["backwards"], 2)
    c = only(conversations("tcp/backward-times"))
    need_equal((c["src_payload_bytes"], c["dst_payload_bytes"]), (322, 13080))


# ---- layers ----------------------------------------------------------------------------------------------------


@test
def G40_link_types_and_extension_headers(folder):
    for name in ("vlan", "qinq", "mpls", "pppoe", "cooked", "cooked2", "raw", "raw-ipv6", "null", "ipv6",
                 "ipv6-extensions"):
        c = only(conversations("link/" + name))
        need_equal((c["proto"], c["dst_port"], c["conn_state"], c["service"]), (6, 80, "SF", "http"), name)
        need_equal(pdus("link/" + name, c), ["--> 128", "<-- 700"], name)
        only(records(golden("link/" + name), kinds={"http"}))


@test
def G40_vlans_tell_conversations_apart(folder):
    need_pdus("link/vlans-apart", *[["--> 128", "<-- 700"]] * 2)


@test
def G40_what_is_not_ip_is_counted(folder):
    need_equal(len(conversations("link/not-ip")), 1)
    whole = only(records(golden("link/not-ip"), kinds={"capture"}))["packets"]
    c = only(conversations("link/not-ip"))
    need(whole > c["src_packets"] + c["dst_packets"], "nothing but IP in link/not-ip")


# ---- shards ----------------------------------------------------------------------------------------------------

BAR = re.compile(r"^ *(\d+) +(\d+) {2}(#*)$")


def shards(path, number):
    """Packets by shard and bytes by shard, with their totals."""
    totals, bars = [], []
    for line in weir("shards", path, "-s", number).out.decode().splitlines():
        total = re.match(r"(packets|bytes), (\d+) in all$", line)
        if total:
            totals.append(int(total.group(2)))
            bars.append({})
        else:
            match = BAR.match(line)
            need(match, "no bar: " + line)
            bars[-1][int(match.group(1))] = int(match.group(2))
    return totals, bars


@test
def G13_every_ip_packet_has_a_shard(folder):
    for number in 1, 7, 10, 256:
        totals, bars = shards(golden("demo"), number)
        for total, bar in zip(totals, bars):
            need_equal(sorted(bar), list(range(number)), "shards")
            need_equal(sum(bar.values()), total, "sum over %d shards" % number)
        need_equal(totals[0], sum(c["src_packets"] + c["dst_packets"] for c in conversations("demo")), "IP packets")
    need_equal(len(weir("shards", golden("demo")).out.splitlines()), 22, "lines with the default of 10 shards")


@test
def G13_both_directions_are_in_one_shard(folder):
    singles = 0
    for name, path in golden_captures().items():
        if not name.startswith(("tcp/", "udp/", "link/")) or name == "link/vlans-apart":
            continue
        tuples = {frozenset([(c["src_addr"], c["src_port"]), (c["dst_addr"], c["dst_port"])])
                  for c in conversations(name)}
        used = sum(packets > 0 for packets in shards(path, 256)[1][0].values())
        need(used <= len(tuples), "%s: %d shards for %d pairs of endpoints" % (name, used, len(tuples)))
        singles += len(tuples) == 1
    need(singles > 20, "only %d captures have a single pair of endpoints" % singles)


main()
