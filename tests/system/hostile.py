#!/usr/bin/env python3
"""Traffic made to hurt: it is read to its end, every packet of it is accounted for, and memory and records are bounded."""

import os
import resource
import sys

from program import LONG, ROOT, main, need, need_equal, records, test, write

sys.path.insert(0, os.path.join(ROOT, "bench"))
sys.dont_write_bytecode = True

import hostile  # noqa: E402  (the cases that bench/hostile.py measures)
from traffic import HEAD  # noqa: E402

PACKETS = 300000 if LONG else 12000
MEMORY_MAX_KB = 800000
LOSSES_MAX = 256 * 32 + 1000  # of single ones per shard and reason, and sums


def counters(rows, stage):
    return {row["name"]: row["value"] for row in rows if row["kind"] == "counter" and row["stage"] == stage}


def lost(rows, reason):
    return sum(row.get("count", 1) for row in rows if row["kind"] == "loss" and row["reason"] == reason)


def need_sums(rows, packets):
    """in = out + dropped + held, by the counters and by the records."""
    decoded, lane = counters(rows, "decode"), counters(rows, "lane")
    need_equal(decoded.pop("packets"), packets, "packets decoded")
    need_equal(sum(decoded.values()), packets, "packets by reason")
    need_equal(decoded.get("fragment-held", 0), 0, "pieces still held")
    need_equal(lane.get("packets_in", 0), lane.get("packets_counted", 0) + lane.get("packets_shed", 0), "packets of lanes")
    inner = [row for row in rows if row["kind"] == "conversation" and not row.get("carries")]
    need_equal(len(inner), lane.get("conversations", 0), "conversations")
    counted = sum(row["src_packets"] + row["dst_packets"] for row in inner)
    need_equal(counted, lane.get("packets_counted", 0), "packets of conversations")
    for reason, counter in (("shard_full", "conversations_evicted"), ("source_full", "conversations_of_source"),
                            ("dissect_budget", "dissect_refused"), ("files_budget", "files_unbudgeted")):
        need_equal(lost(rows, reason), lane.get(counter, 0), reason)
    single = sum(1 for row in rows if row["kind"] == "loss" and row["stage"] in ("flow", "dissect", "extract"))
    need(single <= LOSSES_MAX, "%d records of what was given up" % single)


def hurt(name):
    def run(folder):
        path = write(os.path.join(folder, "hostile.pcap"), HEAD, *hostile.CASES[name](PACKETS))
        packets = hostile.captures.count_packets(path)
        need_sums(records(path), packets)
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        need(used <= MEMORY_MAX_KB, "%d kB of memory were used" % used)
    run.__name__ = name
    test(run)


for case in hostile.CASES:
    hurt(case)

if __name__ == "__main__":
    main()
