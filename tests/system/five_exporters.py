#!/usr/bin/env python3
"""One capture through five exporters into weir collect: each tells what the packets say, and what nfcapd or sfcapd
kept of the same datagrams."""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time

from program import (
    SECONDS, WEIR, Skip, free_port, golden, main, need, need_equal, need_program, packets_of, query, records, test,
    wait_for_port, weir, write,
)

ROOM = 1 << 22  # bytes that may wait in a socket
QUIET = 0.3  # seconds without a datagram: the exporter has said all
GAP = 0.001  # seconds between two datagrams that are played
ICMP = 1, 58
ETHERNET = 14
IPV4, IPV6, IPV6_FRAGMENT = 0x0800, 0x86dd, 44
LONG = "--timeout", "1h", "--active-timeout", "1h", "--idle-timeout", "1h"

PMACCTD = """daemonize: false
pcap_savefile: %s
pcap_savefile_wait: 0
"""
NFPROBE = PMACCTD + """plugins: nfprobe
nfprobe_version: 10
nfprobe_receiver: 127.0.0.1:%d
aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags
"""
SFPROBE = PMACCTD + """plugins: sfprobe
sfprobe_receiver: 127.0.0.1:%d
sfprobe_agentip: 127.0.0.1
sampling_rate: 1
"""


# ---- the capture -----------------------------------------------------------------------------------------------


def is_piece(packet):
    """Whether a frame is a fragment: what those are counted for differs from exporter to exporter."""
    frame = packet[16:]
    ether_type = struct.unpack_from(">H", frame, ETHERNET - 2)[0]
    if ether_type == IPV4:
        return struct.unpack_from(">H", frame, ETHERNET + 6)[0] & 0x3fff != 0
    return ether_type == IPV6 and frame[ETHERNET + 6] == IPV6_FRAGMENT


def capture_without_pieces(folder, count=None):
    """The capture, or its first packets."""
    head, packets = packets_of(golden("demo"))
    whole = [packet for packet in packets if not is_piece(packet)]
    need(len(whole) > 1000, len(whole))
    return write(os.path.join(folder, "capture.pcap"), head, *whole[:count])


class Ways(dict):
    """Packets and bytes of each direction of a conversation; those of ICMP have no ports here."""

    def add(self, way, packets, size):
        proto = way[4]
        key = way[:2] + (0, 0, proto) if proto in ICMP else way
        before = self.get(key, (0, 0))
        self[key] = before[0] + packets, before[1] + size


def packets_say(capture, only_v4):
    ways = Ways()
    for row in records(capture, *LONG, kinds=("flow",)):
        if only_v4 and ":" in row["src_addr"]:
            continue
        there = row["src_addr"], row["dst_addr"], row["src_port"], row["dst_port"], row["proto"]
        back = there[1], there[0], there[3], there[2], there[4]
        ways.add(there, row["packets"], row["bytes"])
        if row["reverse_packets"]:
            ways.add(back, row["reverse_packets"], row["reverse_bytes"])
    return ways


# ---- exporters -------------------------------------------------------------------------------------------------


def datagrams_of(command, folder, receiver):
    """What an exporter that ends by itself sends."""
    got, said = [], os.path.join(folder, "exporter.said")
    with open(said, "wb") as file:
        run = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    end = time.time() + SECONDS
    while time.time() < end:
        has_ended = run.poll() is not None
        try:
            got.append(receiver.recv(65535))
        except TimeoutError:
            if has_ended:
                break
    if run.poll() is None:
        run.kill()
        run.wait()
        raise Skip("%s did not end" % command[0])
    receiver.close()
    need(got, command)
    return got


def receiver_of_export():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(QUIET)
    return receiver, receiver.getsockname()[1]


def softflowd(folder, version):
    need_program("softflowd")
    receiver, port = receiver_of_export()
    # Names are relative: softflowd waits for ever where that of its socket is long.
    return datagrams_of(["softflowd", "-r", "capture.pcap", "-n", "127.0.0.1:%d" % port, "-v", str(version), "-d",
                         "-6", "-p", "pid", "-c", "control"], folder, receiver)


def pmacctd(folder, words):
    need_program("pmacctd")
    receiver, port = receiver_of_export()
    write(os.path.join(folder, "pmacctd.conf"), (words % (os.path.join(folder, "capture.pcap"), port)).encode())
    return datagrams_of(["pmacctd", "-f", "pmacctd.conf"], folder, receiver)


# ---- collectors ------------------------------------------------------------------------------------------------


def played_to_both(folder, datagrams, peer):
    """The case that weir makes of datagrams, and the file that the peer makes of the same."""
    need_program(peer)
    case, kept, port = os.path.join(folder, "case"), os.path.join(folder, "kept"), free_port()
    os.mkdir(kept)
    with open(os.path.join(folder, "peer.said"), "wb") as said:
        other = subprocess.Popen([peer, "-w", kept, "-b", "127.0.0.1", "-p", str(port), "-t", "3600"], stdout=said,
                                 stderr=said)
    own = subprocess.Popen([WEIR, "collect", "udp://127.0.0.1:0", "-w", case], stderr=subprocess.PIPE)
    own_port = int(re.search(r"port (\d+)", own.stderr.readline().decode()).group(1))
    wait_for_port(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", own_port))
            sender.sendto(datagram, ("127.0.0.1", port))
            time.sleep(GAP)
    time.sleep(QUIET)
    for run in own, other:
        run.send_signal(signal.SIGTERM)
    told = own.communicate(timeout=SECONDS)[1].decode()
    other.wait(SECONDS)
    need_equal(own.returncode, 0, told)
    files = [name for name in os.listdir(kept) if "capd.2" in name]
    need_equal(len(files), 1, "files of " + peer)
    return case, os.path.join(kept, files[0])


def case_says(case, size="bytes"):
    ways = Ways()
    for row in weir("query", case, "-k", "flow", "-o", "json").rows():
        way = tuple(row.get(name) or 0 for name in ("src_addr", "dst_addr", "src_port", "dst_port", "proto"))
        ways.add(way, row["packets"], row[size])
    return ways


def peer_says(path):
    told = subprocess.run(["nfdump", "-r", path, "-o", "json"], stdout=subprocess.PIPE, timeout=SECONDS, check=True)
    ways = Ways()
    for row in json.loads(told.stdout):
        family = "4" if "src4_addr" in row else "6"
        way = row["src%s_addr" % family], row["dst%s_addr" % family], row.get("src_port", 0), row.get("dst_port", 0)
        ways.add(way + (row["proto"],), row["in_packets"], row["in_bytes"])
    return ways


def need_same(found, expected, whose):
    wrong = ["%s: %s, not %s" % (way, found.get(way), expected.get(way)) for way in sorted(set(found) | set(expected))
             if found.get(way) != expected.get(way)]
    need(not wrong, whose, *wrong)


# ---- all five --------------------------------------------------------------------------------------------------


def flows_agree(folder, datagrams, only_v4=False):
    """An exporter that counts flows: one record for each direction of a conversation."""
    expected = packets_say(os.path.join(folder, "capture.pcap"), only_v4)
    case, kept = played_to_both(folder, datagrams, "nfcapd")
    need_same(case_says(case), expected, "the case and the packets")
    need_same(case_says(case), peer_says(kept), "the case and nfcapd")
    need_equal(query(case, "SELECT count(*) n FROM loss"), [{"n": 0}])


@test
def softflowd_netflow5(folder):
    capture_without_pieces(folder)
    flows_agree(folder, softflowd(folder, 5), only_v4=True)


@test
def softflowd_netflow9(folder):
    capture_without_pieces(folder)
    flows_agree(folder, softflowd(folder, 9))


@test
def softflowd_ipfix(folder):
    capture_without_pieces(folder)
    flows_agree(folder, softflowd(folder, 10))


@test
def pmacctd_ipfix(folder):
    capture_without_pieces(folder)
    flows_agree(folder, pmacctd(folder, NFPROBE))


@test
def pmacctd_sflow(folder):
    """Every packet is sampled; sfcapd counts frames as they are on the wire, we what the IP packet says."""
    capture_without_pieces(folder)
    case, kept = played_to_both(folder, pmacctd(folder, SFPROBE), "sfcapd")
    need_same(case_says(case, "frame_bytes"), peer_says(kept), "the case and sfcapd")
    need_equal(query(case, "SELECT DISTINCT sampling_rate rate FROM flow"), [{"rate": 1}])
    # pmacctd ends without the datagram that it has not filled yet.
    told = query(case, "SELECT count(*) n FROM flow")[0]["n"]
    need(told > 1400, told)
    need_same(case_says(case), packets_say(capture_without_pieces(folder, told), False), "the case and the packets")


main()
