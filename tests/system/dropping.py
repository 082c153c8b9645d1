#!/usr/bin/env python3
"""A capture that lost packets beside the same one whole: what is missing is told, and nothing false is said.

Every 97th packet of a realistic mix is left out. What the whole capture shows and the thin one does not is the truth;
what acknowledgements show of it must be reported, byte for byte. A transaction of the thin capture says the same as
one of the whole, as far as it says anything, or is flagged."""

import collections
import json
import os

from program import main, mix, need, packets_of, records, test, write

LEFT_OUT = 97
KNOWN = 0.99  # of the missing bytes: the others stand behind the last acknowledgement, or in no conversation at all
WRONG_SHOWN = 5
TRANSACTIONS = {"http", "dns", "tls", "socks", "x509", "file"}

# Names made of places and times, counts of packets, and what came before: with fewer packets these are others.
ELSEWHERE = {"id", "ts", "conversation_id", "record_id", "tls_id", "community_id", "src_addr", "src_port", "dst_addr",
             "dst_port", "trans_depth", "response_time", "rtt", "retransmits"}
# What says itself that something is missing.
FLAGS = {"incomplete", "ambiguous", "request_seen", "response_seen", "query_seen", "answer_seen"}
# Of a DNS transaction without its answer these tell nothing.
OF_ANSWER = {"ra", "answer_count"}


def talk_of(row):
    """Who spoke, whoever began: the thin capture may lack the packet that tells."""
    return (row["proto"],) + tuple(sorted((row[end + "_addr"], row.get(end + "_port", 0)) for end in ("src", "dst")))


def sides_of(rows):
    """Payload and missing bytes of each side, and how many connections it had."""
    sides = collections.defaultdict(collections.Counter)
    for row in rows:
        if row["kind"] == "conversation" and row["proto"] == 6:
            for end in "src", "dst":
                sides[talk_of(row), row[end + "_addr"], row[end + "_port"]].update(
                    there=row[end + "_payload_bytes"], missing=row[end + "_missed_bytes"], connections=1)
    return sides


def said_by(row):
    left_out = ELSEWHERE | FLAGS | (OF_ANSWER if row.get("answer_seen") is False else set())
    return {name: json.dumps(value, sort_keys=True) for name, value in row.items() if name not in left_out}


def transactions_of(rows):
    talks = collections.defaultdict(list)
    for row in rows:
        if row["kind"] in TRANSACTIONS:
            talks[row["kind"], talk_of(row)].append(said_by(row))
    return talks


def difference(row, whole):
    """What is said otherwise than by the transaction of the whole capture that is most alike."""
    mine = said_by(row)
    others = [{name: (value, other.get(name)) for name, value in mine.items() if other.get(name) != value}
              for other in whole[row["kind"], talk_of(row)]]
    return min(others, key=len, default={"": "nothing like it"})


def compare_missing(whole, thin):
    """Bytes that are missing, bytes that are reported, and the talks in which nothing shows some of them."""
    missing = reported = 0
    silent, wrong = set(), []
    there = sides_of(thin)
    for who, full in sides_of(whole).items():
        part = there[who]
        lost, told = full["there"] - part["there"], part["missing"] - full["missing"]
        missing, reported = missing + lost, reported + told
        if told < lost:
            silent.add(who[0])
        if told > lost and full["connections"] == part["connections"]:
            wrong.append("%s: %d bytes are missing, and %d reported" % (who, lost, told))
    return missing, reported, silent, wrong


def compare_transactions(whole, thin, silent):
    known, wrong = transactions_of(whole), []
    for row in thin:
        if row["kind"] in TRANSACTIONS and not row.get("incomplete") and talk_of(row) not in silent:
            differs = difference(row, known)
            if differs:
                wrong.append("%s of %s: %s" % (row["kind"], talk_of(row), differs))
    return wrong


@test
def every_97th_packet(folder):
    path = mix(folder)
    head, packets = packets_of(path)
    thin_path = write(os.path.join(folder, "thin.pcap"), head,
                      *(packet for i, packet in enumerate(packets, 1) if i % LEFT_OUT))
    whole, thin = records(path), records(thin_path)
    missing, reported, silent, wrong = compare_missing(whole, thin)
    need(not wrong, "%d directions report more than is missing" % len(wrong), *wrong[:WRONG_SHOWN])
    need(missing and KNOWN * missing <= reported <= missing, "%d bytes are missing, %d reported" % (missing, reported))
    wrong = compare_transactions(whole, thin, silent)
    need(not wrong, "%d transactions are wrong and not flagged" % len(wrong), *wrong[:WRONG_SHOWN])


if __name__ == "__main__":
    main()
