"""Frames byte by byte, and capture files of them. Layers are functions that put a header around bytes."""
import socket
import struct

ETHERNET, RAW, SLL, SLL2, NULL = 1, 101, 113, 276, 0
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
TCP, UDP, ICMP, SCTP = 6, 17, 1, 132


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packed(address):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    return socket.inet_pton(family, address)


def mac(address):
    """A locally administered one with the last byte of the IP address."""
    return bytes([2, 0, 0, 0, 0, packed(address)[-1]])


def ethernet(source, target, payload, ethertype=None, pad=False):
    """`pad`: as it leaves the other side's interface, filled up to 60 bytes."""
    if ethertype is None:
        ethertype = 0x86dd if payload[0] >> 4 == 6 else 0x0800
    frame = mac(target) + mac(source) + struct.pack('>H', ethertype) + payload
    return frame + bytes(max(0, 60 - len(frame))) if pad else frame


def vlan(identifier, ethertype, payload, tag=0x8100):
    """What follows the addresses: to be given to `ethernet` with `tag` as its type."""
    return struct.pack('>HH', identifier, ethertype) + payload


def mpls(labels, payload):
    """RFC 3032 section 2.1."""
    stack = b''
    for place, label in enumerate(labels):
        stack += struct.pack('>I', label << 12 | (place == len(labels) - 1) << 8 | 64)
    return stack + payload


def pppoe(session, payload):
    """RFC 2516 section 4, with IPv4 or IPv6 in PPP."""
    protocol = 0x57 if payload[0] >> 4 == 6 else 0x21
    return struct.pack('>BBHHH', 0x11, 0, session, len(payload) + 2, protocol) + payload


def sll(source, payload, outgoing=False):
    ethertype = 0x86dd if payload[0] >> 4 == 6 else 0x0800
    return struct.pack('>HHH8sH', 4 if outgoing else 0, 1, 6, mac(source) + b'\0\0', ethertype) + payload


def sll2(source, payload, outgoing=False):
    ethertype = 0x86dd if payload[0] >> 4 == 6 else 0x0800
    return struct.pack('>HHIHBB8s', ethertype, 0, 2, 1, 4 if outgoing else 0, 6,
                       mac(source) + b'\0\0') + payload


def ip(source, target, protocol, payload, ident=0, fragment=None, more=False, ttl=64):
    """IPv4 or IPv6 by the look of the addresses. `fragment`: an offset in bytes, for IPv4."""
    if ':' in source:
        header = struct.pack('>IHBB', 6 << 28, len(payload), protocol, ttl)
        return header + packed(source) + packed(target) + payload
    flags = 0x4000 if fragment is None and not more else (fragment or 0) // 8 | (0x2000 if more else 0)
    header = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), ident, flags, ttl, protocol, 0,
                         packed(source), packed(target))
    return header[:10] + struct.pack('>H', checksum(header)) + header[12:] + payload


def pseudo(source, target, protocol, length):
    if ':' in source:
        return packed(source) + packed(target) + struct.pack('>II', length, protocol)
    return packed(source) + packed(target) + struct.pack('>HH', protocol, length)


def udp(source, source_port, target, target_port, payload):
    length = 8 + len(payload)
    header = struct.pack('>HHHH', source_port, target_port, length, 0)
    total = checksum(pseudo(source, target, UDP, length) + header + payload) or 0xffff
    return header[:6] + struct.pack('>H', total) + payload


def tcp(source, source_port, target, target_port, seq, ack, flags, payload=b'', window=64240,
        options=b'', urgent=0):
    options += b'\1' * (-len(options) % 4)
    words = (20 + len(options)) // 4
    header = struct.pack('>HHIIBBHHH', source_port, target_port, seq & 0xffffffff, ack & 0xffffffff,
                         words << 4, flags, window, 0, urgent) + options
    total = checksum(pseudo(source, target, TCP, len(header) + len(payload)) + header + payload)
    return header[:16] + struct.pack('>H', total) + header[18:] + payload


def crc32c(data):
    """RFC 9260 appendix A."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def sctp(source_port, target_port, tag, *chunks):
    body = b''
    for kind, flags, value in chunks:
        body += struct.pack('>BBH', kind, flags, 4 + len(value)) + value + bytes(-len(value) % 4)
    header = struct.pack('>HHII', source_port, target_port, tag, 0)
    return header[:8] + struct.pack('<I', crc32c(header + body)) + body


def write_pcap(path, frames, link_type=ETHERNET, snap=262144):
    """`frames`: pairs of microseconds since 1970 and bytes."""
    with open(path, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, snap, link_type))
        for time, frame in frames:
            kept = frame[:snap]
            out.write(struct.pack('<IIII', time // 1000000, time % 1000000, len(kept), len(frame)) + kept)


def read_pcap(path):
    """Little-endian with microseconds, as tcpdump and this folder write. Returns (time, bytes, length)
    of each frame, and the link type."""
    with open(path, 'rb') as file:
        data = file.read()
    magic, _, _, _, _, _, link_type = struct.unpack_from('<IHHiIII', data)
    assert magic == 0xa1b2c3d4, path
    frames, at = [], 24
    while at < len(data):
        seconds, micros, kept, length = struct.unpack_from('<IIII', data, at)
        frames.append((seconds * 1000000 + micros, data[at + 16:at + 16 + kept], length))
        at += 16 + kept
    return frames, link_type
