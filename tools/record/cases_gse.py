"""DVB GSE: an exchange in base band frames over UDP, whole and in pieces."""
import struct

from cases_link import OUTER, OUTER_PEER, exchange
from cases_udp import dns_answer, dns_query
from frames import UDP, ethernet, ip, udp
from talk import CLIENT, SERVER, START, Talk, filler

WHOLE, FIRST, MIDDLE, LAST = 0xc000, 0x8000, 0x0000, 0x4000
NO_LABEL, THREE_BYTES, SIX_BYTES, AS_BEFORE = 0x2000, 0x1000, 0x0000, 0x3000


def crc(data, bits, polynomial, value):
    """The highest bit first, as EN 302 307-1 section 5.1.4 and ISO/IEC 13818-1 annex A have them."""
    top = 1 << (bits - 1)
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & (2 * top - 1)
    return value


def crc8(data):
    return crc(data, 8, 0xd5, 0)


def crc32(data):
    return crc(data, 32, 0x04c11db7, 0xffffffff)


assert crc8(b'123456789') == 0xbc and crc32(b'123456789') == 0x0376e6e7


def packet(kind, body, label=NO_LABEL):
    """ETSI TS 102 606-1 section 4.2.1."""
    return struct.pack('>H', kind | label | len(body)) + body


def content(inner, kind=0x0800, label=b''):
    return struct.pack('>H', kind) + label + inner


def pieces(inner, cuts, identifier, good=True):
    """One packet of the network in as many GSE packets as there are cuts, and one more."""
    body = content(inner)
    total = struct.pack('>H', len(body))
    check = crc32(total + body) ^ (not good)
    ends = list(zip([0] + cuts, cuts + [len(body)]))
    made = []
    for number, (begin, end) in enumerate(ends):
        part, name = body[begin:end], bytes([identifier])
        if number == 0:
            made.append(packet(FIRST, name + total + part))
        elif number < len(ends) - 1:
            made.append(packet(MIDDLE, name + part, AS_BEFORE))
        else:
            made.append(packet(LAST, name + part + struct.pack('>I', check), AS_BEFORE))
    return made


def base_band(packets, stream=None, padding=0, adaptation=b''):
    """EN 302 307-1 section 5.1.6: a generic continuous stream, one or many."""
    field = b''.join(packets) + bytes(padding)
    header = struct.pack('>BBHHBH', 0x72 if stream is None else 0x52, stream or 0, 0, 8 * len(field), 0, 0)
    return adaptation + header + bytes([crc8(header)]) + field


def over_udp(number, frame, port=30000):
    datagram = udp(OUTER, port, OUTER_PEER, port, frame)
    return START + 1000 * number, ethernet(OUTER, OUTER_PEER, ip(OUTER, OUTER_PEER, UDP, datagram))


def inside():
    """The packets of an exchange of 46 and 146 bytes."""
    talk = Talk(server_port=53, wrap=lambda source, target, packet: packet)
    return [packet for _, packet in talk.datagram(0, dns_query()).datagram(1, dns_answer()).frames]


def whole():
    """All packets of a connection, three in a frame, with labels of all kinds and padding at the end."""
    packets = [data for _, data in exchange(lambda source, target, packet: packet)]
    labels = [(SIX_BYTES, b'\2\0\0\0\0\1'), (AS_BEFORE, b''), (THREE_BYTES, b'\1\2\3'), (NO_LABEL, b'')]
    made = [packet(WHOLE, content(data, label=labels[place % 4][1]), labels[place % 4][0])
            for place, data in enumerate(packets)]
    return [over_udp(at, base_band(made[at:at + 3], padding=40)) for at in range(0, len(made), 3)]


def in_pieces():
    """A question in one piece, its answer in three among those of another stream with the same identifier."""
    question, answer = inside()
    first, middle, last = pieces(answer, [60, 100], 7)
    other = pieces(ip(CLIENT, SERVER, UDP, udp(CLIENT, 40000, SERVER, 5000, filler(100))), [50], 7)
    frames = [base_band([packet(WHOLE, content(question)), first], 1, adaptation=b'\xb8\0\0\1'),
              base_band([other[0]], 2, adaptation=b'\xb8\0\0\2'),
              base_band([middle], 1, adaptation=b'\xb8\0\0\3'),
              base_band([other[1]], 2, adaptation=b'\xb8\0\0\4'),
              base_band([last, packet(WHOLE, content(question))], 1, 10, adaptation=b'\xb8\0\0\5')]
    return [over_udp(number, frame) for number, frame in enumerate(frames)]


def broken():
    """An end without a start, a start that another replaces, a wrong check sum, and a bridged frame behind an extension."""
    question, answer = inside()
    lost, again, wrong = pieces(answer, [80], 1), pieces(answer, [50], 1), pieces(answer, [80], 2, good=False)
    bridged = content(b'\0\0' + b'\0\1' + ethernet(CLIENT, SERVER, question), kind=0x0200)
    frames = [base_band([lost[1]]), base_band([lost[0]]), base_band([again[0], wrong[0]]),
              base_band([again[1], wrong[1]]), base_band([packet(WHOLE, bridged)])]
    return [over_udp(number, frame) for number, frame in enumerate(frames)]


CASES = {
    'tunnel/gse': whole,
    'tunnel/gse-pieces': in_pieces,
    'tunnel/gse-broken': broken,
}
