#!/usr/bin/env python3
"""Packets out of a case: byte for byte, with their times, lengths, interfaces and comments, and those of a record alone."""

import hashlib
import json
import os
import random
import shutil
import struct
import subprocess

from program import (Skip, call, content_of, digest, golden, golden_captures, listing, main, need, need_equal,
                     packets_of, query, read, test, weir, write)

NOTHING_FOUND, USAGE, BAD_INPUT = 1, 2, 3
CLIENT, SERVER = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 80])
SECOND = 1700000000


# ---- frames ----------------------------------------------------------------------------------------------------


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(src, dst, proto, payload, identification=1, fragment=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, fragment, 64, proto, 0, src, dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ethernet(packet, size=0):
    return (b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + packet).ljust(size, b"\0")


def tcp(from_client, seq, ack, flags, payload=b"", options=b"", size=0):
    src, dst, ports = (CLIENT, SERVER, (40000, 80)) if from_client else (SERVER, CLIENT, (80, 40000))
    head = struct.pack(">HHIIBBHHH", *ports, seq, ack, (20 + len(options)) // 4 << 4, flags, 8192, 0, 0)
    return ethernet(ip(src, dst, 6, head + options + payload), size)


def http_exchange():
    options = b"\x02\x04\x05\xb4\x01\x01\x04\x02"
    request = b"GET / HTTP/1.1\r\nHost: www.weir.test\r\nX-Fill: "
    request += b"f" * (128 - len(request) - 4) + b"\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
    answer %= 1427 - len(answer) - 2
    answer = answer.ljust(1427, b"a")
    return [tcp(True, 100, 0, 2, options=options), tcp(False, 500, 101, 18, options=options), tcp(True, 101, 501, 16),
            tcp(True, 101, 501, 24, request), tcp(False, 501, 229, 16, size=60), tcp(False, 501, 229, 24, answer),
            tcp(True, 229, 1928, 16), tcp(False, 1928, 229, 17, size=60), tcp(True, 229, 1929, 17)]


def fragmented_answer():
    query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + b"\x1c" + b"q" * 28 + b"\0\0\x10\0\1"
    answer = b"\x12\x34\x81\x80" + query[4:]
    answer = answer[:6] + b"\0\1" + answer[8:] + b"\xc0\x0c\0\x10\0\1\0\0\0\x0a"
    text = 1480 + 366 - 8 - len(answer) - 2
    strings = b"".join(bytes([len(s)]) + s for s in [b"t" * 255] * (text // 256) + [b"t" * (text % 256 - 1)])
    answer += struct.pack(">H", len(strings)) + strings
    udp = struct.pack(">HHHH", 53, 40000, 8 + len(answer), 0) + answer
    asked = struct.pack(">HHHH", 40000, 53, 8 + len(query), 0) + query
    return [ethernet(ip(CLIENT, SERVER, 17, asked)),
            ethernet(ip(SERVER, CLIENT, 17, udp[:1480], 7, 0x2000)),
            ethernet(ip(SERVER, CLIENT, 17, udp[1480:], 7, 1480 // 8))]


def capture(path, frames):
    """As pcap with times in nanoseconds; returns what an export of all of it must hold."""
    times = [SECOND * 10**9 + 1000003 * number for number in range(len(frames))]
    records = [struct.pack("<IIII", time // 10**9, time % 10**9, len(f), len(f)) + f for time, f in zip(times, frames)]
    write(path, struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1), *records)
    return list(zip(times, [len(f) for f in frames], frames))


# ---- pcapng ----------------------------------------------------------------------------------------------------


def block(kind, body):
    body = body.ljust((len(body) + 3) // 4 * 4, b"\0")
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value.ljust((len(value) + 3) // 4 * 4, b"\0")


def options_of(data):
    found = []
    while len(data) >= 4:
        code, size = struct.unpack_from("<HH", data)
        if not code:
            break
        found.append((code, data[4:4 + size]))
        data = data[4 + (size + 3) // 4 * 4:]
    return found


def pcapng(content):
    """(interfaces, packets): what a file holds, with times in nanoseconds."""
    interfaces, packets, at = [], [], 0
    while at < len(content):
        kind, size = struct.unpack_from("<II", content, at)
        need_equal(struct.unpack_from("<I", content, at + size - 4)[0], size, "a block's length at its end")
        body = content[at + 8:at + size - 4]
        if kind == 1:
            link, _, snap = struct.unpack_from("<HHI", body)
            interfaces.append((link, snap, dict(options_of(body[8:]))))
        elif kind == 6:
            interface, high, low, captured, length = struct.unpack_from("<IIIII", body)
            need_equal(interfaces[interface][2][9], b"\x09", "if_tsresol")
            rest = options_of(body[20 + (captured + 3) // 4 * 4:])
            packets.append((high << 32 | low, length, body[20:20 + captured], interface,
                            [value for code, value in rest if code == 1]))
        else:
            need_equal(kind, 0x0a0d0d0a, "kind of block")
        at += size
    return interfaces, packets


def exported(case, *words):
    return pcapng(weir("export", case, *words, "-w", "-").out)


def frames(packets):
    return [packet[:3] for packet in packets]


# ---- tests -----------------------------------------------------------------------------------------------------


@test
def an_http_exchange(folder):
    expected = capture(os.path.join(folder, "a.pcap"), http_exchange())
    need_equal([length for _, length, _ in expected], [62, 62, 54, 182, 60, 1481, 54, 60, 54])
    case, out = os.path.join(folder, "case"), os.path.join(folder, "out.pcapng")
    read(os.path.join(folder, "a.pcap"), "-w", case)
    (row,) = query(case, "SELECT id, conversation_id FROM http")
    done = weir("export", case, row["conversation_id"], "-w", out)
    need(b"9 packets" in done.err, done)
    interfaces, packets = pcapng(content_of(out))
    need_equal(frames(packets), expected)
    need_equal([(link, snap) for link, snap, _ in interfaces], [(1, 65535)])
    need_equal(frames(exported(case, row["id"])[1]), [expected[3], expected[5]], "of the transaction alone")
    need_equal(frames(exported(case, "-k", "file", "-Y", 'mime_type == "text/plain"')[1]),
               [expected[5]], "of the file alone")
    shown = weir("show", case, row["id"], "--packets").out.decode().split("frame ")[1:]
    need_equal([line.split()[0] for line in shown], ["4", "6"])


@test
def a_datagram_in_fragments(folder):
    expected = capture(os.path.join(folder, "a.pcap"), fragmented_answer())
    need_equal([length for _, length, _ in expected], [88, 1514, 400])
    case = os.path.join(folder, "case")
    read(os.path.join(folder, "a.pcap"), "-w", case)
    (row,) = query(case, "SELECT id, answers FROM dns")
    need_equal(frames(exported(case, row["id"])[1]), expected)
    need_equal(frames(exported(case, "-Y", 'service == "dns"')[1]), expected)


@test
def what_came_again_belongs_to_it(folder):
    frames_there = http_exchange()
    frames_there.insert(6, frames_there[5])
    expected = capture(os.path.join(folder, "a.pcap"), frames_there)
    case = os.path.join(folder, "case")
    read(os.path.join(folder, "a.pcap"), "-w", case)
    (row,) = query(case, "SELECT id FROM http")
    need_equal(frames(exported(case, row["id"])[1]), [expected[3], expected[5], expected[6]])


def commented(path):
    """A pcapng with two interfaces and comments; returns what an export of all of it must hold."""
    sent = http_exchange()
    section = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    left = block(1, struct.pack("<HHI", 1, 0, 2000) + option(2, b"left") + option(0, b""))
    right = block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"right") + option(9, b"\x09") + option(0, b""))
    blocks, expected = [section, left, right], []
    for number, frame in enumerate(sent):
        interface, time = number % 2, SECOND * 10**6 + number
        ticks = time * (1000 if interface else 1)
        head = struct.pack("<IIIII", interface, ticks >> 32, ticks & 0xffffffff, len(frame), len(frame))
        said = [b"comment %d" % number, b"and more"] if number % 3 == 0 else []
        options = b"".join(option(1, word) for word in said) + option(0, b"")
        blocks.append(block(6, head + frame.ljust((len(frame) + 3) // 4 * 4, b"\0") + options))
        expected.append((time * 1000, len(frame), frame, interface, said))
    write(path, *blocks)
    return expected


@test
def interfaces_and_comments(folder):
    """As the capture has them, and as a case has them that keeps its packets."""
    path = os.path.join(folder, "a.pcapng")
    expected = commented(path)
    case, keeps = os.path.join(folder, "case"), os.path.join(folder, "keeps")
    read(path, "-w", case)
    read(path, "-w", keeps, "--keep")
    for each in case, keeps:
        interfaces, packets = exported(each, "-Y", "proto == 6")
        need_equal(packets, expected, each)
        need_equal([(snap, options[2]) for _, snap, options in interfaces], [(2000, b"left"), (0, b"right")], each)
        if each == case:
            os.rename(path, path + ".away")
    (row,) = query(keeps, "SELECT id FROM http")
    need_equal(frames(exported(keeps, row["id"])[1]), [packet[:3] for packet in (expected[3], expected[5])])


@test
def tunnels_and_what_they_carry(folder):
    """A frame that two conversations share is written once, with all that is around it."""
    case = os.path.join(folder, "case")
    read(golden("tunnel/6in4"), "-w", case)
    all_packets = [packet[16:] for packet in packets_of(golden("tunnel/6in4"))[1]]
    inner, outer = query(case, "SELECT id FROM conversation ORDER BY tunnel NULLS LAST LIMIT 2")
    for words in [inner["id"]], [outer["id"]], ["-Y", "proto == 6 or proto == 41"]:
        need_equal([packet[2] for packet in exported(case, *words)[1]], all_packets, words)


@test
def every_bundled_capture(folder):
    """All conversations together: the packets of the capture that belong to one, in their order."""
    for name, path in golden_captures().items():
        case = os.path.join(folder, name.replace("/", "-"))
        read(path, "-w", case)
        if not query(case, "SELECT id FROM conversation LIMIT 1"):
            continue
        there = [packet[16:] for packet in packets_of(path)[1]]
        (count,) = query(case, "SELECT value FROM counter WHERE stage = 'lane' AND name = 'packets_counted'")
        found = [packet[2] for packet in exported(case, "-Y", "src_packets >= 0 or dst_packets >= 0")[1]]
        rest = iter(there)
        need(all(frame in rest for frame in found), name, "not a part of the capture, or not in its order")
        # A frame that holds several packets is one frame, also where one of them is held.
        (more,) = query(case, "SELECT count(*) AS frames FROM counter WHERE stage = 'decode' AND name = 'more'")
        if more["frames"]:
            need(len(found) <= len(there), name, "more frames than there are")
        else:
            need_equal(len(found), count["value"], name)


@test
def others_read_it(folder):
    if shutil.which("tshark") is None:
        raise Skip("tshark is not installed")
    case, out = os.path.join(folder, "case"), os.path.join(folder, "out.pcapng")
    read(golden("demo"), "-w", case)
    weir("export", case, "-Y", 'service == "http"', "-w", out)
    tell = ["tshark", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "tcp.seq_raw", "-r"]
    of = lambda path: sorted(subprocess.run(tell + [path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                                         timeout=60).stdout.splitlines())
    found = of(out)
    need(found and set(found) <= set(of(golden("demo"))), "tshark reads something else")
    need_equal(len(found), len(pcapng(content_of(out))[1]))


@test
def many_captures_in_order(folder):
    """Captures that overlap in time: frames take turns by time."""
    expected = capture(os.path.join(folder, "whole.pcap"), http_exchange())
    head, records = packets_of(os.path.join(folder, "whole.pcap"))
    paths = [write(os.path.join(folder, "%d.pcap" % k), head, *records[k::3]) for k in range(3)]
    case = os.path.join(folder, "case")
    read(*paths, "-w", case)
    (row,) = query(case, "SELECT id, conversation_id FROM http")
    need_equal(frames(exported(case, row["conversation_id"])[1]), expected)
    need_equal(frames(exported(case, row["id"])[1]), [expected[3], expected[5]])


def commands_of(readme):
    """The commands that a README tells to run, each a line of its own that is indented and begins with a tool."""
    tools = "sha256sum", "openssl", "head"
    return [line.strip() for line in readme.splitlines() if line.startswith("  ") and line.split()[0] in tools]


@test
def a_bundle_is_checked_without_weir(folder):
    case, bundle = os.path.join(folder, "case"), os.path.join(folder, "bundle")
    read(golden("demo"), "-w", case)
    weir("export", case, "-Y", 'service == "http"', "--bundle", bundle, "--why", "for the court")
    run = lambda command: subprocess.run(command, shell=True, cwd=bundle, stdout=subprocess.PIPE, timeout=60,
                                         stderr=subprocess.STDOUT, check=False)
    sums, signature, key, line = commands_of(content_of(os.path.join(bundle, "README")).decode())
    for command in sums, signature, key, line:
        done = run(command)
        need(done.returncode == 0, command, done.stdout)
    second = json.loads(content_of(os.path.join(bundle, "log", "00000001.jsonl")).splitlines()[1])
    need_equal(run(line).stdout.split()[0].decode(), second["prev"])
    files = {name for name, size in listing(bundle).items() if size is not None}
    named = {row.split("  ", 1)[1] for row in content_of(os.path.join(bundle, "SHA256SUMS")).decode().splitlines()}
    need_equal(files - named, {"SHA256SUMS", "SHA256SUMS.sig"})
    wanted = {row["id"] for row in query(case, "SELECT id FROM conversation WHERE service = 'http'")}
    rows = [json.loads(row) for name in os.listdir(os.path.join(bundle, "records"))
            for row in content_of(os.path.join(bundle, "records", name)).splitlines()]
    need_equal({row.get("conversation_id") or row["id"] for row in rows}, wanted)
    (count,) = query(case, "SELECT count(*) AS n FROM http")
    need_equal(len(content_of(os.path.join(bundle, "records", "http.jsonl")).splitlines()), count["n"])
    kept = {row["artifact"] for row in query(case, "SELECT artifact FROM file WHERE artifact IS NOT NULL")}
    need_equal(set(os.listdir(os.path.join(bundle, "artifacts"))), kept)
    (packets,) = query(case, "SELECT sum(src_packets + dst_packets) AS n FROM conversation WHERE service = 'http'")
    need_equal(len(pcapng(content_of(os.path.join(bundle, "packets.pcapng")))[1]), packets["n"])
    for name in random.Random(1).sample(sorted(named), 10):
        path = os.path.join(bundle, name)
        content = content_of(path)
        write(path, content[:-1] + bytes([content[-1] ^ 1]))
        need(run(sums).returncode != 0 or run(signature).returncode != 0, name, "a changed bit was not found")
        write(path, content)
    write(os.path.join(bundle, "SHA256SUMS"), content_of(os.path.join(bundle, "SHA256SUMS")).replace(b"a", b"b", 1))
    need(run(signature).returncode != 0, "changed hashes were not found")
    done = call("export", case, "-Y", 'service == "http"', "--bundle", bundle)
    need(done.status == USAGE and b"not empty" in done.err, done)


@test
def exports_stand_in_the_log(folder):
    case, out = os.path.join(folder, "case"), os.path.join(folder, "out.pcapng")
    read(golden("demo"), "-w", case)
    weir("export", case, "-Y", 'service == "dns"', "-w", out, "--why", "asked for by mail")
    entries = [json.loads(row) for row in content_of(os.path.join(case, "log", "00000001.jsonl")).splitlines()]
    (entry,) = [row for row in entries if row["type"] == "export"]
    need_equal((entry["why"], entry["kind"], entry["filter"], entry["file"], entry["packets"]),
               ("asked for by mail", "conversation", 'service == "dns"', out, len(pcapng(content_of(out))[1])))
    need_equal(entry["sha256"], hashlib.sha256(content_of(out)).hexdigest())
    need("@" in entry["who"], entry)
    before = digest(case)
    weir("export", golden("demo"), "-Y", 'service == "dns"', "-w", "-")
    need_equal(digest(case), before)


@test
def what_can_not_be_exported(folder):
    case, out = os.path.join(folder, "case"), os.path.join(folder, "out.pcapng")
    path = os.path.join(folder, "gone.pcap")
    capture(path, http_exchange())
    read(path, "-w", case)
    (row,) = query(case, "SELECT id FROM conversation")

    def refuse(status, words, *named):
        done = call("export", case, *words)
        need(done.status == status and not done.out and done.err.count(b"\n") == 1, done)
        need(all(word.encode() in done.err for word in named), named, done)

    refuse(USAGE, [], "weir export")
    refuse(USAGE, [row["id"]], "-w", "--bundle")
    refuse(USAGE, [row["id"], "-w", out, "--bundle", folder], "-w", "--bundle")
    refuse(USAGE, ["12", "-w", out], "12", "32 hexadecimal digits")
    refuse(NOTHING_FOUND, ["0" * 32, "-w", out], "id")
    refuse(NOTHING_FOUND, ["-Y", "proto == 17", "-w", out], "conversation")
    refuse(USAGE, ["-Y", "proto == 6", "-k", "nothing", "-w", out], "nothing", "weir fields")
    refuse(USAGE, [row["id"], "-k", "http", "-w", out], "-Y")
    refuse(USAGE, [row["id"], "-w", path], "gone.pcap", "another name")
    need(not os.path.exists(out), "a refused export left a file")
    os.rename(path, path + ".away")
    refuse(BAD_INPUT, [row["id"], "-w", out], "gone.pcap")
    need(not os.path.exists(out), "a failed export left a file")


main()
