#!/usr/bin/env python3
"""Packets into a topic of a real broker and out of it: what comes back is what went in, each once.

Without Java, or where the broker's jars cannot be fetched, all of it is skipped.
"""
import os
import signal
import struct
import subprocess
import time

from broker import broker
from program import (SECONDS, WEIR, call, content_of, digest, golden, main, need, need_equal, packets_of, query, read,
                     test, weir, write)

NOTHING, WRONG, INPUT = 1, 2, 3
FORMS = "pcap", "frame"
CAPTURES = "demo", "fragment/ipv4", "tunnel/vxlan"


def send(capture, topic, query=""):
    return weir("read", capture, "--packets-to", broker().url(topic, query)).err.decode()


def messages(topic):
    """Of each partition the values, without their lengths being told by the topic."""
    found = {}
    for partition in range(3):
        done = subprocess.run(["kcat", "-C", "-b", broker().address, "-t", topic, "-p", str(partition), "-e", "-q", "-f",
                               "%R%s"], stdout=subprocess.PIPE, timeout=SECONDS, check=True)
        rest, found[partition] = done.stdout, []
        while rest:
            size = struct.unpack_from(">i", rest)[0]
            found[partition].append(rest[4:4 + size])
            rest = rest[4 + size:]
    return found


def need_equal_to_file(case, capture, folder):
    plain = os.path.join(folder, "plain-" + os.path.basename(capture))
    read(capture, "-w", plain)
    need_equal(digest(case), digest(plain))


@test
def what_went_in_comes_back(folder):
    for name in CAPTURES:
        for form in FORMS:
            topic, case = "back-%s-%s" % (form, name.replace("/", "-")), os.path.join(folder, form + os.path.basename(name))
            count = len(packets_of(golden(name))[1])
            told = send(golden(name), topic, "format=" + form)
            need_equal(told, "weir: %d packets sent: %d delivered, 0 failed\n" % (count, count))
            read(broker().url(topic), "-w", case)
            need_equal_to_file(case, golden(name), folder)
            need_equal(query(case, "SELECT packets, format, path FROM capture"),
                       [{"packets": count, "format": "pcapng", "path": broker().url(topic)}])
            weir("verify", case)


@test
def the_recording_is_the_same(folder):
    topic, case, out = "recorded", os.path.join(folder, "case"), os.path.join(folder, "recording.pcapng")
    send(golden("demo"), topic)
    subprocess.run(["kcat", "-P", "-b", broker().address, "-t", topic], input=b"this is no packet\n", timeout=SECONDS, check=True)
    read(broker().url(topic), "-w", case)
    extents = os.path.join(case, "packets")
    with open(out, "wb") as file:
        for name in sorted(name for name in os.listdir(extents) if name.endswith(".zst")):
            subprocess.run(["zstd", "-dcq", os.path.join(extents, name)], stdout=file, check=True)
    need_equal(digest(case), digest(out))
    sql = "SELECT stage, reason, interface, count FROM loss"
    need_equal(query(case, sql), [{"stage": "source", "reason": "undecodable", "interface": topic, "count": 1}])


@test
def messages_are_what_other_programs_read(folder):
    head, packets = packets_of(golden("demo"))
    for form in FORMS:
        send(golden("demo"), "read-" + form, "format=" + form)
        values = [value for partition in messages("read-" + form).values() for value in partition]
        start = 40 if form == "pcap" else 0
        need_equal(sorted(value[start:] for value in values), sorted(packet[16:] for packet in packets))
        for value in values[:10] if form == "pcap" else ():
            need_equal((value[:8], value[20:24]), (head[:8], head[20:24]))
            need(value[24:] in packets)


@test
def a_conversation_is_in_one_partition(folder):
    send(golden("demo"), "shared")
    seen, split, sizes = set(), set(), []
    for partition, values in messages("shared").items():
        sizes.append(len(values))
        capture = write(os.path.join(folder, "%d.pcap" % partition), packets_of(golden("demo"))[0],
                        *(value[24:] for value in values))
        for row in weir("query", capture, "SELECT DISTINCT community_id c FROM conversation", "-o", "json").rows():
            (split if row["c"] in seen else seen).add(row["c"])
    # Two of them have fragments, which know no ports.
    need(min(sizes) > 100 and len(seen) == 101 and len(split) <= 2, sizes, len(seen), split)


@test
def a_kill_loses_nothing(folder):
    """A reading counts as a whole or not at all, and so do the positions."""
    topic, case = "killed-packets", os.path.join(folder, "case")
    many = write(os.path.join(folder, "many.pcap"), packets_of(golden("demo"))[0], *packets_of(golden("demo"))[1] * 40)
    send(many, topic)
    url = broker().url(topic, "group=killed-packets")
    for bytes_there in 0, 10000, 1000000:
        run = subprocess.Popen([WEIR, "read", "-q", url, "-w", case], stderr=subprocess.DEVNULL)
        while run.poll() is None and size_of(case) < bytes_there:
            pass
        run.send_signal(signal.SIGKILL)
        run.wait()
        if os.path.isdir(os.path.join(case, "log")):
            need_equal(call("query", case, "SELECT * FROM conversation").status, NOTHING)
    read(url, "-w", case)
    need_equal(query(case, "SELECT sum(packets) n FROM capture"), [{"n": 40 * len(packets_of(golden("demo"))[1])}])
    told = weir("read", url, "-w", case).err.decode()
    need("has all that is in" in told, told)
    send(golden("tcp/echo"), topic)
    weir("read", "-q", url, "-w", case)
    need_equal(query(case, "SELECT packets n FROM capture ORDER BY n")[0], {"n": len(packets_of(golden("tcp/echo"))[1])})
    weir("verify", "--quick", case)


def size_of(case):
    return int(subprocess.run(["du", "-sb", case], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS,
                              check=False).stdout.split()[0] if os.path.isdir(case) else 0)


def wait_for_packets(case, run, count):
    until = time.monotonic() + SECONDS
    while count != packets_in(case):
        need(time.monotonic() < until and run.poll() is None, packets_in(case))
        time.sleep(0.1)


def packets_in(case):
    done = call("query", case, "SELECT sum(packets) n FROM capture", "-o", "json")
    return done.rows()[0].get("n") if done.status == 0 else None


@test
def a_topic_is_followed(folder):
    topic, case, count = "followed", os.path.join(folder, "case"), len(packets_of(golden("demo"))[1])
    send(golden("demo"), topic)
    for round_ in range(1, 4):
        run = subprocess.Popen([WEIR, "read", "-q", broker().url(topic, "group=followed"), "--follow", "--every", "500ms",
                                "-w", case], stderr=subprocess.PIPE)
        wait_for_packets(case, run, round_ * count)
        send(golden("demo"), topic)
        # What a kill takes away comes again; a stop takes nothing.
        if round_ == 2:
            run.kill()
            need_equal(run.wait(timeout=SECONDS), -signal.SIGKILL)
            run = subprocess.Popen(run.args, stderr=subprocess.PIPE)
        wait_for_packets(case, run, (round_ + 1) * count)
        run.send_signal(signal.SIGTERM)
        told = run.communicate(timeout=SECONDS)[1].decode()
        need_equal((run.returncode, told), (0, ""))
    need_equal(packets_in(case), 4 * count)
    weir("verify", "--quick", case)


@test
def a_case_gives_its_packets(folder):
    case, out = os.path.join(folder, "case"), os.path.join(folder, "out.pcapng")
    read(golden("demo"), "-w", case)
    weir("export", case, "-Y", "proto = 17", "-w", out)
    for form in FORMS:
        told = weir("export", case, "-Y", "proto = 17", "-w", broker().url("given-" + form, "format=%s&client.id=x" % form))
        need_equal(told.err.decode().split(",")[0], "weir: wrote 111 packets")
        again = os.path.join(folder, form)
        read(broker().url("given-" + form), "-w", again)
        need_equal(digest(again), digest(out))
    log = content_of(os.path.join(case, "log", "00000001.jsonl")).decode()
    need('"topic":"%s"' % broker().url("given-pcap") in log and "client.id" not in log, log[-600:])


@test
def wrong_words_are_one_sentence(folder):
    b = broker()
    for words, status, mentioned in (
            ((b.url("nowhere"),), INPUT, "no such topic"), ((b.url("x", "format=json"),), WRONG, "pcap or frame"),
            ((b.url("x", "link=ether"),), WRONG, "tcpdump -L"), ((b.url("x"), golden("demo")), WRONG, "together"),
            ((b.url("x"), "-i", "lo"), WRONG, "together"), ((b.url("x"), "-c", "1"), WRONG, "not for a topic"),
            ((golden("demo"), "--kafka", "a=b"), WRONG, "for a topic"), ((golden("demo"), "--follow"), WRONG, "for a topic"),
            ((golden("demo"), "--packets-to", "tcp://127.0.0.1:9"), WRONG, "into a topic"),
            ((golden("demo"), "--packets-to", b.url("x", "format=packets")), WRONG, "pcap or frame"),
            ((golden("demo"), "--packets-to", b.url("x", "until=end")), WRONG, "of reading"),
            ((golden("link/cooked"), "--packets-to", b.url("x", "format=frame")), INPUT, "LINUX_SLL")):
        told = weir("read", *words, "-w", "none", status=status).err.decode()
        need(mentioned in told and told.count("\n") == 1, words, told)


main()
