#!/bin/bash
# Records what hosts say to each other when nothing is served: ICMP, closed ports, scans, junk:
# tests/golden/icmp, tcp and udp.
. "$(dirname "$0")/network.sh"

# SYN to each port, and to each SYN+ACK a RST, as the kernel does for a connection it has not
# asked for: a half-open scan.
cat >"$SCRATCH/scan.py" <<'PY'
import socket, struct, sys, time
source, target = socket.inet_aton('192.0.2.10'), socket.inet_aton('192.0.2.80')
def checksum(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
flags = int(sys.argv[1], 0)
for number, port in enumerate(map(int, sys.argv[2:])):
    header = struct.pack('>HHIIBBHHH', 45000 + number, port, 1000 * number, 0, 5 << 4, flags, 1024, 0, 0)
    pseudo = source + target + struct.pack('>HH', 6, len(header)) + header
    header = header[:16] + struct.pack('>H', checksum(pseudo)) + header[18:]
    raw.sendto(header, ('192.0.2.80', 0))
    time.sleep(0.01)
PY
cat >"$SCRATCH/ping.py" <<'PY'
import socket, struct, sys, time
target, size, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
six = ':' in target
sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW,
                     socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
sock.settimeout(1)
for number in range(count):
    body = bytes(i & 0xff for i in range(size))
    message = struct.pack('>BBHHH', 128 if six else 8, 0, 0, 0x4242, number + 1) + body
    if not six:
        total = sum(struct.unpack(f'>{len(message) // 2}H', message))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        message = message[:2] + struct.pack('>H', ~total & 0xffff) + message[4:]
    sock.sendto(message, (target, 0))
    sock.recv(65536)
    time.sleep(0.1)
PY
cat >"$SCRATCH/udp.py" <<'PY'
import socket, sys, time
target, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sock = socket.socket(socket.AF_INET6 if ':' in target else socket.AF_INET, socket.SOCK_DGRAM)
for i in range(count):
    try:
        sock.sendto(bytes((i * 37 + k * 11) & 0xff for k in range(20 + i * 31)), (target, port))
    except ConnectionRefusedError:
        pass
    time.sleep(0.01)
PY
cat >"$SCRATCH/echo.py" <<'PY'
import socket, threading
def datagrams():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(('192.0.2.80', 7777))
    while True:
        data, sender = sock.recvfrom(65536)
        sock.sendto(data[::-1], sender)
threading.Thread(target=datagrams, daemon=True).start()
listener = socket.create_server(('192.0.2.80', 7777))
while True:
    connection, _ = listener.accept()
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.close()
PY
cat >"$SCRATCH/connect.py" <<'PY'
import socket, sys
for port in map(int, sys.argv[2:]):
    try:
        with socket.create_connection((sys.argv[1], port), timeout=2.5) as connection:
            connection.sendall(b'hello\n')
            connection.recv(100)
    except OSError:
        pass
PY

network_up
serve python3 "$SCRATCH/echo.py"
wait_for_port 7777

connect() { in_client python3 "$SCRATCH/connect.py" "$@"; }
scan() { in_client python3 "$SCRATCH/scan.py" "$@"; }
# Somebody who takes packets and never answers: the address is known, and nobody has it.
silent_host() {
    in_client ip neigh replace 192.0.2.99 lladdr 02:00:00:00:00:80 dev weir-c0
    connect 192.0.2.99 80 || true
}

ping() { in_client python3 "$SCRATCH/ping.py" "$@"; }

record icmp/ping icmp ping $SERVER4 56 4
record icmp/ping-large icmp ping $SERVER4 3000 2
record icmp/ping6 'icmp6 and not ip6[40] >= 133' ping $SERVER6 56 4
record icmp/port-unreachable 'udp or icmp' in_client python3 "$SCRATCH/udp.py" $SERVER4 9999 3
record icmp/port-unreachable6 'udp or icmp6' in_client python3 "$SCRATCH/udp.py" $SERVER6 9999 3
record udp/junk udp in_client python3 "$SCRATCH/udp.py" $SERVER4 7777 12
record tcp/closed-ports tcp connect $SERVER4 21 22 23 25 110 143 445 3389
record tcp/no-answer tcp silent_host
record tcp/half-open-scan tcp scan 0x02 21 22 80 443 7777 8080
record tcp/fin-scan tcp scan 0x01 21 7777
record tcp/null-scan tcp scan 0x00 21 7777
record tcp/xmas-scan tcp scan 0x29 21 7777
record tcp/echo tcp connect $SERVER4 7777
