#!/usr/bin/env python3
"""Packets in the case: what is kept is the capture, byte for byte, and what is shown comes from it."""

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import time

from program import (LONG, WEIR, Skip, call, content_of, cut_into, digest, golden, listing, main, need, need_equal,
                     packets_of, query, read, test, weir, write)

KILLS = 200 if LONG else 8


def larger_capture(folder, repeats=8):
    """The bundled traffic several times, an hour between: some megabytes, so that there are places to go to."""
    head, packets = packets_of(golden("demo"))
    moved = []
    for number in range(repeats):
        for packet in packets:
            second = int.from_bytes(packet[:4], "little") + 3600 * number
            moved.append(second.to_bytes(4, "little") + packet[4:])
    while sum(map(len, moved)) < 3000000:
        moved += [packet[:4] + packet[4:] for packet in moved]
    return write(os.path.join(folder, "larger.pcap"), head, *moved)


def entries(case):
    with open(os.path.join(case, "log", "00000001.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def extents(case):
    return [extent for entry in entries(case) if entry["type"] == "reading" for extent in entry.get("extents", [])]


def ids(case, few=4):
    every = [row["id"] for row in query(case, "SELECT id FROM conversation WHERE carries IS NULL ORDER BY first_seen, id")]
    return every[::max(1, len(every) // few)]


def shown(case, *words):
    """What weir show says of some conversations, without the names of files."""
    return [weir("show", case, one, *words).out.replace(case.encode(), b"") for one in ids(case)]


def unpacked(case, extent):
    if shutil.which("zstd") is None:
        raise Skip("zstd is not installed")
    return subprocess.run(["zstd", "-dcq", os.path.join(case, extent["path"])], stdout=subprocess.PIPE, check=True).stdout


@test
def what_is_kept_is_the_capture(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    plain, content = os.path.join(folder, "plain"), content_of(capture)
    read(capture, "-w", plain)
    read("--keep", capture, "-w", case)
    need_equal(digest(case), digest(plain), "what a case says does not depend on --keep")
    expected = shown(plain, "--packets"), shown(plain)
    os.remove(capture)
    need_equal((shown(case, "--packets"), shown(case)), expected, "shown from the kept packets")
    (extent,) = extents(case)
    need_equal(extent["path"], "packets/00000003-0001.zst")
    need_equal(extent["content_bytes"], len(content))
    need(unpacked(case, extent) == content, "zstd does not give the capture back")
    done = weir("show", plain, ids(plain)[0], status=3)
    need(capture.encode() in done.err and b"weir relocate" in done.err, done)


@test
def places_are_noted_without_keeping(folder):
    capture, case, small = larger_capture(folder), os.path.join(folder, "case"), os.path.join(folder, "small")
    read(capture, "-w", case)
    (extent,) = extents(case)
    need(extent["path"].endswith(".idx") and extent["bytes"] < 600, extent)
    read(golden("udp/junk"), "-w", small)
    need_equal(extents(small), [], "a small capture needs none")
    before = shown(case, "--packets")
    os.remove(os.path.join(case, extent["path"]))
    done = weir("show", case, ids(case)[0], "--packets", status=3)
    need(b"is missing in the case" in done.err, done)
    need(all(before), "nothing shown")


@test
def standard_input_is_kept_always(folder):
    capture, case, plain = larger_capture(folder), os.path.join(folder, "case"), os.path.join(folder, "plain")
    read(capture, "-w", plain)
    with open(capture, "rb") as file:
        weir("read", "-q", "-", "-w", case, stdin=file)
    need_equal(digest(case), digest(plain))
    need_equal([len(one) for one in shown(case)], [len(one) for one in shown(plain)])
    need(unpacked(case, extents(case)[0]) == content_of(capture), "not what came")
    with open(capture, "rb") as file:
        weir("read", "-q", "-", "-w", case, stdin=file)
    need_equal(len(extents(case)), 1, "the same again adds nothing")
    need_equal([path for path in listing(os.path.join(case, "packets")) if path != ".new"],
               [os.path.basename(extents(case)[0]["path"])])


@test
def standard_input_beside_what_is_known(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    read(golden("udp/junk"), "-w", case)
    with open(capture, "rb") as file:
        done = weir("read", "-q", golden("udp/junk"), "-", "-w", case, stdin=file, status=2)
    need(b"leave them out" in done.err, done)


@test
def compressed_captures_are_kept_as_they_were_inside(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    content = content_of(capture)
    packed = write(capture + ".gz", gzip.compress(content, 1))
    read("--keep", packed, "-w", case)
    (extent,) = extents(case)
    need(unpacked(case, extent) == content, "not what was inside")
    need_equal(extent["content_bytes"], len(content))
    whole = shown(case)
    os.remove(packed)
    need_equal(shown(case), whole)
    plain = os.path.join(folder, "plain")
    read(write(capture + ".gz", gzip.compress(content, 1)), "-w", plain)
    need_equal(extents(plain), [], "one cannot go to a place in a compressed file")
    need_equal(shown(plain), whole)


@test
def several_captures_each_have_their_own(folder):
    pieces, case = cut_into(larger_capture(folder), 5, os.path.join(folder, "pieces")), os.path.join(folder, "case")
    names = sorted(os.listdir(pieces))
    contents = [content_of(os.path.join(pieces, name)) for name in names]
    read("--keep", pieces, "-w", case)
    need_equal([extent["capture"] for extent in sorted(extents(case), key=lambda e: e["path"])], list(range(5)))
    for extent in extents(case):
        need(unpacked(case, extent) == contents[extent["capture"]], extent)
    whole = shown(case)
    shutil.rmtree(pieces)
    need_equal(shown(case), whole)


@test
def reading_again_gives_nothing_away(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    read("--keep", capture, "-w", case)
    read("--again", "--timeout", "5s", capture, "-w", case)
    need_equal(extents(case)[0], extents(case)[1], "the second reading names what the first kept")
    os.remove(capture)
    need(all(shown(case)), "nothing shown")
    need_equal([path for path in listing(os.path.join(case, "packets")) if path != ".new"],
               [os.path.basename(extents(case)[0]["path"])])


@test
def packets_come_later(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    read(capture, "-w", case)
    done = weir("read", "-q", "--keep", capture, "-w", case, status=2)
    need(b"--keep --again" in done.err, done)
    before = digest(case)
    read("--keep", "--again", capture, "-w", case)
    need_equal(digest(case), before)
    need_equal(listing(os.path.join(case, "packets"))[os.path.basename(extents(case)[1]["path"])], extents(case)[1]["bytes"])
    weir("read", "-q", "--keep", capture, "-w", case)
    os.remove(capture)
    need(all(shown(case)), "nothing shown")


@test
def more_captures_than_files_may_be_open(folder):
    pieces, case = cut_into(larger_capture(folder), 60, os.path.join(folder, "pieces")), os.path.join(folder, "case")
    weir("read", "-q", "--keep", pieces, "-w", case, wrapper=["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"])
    need_equal(len(extents(case)), len(os.listdir(pieces)))
    need(all(shown(case)), "nothing shown")


@test
def damage_is_told(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    read("--keep", capture, "-w", case)
    path = os.path.join(case, extents(case)[0]["path"])
    whole, one = content_of(path), ids(case)[0]
    for damaged in (whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:], whole[:-5], b"", whole + b"x",
                    whole[:-20] + b"\0" * 20):
        write(path, damaged)
        done = weir("show", case, one, status=3)
        need(b"was damaged or changed since it was written" in done.err and b"packets/" in done.err, done)
    os.remove(path)
    need(b"is missing in the case" in weir("show", case, one, status=3).err, "missing")


@test
def a_case_among_captures_is_not_read(folder):
    captures = os.path.join(folder, "captures")
    os.makedirs(captures)
    shutil.copy(golden("demo"), captures)
    read("--keep", captures, "-w", os.path.join(captures, "case"))
    other = os.path.join(folder, "other")
    read(captures, "-w", other)
    need_equal(len(query(other, "SELECT number FROM capture")), 1)


# ---- captures that moved ---------------------------------------------------------------------------------------


@test
def captures_that_moved_are_found(folder):
    pieces, case = cut_into(larger_capture(folder), 3, os.path.join(folder, "pieces")), os.path.join(folder, "case")
    names, away = sorted(os.listdir(pieces)), os.path.join(folder, "away")
    read(pieces, "-w", case)
    before, whole = digest(case), shown(case)
    need(weir("relocate", case).out.count(b"there ") == 3, "all are there")
    os.makedirs(os.path.join(away, "deeper"))
    for name in names[:2]:
        shutil.move(os.path.join(pieces, name), os.path.join(away, "deeper", "other-" + name))
    shutil.copy(golden("demo"), away)
    done = weir("relocate", case, status=1)
    need(done.out.count(b"missing ") == 2 and names[0].encode() in done.out, done)
    done = weir("relocate", case, os.path.join(away, "deeper", "other-" + names[1]), "--why", "another disk", status=1)
    need(done.out.count(b"found ") == 1 and done.out.count(b"missing ") == 1, done)
    done = weir("relocate", case, away)
    need(done.out.count(b"found ") == 1 and done.out.count(b"there ") == 2, done)
    need_equal((digest(case), shown(case)), (before, whole), "after the captures moved")
    places = {line.split()[-1] for text in shown(case, "--packets") for line in text.splitlines()}
    moved = {os.path.join(away, "deeper", "other-" + name).encode() for name in names[:2]}
    need_equal(places, moved | {os.path.join(pieces, names[2]).encode()}, "where the packets are now")
    moves = [entry for entry in entries(case) if entry["type"] == "relocate"]
    need_equal([len(move["captures"]) for move in moves], [1, 1])
    need_equal((moves[0]["why"], moves[0]["captures"][0]["path"]),
               ("another disk", os.path.join(away, "deeper", "other-" + names[1])))
    count = len(entries(case))
    weir("relocate", case, away)
    need_equal(len(entries(case)), count, "nothing was new")


@test
def another_file_is_refused(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    read(capture, "-w", case)
    content = content_of(capture)
    count = len(entries(case))
    os.remove(capture)
    changed = write(os.path.join(folder, "changed.pcap"), content[:-1] + bytes([content[-1] ^ 1]))
    done = weir("relocate", case, changed, status=3)
    need(b"changed.pcap is none of the captures" in done.err and b"SHA-256" in done.err, done)
    done = weir("relocate", case, golden("demo"), status=3)
    need(b"none of the captures" in done.err, done)
    need(weir("relocate", case, folder, status=1).out.startswith(b"missing "), "a folder with others in it")
    need_equal(len(entries(case)), count, "nothing is written")
    weir("relocate", status=2)
    weir("relocate", os.path.join(folder, "nothing"), status=3)


@test
def killed_while_packets_are_kept(folder):
    capture, case, first = larger_capture(folder), os.path.join(folder, "case"), os.path.join(folder, "first")
    read("--keep", golden("udp/junk"), "-w", first)
    before, began = digest(first), time.monotonic()
    shutil.copytree(first, case)
    read("--keep", capture, "-w", case)
    whole, expected = time.monotonic() - began, digest(case)
    files = sorted(listing(os.path.join(case, "packets")))
    chance = random.Random(time.time_ns())
    for _ in range(KILLS):
        moment = chance.uniform(0, whole)
        shutil.rmtree(case)
        shutil.copytree(first, case)
        process = subprocess.Popen([WEIR, "read", "-q", "--keep", capture, "-w", case])
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        need(digest(case) in (before, expected), "half a reading after %.4f s" % moment)
        read("--keep", capture, "-w", case)
        need_equal(digest(case), expected, "killed after %.4f s" % moment)
        need_equal(sorted(listing(os.path.join(case, "packets"))), files, "killed after %.4f s" % moment)
        need(all(shown(case)), "nothing shown")


@test
def a_full_disk_adds_nothing(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    limit = ["sh", "-c", 'ulimit -f 200; trap "" XFSZ; exec "$@"', "sh"]
    done = call("read", "-q", "--keep", capture, "-w", case, wrapper=limit)
    need_equal(done.status, 4, done)
    need(b"nothing was added" in done.err or b"cannot write" in done.err, done)
    need(not os.path.exists(case), listing(case))


main()
