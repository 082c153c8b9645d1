#!/usr/bin/env python3
"""weir read -i: what crosses an interface is what its recording says, and what was missed is told.

Each test has two ends of a cable (veth) in a network of its own, which takes root, or user namespaces that anybody may make.
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request

from network import Sender, cable, datagram, enter_network, frames_of, ip
from program import SECONDS, WEIR, content_of, digest, golden, main, need, need_equal, query, test, weir
from service import waited

USAGE, INPUT, MACHINE = 2, 3, 4
WINDOW = 0.4  # what is sent lies in the kernel for a moment
LISTENING = "weir: capturing at interface:%s until Ctrl-C\n"
SMALL = ["--buffer", "512k"]


class Live:
    """weir read -i, which listens when this is there."""

    def __init__(self, case, *interfaces, words=("--keep",)):
        named = [word for name in interfaces for word in ("-i", name)]
        self.case = case
        self.run = subprocess.Popen([WEIR, "read", *named, "-w", case, *words], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
        need_equal(self.run.stderr.readline().decode(), LISTENING % ",".join(interfaces))

    def stop(self, status=0, number=signal.SIGTERM):
        time.sleep(WINDOW)
        if self.run.poll() is None:
            self.run.send_signal(number)
        told = self.run.communicate(timeout=SECONDS)[1].decode()
        need_equal(self.run.returncode, status, told)
        return told

    def recording(self, folder):
        extents = os.path.join(self.case, "packets")
        names = sorted(name for name in os.listdir(extents) if name.endswith(".zst"))
        out = os.path.join(folder, "recording.pcapng")
        with open(out, "wb") as file:
            for name in names:
                subprocess.run(["zstd", "-dcq", os.path.join(extents, name)], stdout=file, check=True)
        return out

    def need_like_recording(self, folder):
        said = digest(self.case)
        need_equal(said, digest(self.recording(folder)))
        weir("verify", self.case)
        return said


def losses(case):
    """What was lost, at which interface, how many packets, and between which seconds."""
    sql = "SELECT reason, interface, packets, epoch(ts) a, epoch(last_seen) b FROM loss ORDER BY ts"
    return [tuple(row.get(name) for name in ("reason", "interface", "packets", "a", "b"))
            for row in weir("query", case, sql, "-o", "json", status=(0, 1)).rows()]


@test
def like_its_recording(folder):
    near, far = cable("a0", "a1")
    live = Live(os.path.join(folder, "case"), far)
    sent = Sender(near).send(frames_of("demo"))
    live.stop()
    said = live.need_like_recording(folder)
    for kind in "conversation", "flow", "dns", "http", "tls", "file":
        need(" %s " % kind in said, said)
    capture = query(live.case, "SELECT packets, path, format, interface_drops FROM capture")
    need_equal(capture, [{"packets": sent, "path": "interface:a1", "format": "pcapng", "interface_drops": 0}])
    need_equal(losses(live.case), [])


@test
def the_same_with_lanes(folder):
    near, far = cable("b0", "b1")
    live = Live(os.path.join(folder, "case"), far, words=("--keep", "-j", "2"))
    Sender(near).send(frames_of("demo"))
    live.stop(number=signal.SIGINT)
    live.need_like_recording(folder)


# In a network of its own: an end of the cable that is moved there, a web server and one that answers every question.
SERVER = """
import http.server, socket, subprocess, sys, threading, time
name, host = sys.argv[1:]
while not any(name == there for _, there in socket.if_nameindex()): time.sleep(0.02)
subprocess.run(["ip", "addr", "add", host + "/24", "dev", name], check=True)
subprocess.run(["ip", "link", "set", name, "up"], check=True)
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind((host, 53))
def answer():
    while True:
        question, asker = names.recvfrom(512)
        names.sendto(question[:2] + b"\\x81\\x83" + question[4:], asker)
threading.Thread(target=answer, daemon=True).start()
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.path.encode() * 1000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
web = http.server.ThreadingHTTPServer((host, 8080), Page)
print("ready", flush=True)
web.serve_forever()
"""


class Server:
    def __init__(self, interface, host):
        command = ["unshare", "-n", sys.executable, "-c", SERVER, interface, host]
        self.run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        waited(lambda: os.readlink("/proc/%d/ns/net" % self.run.pid) != os.readlink("/proc/self/ns/net"), "a network")
        ip("link", "set", interface, "netns", str(self.run.pid))
        need_equal(self.run.stdout.readline(), b"ready\n")

    def stop(self):
        self.run.kill()
        self.run.communicate()


@test
def real_clients(folder):
    near, far = cable("c0", "c1")
    ip("addr", "add", "10.9.0.1/24", "dev", near)
    server = Server(far, "10.9.0.2")
    live = Live(os.path.join(folder, "case"), near)
    try:
        for number in range(5):
            with urllib.request.urlopen("http://10.9.0.2:8080/page%d" % number, timeout=10) as answer:
                need_equal(answer.read(), b"/page%d" % number * 1000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(10)
            asker.sendto(struct.pack(">HHHHHH", 77, 0x0100, 1, 0, 0, 0) + b"\4weir\4test\0\0\1\0\1",
                         ("10.9.0.2", 53))
            asker.recv(512)
    finally:
        live.stop()
        server.stop()
    live.need_like_recording(folder)
    asked = query(live.case, "SELECT uri, status_code FROM http ORDER BY ts")
    need_equal(asked, [{"uri": "/page%d" % number, "status_code": 200} for number in range(5)])
    need_equal(query(live.case, "SELECT query, rcode_name FROM dns"), [{"query": "weir.test", "rcode_name": "NXDOMAIN"}])


@test
def two_interfaces_are_one_tap(folder):
    """Each direction of every conversation crosses another interface."""
    first, second = cable("d0", "d1"), cable("e0", "e1")
    live = Live(os.path.join(folder, "case"), first[1], second[1])
    frames = frames_of("demo")
    senders = [Sender(first[0]), Sender(second[0])]
    server = bytes([192, 0, 2, 80])
    for frame in frames:
        senders[frame[12:14] == b"\x08\0" and frame[26:30] == server].send([frame])
    live.stop()
    live.need_like_recording(folder)
    need_equal(query(live.case, "SELECT packets, backwards, interfaces, path FROM capture"),
               [{"packets": len(frames), "backwards": 0, "interfaces": 2, "path": "interface:d1,e1"}])
    tuples = "SELECT count(DISTINCT community_id) n FROM conversation"
    need_equal(query(live.case, tuples), query(golden("demo"), tuples))
    exported = os.path.join(folder, "out.pcapng")
    weir("export", live.case, "-Y", "proto = 6", "-w", exported)
    for name in b"d1", b"e1":
        need(b"\2\0\2\0" + name in content_of(exported), "no if_name", name)


@test
def in_the_case_as_it_goes(folder):
    """Not kept: records are there while it goes on, in several parts, and are those of what tcpdump recorded beside it."""
    near, far = cable("q0", "q1")
    recorded = os.path.join(folder, "beside.pcap")
    beside = subprocess.Popen(["tcpdump", "-i", far, "-U", "-w", recorded, "--time-stamp-precision=nano"],
                              stderr=subprocess.PIPE)
    beside.stderr.readline()
    for lanes in "1", "2":
        live = Live(os.path.join(folder, "case" + lanes), far, words=("--every", "1s", "-j", lanes))
        sender = Sender(near)
        frames = frames_of("demo")
        for at in range(0, len(frames), 500):
            sender.send(frames[at:at + 500])
            time.sleep(1.2)
        asked = query(live.case, "SELECT count(*) n FROM http WHERE status_code = 200")[0]["n"]
        need(asked > 10, "only %d transactions are there while it goes on" % asked)
        live.stop()
        readings = [line for line in content_of(os.path.join(live.case, "log", "00000001.jsonl")).splitlines()
                    if b'"type":"reading"' in line]
        need(len(readings) > 1, "%d parts" % len(readings))
        need_equal(query(live.case, "SELECT packets FROM capture"), [{"packets": len(frames)}])
        weir("verify", live.case)
        done = weir("search", live.case, "GET /", status=INPUT).err.decode()
        need("were not kept" in done, done)
        done = weir("export", live.case, "-Y", "proto = 6", "-w", os.path.join(folder, "out"), status=INPUT).err.decode()
        need("--keep" in done, done)
        if lanes == "1":
            beside.terminate()
            beside.communicate(timeout=SECONDS)
            need_equal(digest(live.case), digest(recorded))


@test
def killed(folder):
    """What was there before a kill is there after it, with its files; the next one goes on."""
    near, far = cable("r0", "r1")
    case = os.path.join(folder, "case")
    live = Live(case, far, words=())
    Sender(near).send(frames_of("demo"))
    time.sleep(2)
    sql = "SELECT count(*) n FROM http"
    before = query(case, sql)
    live.run.kill()
    live.run.communicate(timeout=SECONDS)
    again = Live(case, far, words=())
    again.stop()
    need_equal(query(case, sql), before)
    need(before[0]["n"] > 10, before)
    out = os.path.join(folder, "files")
    weir("files", case, "-w", out)
    need(len(os.listdir(out)) > 5, os.listdir(out))
    weir("verify", case)


@test
def a_filter_in_the_kernel(folder):
    near, far = cable("g0", "g1")
    live = Live(os.path.join(folder, "case"), far, words=("--keep", "-f", "udp port 1007"))
    Sender(near).send(datagram(number) for number in range(100))
    live.stop()
    need_equal(query(live.case, "SELECT packets, filtered FROM capture"), [{"packets": 1, "filtered": 0}])


@test
def a_wrong_name(folder):
    near, far = cable("h0", "h1")
    done = weir("read", "-i", "h9", "-w", "none", status=USAGE).err.decode()
    need(done.startswith("weir: there is no interface h9; there are ") and " h0, " in done and " h1, " in done, done)
    done = weir("read", "interface:h1", golden("demo"), "-w", "none", status=USAGE).err.decode()
    need("cannot be read together" in done, done)
    done = weir("read", "--for", "3s", golden("demo"), "-w", "none", status=USAGE).err.decode()
    need("--for" in done and "interface" in done, done)
    done = weir("read", "-i", far, "-f", "tcp prot 80", "-w", "none", status=USAGE).err.decode()
    need("tcp prot 80" in done, done)
    ip("link", "set", near, "down")
    done = weir("read", "-i", near, "-w", "none", status=MACHINE).err.decode()
    need("ip link set h0 up" in done, done)


@test
def without_rights(folder):
    near, _ = cable("i0", "i1")
    done = weir("read", "-i", near, "-w", "none", status=MACHINE,
                wrapper=["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"])
    need("setcap cap_net_raw+ep " + os.path.realpath(WEIR) in done.err.decode(), done)


@test
def rights_are_given_up(folder):
    near, far = cable("j0", "j1")
    live = Live(os.path.join(folder, "case"), far)
    rights = {}
    for task in os.listdir("/proc/%d/task" % live.run.pid):
        with open("/proc/%d/task/%s/status" % (live.run.pid, task)) as file:
            for line in file:
                name, value = line.split(":", 1)
                rights.setdefault(name, set()).add(value.strip())
    live.stop()
    net_admin, net_raw = 1 << 12, 1 << 13
    for name in "CapPrm", "CapEff":
        need(not any(int(value, 16) & (net_admin | net_raw) for value in rights[name]), rights[name])
    need_equal(rights["NoNewPrivs"], {"1"})


@test
def down_and_up_again(folder):
    near, far = cable("k0", "k1")
    live = Live(os.path.join(folder, "case"), far)
    sender, frames = Sender(near), [datagram(number) for number in range(200)]
    sender.send(frames[:100])
    time.sleep(WINDOW)
    down = time.time()
    ip("link", "set", far, "down")
    time.sleep(1)
    ip("link", "set", far, "up")
    up = time.time()
    time.sleep(0.3)
    sender.send(frames[100:])
    live.stop()
    live.need_like_recording(folder)
    need_equal(query(live.case, "SELECT packets FROM capture"), [{"packets": 200}])
    lost = losses(live.case)
    need_equal([row[:3] for row in lost], [("interface_down", far, None)])
    need(down - 1 < lost[0][3] <= down + 0.2 and up - 0.2 <= lost[0][4] < up + 1, lost, down, up)


@test
def an_interface_that_is_taken_away(folder):
    near, far = cable("l0", "l1")
    other = cable("m0", "m1")
    live = Live(os.path.join(folder, "case"), far, other[1])
    Sender(near).send(datagram(number) for number in range(50))
    time.sleep(WINDOW)
    ip("link", "del", near)
    time.sleep(0.5)
    Sender(other[0]).send(datagram(number) for number in range(50))
    told = live.stop()
    need("l1" in told and "taken away" in told, told)
    live.need_like_recording(folder)
    need_equal(query(live.case, "SELECT packets FROM capture"), [{"packets": 100}])
    need_equal([row[:2] for row in losses(live.case)], [("interface_down", far)])


@test
def what_found_no_room_is_counted(folder):
    near, far = cable("n0", "n1")
    live = Live(os.path.join(folder, "case"), far, words=("--keep", *SMALL))
    sender = Sender(near)
    sent = sender.send([datagram(number, 1200) for number in range(100)])
    time.sleep(WINDOW)
    live.run.send_signal(signal.SIGSTOP)
    sent += sender.send([datagram(number, 1200) for number in range(5000)], pause=0)
    live.run.send_signal(signal.SIGCONT)
    time.sleep(1)
    sent += sender.send([datagram(number, 1200) for number in range(100)])
    live.stop()
    live.need_like_recording(folder)
    seen = query(live.case, "SELECT packets, interface_drops lost FROM capture")[0]
    lost = query(live.case, "SELECT sum(packets) n, min(interface) i FROM loss WHERE reason = 'interface_drops'")[0]
    need(seen["lost"] > 1000, seen)
    need_equal((seen["packets"] + seen["lost"], lost["n"], lost["i"]), (sent, seen["lost"], far))


@test
def what_the_kernel_holds_at_the_end_is_read(folder):
    near, far = cable("u0", "u1")
    live = Live(os.path.join(folder, "case"), far, words=("-j", "2"))
    live.run.send_signal(signal.SIGSTOP)
    sent = Sender(near).send([datagram(number) for number in range(30000)], pause=0)
    live.run.send_signal(signal.SIGTERM)
    live.run.send_signal(signal.SIGCONT)
    live.run.wait(SECONDS)
    live.stop()
    need_equal(query(live.case, "SELECT packets, interface_drops lost FROM capture"), [{"packets": sent, "lost": 0}])


@test
def losses_are_told_as_they_come(folder):
    near, far = cable("s0", "s1")
    live = Live(os.path.join(folder, "case"), far, words=())
    sender = Sender(near)
    sent = sender.send(datagram(number) for number in range(10))
    time.sleep(WINDOW)
    for _ in range(2):
        ip("link", "set", far, "down")
        time.sleep(0.5)
        ip("link", "set", far, "up")
        time.sleep(1)
        sent += sender.send(datagram(number) for number in range(10))
    time.sleep(1.5)
    need_equal([row[:2] for row in losses(live.case)], [("interface_down", far)] * 2, "while it goes on")
    live.stop()
    need_equal([row[:2] for row in losses(live.case)], [("interface_down", far)] * 2)
    need_equal(query(live.case, "SELECT packets FROM capture"), [{"packets": sent}])


@test
def it_ends_by_itself(folder):
    near, far = cable("o0", "o1")
    live = Live(os.path.join(folder, "count"), far, words=("-c", "10"))
    Sender(near).send(datagram(number) for number in range(30))
    live.run.wait(SECONDS)
    live.stop()
    need_equal(query(live.case, "SELECT packets FROM capture"), [{"packets": 10}])
    for words in ("--for", "1s"), ("--idle", "500ms"):
        live = Live(os.path.join(folder, "case" + words[0]), far, words=words)
        live.run.wait(SECONDS)
        live.stop()


@test
def in_the_service(folder):
    """An interface is a source of weir run; its records are in the case with every part of that."""
    near, far = cable("t0", "t1")
    case, file = os.path.join(folder, "case"), os.path.join(folder, "weir.yaml")
    with open(file, "w") as text:
        text.write("sources:\n  - read: interface:%s\n    tap: here\n    bpf: port 80 or port 53\n"
                   "store:\n  path: %s\n  every: 1s\n" % (far, case))
    run = subprocess.Popen([WEIR, "run", "-c", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    need_equal(run.stderr.readline().decode(), "weir: capturing at interface:%s\n" % far)
    frames = frames_of("demo")
    Sender(near).send(frames[:1000])
    time.sleep(2.5)
    Sender(near).send(frames[1000:])
    time.sleep(2.5)
    asked = query(case, "SELECT count(*) n FROM dns")[0]["n"]
    need(asked > 10, "only %d transactions while it goes on" % asked)
    run.send_signal(signal.SIGTERM)
    told = run.communicate(timeout=SECONDS)[1].decode()
    need_equal(run.returncode, 0, told)
    need_equal(query(case, "SELECT count(*) n FROM http"), query(golden("demo"), "SELECT count(*) n FROM http WHERE dst_port = 80"))
    with open(file, "w") as text:
        text.write("sources:\n  - read: interface:nobody\n")
    done = weir("run", "-c", file, status=USAGE).err.decode()
    need("there is no interface nobody" in done, done)


@test
def json_as_it_comes(folder):
    near, far = cable("p0", "p1")
    run = subprocess.Popen([WEIR, "read", "-i", far, "-o", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    need_equal(run.stderr.readline().decode(), LISTENING % far)
    Sender(near).send(frames_of("demo")[:200])
    first = run.stdout.readline()  # while it goes on
    need(first.startswith(b"{") and run.poll() is None, first)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=SECONDS)
    need_equal(run.returncode, 0)


if __name__ == "__main__":
    enter_network()
    main()
