"""One small exchange in everything that may be around it: links, tags, extension headers, tunnels."""
import struct

from cases_udp import dns_answer, dns_query
from frames import (NULL, RAW, SLL, SLL2, TCP, UDP, ethernet, ip, mac, mpls, packed, pppoe, sll,
                    sll2, tcp, udp, vlan)
from talk import CLIENT, CLIENT6, SERVER, SERVER6, START, Talk, request, response

OUTER, OUTER_PEER = '198.51.100.1', '198.51.100.2'
OUTER6, OUTER6_PEER = '2001:db8:ffff::1', '2001:db8:ffff::2'


def exchange(wrap=None, six=False):
    """A request and its response, with a wrapping of its own."""
    client, server = (CLIENT6, SERVER6) if six else (CLIENT, SERVER)
    talk = Talk(client=client, server=server, wrap=wrap)
    return talk.open().data(0, request(128)).ack(1).data(1, response(700)).ack(0).close().frames


def tagged(tag, make):
    """`make`: IP packet to what follows the addresses."""
    return exchange(lambda source, target, packet: ethernet(source, target, make(packet), tag))


def on_link(link_type, wrap):
    return exchange(wrap), link_type, 262144


def null(source, target, packet):
    return struct.pack('<I', 24 if packet[0] >> 4 == 6 else 2) + packet


def same_tuple_in_vlans():
    """One 5-tuple in two VLANs at the same time: two conversations."""
    frames = []
    for number in (10, 20):
        frames += tagged(0x8100, lambda packet, number=number: vlan(number, 0x0800, packet))
    return sorted(frames, key=lambda frame: frame[0])


def extension(kind, following, body):
    """RFC 8200 section 4.2: lengths count in 8 bytes, without the first."""
    assert len(body) % 8 == 6, kind
    return struct.pack('>BB', following, len(body) // 8) + body


def extended(source, target, packet):
    """Hop-by-hop with router alert, routing header of type 2, destination options, then TCP."""
    inner = packet[40:]
    options = extension('destination', TCP, b'\x01\x04\0\0\0\0')
    routing = extension('routing', 60, struct.pack('>BBI', 2, 0, 0) + packed(target))
    hop = extension('hop-by-hop', 43, b'\x05\x02\0\0\x01\0')
    return ethernet(source, target, ip(source, target, 0, hop + routing + options + inner))


def tunnel(protocol, header=b'', six=False):
    """IP protocol around the exchange, after `header`."""
    def wrap(source, target, packet):
        forward = source in (CLIENT, CLIENT6)
        ends = (OUTER6, OUTER6_PEER) if six else (OUTER, OUTER_PEER)
        outer, peer = ends if forward else ends[::-1]
        return ethernet(outer, peer, ip(outer, peer, protocol, header + packet))
    return wrap


def over_udp(port, header, source_port=None, with_ethernet=False):
    """`header`: bytes, or a function of the inner packet."""
    def wrap(source, target, packet):
        outer, peer = (OUTER, OUTER_PEER) if source in (CLIENT, CLIENT6) else (OUTER_PEER, OUTER)
        inner = ethernet(source, target, packet) if with_ethernet else packet
        before = header(inner) if callable(header) else header
        datagram = udp(outer, source_port or 50000, peer, port, before + inner)
        return ethernet(outer, peer, ip(outer, peer, UDP, datagram))
    return wrap


def gtp(inner):
    """3GPP TS 29.281 section 5.1: version 1, protocol GTP, G-PDU; one TEID for each direction."""
    teid = 0x1001 if inner[12:16] == packed(CLIENT) else 0x2002
    return struct.pack('>BBHI', 0x30, 255, len(inner), teid)


def gre_with_key(source, target, packet):
    """RFC 2890: key and sequence number."""
    outer, peer = (OUTER, OUTER_PEER) if source == CLIENT else (OUTER_PEER, OUTER)
    header = struct.pack('>HHII', 0x3000, 0x0800, 42, 7)
    return ethernet(outer, peer, ip(outer, peer, 47, header + packet))


def erspan(source, target, packet):
    """draft-foschiano-erspan: type II in GRE with a sequence number, all frames one way."""
    header = struct.pack('>HHI', 0x1000, 0x88be, 1) + struct.pack('>II', 0x10000005, 0)
    return ethernet(OUTER, OUTER_PEER,
                    ip(OUTER, OUTER_PEER, 47, header + ethernet(source, target, packet)))


def gre_of_nothing_known():
    """GRE with a protocol nobody decodes, and a tunnel within itself twenty times."""
    strange = ip(OUTER, OUTER_PEER, 47, struct.pack('>HH', 0, 0x9999) + b'who knows')
    nested = ip(CLIENT, SERVER, UDP, udp(CLIENT, 40000, SERVER, 53, dns_query()))
    for _ in range(20):
        nested = ip(OUTER, OUTER_PEER, 4, nested)
    packets = strange, nested
    return [(START + 1000 * number, ethernet(OUTER, OUTER_PEER, packet))
            for number, packet in enumerate(packets)]


def dns6(wrap):
    """The exchange of 46 and 146 bytes over IPv6."""
    talk = Talk(client=CLIENT6, server=SERVER6, server_port=53, wrap=wrap)
    return talk.datagram(0, dns_query()).datagram(1, dns_answer()).frames


def bad_checksums():
    """A TCP segment and an IP header whose checksums are wrong, before the right ones."""
    segment = bytearray(tcp(CLIENT, 40000, SERVER, 80, 1001, 5001, 0x18, b'wrong sum'))
    segment[16] ^= 0xff
    other = tcp(CLIENT, 40000, SERVER, 80, 1001, 5001, 0x18, b'wrong head')
    header = bytearray(ip(CLIENT, SERVER, TCP, other))
    header[10] ^= 0xff
    frames = exchange()
    wrong = [(frames[2][0] + 10, ethernet(CLIENT, SERVER, ip(CLIENT, SERVER, TCP, bytes(segment)))),
             (frames[2][0] + 20, ethernet(CLIENT, SERVER, bytes(header)))]
    return frames[:3] + wrong + frames[3:]


def not_ip():
    """ARP, LLDP, spanning tree, a frame of an unknown type, one that is too short, and one exchange."""
    arp = struct.pack('>HHBBH', 1, 0x0800, 6, 4, 1) + mac(CLIENT) + packed(CLIENT) + bytes(6) + packed(SERVER)
    lldp = b'\x02\x07\x04\2\0\0\0\0\x0a\x04\x04\x05eth0\x06\x02\0\x78\0\0'
    stp = b'\x42\x42\x03' + bytes(35)
    length = ethernet(CLIENT, SERVER, stp, len(stp))
    others = [ethernet(CLIENT, SERVER, arp, 0x0806), ethernet(CLIENT, SERVER, lldp, 0x88cc), length,
              ethernet(CLIENT, SERVER, b'what is this', 0x9abc), ethernet(CLIENT, SERVER, arp, 0x0806)[:10],
              ethernet(CLIENT, SERVER, b'\x45\0\0\x14', 0x0800)]
    return [(START - 100000 + number, frame) for number, frame in enumerate(others)] + exchange()


CASES = {
    'link/vlan': lambda: tagged(0x8100, lambda packet: vlan(100, 0x0800, packet)),
    'link/qinq': lambda: tagged(0x88a8, lambda packet: vlan(7, 0x8100, vlan(100, 0x0800, packet))),
    'link/vlans-apart': same_tuple_in_vlans,
    'link/mpls': lambda: tagged(0x8847, lambda packet: mpls([16, 1000], packet)),
    'link/pppoe': lambda: tagged(0x8864, lambda packet: pppoe(17, packet)),
    'link/cooked': lambda: on_link(SLL, lambda source, target, packet: sll(source, packet)),
    'link/cooked2': lambda: on_link(SLL2, lambda source, target, packet: sll2(source, packet)),
    'link/raw': lambda: on_link(RAW, lambda source, target, packet: packet),
    'link/raw-ipv6': lambda: (exchange(lambda s, t, packet: packet, six=True), RAW, 262144),
    'link/null': lambda: on_link(NULL, null),
    'link/ipv6': lambda: exchange(six=True),
    'link/ipv6-extensions': lambda: exchange(extended, six=True),
    'link/not-ip': not_ip,
    'link/bad-checksums': bad_checksums,
    'tunnel/gre': lambda: exchange(tunnel(47, struct.pack('>HH', 0, 0x0800))),
    'tunnel/gre-key': lambda: exchange(gre_with_key),
    'tunnel/erspan': lambda: exchange(erspan),
    'tunnel/ip-in-ip': lambda: exchange(tunnel(4)),
    'tunnel/ip-in-ipv6': lambda: exchange(tunnel(4, six=True)),
    'tunnel/6in4': lambda: exchange(tunnel(41), six=True),
    'tunnel/teredo': lambda: dns6(over_udp(3544, b'', source_port=3544)),
    'tunnel/vxlan': lambda: exchange(over_udp(4789, struct.pack('>II', 0x08000000, 5000 << 8),
                                              with_ethernet=True)),
    'tunnel/geneve': lambda: exchange(over_udp(6081, struct.pack('>BBHI', 0, 0, 0x6558, 5000 << 8),
                                               with_ethernet=True)),
    'tunnel/gtp-u': lambda: exchange(over_udp(2152, gtp, source_port=2152)),
    'tunnel/strange': gre_of_nothing_known,
}
