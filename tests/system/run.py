#!/usr/bin/env python3
"""weir run: one file says where flows come from, where they are kept and where else they go; it is read again while all
goes on, and what came is there after the end."""
import os
import re
import signal
import socket
import struct
import subprocess
import time

from program import ROOT, SECONDS, WEIR, free_port, main, need, need_equal, query, test, weir
from service import BASE, Service, flows, ipfix, scraped, template, waited

USAGE, MACHINE = 2, 4


@test
def what_is_sent_is_kept(folder):
    metrics = free_port(socket.SOCK_STREAM)
    service = Service(folder, BASE + "metrics:\n  listen: 127.0.0.1:%d\n" % metrics)
    port, case = service.ports(1)[0], os.path.join(folder, "case")
    service.send(port, ipfix(0, template()))
    for first in range(0, 2000, 20):
        service.send(port, flows(first, 20))
        time.sleep(0.001)
    waited(lambda: os.path.isdir(os.path.join(case, "records")) and
           query(case, "SELECT count(*) n FROM flow")[0]["n"] == 2000, "2000 flows while it runs")
    found = waited(lambda: (lambda m: m.get("weir_store_rows_total") == "2000" and m)(scraped(metrics)), "metrics")
    need_equal(found['weir_exporter_flows_total{exporter="127.0.0.1"}'], "2000")
    need_equal(found['weir_source_datagrams_total{source="udp://127.0.0.1:0"}'], "101")
    service.send(port, flows(2000, 30))
    service.stop()
    need_equal(query(case, "SELECT count(*) n FROM flow")[0]["n"], 2030)
    weir("verify", "--quick", case)


@test
def two_sources_and_two_sinks(folder):
    """By source a name of its own; a sink by expression over networks of the file; another weir takes what is passed on."""
    taker = subprocess.Popen([WEIR, "collect", "udp://127.0.0.1:0", "-w", "taken"], cwd=folder, stderr=subprocess.PIPE)
    taken = int(re.search(r"port (\d+)", taker.stderr.readline().decode()).group(1))
    service = Service(folder, """
networks:
  some: [10.0.0.0/28]
sources:
  - listen: udp://127.0.0.1:0
    tap: west
  - listen: udp://127.0.0.1:0
    tap: east
store: {path: case}
sinks:
  - {to: some.json, format: json, filter: src_addr in $some}
  - ipfix://127.0.0.1:%d
""" % taken)
    ports = service.ports(2)
    for n, port in enumerate(ports):
        service.send(port, ipfix(0, template()), flows(0, 20 + n))
    service.stop()
    time.sleep(0.3)
    taker.send_signal(signal.SIGTERM)
    taker.communicate(timeout=SECONDS)
    found = query(os.path.join(folder, "case"), "SELECT point, count(*) n FROM flow GROUP BY ALL ORDER BY n")
    need_equal(sorted(row["n"] for row in found), [20, 21])
    need_equal(sorted(row["point"] for row in found), ["east", "west"])
    with open(os.path.join(folder, "some.json"), encoding="utf-8") as file:
        need_equal(sum(1 for line in file), 2 * 16)
    need_equal(query(os.path.join(folder, "taken"), "SELECT count(*) n FROM flow")[0]["n"], 41)
    os.environ["WEIR_CONFIG"] = service.file
    told = weir("replay", os.path.join(folder, "case"), "-Y", "src_addr in $some", "-w", os.path.join(folder, "some.ipfix"))
    need("32 flows played" in told.err.decode(), told.err.decode())
    need("no list" in weir("replay", "x", "-Y", "src_addr in $any", "-w", "y", status=USAGE).err.decode(), "a list without a place")
    del os.environ["WEIR_CONFIG"]


@test
def what_has_no_place_is_counted(folder):
    """Sent is stored and lost, whatever the load: a small buffer, as fast as it goes."""
    service = Service(folder, BASE.replace("- udp://127.0.0.1:0", "- {listen: udp://127.0.0.1:0, buffer: 4096}"))
    port, sent = service.ports(1)[0], 20000
    service.send(port, ipfix(0, template()))
    time.sleep(0.2)
    for first in range(0, sent, 20):
        service.send(port, flows(first, 20))
    time.sleep(0.5)
    service.send(port, flows(sent, 1))
    service.stop()
    case = os.path.join(folder, "case")
    stored = query(case, "SELECT count(*) n FROM flow")[0]["n"]
    lost = query(case, "SELECT coalesce(sum(count), 0) n FROM loss WHERE reason = 'sequence_gap'")[0]["n"]
    need_equal(stored + int(lost), sent + 1)


@test
def the_file_is_read_again(folder):
    service = Service(folder, BASE + "sinks:\n  - {to: one.json, format: json}\n")
    port = service.ports(1)[0]
    service.send(port, ipfix(0, template()), flows(0, 10))
    waited(lambda: os.path.getsize(os.path.join(folder, "one.json")) > 0, "one.json")
    other = BASE.replace("path: case", "path: elsewhere") + "sinks:\n  - {to: two.json, format: json}\n"
    with open(service.file, "w", encoding="utf-8") as file:
        file.write(other)
    service.run.send_signal(signal.SIGHUP)
    service.wait_for("store.path changed and takes effect when weir starts again")
    service.wait_for("was read again")
    service.send(port, flows(10, 7))
    waited(lambda: os.path.getsize(os.path.join(folder, "two.json")) > 0, "two.json")
    service.write(other + "\nsorces:\n")
    service.wait_for('did you mean "sources"?; what runs stays as it was')
    service.send(port, flows(17, 5))
    service.stop()
    lines = {}
    for name in "one", "two":
        with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
            lines[name] = sum(1 for line in file)
    need_equal(lines, {"one": 10, "two": 12})
    need_equal(query(os.path.join(folder, "case"), "SELECT count(*) n FROM flow")[0]["n"], 22)
    need(not os.path.exists(os.path.join(folder, "elsewhere")), "a case was made while it ran")


@test
def a_sink_that_takes_nothing_holds_nobody_up(folder):
    """One that is away, and one that connects and never reads: all is kept, and what they miss is counted."""
    metrics, away = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        service = Service(folder, BASE + "sinks: ['tcp://127.0.0.1:%d', 'tcp://127.0.0.1:%d']\nmetrics: {listen: ':%d'}\n" %
                          (away, deaf.getsockname()[1], metrics))
        port, sent = service.ports(1)[0], 200000
        service.wait_for("cannot reach tcp://127.0.0.1:%d" % away)
        service.send(port, ipfix(0, template()))
        for first in range(0, sent, 50):
            service.send(port, flows(first, 50))
            time.sleep(0.0005)
        service.wait_for("cannot send to tcp://127.0.0.1:%d" % deaf.getsockname()[1])
        found = waited(lambda: (lambda m: m["weir_exporter_flows_total{exporter=\"127.0.0.1\"}"] == str(sent) and m)(scraped(metrics)),
                       "all of them")
        need_equal(found['weir_sink_records_total{sink="tcp://127.0.0.1:%d"}' % away], "0")
        service.stop()
    need_equal(query(os.path.join(folder, "case"), "SELECT count(*) n FROM flow")[0]["n"], sent)
    need_equal(query(os.path.join(folder, "case"), "SELECT count(*) n FROM loss")[0]["n"], 0)


@test
def the_service_manager_is_told(folder):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(os.path.join(folder, "notify"))
    manager.settimeout(20)
    said = []

    def wait_for(state):
        while state not in said:
            said.extend(manager.recv(4096).decode().splitlines())

    service = Service(folder, BASE, {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "400000"})
    wait_for("READY=1")
    wait_for("WATCHDOG=1")
    said.clear()
    service.run.send_signal(signal.SIGHUP)
    wait_for("RELOADING=1")
    need(any(line.startswith("MONOTONIC_USEC=") for line in said), said)
    wait_for("READY=1")
    service.stop()
    wait_for("STOPPING=1")
    manager.close()


def refuse(folder, text, status, *mentioned):
    path = os.path.join(folder, "wrong.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    told = weir("run", "-c", path, status=status).err.decode()
    need(told.count("\n") == 1 and all(word in told for word in mentioned), told)


@test
def what_is_wrong_is_one_sentence(folder):
    refuse(folder, "sources:\n  - lisen: udp://:2055\n", USAGE,
           'wrong.yaml:2:5: "lisen" is no key of a source; did you mean "listen"?')
    refuse(folder, "", USAGE, "no sources")
    refuse(folder, "sources: [udp://nowhere]\n", USAGE, "wrong.yaml:1:11", "names no port")
    refuse(folder, "sources: [udp://:0]\nsinks:\n  - {to: x, format: jso}\n", USAGE, "wrong.yaml:3:5", "no format")
    refuse(folder, "sources: [udp://:0]\nsinks:\n  - {to: x.json, format: json, filter: sorce == 1}\n", USAGE, "character 1")
    refuse(folder, "sources: [udp://:0]\nsinks:\n  - {to: x.json, format: json, filter: src_addr in $x}\n", USAGE,
           'no list "x"')
    refuse(folder, "sources: [udp://:0]\nsinks:\n  - {to: x.json, kind: flows, format: json}\n", USAGE, 'no kind "flows"')
    refuse(folder, "sources: [udp://:0]\nmetrics: {listen: nowhere}\n", USAGE, "names no port")
    refuse(folder, "sources: [udp://:0]\nelements: [{name: x, enterprise: 1, number: 1, type: string, fills: bytes}]\n",
           USAGE, "cannot fill")
    refuse(folder, "sources: [%s]\n" % os.path.join(folder, "missing"), 3, "missing")
    holder = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    holder.bind(("::", 0))
    refuse(folder, "sources: ['udp://:%d']\n" % holder.getsockname()[1], MACHINE, "in use")
    holder.close()
    with socket.create_server(("127.0.0.1", 0)) as server:
        refuse(folder, "sources: [udp://:0]\nmetrics: {listen: '127.0.0.1:%d'}\n" % server.getsockname()[1], MACHINE, "in use")
    told = weir("run", "-c", os.path.join(folder, "nowhere.yaml"), status=USAGE).err.decode()
    need("nowhere.yaml" in told and told.count("\n") == 1, told)


@test
def the_file_beside_the_program_is_right(folder):
    shared = os.path.join(ROOT, "share", "weir.yaml")
    need_equal(weir("run", "-c", shared, "-T").out, b"")
    dumped = os.path.join(folder, "dump.yaml")
    once = weir("run", "-c", shared, "--dump").out
    with open(dumped, "wb") as file:
        file.write(once)
    need_equal(weir("run", "-c", dumped, "--dump").out, once)
    keys = weir("run", "--keys").out.decode()
    need(all(key in keys for key in ("sources:", "listen: URL", "every: TIME", "metrics:")), keys)


@test
def elements_of_users_are_known(folder):
    service = Service(folder, BASE + """
elements:
  - {name: theirName, enterprise: 4242, number: 7, type: string, fills: application}
  - {name: theirCount, enterprise: 4242, number: 8, type: unsigned32}
""")
    port = service.ports(1)[0]
    fields = [(8, 4), (12, 4)]
    body = b"".join(struct.pack(">HH", *f) for f in fields) + struct.pack(">HHIHHI", 0x8000 | 7, 4, 4242, 0x8000 | 8, 4, 4242)
    data = struct.pack(">II4sI", 0x0a000001, 0x0a000002, b"mail", 42)
    service.send(port, ipfix(0, (2, struct.pack(">HH", 300, 4) + body)), ipfix(0, (300, data)))
    service.stop()
    found = query(os.path.join(folder, "case"), "SELECT application, elements FROM flow")
    need_equal([row["application"] for row in found], ["mail"])
    need("theirCount=42" in str(found), found)


main()
