"""Datagrams: exchanges, silence, fragments, and SCTP, which no kernel here speaks."""
import struct

from frames import SCTP, UDP, ethernet, ip, packed, sctp, udp
from talk import CLIENT, CLIENT6, SERVER, SERVER6, START, Talk, filler

NAME = 'measured.in.the.weir.example'


def dns_name(text):
    return b''.join(bytes([len(part)]) + part.encode() for part in text.split('.')) + b'\0'


def dns_query(ident=0x2222, name=NAME):
    return struct.pack('>6H', ident, 0x0100, 1, 0, 0, 0) + dns_name(name) + struct.pack('>2H', 255, 1)


def dns_answer(ident=0x2222, name=NAME):
    """Three AAAA and an A, each by a pointer to the question."""
    records = [(28, packed(f'2001:db8::{number}')) for number in (1, 2, 3)] + [(1, packed('192.0.2.1'))]
    body = b''.join(struct.pack('>3HIH', 0xc00c, kind, 1, 300, len(data)) + data for kind, data in records)
    question = dns_name(name) + struct.pack('>2H', 255, 1)
    return struct.pack('>6H', ident, 0x8580, 1, len(records), 0, 0) + question + body


def exchange():
    """46 bytes up, 146 down: one conversation, two PDUs."""
    assert (len(dns_query()), len(dns_answer())) == (46, 146)
    return Talk(server_port=53).datagram(0, dns_query()).datagram(1, dns_answer()).frames


def silence(seconds):
    talk = Talk(server_port=5000).datagram(0, b'one').datagram(1, b'two')
    return talk.wait(seconds).datagram(0, b'three').datagram(1, b'four').frames


def pieces(size, limit=1480):
    """Offsets and sizes of the fragments of a datagram."""
    limit -= limit % 8
    return [(at, min(limit, size - at)) for at in range(0, size, limit)]


def fragments(order=None, again=None, drop=None):
    """A query of 88 bytes, and an answer in fragments of 1514 and 400 bytes of frame."""
    question = udp(CLIENT, 40000, SERVER, 5000, filler(88 - 42))
    answer = udp(SERVER, 5000, CLIENT, 40000, filler(1480 + 366 - 8))
    parts = [(at, answer[at:at + size], at + size < len(answer)) for at, size in pieces(len(answer))]
    sent = [parts[place] for place in (order or range(len(parts)))]
    if again is not None:
        sent.append(parts[again])
    if drop is not None:
        sent.remove(parts[drop])
    frames = [(START, ethernet(CLIENT, SERVER, ip(CLIENT, SERVER, UDP, question)))]
    assert len(frames[0][1]) == 88
    for number, (at, data, more) in enumerate(sent):
        packet = ip(SERVER, CLIENT, UDP, data, ident=77, fragment=at, more=more)
        frames.append((START + 1000 * (number + 1), ethernet(SERVER, CLIENT, packet)))
    return frames


def overlapping_fragments():
    """Two fragments disagree about 80 bytes."""
    answer = udp(SERVER, 5000, CLIENT, 40000, filler(792))
    parts = [(0, answer[:400], True), (320, b'Z' * 160, True), (480, answer[480:], False),
             (400, answer[400:480], True)]
    return [(START + 1000 * number,
             ethernet(SERVER, CLIENT, ip(SERVER, CLIENT, UDP, data, ident=78, fragment=at, more=more)))
            for number, (at, data, more) in enumerate(parts)]


def fragments6(order=(0, 1, 2)):
    """RFC 8200 section 4.5, in the order told."""
    answer = udp(SERVER6, 5000, CLIENT6, 40000, filler(3000))
    parts = [(at, answer[at:at + size], at + size < len(answer)) for at, size in pieces(len(answer), 1232)]
    frames = []
    for number, place in enumerate(order):
        at, data, more = parts[place]
        header = struct.pack('>BBHI', UDP, 0, at | more, 0xabcdef)
        packet = ip(SERVER6, CLIENT6, 44, header + data)
        frames.append((START + 1000 * number, ethernet(SERVER6, CLIENT6, packet)))
    return frames


def association():
    """RFC 9260: INIT, INIT ACK, COOKIE ECHO, COOKIE ACK, DATA, SACK, SHUTDOWN and its two answers."""
    init = struct.pack('>IIHHI', 0x1111, 65536, 1, 1, 100)
    init_ack = struct.pack('>IIHHI', 0x2222, 65536, 1, 1, 200) + struct.pack('>HH', 7, 8) + b'cook'
    data = struct.pack('>IHHI', 100, 0, 0, 0) + b'over SCTP'
    steps = [
        (0, 0, (1, 0, init)), (1, 0x1111, (2, 0, init_ack)), (0, 0x2222, (10, 0, b'cook')),
        (1, 0x1111, (11, 0, b'')), (0, 0x2222, (0, 3, data)),
        (1, 0x1111, (3, 0, struct.pack('>IIHH', 100, 65536, 0, 0))),
        (0, 0x2222, (7, 0, struct.pack('>I', 199))), (1, 0x1111, (8, 0, b'')), (0, 0x2222, (14, 0, b'')),
    ]
    frames, ends = [], [(CLIENT, 40000), (SERVER, 5000)]
    for number, (side, tag, chunk) in enumerate(steps):
        (source, source_port), (target, target_port) = ends[side], ends[1 - side]
        packet = ip(source, target, SCTP, sctp(source_port, target_port, tag, chunk))
        frames.append((START + 1000 * number, ethernet(source, target, packet)))
    return frames


def wrong_lengths():
    """A datagram that says it is longer than its packet, one shorter, and one without checksum."""
    longer = bytearray(udp(CLIENT, 40000, SERVER, 5000, b'says 100'))
    longer[4:6] = struct.pack('>H', 100)
    shorter = bytearray(udp(CLIENT, 40000, SERVER, 5000, b'says 10: two bytes are data'))
    shorter[4:6] = struct.pack('>H', 10)
    without = bytearray(udp(CLIENT, 40000, SERVER, 5000, b'no checksum'))
    without[6:8] = b'\0\0'
    return [(START + 1000 * number, ethernet(CLIENT, SERVER, ip(CLIENT, SERVER, UDP, bytes(segment))))
            for number, segment in enumerate((longer, shorter, without))]


CASES = {
    'udp/exchange': exchange,
    'udp/silence-601': lambda: silence(601),
    'udp/silence-599': lambda: silence(599),
    'udp/wrong-lengths': wrong_lengths,
    'fragment/ipv4': fragments,
    'fragment/ipv4-backwards': lambda: fragments(order=[1, 0]),
    'fragment/ipv4-twice': lambda: fragments(again=0),
    'fragment/ipv4-lost': lambda: fragments(drop=1),
    'fragment/ipv4-overlap': overlapping_fragments,
    'fragment/ipv6': fragments6,
    'fragment/ipv6-shuffled': lambda: fragments6((2, 0, 1)),
    'sctp/association': association,
}
