# Two network namespaces with a wire between them, and tcpdump on it. Sourced by the recorders
# beside it; needs root.
#
#   weir-client  192.0.2.10  2001:db8::10  02:00:00:00:00:10
#   weir-server  192.0.2.80  2001:db8::80  02:00:00:00:00:80
#
# Everything is taken down at exit, also when a step fails. Offloading is off, so that frames are
# as on a real wire and checksums are right.
set -euo pipefail

CLIENT4=192.0.2.10 CLIENT6=2001:db8::10
SERVER4=192.0.2.80 SERVER6=2001:db8::80
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
GOLDEN=${1:-$HERE/../../tests/golden}
mkdir -p "$GOLDEN"
GOLDEN=$(cd "$GOLDEN" && pwd)
SCRATCH=$(mktemp -d /tmp/weir-record.XXXXXX)
chmod 755 "$SCRATCH"
daemons=()
dump_pid=

network_down() {
    local pid name
    for pid in $dump_pid "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    for name in weir-client weir-server; do ip netns del "$name" 2>/dev/null || true; done
    rm -rf "$SCRATCH"
}
trap network_down EXIT

side_up() { # namespace, interface, last byte
    ip netns exec "$1" sh -e -c "
        sysctl -q -w net.ipv6.conf.$2.router_solicitations=0 net.ipv6.conf.$2.accept_ra=0
        ip link set $2 address 02:00:00:00:00:$3
        ip addr add 192.0.2.$3/24 dev $2
        ip addr add 2001:db8::$3/64 dev $2 nodad
        ethtool -K $2 tx off rx off tso off gso off gro off sg off >/dev/null 2>&1 || true
        ip link set lo up
        ip link set $2 up"
}

network_up() {
    ip netns add weir-client
    ip netns add weir-server
    ip link add weir-c0 netns weir-client type veth peer name weir-s0 netns weir-server
    side_up weir-client weir-c0 10
    side_up weir-server weir-s0 80
    sleep 2 # until multicast listener reports and duplicate address detection are over
}

in_client() { ip netns exec weir-client "$@"; }
in_server() { ip netns exec weir-server "$@"; }

# A daemon in the server's namespace, which does not put itself into the background. Its input stays
# open and empty.
mkfifo "$SCRATCH/nothing"
exec 8<>"$SCRATCH/nothing"
serve() {
    ip netns exec weir-server "$@" <&8 >>"$SCRATCH/daemons.log" 2>&1 &
    daemons+=($!)
}

wait_for_port() { # tcp port on the server
    local i
    for i in $(seq 100); do
        in_server ss -Hltn "sport = :$1" | grep -q . && return
        sleep 0.05
    done
    echo "nothing listens on port $1" >&2
    cat "$SCRATCH/daemons.log" >&2
    return 1
}

# record NAME FILTER COMMAND...: the traffic of COMMAND that FILTER matches, into
# tests/golden/NAME.pcap.
record() {
    local file=$GOLDEN/$1.pcap filter=$2
    shift 2
    mkdir -p "$(dirname "$file")"
    : >"$SCRATCH/tcpdump.log"
    # shellcheck disable=SC2086
    ip netns exec weir-server tcpdump -Z root -i weir-s0 -n -U --immediate-mode -w "$file" $filter \
        2>"$SCRATCH/tcpdump.log" &
    dump_pid=$!
    until grep -q 'listening on' "$SCRATCH/tcpdump.log"; do
        kill -0 $dump_pid || { cat "$SCRATCH/tcpdump.log" >&2; return 1; }
        sleep 0.02
    done
    "$@" >"$SCRATCH/command.log" 2>&1 || { cat "$SCRATCH/command.log" >&2; return 1; }
    sleep 0.5
    kill -INT $dump_pid
    wait $dump_pid || true
    dump_pid=
    echo "$file: $(grep -o '[0-9]* packets captured' "$SCRATCH/tcpdump.log"), $(stat -c %s "$file") bytes"
}
