#!/usr/bin/env python3
"""Killed at any moment, a case opens, shows only committed readings, and is completed by reading again.

    crash.py [--count N] [TEST ...]     kills in each test: 20, with WEIR_LONG=1 500
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

from program import (LONG, SECONDS, WEIR, call, digest, golden, listing, main, need, need_equal, packets_of, query, read,
                     test, weir, write)

COUNT = 500 if LONG else 20
if "--count" in sys.argv:
    place = sys.argv.index("--count")
    COUNT = int(sys.argv[place + 1])
    del sys.argv[place:place + 2]

REPEATS = 6  # of the bundled traffic in the capture that is read
READERS_SECONDS = 60


def larger_capture(folder):
    """The bundled traffic several times, an hour between: a reading takes some tenths of a second."""
    head, packets = packets_of(golden("demo"))
    moved = []
    for number in range(REPEATS):
        for packet in packets:
            second = int.from_bytes(packet[:4], "little") + 3600 * number
            moved.append(second.to_bytes(4, "little") + packet[4:])
    return write(os.path.join(folder, "larger.pcap"), head, *moved)


def start(*words):
    return subprocess.Popen([WEIR] + [str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def seconds_of(*words):
    began = time.monotonic()
    read(*words)
    return time.monotonic() - began


def kill_after(seconds, *words):
    """Whether the call was killed before its end."""
    process = start(*words)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait(timeout=SECONDS) == -signal.SIGKILL


def moments(whole):
    """Random moments of a reading that takes so long; a few come after its end. The seed is told on failure."""
    chance = random.Random(time.time_ns())
    return [chance.uniform(0, 1.05 * whole) for _ in range(COUNT)]


def files_of(case):
    """What a case consists of, but for its log, whose entries tell the time."""
    return sorted(path for path, size in listing(case).items() if size is not None and not path.startswith("log"))


@test
def killed_while_a_case_is_made(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    whole = seconds_of(capture, "-w", case)
    expected, files = digest(case), files_of(case)
    killed = 0
    for moment in moments(whole):
        shutil.rmtree(case)
        killed += kill_after(moment, "read", "-q", capture, "-w", case)
        if os.path.exists(os.path.join(case, "log", "00000001.jsonl")):
            need(shows_nothing_or(case, expected), "half a reading is shown after %.4f s" % moment)
        read(capture, "-w", case)
        need_equal(digest(case), expected, "killed after %.4f s" % moment)
        need_equal(files_of(case), files, "files after a kill at %.4f s" % moment)
    need(COUNT < 5 or killed > 0, "no reading was killed before its end")


def shows_nothing_or(case, expected):
    """Whether the case, as it was left, opens and has no record or all of them."""
    done = call("digest", case)
    return done.status == 0 and (done.out.decode() == expected or done.out.count(b"\n") == 1)


@test
def killed_while_a_case_is_added_to(folder):
    capture, case, first = larger_capture(folder), os.path.join(folder, "case"), os.path.join(folder, "first")
    read(golden("udp/junk"), "-w", first)
    before = digest(first)
    shutil.copytree(first, case)
    whole = seconds_of(capture, "-w", case)
    expected, files = digest(case), files_of(case)
    for moment in moments(whole):
        shutil.rmtree(case)
        shutil.copytree(first, case)
        kill_after(moment, "read", "-q", capture, "-w", case)
        need(digest(case) in (before, expected), "half a reading is shown after %.4f s" % moment)
        read(capture, "-w", case)
        need_equal(digest(case), expected, "killed after %.4f s" % moment)
        need_equal(files_of(case), files, "files after a kill at %.4f s" % moment)


@test
def killed_while_a_reading_is_replaced(folder):
    capture, case, first = larger_capture(folder), os.path.join(folder, "case"), os.path.join(folder, "first")
    read(capture, "-w", first)
    before = digest(first)
    again = [capture, "--again", "--timeout", "5s", "-w", case]
    shutil.copytree(first, case)
    whole = seconds_of(*again)
    expected, files = digest(case), files_of(case)
    need(before != expected, "the options make no difference")
    for moment in moments(whole):
        shutil.rmtree(case)
        shutil.copytree(first, case)
        kill_after(moment, "read", "-q", *again)
        need(digest(case) in (before, expected), "half a reading is shown after %.4f s" % moment)
        read(*again)
        need_equal(digest(case), expected, "killed after %.4f s" % moment)
        need_equal(without_numbers(files_of(case)), without_numbers(files), "files after a kill at %.4f s" % moment)


def without_numbers(files):
    """Files are numbered by their entry in the log, and one more may have been written before the kill."""
    return sorted(re.sub(r"/0[0-9]{7}(-[0-9]+)?\.", "/N.", path) for path in files)


@test
def readers_are_never_disturbed(folder):
    capture, case = larger_capture(folder), os.path.join(folder, "case")
    read(capture, "-w", case)
    rows = {len(query(case, "SELECT id FROM conversation"))}
    for timeout in "5s", "600s":
        read(capture, "--again", "--timeout", timeout, "-w", case)
        rows.add(len(query(case, "SELECT id FROM conversation")))
    script = 'for i in 1 2 3 4 5 6; do for t in 5s 600s; do "$0" read -q "$1" --again --timeout $t -w "$2" || exit 1; done; done'
    writer = subprocess.Popen(["sh", "-c", script, WEIR, capture, case], stderr=subprocess.PIPE)
    asked = 0
    try:
        while writer.poll() is None and asked < 10000:
            done = weir("query", case, "SELECT c.id, f.size FROM conversation c LEFT JOIN file f ON false", "-o", "json")
            need(done.out.count(b"\n") in rows, "%d rows, which no reading has" % done.out.count(b"\n"))
            asked += 1
        errors = writer.communicate(timeout=READERS_SECONDS)[1]
    finally:
        writer.kill()
    need_equal((writer.returncode, errors), (0, b""), "the writer")
    need(asked >= 5, "only %d questions while it was written" % asked)
    read(golden("udp/exchange"), "-w", case)
    segments = [path for path in listing(case) if path.endswith(".parquet")]
    need(len(segments) <= 40, "%d segments: replaced ones stay" % len(segments))


main()
