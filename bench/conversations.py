#!/usr/bin/env python3
"""What TCP conversations cost in memory: many that are open at once, and many more one after another.

    bench/conversations.py [N] [--kind bytes|http|answered ...] [--passing]

Open ones have a handshake and one request of 500 bytes. `bytes` is a request that nothing recognises, `http` one of a browser, each
to another page and with another cookie, `answered` the same with its acknowledgement. With --passing there are N (and N / 10)
conversations of which each is closed behind its request: memory must not grow with their number.
"""
import argparse
import os
import random
import tempfile

from run import Run, WEIR
from traffic import ACK, Bulk, CLIENT_SEQ, HEAD, PSH, RST, SERVER_SEQ, SYN, tcp

REQUEST_SIZE, BLOCK, RATE = 500, 25000, 1000
MUST_MB, MUST_GROWTH = 1000, 1.05
PAGE = b'GET /articles/0123456789abcdef01234567/index.html?page=01234567 HTTP/1.1\r\n'
HEADERS = (b'Host: www.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n'
           b'Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n'
           b'Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nCookie: session=')


def requests(kind, count, seed):
    """The request of each of `count` conversations, all of REQUEST_SIZE bytes."""
    noise = random.Random(seed)
    for _ in range(count):
        if kind == 'bytes':
            yield noise.randbytes(REQUEST_SIZE)
            continue
        page = PAGE.replace(b'0123456789abcdef01234567', noise.randbytes(12).hex().encode())
        cookie = noise.randbytes(REQUEST_SIZE).hex().encode()
        yield page + HEADERS + cookie[:REQUEST_SIZE - len(page) - len(HEADERS) - 4] + b'\r\n\r\n'


def conversation(kind, is_closed):
    frames = [(True, tcp(True, SYN, CLIENT_SEQ, 0)),
              (False, tcp(False, SYN | ACK, SERVER_SEQ, CLIENT_SEQ + 1)),
              (True, tcp(True, ACK, CLIENT_SEQ + 1, SERVER_SEQ + 1)),
              (True, tcp(True, ACK | PSH, CLIENT_SEQ + 1, SERVER_SEQ + 1, bytes(REQUEST_SIZE)))]
    if kind == 'answered':
        frames.append((False, tcp(False, ACK, SERVER_SEQ + 1, CLIENT_SEQ + 1 + REQUEST_SIZE)))
    if is_closed:
        frames.append((False, tcp(False, ACK | RST, SERVER_SEQ + 1, CLIENT_SEQ + 1 + REQUEST_SIZE)))
    return frames


def blocks(kind, count, is_closed, rate):
    """The capture, in pieces."""
    yield HEAD
    frames = conversation(kind, is_closed)
    bulk = Bulk(frames, min(count, BLOCK))
    at = bulk.starts[3] + 16 + 54
    same = list(requests(kind, 1000, 0))
    for first in range(0, count, bulk.count):
        bulk.clients(first)
        bulk.times(first, rate)
        own = requests(kind, bulk.count, first) if not is_closed else same * (bulk.count // 1000)
        for i, request in enumerate(own):
            bulk.data[i * bulk.size + at:i * bulk.size + at + REQUEST_SIZE] = request
        yield bytes(bulk.data)


def measure(path, kind, count, is_closed, words):
    """One run over the capture, which comes through a pipe: it would be some GB."""
    os.mkfifo(path)
    writer = os.fork()
    if not writer:
        with open(path, 'wb') as pipe:
            for block in blocks(kind, count, is_closed, RATE if is_closed else 1000000):
                pipe.write(block)
        os._exit(0)
    with open(path, 'rb') as pipe:
        run = Run([WEIR, 'read', '-', '-w', 'none', '-q', *words], stdin=pipe)
    os.waitpid(writer, 0)
    os.remove(path)
    return run


def main():
    words = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    words.add_argument('count', nargs='?', type=int, default=1000000)
    words.add_argument('--kind', choices=['bytes', 'http', 'answered'], nargs='*', default=['bytes', 'http', 'answered'])
    words.add_argument('--passing', action='store_true', help='one after another')
    options = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'pipe')
        if options.passing:
            few, many = (measure(path, 'http', n, True, []) for n in (options.count // 10, options.count))
            growth = many.memory / few.memory
            print(f'{options.count} conversations one after another: {many.memory:.0f} MB, {growth:.3f}x of a tenth of them'
                  f'   must {MUST_GROWTH}   {"yes" if growth <= MUST_GROWTH else "NO"}')
            return
        for kind in options.kind:
            for more in ([], ['--no-dissect']):
                run = measure(path, kind, options.count, False, more)
                print(f'{options.count} open, {kind:9}{" ".join(more):13} {run.memory:6.0f} MB  {run.cpu:6.2f} CPU s'
                      f'   must {MUST_MB}   {"yes" if run.memory <= MUST_MB else "NO"}', flush=True)


if __name__ == '__main__':
    main()
