"""TCP as it should be, and as it is: losses, retransmissions, reused ports, resets, wraps, silence."""
import random
import struct

from frames import ACK, FIN, PSH, SYN, TCP, URG, ip, tcp
from talk import CLIENT, MSS, SERVER, SYN_OPTIONS, START, Talk, filler, request, response

DOWN = [4110, 4096, 4096, 778]  # the pushes of a download, whose head says how long it all is


def simple_exchange():
    """Nine frames of 62, 62, 54, 182, 60, 1481, 54, 60, 54 bytes: PDUs of 128 bytes up, 1427 down."""
    talk = Talk().open().data(0, request(128)).ack(1).data(1, response(1427)).ack(0).fin(1).ack(0)
    assert [len(frame) for _, frame in talk.frames] == [62, 62, 54, 182, 60, 1481, 54, 60, 54]
    return talk.frames


def download(talk=None):
    """Five pushes: PDUs of 322 bytes up, 4110, 4096, 4096, 778 down."""
    talk = (talk or Talk()).open().data(0, request(322, '/file')).ack(1)
    whole, at = response(sum(DOWN)), 0
    for size in DOWN:
        talk.data(1, whole[at:at + size]).ack(0)
        at += size
    return talk.close()


def one_side(side, handshake=True):
    """Frames of one direction of the download, told apart by the byte of their source address."""
    last = download().ends[side][0].rsplit('.', 1)[1]
    frames = [frame for frame in download().frames if frame[1][11] == int(last)]
    return frames if handshake else frames[1:]


def retransmission(again, first=(0, 700)):
    """A request and a response of two segments; ranges of the response come again."""
    talk = Talk().open().data(0, request(200)).ack(1)
    body, base = response(1400), talk.seq[1]
    talk.data(1, body[first[0]:first[1]], push=False)
    for begin, end in again:
        talk.send(1, ACK | PSH, body[begin:end], seq=base + begin)
    talk.seq[1] = base + first[1]
    talk.data(1, body[first[1]:]).ack(0)
    return talk.close().frames


def full_retransmission():
    """Request and response are sent twice: one PDU each way."""
    talk = Talk().open()
    for side, payload in ((0, request(200)), (1, response(900))):
        base = talk.seq[side]
        talk.data(side, payload).send(side, ACK | PSH, payload, seq=base).ack(1 - side)
    return talk.close().frames


def port_reuse():
    """Eight connections on one 5-tuple; the fifth is reset before the answer, the last never closed."""
    frames = []
    for number in range(8):
        talk = Talk(start=START + number * 2000000, seq=(100000 * number + 7, 90000 * number + 9)).open()
        talk.data(0, request(150, f'/{number}')).ack(1)
        if number == 4:
            talk.reset(1)
        else:
            talk.data(1, response(400 + number)).ack(0)
        if number not in (4, 7):
            talk.close()
        frames += talk.frames
    return frames


def keep_alives():
    """A session of ten hours: 138 PDUs up and 139 down, with keep-alives of 0 and 1 bytes in the pauses."""
    talk = Talk(server_port=4000).open().data(1, b'welcome\r\n').ack(0)
    for number in range(138):
        talk.data(0, f'question {number}\r\n'.encode()).data(1, f'answer {number}\r\n'.encode()).ack(0)
        side = number % 2
        for pause in range(1 + number % 3):
            # RFC 9293 section 3.8.4: one below the next number, with or without a byte of garbage.
            talk.wait(75).send(side, ACK, b'\0' * (pause % 2), seq=talk.seq[side] - 1).ack(1 - side)
        talk.wait(30)
    return talk.close().frames


def swapped_ports():
    """A:1000 to B:80 and A:80 to B:1000, each twice: four conversations."""
    frames = []
    for number, (port, server_port) in enumerate([(1000, 80), (80, 1000), (1000, 80), (80, 1000)]):
        talk = Talk(port=port, server_port=server_port, start=START + number * 500,
                    seq=(1000 + 70000 * number, 5000 + 70000 * number))
        if number > 1:
            talk.wait(5)
        frames += talk.open().data(0, request(130)).ack(1).data(1, response(300)).ack(0).close().frames
    return sorted(frames, key=lambda frame: frame[0])


def losses():
    """Four requests; of each response of seven segments three are missing: 20 PDUs, 12 gaps."""
    talk = Talk().open()
    for number in range(4):
        talk.data(0, request(100, f'/{number}')).ack(1)
        body, base = response(7 * 1000), talk.seq[1]
        for place in range(7):
            if place % 2 == 0:
                talk.send(1, ACK | (PSH if place == 6 else 0), body[1000 * place:1000 * place + 1000],
                          seq=base + 1000 * place)
        talk.seq[1] = base + len(body)
        talk.ack(0)
    return talk.close().frames


def reordered():
    """The download with its segments shuffled among their neighbours, and times of arrival."""
    frames, shuffled = download().frames, []
    generator = random.Random(30)
    for at in range(3, len(frames) - 3, 5):
        part = frames[at:min(at + 5, len(frames) - 3)]
        shuffled += generator.sample(part, len(part))
    whole = frames[:3] + shuffled + frames[-3:]
    return [(frames[place][0], data) for place, (_, data) in enumerate(whole)]


def syn_with_data():
    """RFC 9293 section 3.4: bytes in the SYN count only when the connection comes about."""
    talk = Talk()
    whole = request(200)
    talk.send(0, SYN, whole[:50], options=SYN_OPTIONS)
    talk.seq[0] += 51
    talk.send(1, SYN | ACK, options=SYN_OPTIONS)
    talk.seq[1] += 1
    return talk.data(0, whole[50:]).ack(1).data(1, response(500)).ack(0).close().frames


def fast_open():
    """RFC 7413: cookie asked for, then bytes in the SYN of the next connection."""
    first = Talk()
    first.send(0, SYN, options=SYN_OPTIONS + b'\x22\2')
    first.seq[0] += 1
    first.send(1, SYN | ACK, options=SYN_OPTIONS + b'\x22\x0a12345678')
    first.seq[1] += 1
    first.ack(0).data(0, request(120)).data(1, response(300)).ack(0).close()
    second = Talk(port=40001, start=START + 3000000, seq=(700000, 800000))
    second.send(0, SYN, request(120, '/again'), options=SYN_OPTIONS + b'\x22\x0a12345678')
    second.seq[0] += 121
    second.send(1, SYN | ACK, options=SYN_OPTIONS)
    second.seq[1] += 1
    second.data(1, response(300)).ack(0).close()
    return first.frames + second.frames


def half_close():
    """The client is done and says so; the answer comes after its FIN."""
    talk = Talk(server_port=9000).open().data(0, b'all of the question\n').fin(0).ack(1)
    return talk.wait(1).data(1, filler(3000)).ack(0).fin(1).ack(0).frames


def reset_with_payload():
    """RFC 9293 section 3.5.3 lets a reset carry a text; it is not data of the stream."""
    talk = Talk().open().data(0, request(150)).ack(1).data(1, response(600)).ack(0)
    return talk.reset(1, b'out of memory').frames


def sequence_wrap():
    """Both directions cross 2^32; the client in its first segment, the server in the third."""
    return download(Talk(seq=((1 << 32) - 100, (1 << 32) - 3000))).frames


def conflicting_overlap():
    """A range comes with two contents: while it waits for what is before it, and after it was delivered."""
    talk = Talk().open().data(0, request(150)).ack(1)
    body, base = response(900), talk.seq[1]
    talk.send(1, ACK, body[300:600], seq=base + 300)
    talk.send(1, ACK, b'X' * 300, seq=base + 300)
    talk.send(1, ACK, body[:300], seq=base)
    talk.send(1, ACK, b'Y' * 100, seq=base + 200)
    talk.seq[1] = base + 600
    return talk.data(1, body[600:]).ack(0).close().frames


def disputed_late():
    """A response is all there when a piece of it comes once more, before it is acknowledged, with another content."""
    talk = Talk().open().data(0, request(100)).ack(1)
    base = talk.seq[1]
    talk.data(1, response(300)).send(1, ACK | PSH, b'Z' * 50, seq=base + 200)
    return talk.ack(0).close().frames


def stamps(value):
    return b'\1\1\10\12' + struct.pack('>II', value, 1)


def evasions():
    """Before each of four requests another one at its place that the server never takes: behind its window, dead on
    its way, with a wrong checksum, with an old timestamp."""
    talk = Talk()
    talk.send(0, SYN, options=SYN_OPTIONS + stamps(1000)).send(1, SYN | ACK, options=SYN_OPTIONS + stamps(1))
    talk.seq = [seq + 1 for seq in talk.seq]
    for number, (window, ttl, spoil, age) in enumerate([(1, 64, 0, 0), (64240, 2, 0, 0), (64240, 64, 0xff, 0),
                                                        (64240, 64, 0, 1000)]):
        now = 1000 + 10 * number
        talk.send(1, ACK, options=stamps(1), window=window)
        true, false = request(120, f'/secret-{number}'), request(120, f'/public-{number}')
        ahead = 2 if window == 1 else 0
        segment = bytearray(tcp(CLIENT, 40000, SERVER, 80, talk.seq[0] + ahead, talk.seq[1], ACK | PSH,
                                false[ahead:], options=stamps(now - age)))
        segment[16] ^= spoil
        talk.put(0, ip(CLIENT, SERVER, TCP, bytes(segment), ttl=ttl))
        if ahead:
            talk.send(1, ACK, options=stamps(1))
        talk.send(0, ACK | PSH, true, options=stamps(now + 1))
        talk.seq[0] += len(true)
        answer = response(200)
        talk.send(1, ACK | PSH, answer, options=stamps(2))
        talk.seq[1] += len(answer)
        talk.send(0, ACK, options=stamps(now + 2))
    return talk.close().frames


def silence():
    """601 s without a packet, then on with the same numbers: two conversations."""
    talk = Talk().open().data(0, request(100)).data(1, response(200)).ack(0)
    talk.wait(601).data(0, request(100, '/later')).data(1, response(200)).ack(0)
    return talk.close().frames


def silence_599():
    """599 s without a packet: one conversation."""
    talk = Talk().open().data(0, request(100)).data(1, response(200)).ack(0)
    talk.wait(599).data(0, request(100, '/later')).data(1, response(200)).ack(0)
    return talk.close().frames


def backward_times():
    """The clock is set back by 5 s in the middle, and once by a year for a single frame."""
    frames = download().frames
    year = 365 * 86400 * 1000000
    return [(time - (5000000 if place > 8 else 0) - (year if place == 5 else 0), data)
            for place, (time, data) in enumerate(frames)]


def zero_window():
    """The reader is slow: window 0, probes of one byte that is data, and then the rest."""
    talk = Talk(server_port=9000).open().data(0, b'give\n').ack(1)
    talk.data(1, filler(2920)).send(0, ACK, window=0)
    rest = filler(1000, 1)
    for pause in (0.2, 0.4, 0.8):
        talk.wait(pause).send(1, ACK, rest[:1]).send(0, ACK, window=0)
    talk.wait(1.6).send(1, ACK, rest[:1])
    talk.seq[1] += 1
    return talk.send(0, ACK).data(1, rest[1:]).ack(0).close().frames


def urgent():
    """RFC 6093: an urgent byte, which stays in the stream."""
    talk = Talk(server_port=23).open().data(0, b'ls\r\n').data(1, b'a b c\r\n').ack(0)
    talk.send(0, ACK | PSH | URG, b'\xff\xf4\xff\xf2', urgent=4)
    talk.seq[0] += 4
    return talk.data(1, b'\xff\xfb\x06$ ').ack(0).close().frames


def mid_stream():
    """The capture begins within the response to a request that it has not seen."""
    return download().frames[7:]


def no_end():
    """The capture ends within the response."""
    return download().frames[:-8]


def simultaneous_open():
    """RFC 9293 section 3.5, figure 7: both send SYN."""
    talk = Talk(server_port=40000)
    talk.send(0, SYN, options=SYN_OPTIONS).send(1, SYN, options=SYN_OPTIONS)
    talk.seq = [talk.seq[0] + 1, talk.seq[1] + 1]
    talk.send(0, SYN | ACK, seq=talk.seq[0] - 1).send(1, SYN | ACK, seq=talk.seq[1] - 1)
    return talk.data(0, b'me\n').data(1, b'you\n').close().frames


def fin_with_data():
    """The last bytes come with FIN, and FIN once more."""
    talk = Talk(server_port=9000).open().data(0, b'question\n')
    talk.send(1, FIN | ACK | PSH, b'answer\n').send(1, FIN | ACK | PSH, b'answer\n')
    talk.seq[1] += 8
    return talk.ack(0).fin(0).ack(1).frames


def bytes_one_by_one():
    """A request in segments of one byte, a response in segments of seven."""
    talk = Talk().open().data(0, request(100), mss=1).ack(1)
    return talk.data(1, response(300), mss=7).ack(0).close().frames


def snapped():
    """A snap length of 96 bytes: heads are there, bodies are not."""
    return download().frames, 1, 96


def keep_alive_before_answer():
    """A keep-alive while the answer is awaited, and a window update: no bytes of either are data."""
    talk = Talk().open().data(0, request(100)).ack(1).wait(80)
    talk.send(0, ACK, b'\0', seq=talk.seq[0] - 1).ack(1).send(0, ACK, window=30000)
    return talk.data(1, response(500)).ack(0).close().frames


CASES = {
    'tcp/simple-exchange': simple_exchange,
    'tcp/pushes': lambda: download().frames,
    'tcp/client-only': lambda: one_side(0),
    'tcp/server-only': lambda: one_side(1),
    'tcp/server-only-no-handshake': lambda: one_side(1, handshake=False),
    'tcp/retransmission-full': full_retransmission,
    'tcp/retransmission-partial': lambda: retransmission([(200, 500)]),
    'tcp/retransmission-longer': lambda: retransmission([(300, 1100)]),
    'tcp/retransmission-whole': lambda: retransmission([(0, 1400)]),
    'tcp/port-reuse': port_reuse,
    'tcp/keep-alives': keep_alives,
    'tcp/keep-alive-before-answer': keep_alive_before_answer,
    'tcp/swapped-ports': swapped_ports,
    'tcp/losses': losses,
    'tcp/reordered': reordered,
    'tcp/syn-with-data': syn_with_data,
    'tcp/fast-open': fast_open,
    'tcp/half-close': half_close,
    'tcp/fin-with-data': fin_with_data,
    'tcp/reset-with-payload': reset_with_payload,
    'tcp/sequence-wrap': sequence_wrap,
    'tcp/conflicting-overlap': conflicting_overlap,
    'tcp/disputed-late': disputed_late,
    'tcp/evasions': evasions,
    'tcp/silence-601': silence,
    'tcp/silence-599': silence_599,
    'tcp/backward-times': backward_times,
    'tcp/zero-window': zero_window,
    'tcp/urgent': urgent,
    'tcp/mid-stream': mid_stream,
    'tcp/no-end': no_end,
    'tcp/simultaneous-open': simultaneous_open,
    'tcp/one-byte-segments': bytes_one_by_one,
    'tcp/snapped': snapped,
}
