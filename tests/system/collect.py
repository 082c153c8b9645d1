#!/usr/bin/env python3
"""weir collect: what exporters send over loopback arrives in the case, flow for flow, and what does not is told."""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time

from program import SECONDS, WEIR, free_port, main, need, need_equal, query, test, weir

EXPORTED = 1704067200
USUAL = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4)]
USAGE, MACHINE = 2, 4


def ipfix(sequence, *sets, domain=7):
    body = b"".join(struct.pack(">HH", number, len(content) + 4) + content for number, content in sets)
    return struct.pack(">HHIII", 10, len(body) + 16, EXPORTED, sequence, domain) + body


def template(number=300, fields=tuple(USUAL)):
    return 2, struct.pack(">HH", number, len(fields)) + b"".join(struct.pack(">HH", *field) for field in fields)


def record(i, packets=1):
    return struct.pack(">IIHHBII", 0x0a000000 + i, 0x0a640001, 1024 + i % 60000, 443, 6, packets, 100 * packets)


class Collector:
    """weir collect on a free port of loopback."""

    def __init__(self, *words, scheme="udp", place="127.0.0.1:0"):
        self.run = subprocess.Popen([WEIR, "collect", scheme + "://" + place, *words], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
        said, self.remark = self.run.stderr.readline().decode(), ""
        if "listening" not in said:
            said, self.remark = self.run.stderr.readline().decode(), said
        self.port = int(re.search(r"port (\d+)", said).group(1))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, *messages):
        for message in messages:
            self.socket.sendto(message, ("127.0.0.1", self.port))

    def stop(self):
        time.sleep(0.3)  # what was sent over loopback is in the socket; it is read before the end
        self.run.send_signal(signal.SIGTERM)
        out, told = self.run.communicate(timeout=SECONDS)
        self.socket.close()
        need_equal(self.run.returncode, 0, told.decode())
        return [json.loads(line) for line in out.splitlines()], told.decode()


@test
def every_flow_is_in_the_case(folder):
    case = os.path.join(folder, "case")
    collector = Collector("-w", case)
    collector.send(ipfix(0, template()))
    for first in range(0, 5000, 20):
        collector.send(ipfix(first, (300, b"".join(record(i, i % 7 + 1) for i in range(first, first + 20)))))
        time.sleep(0.0005)
    told = collector.stop()[1]
    need("5000 flows" in told, told)
    found = query(case, "SELECT count(*) n, sum(packets) p, sum(bytes) b, count(DISTINCT src_addr) a FROM flow")[0]
    packets = sum(i % 7 + 1 for i in range(5000))
    need_equal((found["n"], found["p"], found["b"], found["a"]), (5000, packets, 100 * packets, 5000))
    need_equal(query(case, "SELECT count(*) n FROM loss")[0]["n"], 0)
    weir("verify", "--quick", case)


@test
def templates_outlive_the_process(folder):
    """Data after a restart need not wait; what was lost between is known by the count; old templates are not trusted."""
    case = os.path.join(folder, "case")
    collector = Collector("-w", case)
    own = collector.socket.getsockname
    collector.send(ipfix(0, template()), ipfix(0, (300, record(1))))
    port = own()[1]
    collector.stop()
    rows = weir("collect", "--templates", case, "-o", "json").rows()
    need_equal([(row["exporter"], row["port"], row["domain"], row["id"], row["of"], row["records"]) for row in rows],
               [("127.0.0.1", port, 7, 300, "flows", 1)])
    need_equal(rows[0]["fields"][:2], ["sourceIPv4Address:4", "destinationIPv4Address:4"])
    again = Collector("-w", case)
    again.socket.bind(("127.0.0.1", port))
    again.send(ipfix(4, (300, record(2))))
    again.stop()
    need_equal(query(case, "SELECT count(*) n FROM flow")[0]["n"], 2)
    need_equal(query(case, "SELECT sum(count) n FROM loss WHERE reason = 'sequence_gap'")[0]["n"], 3)
    need_equal(query(case, "SELECT count(*) n FROM loss WHERE reason = 'no_template'")[0]["n"], 0)
    report = weir("report", case).out.decode()
    need(all(word in report for word in ("2 flows", "1 exporter", "incomplete: 3 told as lost: sequence_gap")), report)
    weir("verify", "--quick", case)
    with open(os.path.join(case, "exporters", "templates"), "r+b") as file:
        file.truncate(100)
    need("is damaged" in weir("collect", "--templates", case, status=3).err.decode(), "damage goes unnoticed")
    third = Collector("-w", case)
    need("is damaged" in third.remark, third.remark)
    third.stop()


@test
def what_is_missing_is_told_by_exporter(folder):
    collector = Collector("-o", "json")
    collector.send(ipfix(0, template()), ipfix(0, (300, record(1))), ipfix(11, (300, record(2))))
    lines, _ = collector.stop()
    need_equal(sum(line["kind"] == "flow" for line in lines), 2)
    lost = [line for line in lines if line["kind"] == "loss"]
    need_equal([(line["reason"], line["count"], line["point"]) for line in lost], [("sequence_gap", 10, "127.0.0.1")])


@test
def a_capture_tells_the_same_as_the_wire(folder):
    messages = [ipfix(0, template()), ipfix(0, (300, record(1) + record(2))), ipfix(2, (300, record(3)))]
    collector = Collector("-o", "json")
    collector.send(*messages)
    live = [line for line in collector.stop()[0] if line["kind"] == "flow"]
    path = os.path.join(folder, "messages.ipfix")
    with open(path, "wb") as file:
        file.write(b"".join(messages))
    read = weir("collect", path, "-o", "json").rows()
    for line in live + read:
        line.pop("exporter", None)
    need_equal(read, live)
    for tail, said in ((b"junk!", "1 messages were of no version"), (messages[1][:20], "3 flows in 4 messages")):
        with open(path, "wb") as file:
            file.write(b"".join(messages) + tail)
        told = weir("collect", path, "-o", "json").err.decode()
        need(said in told, told)


def flood(collector, messages):
    """So much at once that a small socket has no room for it, and how many records a message has."""
    flows = b"".join(record(i) for i in range(30))
    collector.send(ipfix(0, template()))
    time.sleep(0.2)
    collector.run.send_signal(signal.SIGSTOP)
    collector.send(*(ipfix(30 * i, (300, flows)) for i in range(messages)))
    return 30


@test
def what_finds_no_room_is_counted(folder):
    """By the exporter's own count once something comes behind it, and by the kernel's in any case."""
    for is_last_lost in (False, True):
        collector = Collector("-o", "json", "--buffer", "8k")
        each = flood(collector, 400)
        collector.run.send_signal(signal.SIGCONT)
        if not is_last_lost:
            time.sleep(0.5)
            collector.send(ipfix(400 * each, (300, record(1))))
        lines, _ = collector.stop()
        came = sum(line["kind"] == "flow" for line in lines)
        lost = [line for line in lines if line["kind"] == "loss"]
        need(came < 400 * each, "nothing was lost")
        need_equal(sum(line["packets"] for line in lost if line["reason"] == "kernel_drops"), 400 - came // each)
        if not is_last_lost:
            gaps = sum(line["count"] for line in lost if line["reason"] == "sequence_gap")
            need_equal(came + gaps, 400 * each + 1)


@test
def several_sockets_tell_what_one_does(folder):
    """Of many exporters, each with templates of its own under the same number."""
    found = []
    for sockets in ("1", "4"):
        port, case = free_port(), os.path.join(folder, "case" + sockets)
        collector = Collector("-w", case, "--sockets", sockets, place="127.0.0.1:%d" % port)
        senders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(16)]
        time.sleep(0.3)  # until all of them listen
        for n, sender in enumerate(senders):
            fields, told = (USUAL, record) if n % 2 else (USUAL[::-1], backwards)
            sender.sendto(ipfix(0, template(fields=fields), domain=n), ("127.0.0.1", port))
            for i in range(20):
                sender.sendto(ipfix(i, (300, told(100 * n + i)), domain=n), ("127.0.0.1", port))
        collector.stop()
        found.append(query(case, "SELECT domain, src_addr, packets, bytes FROM flow ORDER BY ALL"))
        need_equal(query(case, "SELECT count(*) n FROM loss")[0]["n"], 0)
        need_equal(len(weir("collect", "--templates", case, "-o", "json").rows()), 16)
        for sender in senders:
            sender.close()
    need_equal(len(found[0]), 320)
    need_equal(found[1], found[0])
    refuse(["udp://:0", "--sockets", "2"], USAGE, "one that is named")


def connect(collector):
    return socket.create_connection(("127.0.0.1", collector.port), timeout=SECONDS)


@test
def connections_tell_the_same_as_datagrams(folder):
    """Many at once, each with templates of its own under the same number, cut anywhere."""
    case = os.path.join(folder, "case")
    collector = Collector("-w", case, scheme="tcp")
    senders = [connect(collector) for _ in range(20)]
    for n, sender in enumerate(senders):
        fields = USUAL if n % 2 else USUAL[::-1]
        records = b"".join(record(i) if n % 2 else backwards(i) for i in range(50))
        content = ipfix(0, template(fields=fields)) + ipfix(0, (300, records))
        half = len(content) // 2 + n
        sender.sendall(content[:half])
        time.sleep(0.01)
        sender.sendall(content[half:])
    for sender in senders:
        sender.close()
    collector.stop()
    found = query(case, "SELECT count(*) n, sum(bytes) b, count(DISTINCT src_addr) a FROM flow")[0]
    need_equal((found["n"], found["b"], found["a"]), (1000, 100000, 50))
    need_equal(query(case, "SELECT count(*) n FROM loss")[0]["n"], 0)


def backwards(i):
    return struct.pack(">IIBHHII", 100, 1, 6, 443, 1024 + i % 60000, 0x0a640001, 0x0a000000 + i)


@test
def hostile_connections_end_and_are_told(folder):
    collector = Collector("-o", "json", scheme="tcp")
    good, wrong, cut = [connect(collector) for _ in range(3)]
    good.sendall(ipfix(0, template()))
    wrong.sendall(ipfix(0, template()) + b"GET / HTTP/1.1\r\n\r\n")
    need_equal(wrong.recv(1), b"")
    cut.sendall(ipfix(0, template())[:30])
    cut.close()
    good.sendall(ipfix(0, (300, record(1))) + ipfix(1, (301, record(1))))
    good.close()
    lines, told = collector.stop()
    need("2 of 3 connections ended before their time" in told, told)
    need_equal(sum(line["kind"] == "flow" for line in lines), 1)
    need_equal(sorted(line["reason"] for line in lines if line["kind"] == "loss"),
               ["cut_connection", "no_template", "not_ipfix"])


@test
def what_is_replayed_over_tcp_arrives(folder):
    path, collector = os.path.join(folder, "messages.ipfix"), Collector("-o", "json", scheme="tcp")
    with open(path, "wb") as file:
        file.write(ipfix(0, template()) + ipfix(0, (300, b"".join(record(i) for i in range(500)))))
    weir("replay", path, "-w", "tcp://127.0.0.1:%d" % collector.port, "-n", "10")
    lines, _ = collector.stop()
    need_equal(sum(line["kind"] == "flow" for line in lines), 5000)
    need_equal(sum(line["kind"] == "loss" for line in lines), 0)


@test
def junk_is_counted(folder):
    collector = Collector("-o", "json")
    collector.send(b"", b"\x00", b"not a flow at all", os.urandom(1400), ipfix(0, template(), (300, record(1))))
    lines, told = collector.stop()
    need_equal(sum(line["kind"] == "flow" for line in lines), 1)
    need("no version that is known" in told, told)


def refuse(words, status, mentioned):
    told = weir("collect", *words, status=status).err.decode()
    need(mentioned in told and told.count("\n") == 1, told)


@test
def wrong_words_are_one_sentence(folder):
    refuse([], USAGE, "weir collect udp://:2055")
    refuse(["udp://nowhere"], USAGE, "names no port")
    refuse(["udp://:99999"], USAGE, "names no port")
    refuse(["udp://example.invalid:2055"], USAGE, "no address")
    refuse(["tcp://:4739x"], USAGE, "names no port")
    holder = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    holder.bind(("::", 0))
    refuse(["udp://:%d" % holder.getsockname()[1]], MACHINE, "in use")
    holder.close()


main()
