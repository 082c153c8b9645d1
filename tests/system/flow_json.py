#!/usr/bin/env python3
"""Lines of flows become records; those that nobody understands are kept, counted and told."""
import gzip
import json
import os

from program import golden, main, need, need_equal, query, test, weir

DATED = ('{"date_first_seen":"2015-07-18T18:00:00.048+01","date_last_seen":"2015-07-18T18:00:47.151+01","duration":47.103,'
         '"src_ip_addr":"224.151.51.167","dst_ip_addr":"231.128.24.80","src_port":%d,"dst_port":8080,"protocol":"TCP",'
         '"flags":".A..S.","tos":0,"packets":2,"bytes":424}')
INPUT, USAGE = 3, 2


def write(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(b"".join(line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines))
    return path


def flows(*words, **options):
    return [row for row in weir("collect", *words, "-o", "json", **options).rows() if row["kind"] == "flow"]


@test
def files_and_standard_input_are_the_same(folder):
    lines = [DATED % port for port in range(1, 2001)]
    path = write(folder, "flows.json", lines)
    read = flows(path)
    need_equal([row["src_port"] for row in read], list(range(1, 2001)))
    need_equal({key: read[0][key] for key in ("first_seen", "last_seen", "src_addr", "tcp_flags", "bytes")},
               {"first_seen": "2015-07-18T17:00:00.048Z", "last_seen": "2015-07-18T17:00:47.151Z",
                "src_addr": "224.151.51.167", "tcp_flags": 18, "bytes": 424})
    with open(path, "rb") as file:
        need_equal(flows("-", stdin=file), read)


@test
def they_are_kept_in_a_case(folder):
    path, case = write(folder, "flows.json", [DATED % port for port in range(1, 2001)]), os.path.join(folder, "case")
    told = weir("collect", path, "-w", case).err.decode()
    need("2000 flows in 2000 lines" in told, told)
    need_equal(query(case, "SELECT count(*) AS n, sum(bytes) AS bytes FROM flow"), [{"n": 2000, "bytes": 848000}])


@test
def what_nobody_understands_can_be_repaired(folder):
    wrong = [DATED % 70000, (DATED % 1)[:-1], (DATED % 1).replace('"tos":0', '"tos":0,"tos":0'), "?" * 100]
    binary = (DATED % 2).replace("}", ',"x":"').encode() + b'\xff"}\n'
    path = write(folder, "flows.json", [DATED % 1, *wrong, binary, DATED % 3])
    dead = os.path.join(folder, "dead")
    rows = weir("collect", path, "-o", "json", "--dead", dead).rows()
    need_equal([row["src_port"] for row in rows if row["kind"] == "flow"], [1, 3])
    need_equal({row["reason"]: row["count"] for row in rows if row["kind"] == "loss"}, {"bad_value": 1, "not_json": 4})
    with open(dead, "rb") as file:
        kept = [line.split(b"\t", 2) for line in file.read().splitlines()]
    need_equal([place.decode() for place, _, _ in kept], ["%s:%d" % (path, n) for n in range(2, 7)])
    need_equal([line for _, _, line in kept], [line.encode() for line in wrong] + [binary[:-1]])
    need_equal(kept[0][1], b"src_port is too large")


@test
def styles_of_others_are_known(folder):
    zeek = {"ts": 1.5, "uid": "C1", "id.orig_h": "10.0.0.1", "id.orig_p": 1, "id.resp_h": "10.0.0.2", "id.resp_p": 53,
            "proto": "udp", "service": "dns", "duration": 0.25, "conn_state": "SF", "orig_pkts": 1, "orig_ip_bytes": 60}
    eve = {"timestamp": "1970-01-01T00:00:09.000000+0000", "event_type": "flow", "src_ip": "10.0.0.1", "src_port": 1,
           "dest_ip": "10.0.0.2", "dest_port": 53, "proto": "UDP", "app_proto": "dns",
           "flow": {"pkts_toserver": 1, "bytes_toserver": 60, "start": "1970-01-01T00:00:01.500000+0000",
                    "end": "1970-01-01T00:00:01.750000+0000"}}
    ipfix = {"@type": "ipfix.entry", "ipfix.sourceIPv4Address": "10.0.0.1", "ipfix.destinationIPv4Address": "10.0.0.2",
             "ipfix.sourceTransportPort": 1, "ipfix.destinationTransportPort": 53, "ipfix.protocolIdentifier": 17,
             "ipfix.packetDeltaCount": 1, "ipfix.octetDeltaCount": 60, "ipfix.flowStartMilliseconds": 1500,
             "ipfix.flowEndMilliseconds": 1750, "ipfix.applicationName": "dns"}
    iana = {key.replace("ipfix.", "iana:"): value for key, value in ipfix.items()}
    found = []
    for name, line in ("zeek", zeek), ("eve", eve), ("ipfix", ipfix), ("iana", iana):
        row, = flows("--known-only", write(folder, name, [json.dumps(line)]))
        found.append(row)
    need_equal(found, [found[0]] * 4)
    need_equal((found[0]["src_addr"], found[0]["dst_port"], found[0]["proto"], found[0]["bytes"], found[0]["last_seen"]),
               ("10.0.0.1", 53, 17, 60, "1970-01-01T00:00:01.750Z"))


@test
def wrong_words_are_told(folder):
    need("no lines of flows" in weir("collect", "-", stdin=b"nothing of ours\n", status=INPUT).err.decode())
    path = write(folder, "flows.json", [DATED % 1])
    told = weir("collect", path, "--dead", os.path.join(folder, "no", "dead"), status=USAGE).err.decode()
    need("cannot be written" in told, told)


@test
def what_weir_writes_it_reads(folder):
    path, case = write(folder, "flows.json", [DATED % port for port in range(1, 301)]), os.path.join(folder, "case")
    weir("collect", path, "-w", case)
    expected = flows(path)
    for form in ("csv", "json"):
        written = weir("query", case, "-k", "flow", "-o", form).out
        for name, content in (("plain." + form, written), ("packed." + form + ".gz", gzip.compress(written))):
            need_equal(flows(write(folder, name, [content])), expected)


@test
def names_of_others_are_written_and_read(folder):
    """All that a flow has comes back by names of elements; the twelve keys have a line for each direction."""
    case, back, path = (os.path.join(folder, name) for name in ("case", "back", "lines"))
    weir("read", golden("demo"), "-w", case)
    weir("replay", case, "-w", path, "-o", "json-ipfix")
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    need_equal({line["@type"] for line in lines}, {"ipfix.entry"})
    need({"ipfix.sourceIPv4Address", "ipfix.flowStartMilliseconds", "ipfix.tcpControlBits"} <= set(lines[0]), lines[0])
    weir("collect", path, "-w", back)
    told = "SELECT * EXCLUDE (conversation_id, link, once) FROM flow ORDER BY ALL"
    need_equal(query(back, told), query(case, told))
    weir("replay", case, "-w", path + ".dated", "-o", "json-nfdump")
    with open(path + ".dated", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    both = [(flow["packets"], flow["bytes"], flow.get("reverse_packets", 0), flow.get("reverse_bytes", 0)) for flow in query(case, told)]
    need_equal(sum(line["packets"] for line in lines), sum(flow[0] + flow[2] for flow in both))
    need_equal(sum(line["bytes"] for line in lines), sum(flow[1] + flow[3] for flow in both))
    need(all(len(line) == 12 and len(line["flags"]) == 6 for line in lines if line["protocol"] == "TCP"), lines)
    told = weir("replay", case, "-w", "-", "--kind", "dns", "-o", "json-ipfix", status=USAGE).err.decode()
    need("records of dns are played as json" in told, told)


@test
def what_was_before_damage_is_kept(folder):
    content = b"".join((DATED % port).encode() + b"\n" for port in range(1, 60000))
    packed = gzip.compress(content)
    path = write(folder, "flows.json.gz", [packed[:len(packed) // 2]])
    run = weir("collect", path, "-o", "json", status=INPUT)
    need("ends too early" in run.err.decode(), run.err.decode())
    need(len(run.rows()) > 20000, len(run.rows()))


@test
def a_table_that_tells_of_something_else_is_no_flow(folder):
    path = write(folder, "dns.log", ["#separator \\x09", "#path\tdns", "#fields\tts\tuid", "1.0\tC"])
    need("0 flows in 4 lines; 4 tell of something else" in weir("collect", path, "-o", "json").err.decode(), "it is")


main()
