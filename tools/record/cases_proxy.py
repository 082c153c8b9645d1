"""What is carried inside a stream: a request through SOCKS proxies, and through one behind another."""
from frames import packed
from talk import SERVER, Talk, request, response

NAME = b'www.example.org'
BOUND = packed('192.0.2.99') + b'\x9c\x40'  # and port 40000


def inside(talk):
    return talk.data(0, request(128)).ack(1).data(1, response(700)).ack(0).close().frames


def greet(talk, methods=b'\x00', chosen=b'\x00'):
    """RFC 1928 section 3."""
    return talk.data(0, bytes([5, len(methods)]) + methods).data(1, b'\x05' + chosen)


def ask(talk, end, reply=0):
    """RFC 1928 sections 4 and 6."""
    return talk.data(0, b'\x05\x01\x00' + end).data(1, bytes([5, reply, 0, 1]) + BOUND)


def by_name(port=80):
    return b'\x03' + bytes([len(NAME)]) + NAME + port.to_bytes(2, 'big')


def version_5():
    return inside(ask(greet(Talk(server_port=1080).open()), by_name()))


def login():
    """RFC 1929, on a port that tells nothing."""
    talk = greet(Talk(server_port=9999).open(), b'\x00\x02', b'\x02')
    talk.data(0, b'\x01\x03bob\x06secret').data(1, b'\x01\x00')
    return inside(ask(talk, b'\x04' + packed('2001:db8::80') + b'\x00\x50'))


def refused():
    return ask(greet(Talk(server_port=1080).open()), by_name(25), reply=2).close().frames


def version_4a():
    talk = Talk(server_port=1080).open()
    talk.data(0, b'\x04\x01\x00\x50\x00\x00\x00\x01bob\x00' + NAME + b'\x00')
    return inside(talk.data(1, b'\x00\x5a' + bytes(6)))


def at_once():
    """A client that waits for nothing: greeting, request and what is inside in one segment."""
    talk = Talk(server_port=1080).open()
    talk.data(0, b'\x05\x01\x00' + b'\x05\x01\x00' + by_name() + request(128))
    talk.data(1, b'\x05\x00' + b'\x05\x00\x00\x01' + BOUND).ack(0)
    return talk.data(1, response(700)).ack(0).close().frames


def behind_a_proxy():
    """CONNECT to an HTTP proxy, then SOCKS through it."""
    talk = Talk(server_port=3128).open()
    talk.data(0, b'CONNECT ' + SERVER.encode() + b':1080 HTTP/1.1\r\nHost: ' + SERVER.encode() + b':1080\r\n\r\n')
    talk.data(1, b'HTTP/1.1 200 Connection established\r\n\r\n')
    return inside(ask(greet(talk), by_name()))


CASES = {
    'socks/version-5': version_5,
    'socks/login': login,
    'socks/refused': refused,
    'socks/version-4a': version_4a,
    'socks/at-once': at_once,
    'socks/behind-a-proxy': behind_a_proxy,
}
