#!/usr/bin/env python3
"""weir collect --join: pairs of one-way flows become one row of both, whatever told them and however they came; what has
no other half stays as it was."""
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import time

from program import (
    SECONDS, WEIR, digest, free_port, golden, main, need, need_equal, query, read, test, weir, write,
)

SECOND = 1000  # times are in milliseconds
BEGAN = 1700000000 * SECOND
USAGE = 2
SYN, ACK = 2, 16
TCP, UDP, ICMP = 6, 17, 1
TEMPLATE = 300
# Number and size of each element; a value for each in a record.
FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (152, 8), (153, 8), (2, 4), (1, 4), (6, 1), (10, 4), (14, 4), (5, 1))
LAYOUT = ">IIHHBQQIIBIIB"


# ---- what exporters send ---------------------------------------------------------------------------------------


class Flow:
    """A flow of one direction."""

    def __init__(self, src, sport, dst, dport, **told):
        self.src, self.sport, self.dst, self.dport = src, sport, dst, dport
        self.proto, self.first, self.last = told.get("proto", TCP), told.get("first", 0), told.get("last", 0)
        self.packets, self.bytes, self.flags = told.get("packets", 1), told.get("bytes", 100), told.get("flags", 0)
        self.input, self.output, self.tos = told.get("input", 1), told.get("output", 2), told.get("tos", 0)

    def ipfix(self):
        return struct.pack(LAYOUT, self.src, self.dst, self.sport, self.dport, self.proto, BEGAN + self.first,
                           BEGAN + self.last, self.packets, self.bytes, self.flags, self.input, self.output, self.tos)

    def netflow5(self):
        return struct.pack(">IIIHHIIIIHHxBBBHHBBxx", self.src, self.dst, 0, self.input, self.output, self.packets,
                           self.bytes, SECOND + self.first, SECOND + self.last, self.sport, self.dport, self.flags,
                           self.proto, self.tos, 0, 0, 0, 0)


def message(*sets, domain=7):
    body = b"".join(struct.pack(">HH", number, len(content) + 4) + content for number, content in sets)
    return struct.pack(">HHIII", 10, len(body) + 16, BEGAN // SECOND, 0, domain) + body


def template():
    return 2, struct.pack(">HH", TEMPLATE, len(FIELDS)) + b"".join(struct.pack(">HH", *field) for field in FIELDS)


def ipfix_messages(flows, each=20, domain=7):
    """Messages of IPFIX with so many records in each."""
    parts = [flows[at:at + each] for at in range(0, len(flows), each)]
    return [message(template(), domain=domain)] + [
        message((TEMPLATE, b"".join(flow.ipfix() for flow in part)), domain=domain) for part in parts]


def netflow5_messages(flows, each=30):
    """The same of NetFlow 5; its system began a second before the first flow."""
    out = []
    for at in range(0, len(flows), each):
        part = flows[at:at + each]
        head = struct.pack(">HHIIIIBBH", 5, len(part), SECOND, BEGAN // SECOND, 0, at, 0, 3, 0)
        out.append(head + b"".join(flow.netflow5() for flow in part))
    return out


def capture_of(path, datagrams, exporter=0x0a000001):
    """A capture of raw IP with these datagrams to the port of a collector."""
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)]
    for datagram in datagrams:
        packet = struct.pack(">BBHIBBHII", 0x45, 0, 28 + len(datagram), 0, 64, UDP, 0, exporter, 0x0a000002)
        packet += struct.pack(">HHHH", 2055, 2055, 8 + len(datagram), 0) + datagram
        out.append(struct.pack("<IIII", BEGAN // SECOND, 0, len(packet), len(packet)) + packet)
    return write(path, *out)


def joined(*words, **options):
    """The rows of flow, and what was told at the end."""
    done = weir("collect", *words, "-o", "json", **options)
    return [row for row in done.rows() if row["kind"] == "flow"], done.err.decode()


def counts_of(told):
    found = re.search(r"(\d+) pairs of one-way flows were joined; (\d+) found no other in time, (\d+) left for want of room, "
                      r"(\d+) were left at the end", told)
    need(found, told)
    return dict(zip(("joined", "window", "full", "end"), map(int, found.groups())))


# ---- pairs -----------------------------------------------------------------------------------------------------

CLIENT, SERVER = 0x0a000005, 0xc0000250
THERE = dict(first=0, last=900, packets=5, bytes=500, flags=SYN | ACK, input=1, output=2)
BACK = dict(first=3, last=1500, packets=4, bytes=4000, flags=ACK, input=2, output=1)


def need_both(row):
    expected = {"src_addr": "10.0.0.5", "src_port": 40000, "dst_addr": "192.0.2.80", "dst_port": 443, "proto": TCP,
                "first_seen": "2023-11-14T22:13:20Z", "last_seen": "2023-11-14T22:13:21.500Z", "packets": 5, "bytes": 500,
                "tcp_flags": SYN | ACK, "reverse_packets": 4, "reverse_bytes": 4000, "reverse_tcp_flags": ACK,
                "input": 1, "output": 2}
    need_equal({name: row.get(name) for name in expected}, expected)


@test
def a_pair_is_one_row_of_both(folder):
    there, back = Flow(CLIENT, 40000, SERVER, 443, **THERE), Flow(SERVER, 443, CLIENT, 40000, **BACK)
    for flows in [there, back], [back, there]:
        for name, messages in ("ipfix", ipfix_messages(flows)), ("netflow5", netflow5_messages(flows)):
            path = capture_of(os.path.join(folder, name + ".pcap"), messages)
            rows, told = joined(path, "--join")
            need_equal(len(rows), 1, told)
            need_both(rows[0])
            need_equal(counts_of(told), {"joined": 1, "window": 0, "full": 0, "end": 0})
            rows, told = joined(path)
            need_equal(len(rows), 2)
            need("joined" not in told and all("reverse_packets" not in row for row in rows), told)


@test
def what_differs_stays_alone(folder):
    there = Flow(CLIENT, 40000, SERVER, 443, **THERE)
    for what, words, back, messages in (
            ("time", ["--join", "2s"], dict(BACK, first=2901, last=2950), None),
            ("protocol", ["--join"], dict(BACK, proto=UDP), None),
            ("domain", ["--join"], BACK, lambda a, b: ipfix_messages([a], domain=1) + ipfix_messages([b], domain=2))):
        other = Flow(SERVER, 443, CLIENT, 40000, **back)
        path = capture_of(os.path.join(folder, "alone.pcap"),
                          messages(there, other) if messages else ipfix_messages([there, other]))
        rows, told = joined(path, *words)
        need_equal(len(rows), 2, what)
        need_equal(counts_of(told)["joined"], 0, what)
    near = Flow(SERVER, 443, CLIENT, 40000, **dict(BACK, first=2900, last=2950))
    rows, _ = joined(capture_of(os.path.join(folder, "near.pcap"), ipfix_messages([there, near])), "--join=2s")
    need_equal(len(rows), 1)


@test
def echoes_meet_their_answers(folder):
    """NetFlow 5 has type and code in the port of the destination: 8, 0 and 0, 0."""
    flows = [Flow(SERVER, 0, CLIENT, 0, proto=ICMP), Flow(CLIENT, 0, SERVER, 0x0800, proto=ICMP),
             Flow(CLIENT, 0, SERVER, 0x0301, proto=ICMP), Flow(SERVER, 0, CLIENT, 0x0301, proto=ICMP)]
    rows, told = joined(capture_of(os.path.join(folder, "echo.pcap"), netflow5_messages(flows)), "--join")
    need_equal(counts_of(told)["joined"], 1)
    both = [row for row in rows if "reverse_packets" in row]
    need_equal([(row["src_addr"], row["src_port"]) for row in both], [("10.0.0.5", 8)])


@test
def what_only_the_answer_tells_is_kept(folder):
    flows = [Flow(CLIENT, 40000, SERVER, 443, **THERE), Flow(SERVER, 443, CLIENT, 40000, tos=32, **BACK)]
    path = capture_of(os.path.join(folder, "tos.pcap"), ipfix_messages(flows))
    need_equal(joined(path, "--join")[0][0]["elements"], ["reverse:ipClassOfService=32"])
    need("elements" not in joined(path, "--join", "--known-only")[0][0])


# ---- many ------------------------------------------------------------------------------------------------------


def conversations(seed, count):
    """Flows of one direction as a router sends them: both, or one, of each conversation, about when they ended."""
    chance, flows = random.Random(seed), []
    for i in range(count):
        ends = CLIENT + chance.randint(0, 50), 1024 + i, SERVER + chance.randint(0, 5), chance.choice((53, 80, 443))
        first = i * 20 + chance.randint(0, 2000)
        last = first + chance.randint(0, 5000)
        proto = UDP if ends[3] == 53 else TCP
        there = Flow(*ends, proto=proto, first=first, last=last, packets=i + 1, bytes=60 * (i + 1))
        flows.append((last + chance.randint(0, 3000), there))
        if chance.random() < 0.8:
            back = Flow(*ends[2:], *ends[:2], proto=proto, first=first + 1, last=last + 5, packets=i + 1, bytes=90)
            flows.append((last + chance.randint(0, 3000), back))
    return [flow for _, flow in sorted(flows, key=lambda pair: pair[0])]


@test
def batches_and_blocks_change_nothing(folder):
    flows = conversations(1, 4000)
    cases = []
    for each in 1, 7, 28:
        path = capture_of(os.path.join(folder, "each-%d.pcap" % each), netflow5_messages(flows, each))
        cases.append(os.path.join(folder, "case-%d" % each))
        told = weir("collect", path, "--join", "-w", cases[-1]).err.decode()
    counts = counts_of(told)
    found = query(cases[0], "SELECT count(*) n, count(reverse_packets) r, sum(packets + coalesce(reverse_packets, 0)) p "
                            "FROM flow")[0]
    need_equal(found, {"n": len(flows) - counts["joined"], "r": counts["joined"], "p": sum(f.packets for f in flows)})
    need_equal(found["n"], sum(counts.values()))
    pairs = query(cases[0], "SELECT count(*) n FROM flow WHERE reverse_packets = packets AND reverse_bytes = 90")[0]["n"]
    need_equal(pairs, sum(flow.bytes == 90 and flow.dport > 1023 for flow in flows))
    flow_digests = {re.search(r"flow .*", digest(case)).group() for case in cases}
    need_equal(len(flow_digests), 1, "\n".join(sorted(flow_digests)))


def sent_by_replay(form, capture):
    """The datagrams that weir replay sends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        own.bind(("127.0.0.1", 0))
        weir("replay", capture, "-w", "udp://127.0.0.1:%d" % own.getsockname()[1], "-o", form)
        own.setblocking(False)  # over loopback all that was sent is there
        datagrams = []
        try:
            while True:
                datagrams.append(own.recv(65535))
        except BlockingIOError:
            return datagrams


def comparable(row):
    """What both directions tell, to the millisecond; flags of TCP only."""
    names = ["src_addr", "dst_addr", "proto", "packets", "bytes", "reverse_packets", "reverse_bytes"]
    names += ["src_port", "dst_port"] if row["proto"] in (TCP, UDP) else []
    names += ["tcp_flags", "reverse_tcp_flags"] if row["proto"] == TCP else []
    told = {name: row.get(name) or 0 for name in names}
    told.update({name: re.sub(r"(\.\d{3})\d*Z", r"\1Z", row[name]).rstrip("Z0").rstrip(".")
                 for name in ("first_seen", "last_seen")})
    return json.dumps(told, sort_keys=True)


def round_trip(folder, form):
    """Flows of a capture, sent as records of one direction each, and joined, are the flows of the capture."""
    flows = [row for row in read(golden("demo"), "-w", "none", "-o", "json").rows() if row["kind"] == "flow"]
    if form == "netflow5":
        flows = [row for row in flows if ":" not in row["src_addr"]]
    path = capture_of(os.path.join(folder, form + ".pcap"), sent_by_replay(form, golden("demo")))
    rows, told = joined(path, "--join")
    need_equal(counts_of(told)["joined"], sum(row["reverse_packets"] > 0 for row in flows))
    need_equal("\n".join(sorted(map(comparable, rows))), "\n".join(sorted(map(comparable, flows))))


@test
def flows_of_a_capture_come_back_over_netflow5(folder):
    round_trip(folder, "netflow5")


@test
def flows_of_a_capture_come_back_over_netflow9(folder):
    round_trip(folder, "netflow9")


@test
def biflows_are_taken_as_they_are(folder):
    path = os.path.join(folder, "demo.ipfix")
    weir("replay", golden("demo"), "-w", path, "-o", "ipfix")
    rows, told = joined(path, "--join")
    need_equal(counts_of(told), {"joined": 0, "window": 0, "full": 0, "end": 0})
    need_equal(rows, joined(path)[0])


@test
def lines_are_joined_too(folder):
    """From standard input; and again as what the case says of them."""
    line = ('{"iana:flowStartMilliseconds":%d,"iana:flowEndMilliseconds":%d,"iana:sourceIPv4Address":"%s",'
            '"iana:sourceTransportPort":%d,"iana:destinationIPv4Address":"%s","iana:destinationTransportPort":%d,'
            '"iana:protocolIdentifier":17,"iana:packetDeltaCount":1,"iana:octetDeltaCount":%d}\n')
    ask = line % (BEGAN, BEGAN, "10.0.0.5", 40000, "192.0.2.53", 53, 60)
    answer = line % (BEGAN + 20, BEGAN + 20, "192.0.2.53", 53, "10.0.0.5", 40000, 500)
    rows, told = joined("-", "--join", stdin=(answer + ask).encode())
    need_equal([(row["src_port"], row["bytes"], row["reverse_bytes"]) for row in rows], [(40000, 60, 500)], told)


# ---- as it comes -----------------------------------------------------------------------------------------------


class Service:
    """weir run with a port that joins, and its metrics."""

    def __init__(self, folder, *keys):
        self.page = free_port(socket.SOCK_STREAM)
        self.case = os.path.join(folder, "case")
        path = write(os.path.join(folder, "weir.yaml"), (
            "sources:\n  - listen: udp://127.0.0.1:0\n%s\nstore:\n  path: %s\nmetrics:\n  listen: 127.0.0.1:%d\n"
            % ("\n".join("    " + key for key in keys), self.case, self.page)).encode())
        self.run = subprocess.Popen([WEIR, "run", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.port = int(re.search(r"port (\d+)", self.run.stderr.readline().decode()).group(1))

    def send(self, *messages):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            for datagram in messages:
                own.sendto(datagram, ("127.0.0.1", self.port))

    def metric(self, name):
        with socket.create_connection(("127.0.0.1", self.page), SECONDS) as asked:
            asked.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            page = b"".join(iter(lambda: asked.recv(65536), b"")).decode()
        return sum(int(value) for value in re.findall(r"^weir_source_%s\{[^}]*\} (\d+)" % name, page, re.M))

    def wait(self, name, value):
        end = time.time() + SECONDS
        while self.metric(name) != value:
            need(time.time() < end, "%s is %d and not %d" % (name, self.metric(name), value))
            time.sleep(0.05)

    def stop(self):
        self.run.send_signal(signal.SIGTERM)
        told = self.run.communicate(timeout=SECONDS)[1].decode()
        need_equal(self.run.returncode, 0, told)


@test
def what_comes_is_joined_and_counted(folder):
    service = Service(folder, "join: 1h")
    there, back = Flow(CLIENT, 40000, SERVER, 443, **THERE), Flow(SERVER, 443, CLIENT, 40000, **BACK)
    service.send(*ipfix_messages([there]))
    service.wait("flows_total", 1)
    service.send(*ipfix_messages([back]))
    service.wait("joined_pairs_total", 1)
    service.send(*ipfix_messages([there]))
    service.wait("flows_total", 3)
    service.stop()
    need_equal(query(service.case, "SELECT count(*) n, count(reverse_packets) r FROM flow"), [{"n": 2, "r": 1}])


@test
def silence_lets_go_what_waits(folder):
    service = Service(folder, "join: 500ms")
    service.send(*ipfix_messages([Flow(CLIENT, 40000, SERVER, 443, **THERE)]))
    service.wait("unjoined_window_total", 1)
    service.stop()
    need_equal(query(service.case, "SELECT count(*) n, count(reverse_packets) r FROM flow"), [{"n": 1, "r": 0}])


@test
def wrong_words_are_one_sentence(folder):
    said = weir("collect", "--join=soon", "udp://:2055", status=USAGE).err.decode()
    need("soon" in said and said.count("\n") == 1, said)
    kafka = "  - {read: kafka://127.0.0.1:1/%s, join: %s}\n"
    for sources, word in ("  - {read: interface:lo, join: 60s}\n", "join"), (kafka % ("a", "yes") + kafka % ("b", "no"), "join"):
        path = write(os.path.join(folder, "weir.yaml"), ("sources:\n" + sources).encode())
        said = weir("run", "-T", "-c", path, status=USAGE).err.decode()
        need(word in said and said.count("\n") == 1, said)
    path = write(os.path.join(folder, "weir.yaml"), ("sources:\n" + kafka % ("a", "yes") + kafka % ("b", "60s")).encode())
    weir("run", "-T", "-c", path)
    need("join: 1m" in weir("run", "--dump", "-c", path).out.decode(), "the window is not told")


main()
