#!/usr/bin/env python3
"""What traffic made to hurt costs: CPU per packet beside that of the usual packet of mix-4, and the highest memory.

    bench/hostile.py [--packets N] [--folder DIR] [NAME ...]
"""
import argparse
import os
import random
import struct
import tempfile

import captures
from run import ROOT, Run, WEIR, one_packet
from traffic import ACK, Bulk, CLIENT_SEQ, HEAD, PSH, SERVER_SEQ, SYN, ipv4, record, tcp

MUST, AIM = 10, 4
HANDSHAKE = [tcp(True, SYN, CLIENT_SEQ, 0), tcp(False, SYN | ACK, SERVER_SEQ, CLIENT_SEQ + 1),
             tcp(True, ACK, CLIENT_SEQ + 1, SERVER_SEQ + 1)]
noise = random.Random(1)
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def segment(at, payload):
    return tcp(True, ACK | PSH, CLIENT_SEQ + 1 + at, SERVER_SEQ + 1, payload)


def in_one_connection(segments):
    for i, frame in enumerate(HANDSHAKE + list(segments)):
        yield record(frame, 1700000000 + i // 100000, i % 100000 * 10)


@case
def one_byte_segments(count):
    text = b'GET /' + noise.randbytes(count).hex().encode() + b' HTTP/1.1\r\n'
    return in_one_connection(segment(i, text[i:i + 1]) for i in range(count))


@case
def one_byte_of_nothing(count):
    """The same of a protocol that nobody knows."""
    return in_one_connection(segment(i, bytes([i * 7 & 255])) for i in range(count))


@case
def overlapping_and_different(count):
    """All segments overlap others in front of a hole, and none agrees with them."""
    return in_one_connection(segment(1 + i % 997 * 50, noise.randbytes(400)) for i in range(count))


@case
def overlapping_what_was_delivered(count):
    return in_one_connection(segment(i % 50 * 20 if i > 50 else i * 20, noise.randbytes(1000)) for i in range(count))


@case
def never_in_order(count):
    """Whole segments of which every second is missing."""
    return in_one_connection(segment(1000 + i * 2000, bytes(1000)) for i in range(count))


@case
def backwards(count):
    return in_one_connection(segment((count - i) * 100 % (1 << 24), bytes(100)) for i in range(count))


@case
def a_byte_apart(count):
    """Single bytes with single holes between them, from both ends of a window in turn."""
    return in_one_connection(segment(1 + (i % 500 * 2 if i % 2 else 4000 - i % 500 * 2) + i // 1000 * 4001, b'x')
                             for i in range(count))


@case
def holes_in_many(count):
    """In every connection something waits behind a hole."""
    bulk = Bulk([(True, tcp(True, SYN, CLIENT_SEQ, 0)), (True, segment(1000, bytes(1400)))], min(count // 2, 20000))
    for first in range(0, count // 2, bulk.count):
        bulk.clients(first)
        bulk.times(first, 100000)
        yield bytes(bulk.data)


@case
def syn_flood(count):
    """From one address, each from another port to another."""
    bulk = Bulk([(True, tcp(True, SYN, CLIENT_SEQ, 0))], min(count, 50000))
    for first in range(0, count, bulk.count):
        bulk.clients(first, 50000)
        bulk.put_words([FRAME_SRC], [0x0a000001] * bulk.count)
        bulk.put_words([FRAME_DST], [0xc0000000 + first // 50000] * bulk.count)
        bulk.times(first, 100000)
        yield bytes(bulk.data)


FRAME_SRC, FRAME_DST = 16 + 26, 16 + 30


@case
def syn_flood_of_many(count):
    """Each from an address of its own."""
    bulk = Bulk([(True, tcp(True, SYN, CLIENT_SEQ, 0))], min(count, 50000))
    for first in range(0, count, bulk.count):
        bulk.clients(first)
        bulk.put_words([FRAME_SRC], [noise.getrandbits(32) for _ in range(bulk.count)])
        bulk.times(first, 100000)
        yield bytes(bulk.data)


@case
def hash_flood(count):
    """Requests and answers whose keys were chosen, so that they fall into one shard: ports of one pair."""
    bulk = Bulk([(True, tcp(True, SYN, CLIENT_SEQ, 0)), (True, segment(0, b'GET /'))], min(count // 2, 20000))
    for first in range(0, count // 2, bulk.count):
        bulk.clients(first, 60)
        bulk.times(first, 100000)
        yield bytes(bulk.data)


def fragments(count, each):
    data = bytearray()
    for i in range(count):
        data += record(each(i), 1700000000 + i // 100000, i % 100000 * 10)
        if len(data) > 1 << 20:
            yield bytes(data)
            data.clear()
    yield bytes(data)


@case
def fragments_never_whole(count):
    client = bytes([10, 0, 0, 1])
    return fragments(count, lambda i: ipv4(client, True, 17, bytes(64), 0x2000 | 8, i & 0xffff))


@case
def fragments_of_many(count):
    return fragments(count, lambda i: ipv4(struct.pack('>I', noise.getrandbits(32)), True, 17, bytes(64), 0x2000 | 8,
                                           i & 0xffff))


@case
def fragments_tiny(count):
    """Datagrams of 8 bytes a piece, all but the last there."""
    client = bytes([10, 0, 0, 1])
    return fragments(count, lambda i: ipv4(client, True, 17, bytes(8), 0x2000 | i % 2000, i // 2000 & 0xffff))


@case
def fragments_overlapping(count):
    client = bytes([10, 0, 0, 1])
    return fragments(count, lambda i: ipv4(client, True, 17, noise.randbytes(800), 0x2000 | i % 60, i // 60 & 0xffff))


def ipv6_fragment(i):
    payload = struct.pack('>BBHI', 17, 0, (i % 100 + 1) * 8 | 1, i // 100) + bytes(64)
    head = struct.pack('>IHBB', 6 << 28, len(payload), 44, 64) + bytes(15) + b'\x01' + bytes(15) + b'\x02'
    return bytes(12) + b'\x86\xdd' + head + payload


@case
def fragments_ipv6(count):
    return fragments(count, ipv6_fragment)


@case
def tunnels_200(count):
    """IP in IP, 200 times."""
    frame = tcp(True, SYN, CLIENT_SEQ, 0)[14:]
    for _ in range(200):
        frame = ipv4(bytes([10, 0, 0, 1]), True, 4, frame)[14:]
    frame = bytes(12) + b'\x08\x00' + frame
    return (record(frame) for _ in range(count))


def cost(path, packets, start):
    run = Run([WEIR, 'read', '-q', path, '-w', 'none'])
    return run, (run.cpu - run.hashing - start) / packets * 1e6


def main():
    words = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    words.add_argument('names', nargs='*', choices=[[], *CASES], metavar='NAME')
    words.add_argument('--packets', type=int, default=500000)
    words.add_argument('--folder', default=os.path.join(ROOT, 'build', 'bench'))
    options = words.parse_args()
    mix = captures.make(options.folder)['mix-4']
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        single = one_packet(folder, mix)
        start = min(Run([WEIR, 'read', '-q', single, '-w', 'none']).cpu for _ in range(5))
        packets = captures.count_packets(mix)
        usual = min(cost(mix, packets, start)[1] for _ in range(5))
        print(f'{"mix-4":32}{usual:8.3f} us a packet')
        for name in options.names or CASES:
            path = os.path.join(folder, 'hostile.pcap')
            with open(path, 'wb') as file:
                file.write(HEAD)
                file.writelines(CASES[name](options.packets))
            run, each = min((cost(path, captures.count_packets(path), start) for _ in range(2)), key=lambda pair: pair[1])
            print(f'{name:32}{each:8.3f} us a packet {each / usual:7.1f}x  {run.memory:6.0f} MB   must {MUST}x  aim {AIM}x   '
                  f'{"yes" if each <= MUST * usual and not run.status else "NO"}', flush=True)


if __name__ == '__main__':
    main()
