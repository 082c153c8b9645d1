"""Traffic made in bulk: the same few frames for many senders, each with fields of its own.

All copies of a conversation have the same size, so a field of all of them is a slice with a step, set in one go."""
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
FRAME = 16             # where the frame begins in a record of a capture
CLIENT_SEQ, SERVER_SEQ = 1000, 5000
SERVER = bytes([192, 0, 2, 1])
START = 1700000000

HEAD = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)


def record(frame, seconds=START, micros=0):
    return struct.pack('<IIII', seconds, micros, len(frame), len(frame)) + frame


def ipv4(client, from_client, proto, payload, flags_offset=0, identification=0):
    addresses = client + SERVER if from_client else SERVER + client
    head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(payload), identification, flags_offset, 64, proto, 0)
    return bytes(12) + b'\x08\x00' + head + addresses + payload


def tcp(from_client, flags, seq, ack, payload=b'', client=bytes([10, 0, 0, 1]), port=40000, server_port=80):
    ports = (port, server_port) if from_client else (server_port, port)
    return ipv4(client, from_client, 6, struct.pack('>HHIIBBHHH', *ports, seq, ack, 5 << 4, flags, 8192, 0, 0) + payload)


class Bulk:
    """`count` copies of a list of (from_client, frame)."""

    def __init__(self, frames, count):
        self.frames, self.count = frames, count
        one = b''.join(record(frame) for _, frame in frames)
        self.size = len(one)
        self.data = bytearray(one * count)
        self.starts, at = [], 0
        for _, frame in frames:
            self.starts.append(at)
            at += 16 + len(frame)

    def put(self, at, column):
        """Byte `at` of every copy."""
        self.data[at::self.size] = column

    def put_words(self, ats, numbers, order='big'):
        """Four bytes of every copy, in each of several places."""
        packed = struct.pack(('>' if order == 'big' else '<') + f'{self.count}I', *numbers)
        for at in ats:
            for i in range(4):
                self.put(at + i, packed[i::4])

    def clients(self, first, ports=50000):
        """A port of a client for each copy, from the client number `first` / `ports` on."""
        addresses = [0x0a000000 + i // ports for i in range(first, first + self.count)]
        ats = [at + FRAME + (26 if out else 30) for at, (out, _) in zip(self.starts, self.frames)]
        self.put_words(ats, addresses)
        column = struct.pack(f'>{self.count}H', *[10000 + i % ports for i in range(first, first + self.count)])
        for at, (out, _) in zip(self.starts, self.frames):
            for i in range(2):
                self.put(at + FRAME + (34 if out else 36) + i, column[i::2])

    def times(self, first, rate):
        """`rate` copies a second, all frames of one at the same time."""
        self.put_words(self.starts, [START + i // rate for i in range(first, first + self.count)], 'little')
        micros = [i % rate * (1000000 // rate) for i in range(first, first + self.count)]
        self.put_words([at + 4 for at in self.starts], micros, 'little')
