#!/usr/bin/env python3
"""What is known to deceive monitors, packet by packet, built byte by byte.

T. Ptacek and T. Newsham, "Insertion, Evasion, and Denial of Service" (1998), sections 4 and 5; U. Shankar and
V. Paxson, "Active Mapping" (2003). A receiver and a monitor that see the same packets take different bytes for what
was said. Here nobody is asked which: both contents must be found, in the stream as delivered or in an `ambiguity`
record, and what was made of such bytes must say so.

REAL is what the receiver took, FALSE what was put there for the monitor. Both are the beginning of a request."""

import os
import struct

from program import main, need, need_equal, records, test, weir, write

CLIENT, SERVER = bytes([192, 0, 2, 10]), bytes([192, 0, 2, 80])
PORTS = 40000, 80
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ISN, SERVER_ISN = 0xfffffff0, 9000  # the client's numbers wrap on the way
REAL, FALSE = b"GET /secret-file", b"GET /pretty-page"
REST = b" HTTP/1.1\r\nHost: weir.test\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
LENGTH = len(REAL)
assert len(FALSE) == LENGTH


# ---- packets ---------------------------------------------------------------------------------------------------


def checksum(content):
    content += b"\0" * (len(content) % 2)
    total = sum(struct.unpack(">%dH" % (len(content) // 2), content))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def tcp(payload=b"", at=0, flags=ACK | PSH, ack=1, back=False, bad_sum=False, stamp=None, window=8192, seq=None):
    """A segment of the client, or back from the server; `at` is its place behind the SYN."""
    ports, addresses = (PORTS, (CLIENT, SERVER)) if not back else (PORTS[::-1], (SERVER, CLIENT))
    isn, other = (ISN, SERVER_ISN) if not back else (SERVER_ISN, ISN)
    seq = (isn + (0 if flags & SYN else 1) + at if seq is None else seq) & 0xffffffff
    options = b"" if stamp is None else struct.pack(">BBBBII", 1, 1, 8, 10, stamp, 0)
    head = struct.pack(">HHIIBBHHH", *ports, seq, (other + ack) & 0xffffffff if flags & ACK else 0,
                       (20 + len(options)) << 2, flags, window, 0, 0) + options
    whole = addresses[0] + addresses[1] + struct.pack(">HH", 6, len(head) + len(payload)) + head + payload
    total = checksum(whole) ^ (0x5555 if bad_sum else 0)
    return head[:16] + struct.pack(">H", total) + head[18:] + payload


def ip(content, ttl=64, back=False, ident=0, offset=0, more=False):
    src, dst = (SERVER, CLIENT) if back else (CLIENT, SERVER)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(content), ident, offset // 8 | more << 13, ttl, 6, 0) + src + dst
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + content


def say(payload=b"", at=0, ttl=64, **options):
    return ip(tcp(payload, at, **options), ttl, options.get("back", False))


def ack(up_to=0):
    """The server has everything before this place."""
    return say(back=True, flags=ACK, ack=1 + up_to)


def fragments(content, *cuts, ident=7):
    """The pieces between the cuts."""
    edges = (0,) + cuts + (len(content),)
    return [ip(content[a:b], ident=ident, offset=a, more=b < len(content)) for a, b in zip(edges, edges[1:])]


HANDSHAKE = [say(flags=SYN), say(back=True, flags=SYN | ACK, ack=1), say(flags=ACK)]


def ending(at=LENGTH, rest=REST):
    """The rest of the request, its answer, and the close."""
    end = at + len(rest)
    return [say(rest, at), ack(end), say(ANSWER, back=True, ack=1 + end), say(flags=ACK, at=end, ack=1 + len(ANSWER)),
            say(flags=FIN | ACK, at=end, ack=1 + len(ANSWER)),
            say(back=True, flags=FIN | ACK, at=len(ANSWER), ack=2 + end),
            say(flags=ACK, at=end + 1, ack=2 + len(ANSWER))]


def capture(folder, packets):
    rows = [struct.pack("<IIII", 1700000000, 1000 * i, len(p), len(p)) + p for i, p in enumerate(packets)]
    return write(os.path.join(folder, "evasion.pcap"), struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101),
                 *rows)


# ---- what must be found ----------------------------------------------------------------------------------------


class Found:
    """What was made of the packets."""

    def __init__(self, folder, packets):
        self.path = capture(folder, packets)
        self.rows = records(self.path)
        self.conversations = self.of("conversation")
        self.ambiguities = self.of("ambiguity")
        self.requests = self.of("http")

    def of(self, kind):
        return [row for row in self.rows if row["kind"] == kind]

    def streams(self):
        return [weir("show", self.path, c["id"], "--raw", "src").out for c in self.conversations]

    def said(self, words):
        """Whether the words stand in a stream or in one of two readings."""
        readings = [bytes.fromhex(row.get(field, "")) for row in self.ambiguities for field in ("taken", "other")]
        # Readings are told from the first byte that differs to the last.
        same = next(i for i in range(LENGTH) if REAL[i] != FALSE[i])
        core = words[same:].rstrip(b"\0")
        return any(words in stream for stream in self.streams()) or any(r and r in core and len(r) > 3 for r in readings)


def both(folder, packets, marks=None, request=True):
    """Both contents are found, and what was made of them is flagged. `marks` speak against FALSE."""
    found = Found(folder, packets)
    need(found.said(REAL), "the real content is not found", found.rows)
    need(found.said(FALSE), "the false content is not found", found.rows)
    need(found.ambiguities, "no ambiguity is told")
    if request:
        need_equal(len(found.requests), 1, "requests")
        need(found.requests[0].get("ambiguous"), "the request is not flagged", found.requests)
    if marks:
        row = found.ambiguities[0]
        is_false = FALSE.find(bytes.fromhex(row["taken"])) >= 0
        told = row.get("taken_marks" if is_false else "other_marks", [])
        need(marks in told, "%s is not told against what is false" % marks, row)
    return found


def whole(folder, packets):
    """Nothing can deceive here: the request is found, and nothing else."""
    found = Found(folder, packets)
    need_equal(len(found.conversations), 1, "conversations")
    need(found.streams()[0].startswith(REAL + REST), "the stream", found.streams())
    need_equal([row.get("uri") for row in found.requests], ["/secret-file"])
    return found


# ---- overlap ---------------------------------------------------------------------------------------------------


@test
def a_bad_checksum(folder):
    both(folder, HANDSHAKE + [say(FALSE, bad_sum=True), say(REAL)] + ending(), "bad_checksum")
    both(folder, HANDSHAKE + [say(REAL), say(FALSE, bad_sum=True)] + ending(), "bad_checksum")


@test
def a_short_time_to_live(folder):
    both(folder, HANDSHAKE + [say(FALSE, ttl=2), say(REAL)] + ending(), "low_ttl")
    both(folder, HANDSHAKE + [say(REAL), say(FALSE, ttl=2)] + ending(), "low_ttl")


@test
def an_old_timestamp(folder):
    """RFC 7323 section 5: the receiver drops what is older than what it has."""
    head = [say(flags=SYN, stamp=5000), say(back=True, flags=SYN | ACK, ack=1, stamp=100), say(flags=ACK, stamp=5001)]
    both(folder, head + [say(FALSE, stamp=10), say(REAL, stamp=5002)] + ending(), "old_timestamp")


@test
def what_was_acknowledged_is_sent_again_with_other_bytes(folder):
    """What no other side waits for any more cannot have been taken: the packets are there, the stream is not in doubt."""
    whole(folder, HANDSHAKE + [say(REAL), ack(LENGTH), say(FALSE)] + ending())


@test
def beyond_the_window(folder):
    """The server takes 8 bytes: what lies behind them is dropped, and sent again with other bytes."""
    head = HANDSHAKE[:1] + [say(back=True, flags=SYN | ACK, ack=1, window=8),
                            say(flags=ACK), say(back=True, flags=ACK, ack=1, window=8)]
    both(folder, head + [say(FALSE[8:], at=8), say(REAL[:8]), say(back=True, flags=ACK, ack=9, window=8192),
                         say(REAL[8:], at=8)] + ending())


@test
def overlap_of_waiting_segments(folder):
    """Behind a hole, forwards and backwards, whole and in part."""
    for pieces in ([(FALSE[4:], 4), (REAL[4:], 4), (REAL[:4], 0)],
                   [(FALSE[5:9], 5), (REAL[4:], 4), (FALSE[9:], 9), (REAL[:4], 0)],
                   [(REAL[4:], 4), (FALSE[2:12], 2), (FALSE[12:], 12), (REAL[:4], 0)]):
        found = Found(folder, HANDSHAKE + [say(words, at) for words, at in pieces] + ending())
        need(found.ambiguities and found.requests[0].get("ambiguous"), found.rows)
        seen = {}
        for row in found.ambiguities:
            for field in "taken", "other":
                for i, byte in enumerate(bytes.fromhex(row[field])):
                    seen.setdefault(row["offset"] + i, set()).add(byte)
        for at in range(5, LENGTH):
            if REAL[at] != FALSE[at]:
                need_equal(seen.get(at), {REAL[at], FALSE[at]}, "readings of byte %d" % at)


@test
def every_policy_shows_one_and_keeps_the_other(folder):
    path = capture(folder, HANDSHAKE + [say(FALSE[4:], 4), say(REAL[4:], 4), say(REAL[:4])] + ending())
    for policy, uri in ("first", "/pretty-page"), ("last", "/secret-file"), ("bsd-right", "/secret-file"), \
            ("linux", "/pretty-page"), ("solaris", "/secret-file"):
        rows = records(path, "--overlap", policy)
        need_equal([row["uri"] for row in rows if row["kind"] == "http"], [uri], policy)
        ambiguity = [row for row in rows if row["kind"] == "ambiguity"]
        need_equal({bytes.fromhex(row[f])[:3] for row in ambiguity for f in ("taken", "other")}, {b"pre", b"sec"}, policy)


# ---- order and size --------------------------------------------------------------------------------------------


@test
def one_byte_at_a_time_backwards(folder):
    single = [say(REAL[i:i + 1], i) for i in range(LENGTH)]
    whole(folder, HANDSHAKE + single[::-1] + ending())
    whole(folder, HANDSHAKE + single[1::2] + single[::2] + ending())


@test
def chaff_that_repeats_equal_bytes(folder):
    packets = [p for i in range(LENGTH) for p in (say(REAL[i:i + 1], i), say(REAL[:i + 1]))]
    need(not whole(folder, HANDSHAKE + packets + ending()).ambiguities, "there is but one reading")


@test
def data_in_the_syn(folder):
    head = [say(REAL, flags=SYN), say(back=True, flags=SYN | ACK, ack=1 + LENGTH), say(flags=ACK, at=LENGTH)]
    whole(folder, head + ending())


@test
def data_without_acknowledgement(folder):
    """RFC 9293 section 3.10.7.4: a receiver drops a segment without ACK; a monitor may take it."""
    both(folder, HANDSHAKE + [say(FALSE, flags=PSH), say(REAL)] + ending())


# ---- the life of a connection ----------------------------------------------------------------------------------


@test
def resets_that_the_receiver_does_not_take(folder):
    """Out of the window, with a bad checksum, too short-lived: the connection goes on, and so must we."""
    for false in (say(flags=RST, at=1 << 20), say(flags=RST, bad_sum=True), say(flags=RST, ttl=2),
                  say(FALSE, flags=RST | ACK)):
        found = whole(folder, HANDSHAKE + [say(REAL[:7]), false, say(REAL[7:], 7)] + ending())
        need("R" in found.conversations[0]["history"], "the reset is told", found.conversations)


@test
def ends_that_the_receiver_does_not_take(folder):
    """A FIN that never arrived: what its sender goes on to say was said."""
    for false in (say(flags=FIN | ACK, at=7, bad_sum=True), say(flags=FIN | ACK, at=7, ttl=2),
                  say(flags=FIN | ACK, at=1 << 20), say(flags=FIN, at=3)):
        found = whole(folder, HANDSHAKE + [say(REAL[:7]), false, say(REAL[7:], 7)] + ending())
        need("F" in found.conversations[0]["history"], "the end is told", found.conversations)


@test
def a_syn_in_the_middle(folder):
    """With the same number, with another one, answered by nobody: the connection goes on."""
    for false in (say(flags=SYN), say(flags=SYN, at=5000), say(flags=SYN, at=-40000, bad_sum=True),
                  say(flags=SYN, seq=77, ttl=2)):
        found = Found(folder, HANDSHAKE + [say(REAL[:7]), false, say(REAL[7:], 7)] + ending())
        need_equal(b"".join(found.streams())[:LENGTH], REAL, "streams")


@test
def ports_used_again_after_a_reset(folder):
    """The connection is reset, and another begins on the same ports with numbers of its own."""
    far = 0x40000000
    again = [ip(tcp(words, flags=flags, seq=(far + at) & 0xffffffff)) for words, at, flags in
             ((b"", 0, SYN), (REAL + REST, 1, ACK | PSH))]
    found = Found(folder, HANDSHAKE + [say(b"quit"), say(flags=RST, at=4)] + again)
    need_equal(found.streams(), [b"quit", REAL + REST], "one stream for each")


# ---- fragments -------------------------------------------------------------------------------------------------

SEGMENT, FALSE_SEGMENT = tcp(REAL), tcp(FALSE)


@test
def tiny_fragments(folder):
    """The TCP header in pieces of 8 bytes (RFC 1858), in any order, some twice."""
    pieces = fragments(SEGMENT, *range(8, len(SEGMENT), 8))
    for order in (pieces, pieces[::-1], pieces[1::2] + pieces[::2], pieces + pieces[-1:], pieces[:1] + pieces):
        whole(folder, HANDSHAKE + order + ending())


@test
def fragments_that_overlap(folder):
    """Old and new, before and behind: one goes on, both are kept."""
    def piece(segment, a, b):
        return ip(segment[a:b], ident=7, offset=a, more=b < len(segment))
    end = len(SEGMENT)
    for order in ([(FALSE_SEGMENT, 24, end), (SEGMENT, 24, end), (SEGMENT, 0, 24)],
                  [(SEGMENT, 24, end), (FALSE_SEGMENT, 24, end), (SEGMENT, 0, 24)],
                  [(SEGMENT, 0, 24), (FALSE_SEGMENT, 24, 32), (SEGMENT, 24, 32), (SEGMENT, 32, end)],
                  [(SEGMENT, 24, 32), (SEGMENT, 32, end), (FALSE_SEGMENT, 24, end), (SEGMENT, 0, 24)]):
        found = Found(folder, HANDSHAKE + [piece(*p) for p in order] + ending())
        need(any(row["layer"] == "ip" for row in found.ambiguities), "no ambiguity of fragments", found.rows)
        need(found.requests and found.requests[0].get("ambiguous"), "the request is not flagged", found.rows)
        readings = [bytes.fromhex(row[f]) for row in found.ambiguities for f in ("taken", "other") if row.get(f)]
        for words in b"se", b"pr":
            need(any(words in r for r in readings), "%s is not kept" % words, found.ambiguities)


@test
def fragments_of_fragments_and_segments(folder):
    """Fragments within which segments overlap."""
    pieces = fragments(FALSE_SEGMENT, 24, 32, ident=8)
    both(folder, HANDSHAKE + pieces[::-1] + [say(REAL)] + ending())


if __name__ == "__main__":
    main()
