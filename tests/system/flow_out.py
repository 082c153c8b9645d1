#!/usr/bin/env python3
"""weir replay: what we export is read by ourselves, by nfcapd and by pmacct as it is stored."""
import collections
import datetime
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from program import (
    CORPUS, SECONDS, WEIR, Skip, free_port, golden, main, need, need_equal, need_program, query, read, test,
    wait_for_port, weir,
)

USAGE, MACHINE = 2, 4
FORMATS = "ipfix", "netflow9", "netflow5"
SETTLE = 0.4  # what was sent over loopback is in the socket by then
STARTED = 30
FORWARD = "packets", "bytes", "tcp_flags"
ICMP = 1, 58


def flows_of(rows):
    return [row for row in rows if row["kind"] == "flow"]


def stored(capture):
    return flows_of(read(capture, "-o", "json").rows())


def millis(text):
    whole = datetime.datetime.fromisoformat(text.replace("Z", "")[:19] + "+00:00")
    fraction = re.search(r"\.(\d+)", text)
    return int(whole.timestamp()) * 1000 + int((fraction.group(1) + "000")[:3] if fraction else 0)


def one_way(flow):
    """The records of one direction each that tell a flow."""
    there = {name: flow[name] for name in ("src_addr", "dst_addr", "src_port", "dst_port", "proto")}
    there.update({name: flow[name] for name in FORWARD if name in flow})
    there.update(first=millis(flow["first_seen"]), last=millis(flow["last_seen"]))
    back = dict(there, src_addr=flow["dst_addr"], dst_addr=flow["src_addr"], src_port=flow["dst_port"],
                dst_port=flow["src_port"])
    back.update({name: flow["reverse_" + name] for name in FORWARD if "reverse_" + name in flow})
    return [way for way in (there, back) if way["packets"]]


def need_same(found, expected):
    """The same rows, in whatever order."""
    found, expected = ([json.dumps(row, sort_keys=True) for row in rows] for rows in (found, expected))
    missing = list((collections.Counter(expected) - collections.Counter(found)).elements())
    other = list((collections.Counter(found) - collections.Counter(expected)).elements())
    need(not missing and not other, "missing:", *missing[:10], "there instead:", *other[:10])


# ---- ourselves -------------------------------------------------------------------------------------------------


def collected(capture, form):
    run = subprocess.Popen([WEIR, "collect", "udp://127.0.0.1:0", "-o", "json"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    port = re.search(r"port (\d+)", run.stderr.readline().decode()).group(1)
    weir("replay", capture, "-w", "udp://127.0.0.1:" + port, "-o", form)
    time.sleep(SETTLE)
    run.send_signal(signal.SIGTERM)
    rows = [json.loads(line) for line in run.communicate(timeout=SECONDS)[0].splitlines()]
    need_equal([row for row in rows if row["kind"] == "loss"], [])
    return flows_of(rows)


def without(flow, *names):
    return {name: value for name, value in flow.items() if name not in names}


@test
def ipfix_brings_back_all_that_is_stored(folder):
    expected = [without(flow, "conversation_id") for flow in stored(golden("demo"))]
    found = [without(flow, "exporter", "domain") for flow in collected(golden("demo"), "ipfix")]
    for flow in expected + found:
        if flow["proto"] == 58:  # an echo has its answer's type in place of a port, and is told by its code
            flow.pop("dst_port"), flow.pop("community_id")
    need_same(found, expected)


def brings_back_each_direction(form):
    expected = [way for flow in stored(golden("demo")) for way in one_way(flow)
                if form != "netflow5" or ":" not in flow["src_addr"]]
    found = [way for flow in collected(golden("demo"), form) for way in one_way(flow | {"reverse_packets": 0})]
    for way in expected + found:
        if way["proto"] in ICMP:
            way.pop("src_port"), way.pop("dst_port")  # what a format tells of them differs
        if way["proto"] != 6:
            way.pop("tcp_flags", None)
    need_same(found, expected)


@test
def netflow9_brings_back_each_direction(folder):
    brings_back_each_direction("netflow9")


@test
def netflow5_brings_back_each_direction(folder):
    brings_back_each_direction("netflow5")


# ---- others ----------------------------------------------------------------------------------------------------

FLAGS = "CEUAPRSF"  # as nfdump has them, highest first


def nfdump_row(row):
    v4 = "src4_addr" in row
    way = {"src_addr": row["src4_addr" if v4 else "src6_addr"], "dst_addr": row["dst4_addr" if v4 else "dst6_addr"],
           "proto": row["proto"], "packets": row["in_packets"], "bytes": row["in_bytes"],
           "first": millis(row["first"]), "last": millis(row["last"])}
    if row["proto"] == 6:
        way["tcp_flags"] = sum(1 << (7 - i) for i, letter in enumerate(row["tcp_flags"]) if letter != ".")
    if row["proto"] not in ICMP:
        way.update(src_port=row["src_port"], dst_port=row["dst_port"])
    return way


def plain(way):
    """What others tell too: ICMP has no ports there."""
    if way["proto"] in ICMP:
        way = without(way, "src_port", "dst_port")
    return way if way["proto"] == 6 else without(way, "tcp_flags")


def ways_for(form, flows):
    """What a collector shows that has no second direction."""
    flows = [flow for flow in flows if form != "netflow5" or ":" not in flow["src_addr"]]
    return [plain(way) for flow in flows for way in (one_way(flow)[:1] if form == "ipfix" else one_way(flow))]


def nfcapd_reads(folder, form):
    need_program("nfcapd")
    port = free_port()
    with open(os.path.join(folder, "said"), "wb") as said:
        run = subprocess.Popen(["nfcapd", "-w", folder, "-b", "127.0.0.1", "-p", str(port), "-t", "3600"],
                               stdout=said, stderr=said)
    wait_for_port(port)
    weir("replay", golden("demo"), "-w", "udp://127.0.0.1:%d" % port, "-o", form)
    time.sleep(SETTLE)
    run.send_signal(signal.SIGTERM)
    run.wait(SECONDS)
    kept = [name for name in os.listdir(folder) if name.startswith("nfcapd.2")]
    need_equal(len(kept), 1)
    told = subprocess.run(["nfdump", "-r", os.path.join(folder, kept[0]), "-o", "json"], stdout=subprocess.PIPE,
                          env=dict(os.environ, TZ="UTC"), timeout=SECONDS, check=True).stdout
    rows = json.loads(told)
    need_same(map(nfdump_row, rows), ways_for(form, stored(golden("demo"))))
    return rows


@test
def nfcapd_reads_ipfix(folder):
    rows = nfcapd_reads(folder, "ipfix")
    back = sorted((row.get("out_packets", 0), row.get("out_bytes", 0)) for row in rows)
    need_equal(back, sorted((flow["reverse_packets"], flow["reverse_bytes"]) for flow in stored(golden("demo"))))


@test
def nfcapd_reads_netflow9(folder):
    nfcapd_reads(folder, "netflow9")


@test
def nfcapd_reads_netflow5(folder):
    nfcapd_reads(folder, "netflow5")


NFACCTD = """daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: %d
plugins: print[all]
aggregate[all]: src_host, dst_host, src_port, dst_port, proto, tcpflags, timestamp_start, timestamp_end
print_output[all]: json
print_output_file[all]: %s
print_output_file_append[all]: true
print_refresh_time[all]: 1
timestamps_utc: true
"""


PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ipv6-icmp": 58, "sctp": 132}


def pmacct_row(row):
    proto = PROTOCOLS.get(row["ip_proto"]) or int(row["ip_proto"])
    way = {"src_addr": row["ip_src"], "dst_addr": row["ip_dst"], "proto": proto,
           "packets": row["packets"], "bytes": row["bytes"], "src_port": row["port_src"], "dst_port": row["port_dst"],
           "first": millis(row["timestamp_start"]), "last": millis(row["timestamp_end"]),
           "tcp_flags": int(row["tcp_flags"])}
    return plain(way)


def pmacct_reads(folder, form):
    need_program("nfacctd")
    port, out, config = free_port(), os.path.join(folder, "out.json"), os.path.join(folder, "config")
    with open(config, "w", encoding="ascii") as file:
        file.write(NFACCTD % (port, out))
    with open(os.path.join(folder, "said"), "wb") as said:
        run = subprocess.Popen(["nfacctd", "-f", config], stdout=said, stderr=said)
    wait_for_port(port)
    weir("replay", golden("demo"), "-w", "udp://127.0.0.1:%d" % port, "-o", form)
    expected = ways_for(form, stored(golden("demo")))
    if form == "netflow5":  # pmacct makes whole seconds of it, upwards
        for way in expected:
            way.update({name: -(-way[name] // 1000) * 1000 for name in ("first", "last")})
    end = time.time() + STARTED
    rows = []
    while time.time() < end and len(rows) < len(expected):
        time.sleep(0.2)
        if os.path.exists(out):
            with open(out, encoding="utf-8") as file:
                rows = [json.loads(line) for line in file if line.endswith("}\n")]
    run.send_signal(signal.SIGINT)
    run.wait(SECONDS)
    need_same(map(pmacct_row, rows), expected)


@test
def pmacct_reads_ipfix(folder):
    pmacct_reads(folder, "ipfix")


@test
def pmacct_reads_netflow9(folder):
    pmacct_reads(folder, "netflow9")


@test
def pmacct_reads_netflow5(folder):
    pmacct_reads(folder, "netflow5")


# ---- the ways ---------------------------------------------------------------------------------------------------


def sums(path):
    case = path + ".case"
    weir("collect", path, "-w", case)
    return query(case, "SELECT count(*) n, sum(packets) p, sum(bytes) b FROM flow")[0]


@test
def ten_plays_are_ten_times_the_records(folder):
    once, ten = os.path.join(folder, "once.ipfix"), os.path.join(folder, "ten.ipfix")
    source = os.path.join(CORPUS, "flow-export", "ipfix", "stream4flow-test-data.ipfix")
    weir("replay", source if os.path.exists(source) else golden("demo"), "-w", once)
    weir("replay", once, "-n", "10", "-w", ten)
    need_equal(sums(ten), {name: value * 10 for name, value in sums(once).items()})


@test
def a_case_plays_what_it_holds(folder):
    case, out = os.path.join(folder, "case"), os.path.join(folder, "out.ipfix")
    read(golden("demo"), "-w", case)
    weir("replay", case, "-w", out, "-Y", "proto == 6")
    need_equal(sums(out), query(case, "SELECT count(*) n, sum(packets) p, sum(bytes) b FROM flow WHERE proto = 6")[0])


@test
def a_connection_carries_what_a_file_has(folder):
    path, got = os.path.join(folder, "out.ipfix"), []
    listener = socket.create_server(("127.0.0.1", 0))

    def take():
        with listener.accept()[0] as connection:
            while piece := connection.recv(65536):
                got.append(piece)

    taker = threading.Thread(target=take)
    taker.start()
    weir("replay", golden("demo"), "-w", "tcp://127.0.0.1:%d" % listener.getsockname()[1])
    taker.join(SECONDS)
    listener.close()
    weir("replay", golden("demo"), "-w", path)
    with open(path, "rb") as file:
        need_equal(b"".join(got), file.read())


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@test
def lines_of_json_tell_what_is_stored(folder):
    path = os.path.join(folder, "out.json")
    weir("replay", golden("demo"), "-o", "json", "-w", path)
    need_equal(lines_of(path), stored(golden("demo")))
    need_equal(weir("replay", golden("demo"), "-o", "json", "-w", "-").rows(), stored(golden("demo")))
    names = weir("replay", golden("demo"), "--kind", "dns", "-w", "-", "-Y", "qtype_name == 'MX'").rows()
    need(names and all(row["kind"] == "dns" and row["qtype_name"] == "MX" for row in names), names)


@test
def what_is_metered_is_exported(folder):
    """Flows as they are stored, and beside them what DNS, HTTP and TLS said: without counters, so that they add up."""
    path, rows = os.path.join(folder, "out.ipfix"), read(golden("demo"), "-o", "json").rows()
    weir("read", golden("demo"), "--export", path, "--domain", "77")
    found = flows_of(weir("collect", path, "-o", "json").rows())
    need_equal({flow["domain"] for flow in found}, {77})
    found = [without(flow, "exporter", "domain") for flow in found]
    expected = [without(flow, "conversation_id") for flow in flows_of(rows)]
    need_same([flow for flow in found if "packets" in flow], expected)
    told = [flow for flow in found if "packets" not in flow]
    asked = [(row["src_addr"], row["trans_id"], row.get("query"), row.get("qtype")) for row in rows if row["kind"] == "dns"]
    need_same([(flow["src_addr"], flow["dns_id"], flow.get("dns_name"), flow.get("dns_qtype")) for flow in told
               if "dns_id" in flow], asked)
    hosts = [(row.get("host"), row.get("uri"), row.get("status_code")) for row in rows if row["kind"] == "http"]
    need_same([(flow.get("http_host"), flow.get("http_target"), flow.get("http_status")) for flow in told
               if "http_method" in flow], [host for host in hosts if host[1]])
    ciphers = ["".join("%04x" % cipher for cipher in row["client_ciphers"][:8]) for row in rows
               if row["kind"] == "tls" and row.get("client_ciphers")]
    need_same([flow["tls_ciphers"] for flow in told if "tls_ciphers" in flow], ciphers)


@test
def what_is_metered_is_passed_on_as_lines(folder):
    path = os.path.join(folder, "out.json")
    weir("read", golden("demo"), "--export", path, "--export-as", "json")
    need_equal(lines_of(path), read(golden("demo"), "-o", "json").rows())


@test
def export_while_reading_fails_in_one_sentence(folder):
    told = weir("read", golden("demo"), "--export", "udp://127.0.0.1:%d" % free_port(), status=MACHINE).err.decode()
    need("nobody listens" in told, told)
    told = weir("read", golden("demo"), "--export", "udp://127.0.0.1:9", "--export-as", "json", status=USAGE).err.decode()
    need("json goes to a file" in told, told)


@test
def the_rate_is_kept(folder):
    began = time.time()
    weir("replay", golden("demo"), "-w", os.path.join(folder, "out.ipfix"), "-n", "10", "--rate", "1000")
    flows = 10 * len(stored(golden("demo")))
    need(flows / 1000 * 0.8 < time.time() - began < flows / 1000 + 5, "%.2f s" % (time.time() - began))


def refuse(words, status, mentioned):
    told = weir("replay", *words, status=status).err.decode()
    need(mentioned in told and told.splitlines()[-1].startswith("weir: "), told)


@test
def wrong_words_are_one_sentence(folder):
    refuse([], USAGE, "weir replay CASE -w udp://HOST:PORT")
    refuse([golden("demo")], USAGE, "weir replay CASE -w udp://HOST:PORT")
    refuse([golden("demo"), "-w", "udp://nowhere"], USAGE, "names no host and port")
    refuse([golden("demo"), "-w", "udp://127.0.0.1:9", "-o", "netflow8"], USAGE, "ipfix, netflow9, netflow5")
    refuse([golden("demo"), "-w", os.path.join(folder, "x"), "-o", "netflow5"], USAGE, "over UDP only")
    refuse([golden("demo"), "-w", golden("demo")], USAGE, "there already")
    refuse([golden("demo"), "-w", "tcp://127.0.0.1:%d" % free_port()], MACHINE, "cannot reach")
    refuse([golden("demo"), "-w", "udp://127.0.0.1:%d" % free_port()], MACHINE, "nobody listens")


main()
