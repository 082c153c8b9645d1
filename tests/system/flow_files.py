#!/usr/bin/env python3
"""weir collect FILE: what nfcapd keeps of flows is read as nfdump tells it, however it is packed."""
import glob
import json
import os
import shutil
import signal
import struct
import subprocess
import time

from program import SECONDS, Skip, free_port, golden, main, need, need_equal, test, weir

INPUT = 3
PACKINGS = {"plain": [], "lzo": ["-z"], "lz4": ["-y"], "bz2": ["-j"]}
SETTLE = 0.4
SAME = ("packets", "in_packets"), ("bytes", "in_bytes"), ("proto", "proto"), ("tos", "src_tos")


def kept(folder, words):
    """A file of nfcapd with the flows of the demo capture."""
    if shutil.which("nfcapd") is None or shutil.which("nfdump") is None:
        raise Skip("nfdump is not installed")
    os.makedirs(folder)
    port = free_port()
    run = subprocess.Popen(["nfcapd", "-w", folder, "-b", "127.0.0.1", "-p", str(port), "-t", "3600", *words],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(SETTLE)
    weir("replay", golden("demo"), "-w", "udp://127.0.0.1:%d" % port, "-o", "netflow9", "--rate", "20000")
    time.sleep(SETTLE)
    run.send_signal(signal.SIGTERM)
    run.wait(SECONDS)
    found = glob.glob(os.path.join(folder, "nfcapd.2*"))
    if not found:
        raise Skip("nfcapd kept nothing")
    return found[0]


def flows(path, **options):
    return [row for row in weir("collect", path, "-o", "json", **options).rows() if row["kind"] == "flow"]


def as_nfdump_says(path):
    said = subprocess.run(["nfdump", "-r", path, "-o", "json"], capture_output=True, check=True, timeout=SECONDS,
                          env=dict(os.environ, TZ="UTC")).stdout
    return json.loads(said)


@test
def files_are_read_as_nfdump_does(folder):
    plain = None
    for name, words in PACKINGS.items():
        path = kept(os.path.join(folder, name), words)
        rows, theirs = flows(path), as_nfdump_says(path)
        need_equal(len(rows), len(theirs), name)
        for row, their in zip(rows, theirs):
            need_equal([row[ours] for ours, _ in SAME], [their[name] for _, name in SAME])
            need_equal(row["first_seen"][:23].rstrip("Z"), their["first"][:len(row["first_seen"][:23].rstrip("Z"))])
            need_equal(row["src_addr"], their.get("src4_addr") or their["src6_addr"])
        plain = plain or rows
        need_equal(rows, plain, "%s is not what plain is" % name)


def block(records, count=None, kind=3, flags=0):
    content = b"".join(records)
    return struct.pack("<IIHH", len(records) if count is None else count, len(content), kind, flags) + content


def record(*parts):
    content = b"".join(struct.pack("<HH", number, len(part) + 4) + part for number, part in parts)
    return struct.pack("<HHHHHBB", 11, len(content) + 12, len(parts), 0, 1, 0, 9) + content


def file_of(*blocks, layout=2, form=0, count=None):
    return struct.pack("<HHIQBBHIQII", 0xa50c, layout, 0x01070100, 1700000000, form, 0, 0, 0, 0, 0,
                       len(blocks) if count is None else count) + b"".join(blocks)


GENERIC = struct.pack("<QQQQQHHBBBB", 1700000000123, 1700000001000, 0, 7, 700, 0, 2048, 1, 0, 0, 0)
ADDRESSES = struct.pack("<II", 0x0a000001, 0x0a000002)
EXPORTER = struct.pack("<HHIQQHHI", 7, 32, 9, 0, 0xc0000201, 2, 1, 77)


def write(folder, content):
    path = os.path.join(folder, "nfcapd.1")
    with open(path, "wb") as file:
        file.write(content)
    return path


@test
def what_is_told_has_its_field(folder):
    mac = struct.pack("<QQQQ", 0x0a0b0c0d0e0f, 0, 0, 0)
    path = write(folder, file_of(block([EXPORTER, record((1, GENERIC), (2, ADDRESSES), (15, mac), (63, b"\x01\x02"))])))
    need("1 flows in files of nfdump; 0 were not understood" in weir("collect", path).err.decode(), "it is not told")
    (row,) = flows(path)
    need_equal({name: row.get(name) for name in ("first_seen", "last_seen", "src_addr", "src_port", "dst_port", "packets",
                                                 "exporter", "domain", "src_mac", "dst_mac", "elements")},
               {"first_seen": "2023-11-14T22:13:20.123Z", "last_seen": "2023-11-14T22:13:21Z", "src_addr": "10.0.0.1",
                "src_port": 8, "dst_port": 0, "packets": 7, "exporter": "192.0.2.1", "domain": 77,
                "src_mac": "0a:0b:0c:0d:0e:0f", "dst_mac": None, "elements": ["nfdump/63=0x0102"]})


@test
def damage_is_told(folder):
    good = record((1, GENERIC), (2, ADDRESSES))
    bad = [record((1, GENERIC[:20])), record((1, GENERIC), (1, GENERIC))]
    content = file_of(block([good, *bad, good]), block([good], count=5), block([b"\x0b\0\1\0"]), count=7)
    rows = weir("collect", write(folder, content), "-o", "json").rows()
    need_equal(sum(row["kind"] == "flow" for row in rows), 3)
    need_equal({row["reason"]: row["count"] for row in rows if row["kind"] == "loss"},
               {"bad_record": 2, "bad_block": 2, "cut_file": 4})
    rows = weir("collect", write(folder, file_of(block([good]), form=3)), "-o", "json").rows()
    need_equal([row["reason"] for row in rows], ["bad_block"])


@test
def other_layouts_are_refused_with_the_way_out(folder):
    for content, said in ((file_of(layout=1), "nfdump -r"), (file_of(form=9), "not known"),
                          (file_of()[:30], "cut"), (struct.pack(">HH", 0xa50c, 2) + bytes(40), "byte order")):
        told = weir("collect", write(folder, content), "-o", "json", status=INPUT).err.decode()
        need(said in told and told.count("\n") == 1, told)


main()
