#!/usr/bin/env python3
"""A case that grows while it is asked: counts are never wrong and never go back but by what goes, and a kill loses nothing
that could be asked before it.

    growing.py [--count N] [TEST ...]     kills: 5, with WEIR_LONG=1 100
"""

import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time

from program import LONG, SECONDS, WEIR, call, digest, main, need, need_equal, query, test, weir

COUNT = 100 if LONG else 5
if "--count" in sys.argv:
    place = sys.argv.index("--count")
    COUNT = int(sys.argv[place + 1])
    del sys.argv[place:place + 2]

EXPORTED = 1704067200
A_MESSAGE = 20  # flows
ASKED = "SELECT count(*) n, count(DISTINCT src_addr) d, sum(packets) p FROM flow"


def ipfix(sequence, number, content):
    body = struct.pack(">HH", number, len(content) + 4) + content
    return struct.pack(">HHIII", 10, len(body) + 16, EXPORTED, sequence, 7) + body


TEMPLATE = ipfix(0, 2, struct.pack(">HHHHHHHH", 300, 3, 8, 4, 12, 4, 2, 4))


def flows(first):
    """Flow i has the source 10.0.0.0 + i and i % 7 + 1 packets."""
    content = b"".join(struct.pack(">III", 0x0a000000 + i, 0x0a640001, i % 7 + 1) for i in range(first, first + A_MESSAGE))
    return ipfix(first, 300, content)


def packets(count):
    return sum(i % 7 + 1 for i in range(count))


class Growing:
    """weir collect on a port of loopback, and who sends to it."""

    def __init__(self, case, *words):
        self.case = case
        self.run = subprocess.Popen([WEIR, "collect", "udp://127.0.0.1:0", "-w", case, *words], stderr=subprocess.PIPE)
        told = self.run.stderr.readline().decode()
        self.port = int(re.search(r"port (\d+)", told).group(1))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sent = 0
        self.send(TEMPLATE)

    def send(self, message):
        self.socket.sendto(message, ("127.0.0.1", self.port))

    def send_flows(self, count):
        for _ in range(count // A_MESSAGE):
            self.send(flows(self.sent))
            self.sent += A_MESSAGE

    def end(self, how=signal.SIGTERM):
        self.run.send_signal(how)
        told = self.run.communicate(timeout=SECONDS)[1].decode()
        self.socket.close()
        if how == signal.SIGTERM:
            need_equal(self.run.returncode, 0, told)
        return told


def entries(case, kind):
    with open(os.path.join(case, "log", "00000001.jsonl"), encoding="utf-8") as log:
        return sum('"type":"%s"' % kind in line for line in log)


def wait_for(holds, what):
    until = time.monotonic() + SECONDS
    while not holds():
        need(time.monotonic() < until, "waited in vain for", what)
        time.sleep(0.1)


@test
def counts_are_right_while_it_grows_and_merges(folder):
    case = os.path.join(folder, "case")
    growing = Growing(case, "--every", "200ms")
    before, asked = 0, 0
    until = time.monotonic() + SECONDS
    while not entries(case, "merge") or asked < 10:
        need(time.monotonic() < until, "nothing was merged")
        growing.send_flows(200)
        found = query(case, ASKED)[0]
        need(found["n"] >= before and found["n"] <= growing.sent, "%d flows after %d" % (found["n"], before))
        need_equal((found["d"], found.get("p", 0)), (found["n"], packets(found["n"])), "of the first flows")
        before, asked = found["n"], asked + 1
    wait_for(lambda: query(case, ASKED)[0]["n"] == growing.sent, "the last flows")
    open_digest = digest(case)
    growing.end()
    found = query(case, ASKED)[0]
    need_equal((found["n"], found["p"]), (growing.sent, packets(growing.sent)))
    need_equal(digest(case), open_digest, "the digest in the tail and in segments")
    weir("verify", case)


@test
def a_kill_loses_nothing_that_could_be_asked(folder):
    case, sent, seen = os.path.join(folder, "case"), 0, 0
    chance = random.Random(time.time_ns())
    for _ in range(COUNT):
        growing = Growing(case, "--every", chance.choice(["100ms", "300ms", "1h"]))
        growing.sent = sent
        until = time.monotonic() + chance.uniform(0.1, 1.5)
        while time.monotonic() < until:
            growing.send_flows(100)
            if chance.random() < 0.2:
                seen = query(case, ASKED)[0]["n"]
            time.sleep(0.01)
        growing.end(signal.SIGKILL)
        sent = growing.sent
        found = query(case, ASKED)[0]
        need(found["n"] >= seen, "%d flows were there, and %d after the kill" % (seen, found["n"]))
        need_equal(found["d"], found["n"], "flows are there twice")
        left = digest(case)
        Growing(case).end()
        need_equal(digest(case), left, "the digest before and after what was left became segments")
        weir("verify", "--quick", case)


@test
def what_is_too_much_goes(folder):
    case = os.path.join(folder, "case")
    growing = Growing(case, "--every", "200ms", "--retain", "flow=20k")
    before, expired = 0, 0
    while expired < 2:
        growing.send_flows(1000)
        gone = entries(case, "expire")
        found = query(case, ASKED)[0]
        now_gone = entries(case, "expire")
        need(found["n"] >= before or now_gone > expired, "%d flows after %d" % (found["n"], before))
        need_equal(found["d"], found["n"])
        before, expired = found["n"], gone
        time.sleep(0.1)
    growing.end()
    kept = sum(os.path.getsize(os.path.join(case, "records", "flow", name))
               for name in os.listdir(os.path.join(case, "records", "flow")))
    need(kept < 200000, "%d bytes of flows are left" % kept)
    weir("verify", case)


@test
def nothing_is_taken_when_the_disk_is_full(folder):
    case = os.path.join(folder, "case")
    growing = Growing(case, "--free", "1000000T")
    need("nothing is kept until" in growing.run.stderr.readline().decode(), "no sentence")
    growing.send_flows(1000)
    time.sleep(1)
    growing.end()
    lost = query(case, "SELECT reason, count FROM loss")
    need_equal(lost, [{"reason": "disk_full", "count": 1000}])
    need_equal(query(case, ASKED)[0]["n"], 0)


@test
def wrong_words_are_one_sentence(folder):
    for words, mentioned in (("--retain", "flow"), "30d"), (("--retain", "flaw=1d"), "no kind"), (("--free", "a lot"), "5%"):
        done = call("collect", "udp://127.0.0.1:0", "-w", os.path.join(folder, "case"), *words)
        need_equal(done.status, 2, done)
        need(mentioned in done.err.decode() and done.err.count(b"\n") == 1, done)


main()
