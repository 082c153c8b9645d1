#!/bin/bash
# Records DNS between BIND and dig, and mDNS and LLMNR made by hand: tests/golden/dns.
. "$(dirname "$0")/network.sh"

zones=$SCRATCH/zones
mkdir "$zones"
cat >"$zones/weir.test" <<'ZONE'
$TTL 3600
@       SOA     ns1 hostmaster 2024010101 7200 900 1209600 300
        NS      ns1
        NS      ns2.example.org.
        MX      10 mail
        MX      20 mail.example.org.
        A       192.0.2.80
        AAAA    2001:db8::80
        TXT     "v=spf1 mx -all"
        CAA     0 issue "ca.example.org"
ns1     A       192.0.2.80
mail    A       192.0.2.25
www     CNAME   weir.test.
chain   CNAME   www
text    TXT     "first" "second with \"quotes\"" "\195\188"
two     TXT     "one record"
        TXT     "and another"
many    A       192.0.2.1
        A       192.0.2.2
        A       192.0.2.3
        A       192.0.2.4
_sip._tcp  SRV  10 60 5060 www
phone   NAPTR   100 10 "u" "E2U+sip" "!^.*$!sip:info@weir.test!" .
host    HINFO   "PC" "Linux"
place   LOC     49 11 42.4 N 16 36 29.6 E 227.64m 1m 10000m 10m
key     SSHFP   4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
_443._tcp.www TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
svc     HTTPS   1 . alpn="h2,h3" ipv4hint=192.0.2.80
old     DNAME   weir.test.
ptr     PTR     www
*.wild  A       192.0.2.99
ZONE
for i in $(seq 30); do
    echo "big TXT \"record $i of many, long enough to need more than one datagram of 512 bytes\"" >>"$zones/weir.test"
done
cat >"$zones/2.0.192.in-addr.arpa" <<'ZONE'
$TTL 3600
@   SOA ns1.weir.test. hostmaster.weir.test. 1 7200 900 1209600 300
    NS  ns1.weir.test.
80  PTR www.weir.test.
ZONE
cat >"$zones/8.b.d.0.1.0.0.2.ip6.arpa" <<'ZONE'
$TTL 3600
@   SOA ns1.weir.test. hostmaster.weir.test. 1 7200 900 1209600 300
    NS  ns1.weir.test.
0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR www.weir.test.
ZONE
# A signed zone beside it.
cat >"$zones/signed.test" <<'ZONE'
$TTL 3600
@   SOA ns1.weir.test. hostmaster.weir.test. 1 7200 900 1209600 300
    NS  ns1.weir.test.
www A   192.0.2.80
ZONE
(
    cd "$zones"
    dnssec-keygen -q -a ECDSAP256SHA256 signed.test >/dev/null
    dnssec-keygen -q -a ECDSAP256SHA256 -f KSK signed.test >/dev/null
    dnssec-signzone -q -S -3 aabbccdd -o signed.test signed.test >/dev/null
)
cat >"$SCRATCH/named.conf" <<CONF
options {
    directory "$zones";
    pid-file "$SCRATCH/named.pid";
    session-keyfile "$SCRATCH/session.key";
    listen-on { any; };
    listen-on-v6 { any; };
    recursion no;
    notify no;
    minimal-responses no;
    max-udp-size 4096;
    allow-transfer { any; };
    dnssec-validation no;
    querylog no;
};
controls { };
zone "weir.test" { type primary; file "weir.test"; };
zone "signed.test" { type primary; file "signed.test.signed"; };
zone "2.0.192.in-addr.arpa" { type primary; file "2.0.192.in-addr.arpa"; };
zone "8.b.d.0.1.0.0.2.ip6.arpa" { type primary; file "8.b.d.0.1.0.0.2.ip6.arpa"; };
CONF

# Questions and answers to groups of hosts, which no server is needed for: RFC 6762, RFC 4795.
cat >"$SCRATCH/group.py" <<'PY'
import socket, struct, sys
def name(text):
    return b''.join(bytes([len(part)]) + part.encode() for part in text.split('.')) + b'\0'
def question(ident, flags, text, qtype, qclass=1):
    return struct.pack('>6H', ident, flags, 1, 0, 0, 0) + name(text) + struct.pack('>2H', qtype, qclass)
def record(text, rtype, rclass, ttl, data):
    return name(text) + struct.pack('>2HIH', rtype, rclass, ttl, len(data)) + data
def answer(ident, questions, records):
    return struct.pack('>6H', ident, 0x8400 if ident == 0 else 0x8000, len(questions), len(records), 0, 0) \
        + b''.join(questions) + b''.join(records)
def send(side, group, port, data, back=None):
    family = socket.AF_INET6 if ':' in group else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    own = {'client': ('192.0.2.10', '2001:db8::10'), 'server': ('192.0.2.80', '2001:db8::80')}[side]
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255 if port == 5353 else 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own[0]))
        sock.bind((own[0], back or 0))
        sock.sendto(data, (group, port))
    else:
        index = socket.if_nametoindex('weir-c0' if side == 'client' else 'weir-s0')
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sock.bind((own[1], back or 0))
        sock.sendto(data, (group, port, 0, index))
service, instance, host = '_http._tcp.local', 'A weir._http._tcp.local', 'weir.local'
kind, side = sys.argv[1], sys.argv[2]
if kind == 'mdns' and side == 'client':
    send(side, '224.0.0.251', 5353, question(0, 0, service, 12), 5353)
    send(side, 'ff02::fb', 5353, question(0, 0, host, 28, 0x8001), 5353)
elif kind == 'mdns':
    srv = struct.pack('>3H', 0, 0, 80) + name(host)
    txt = b'\x06path=/\x04v=01'
    full = name(instance)
    send(side, '224.0.0.251', 5353, answer(0, [], [
        record(service, 12, 1, 4500, full), record(instance, 33, 0x8001, 120, srv),
        record(instance, 16, 0x8001, 4500, txt), record(host, 1, 0x8001, 120, socket.inet_aton('192.0.2.80'))]), 5353)
    send(side, 'ff02::fb', 5353, answer(0, [], [
        record(host, 28, 0x8001, 120, socket.inet_pton(socket.AF_INET6, '2001:db8::80'))]), 5353)
elif kind == 'llmnr' and side == 'client':
    send(side, '224.0.0.252', 5355, question(0x1234, 0, 'printer', 1), 50001)
    send(side, 'ff02::1:3', 5355, question(0x1235, 0, 'printer', 28), 50002)
else:
    query = question(0x1234, 0, 'printer', 1)[12:]
    send(side, '192.0.2.10', 50001, answer(0x1234, [query], [
        record('printer', 1, 1, 30, socket.inet_aton('192.0.2.80'))]), 5355)
PY

network_up
serve named -g -c "$SCRATCH/named.conf"
wait_for_port 53
sleep 1

dig() { in_client dig +tries=1 +timeout=2 "@$SERVER4" "$@"; }
dig6() { in_client dig +tries=1 +timeout=2 "@$SERVER6" "$@"; }
old='+noedns +nocookie'

types() {
    local question
    # shellcheck disable=SC2086
    for question in 'weir.test A' 'weir.test AAAA' 'www.weir.test CNAME' 'weir.test MX' 'weir.test NS' \
        'ptr.weir.test PTR' 'text.weir.test TXT' 'two.weir.test TXT' 'weir.test SOA' '_sip._tcp.weir.test SRV' \
        'weir.test CAA' 'phone.weir.test NAPTR' 'chain.weir.test A' 'many.weir.test A' '-x 192.0.2.80' \
        '-x 2001:db8::80' 'any.wild.weir.test A'; do
        dig $old $question
    done
}
rare_types() {
    local question
    # shellcheck disable=SC2086
    for question in 'host.weir.test HINFO' 'place.weir.test LOC' 'key.weir.test SSHFP' \
        '_443._tcp.www.weir.test TLSA' 'svc.weir.test HTTPS' 'www.old.weir.test A' 'weir.test ANY' \
        'weir.test TYPE65280'; do
        dig $old $question
    done
}
failures() {
    # shellcheck disable=SC2086
    dig $old nothing.weir.test A
    # shellcheck disable=SC2086
    dig $old mail.weir.test AAAA
    dig www.example.org A
    dig +opcode=status weir.test A
    dig CH TXT version.bind
}
signed() {
    dig +dnssec www.signed.test A
    dig +dnssec nothing.signed.test A
    dig +dnssec signed.test DNSKEY
    dig +nsid +subnet=198.51.100.0/24 weir.test A
}
over_tcp() {
    dig +tcp weir.test MX
    dig +tcp +keepopen weir.test A weir.test AAAA weir.test TXT
}
mdns() { in_client python3 "$SCRATCH/group.py" mdns client; in_server python3 "$SCRATCH/group.py" mdns server; }
llmnr() { in_client python3 "$SCRATCH/group.py" llmnr client; in_server python3 "$SCRATCH/group.py" llmnr server; }

record dns/bind-types udp types
record dns/bind-rare-types 'udp or tcp' rare_types
record dns/bind-failures udp failures
record dns/bind-dnssec udp signed
record dns/bind-tcp tcp over_tcp
record dns/bind-truncated 'udp or tcp' dig +bufsize=512 big.weir.test TXT
# Larger than the wire takes in one piece: comes in fragments.
record dns/bind-fragments udp dig +bufsize=4096 +ignore big.weir.test TXT
record dns/bind-transfer tcp dig +tcp weir.test AXFR
record dns/bind-ipv6 'udp or tcp' dig6 www.weir.test AAAA
record dns/mdns udp mdns
record dns/llmnr udp llmnr
