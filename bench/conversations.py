#!/usr/bin/env python3
"""What an open TCP conversation costs in memory: N of them, each with a handshake and one segment.

    bench/conversations.py [N] [--http]
"""
import argparse
import os
import struct
import tempfile

from run import Run, WEIR

CLIENT_SEQ, SERVER_SEQ = 1000, 5000
ACK, PSH, SYN = 16, 8, 2


def packet(from_client, flags, seq, ack, payload=b''):
    """A frame whose client address and port are zero, with its pcap header but for the time."""
    client, server = bytes(4), bytes([192, 0, 2, 1])
    addresses = client + server if from_client else server + client
    ports = struct.pack('>HH', 0, 80) if from_client else struct.pack('>HH', 80, 0)
    tcp = ports + struct.pack('>IIBBHHH', seq, ack, 5 << 4, flags, 8192, 0, 0) + payload
    ip = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + addresses
    frame = bytes(12) + b'\x08\x00' + ip + tcp
    return frame


def write(path, count, payload):
    frames = [
        (True, packet(True, SYN, CLIENT_SEQ, 0)),
        (False, packet(False, SYN | ACK, SERVER_SEQ, CLIENT_SEQ + 1)),
        (True, packet(True, ACK, CLIENT_SEQ + 1, SERVER_SEQ + 1)),
        (True, packet(True, ACK | PSH, CLIENT_SEQ + 1, SERVER_SEQ + 1, payload)),
    ]
    with open(path, 'wb', buffering=1 << 20) as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(count):
            address = struct.pack('>I', 0x0a000000 + i // 50000)
            port = struct.pack('>H', 10000 + i % 50000)
            for from_client, frame in frames:
                at_address, at_port = (26, 34) if from_client else (30, 36)
                header = struct.pack('<IIII', 1700000000, i % 1000000, len(frame), len(frame))
                file.write(header + frame[:at_address] + address + frame[at_address + 4:at_port]
                           + port + frame[at_port + 2:])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument('count', nargs='?', type=int, default=1000000)
    arguments.add_argument('--http', action='store_true', help='the segment is a request')
    options = arguments.parse_args()
    payload = b'GET / HTTP/1.1\r\nHost: example.org\r\n\r\n' if options.http else bytes(32)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'open.pcap')
        write(path, options.count, payload)
        for words in ([], ['--no-dissect']):
            run = Run([WEIR, 'read', path, '-w', 'none', '-q'] + words)
            print(f'{options.count} open conversations {" ".join(words):12}'
                  f' {run.memory:7.0f} MB  {run.cpu:6.2f} CPU s')


if __name__ == '__main__':
    main()
