"""A TCP connection or a UDP exchange as a list of frames that cases then bend."""
from frames import ACK, FIN, PSH, RST, SYN, TCP, UDP, ethernet, ip, tcp, udp

START = 1704067200 * 1000000  # 2024-01-01T00:00:00Z
CLIENT, SERVER = '192.0.2.10', '192.0.2.80'
CLIENT6, SERVER6 = '2001:db8::10', '2001:db8::80'
MSS = 1460
SYN_OPTIONS = b'\2\4\5\xb4\1\1\4\2'  # MSS 1460, SACK permitted


class Talk:
    """Keeps sequence numbers and time; every call adds one or more frames, 1 ms apart.

    Sides are 0, who begins, and 1. `wrap` puts a link layer around an IP packet: wrap(source, target,
    packet)."""

    def __init__(self, client=CLIENT, port=40000, server=SERVER, server_port=80, start=START,
                 seq=(1000, 5000), wrap=None):
        self.ends = [(client, port), (server, server_port)]
        self.seq = list(seq)
        self.time = start
        self.frames = []
        self.wrap = wrap or self.plain

    def plain(self, source, target, packet):
        # The capture was made at the client: what comes from the server was filled up on the wire.
        return ethernet(source, target, packet, pad=source == self.ends[1][0])

    def wait(self, seconds):
        self.time += int(seconds * 1000000)
        return self

    def put(self, side, packet):
        source, target = self.ends[side][0], self.ends[1 - side][0]
        self.frames.append((self.time, self.wrap(source, target, packet)))
        self.time += 1000

    def send(self, side, flags, payload=b'', seq=None, ack=None, **more):
        """A segment as it is told; sequence numbers stay as they are."""
        (source, source_port), (target, target_port) = self.ends[side], self.ends[1 - side]
        seq = self.seq[side] if seq is None else seq
        ack = (self.seq[1 - side] if flags & ACK else 0) if ack is None else ack
        segment = tcp(source, source_port, target, target_port, seq, ack, flags, payload, **more)
        self.put(side, ip(source, target, TCP, segment))
        return self

    def open(self):
        self.send(0, SYN, options=SYN_OPTIONS)
        self.seq[0] += 1
        self.send(1, SYN | ACK, options=SYN_OPTIONS)
        self.seq[1] += 1
        return self.send(0, ACK)

    def data(self, side, payload, push=True, mss=MSS):
        """In segments; PSH on the last."""
        for at in range(0, len(payload), mss):
            piece = payload[at:at + mss]
            last = at + mss >= len(payload)
            self.send(side, ACK | (PSH if push and last else 0), piece)
            self.seq[side] += len(piece)
        return self

    def ack(self, side):
        return self.send(side, ACK)

    def fin(self, side):
        self.send(side, FIN | ACK)
        self.seq[side] += 1
        return self

    def reset(self, side, payload=b''):
        return self.send(side, RST | ACK, payload)

    def close(self):
        return self.fin(0).fin(1).ack(0)

    def datagram(self, side, payload):
        (source, source_port), (target, target_port) = self.ends[side], self.ends[1 - side]
        self.put(side, ip(source, target, UDP, udp(source, source_port, target, target_port, payload)))
        return self


def request(size, path='/', host='www.weir.test'):
    """A GET of exactly `size` bytes."""
    head = f'GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: weir\r\nX-Fill: '
    return (head + 'f' * (size - len(head) - 4) + '\r\n\r\n').encode()


def response(size, kind='text/plain'):
    """A 200 of exactly `size` bytes, head and body."""
    for length in range(size):
        head = f'HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n'
        if len(head) + length == size:
            return head.encode() + filler(length)
    raise ValueError(size)


def filler(size, seed=0):
    """Lines that tell where they stand, so that a lost or doubled byte shows."""
    text = ''
    while len(text) < size:
        text += f'{seed:02} {len(text):06} the water goes on, and is measured on its way\n'
    return text[:size].encode()
