#!/usr/bin/env python3
"""weir run: one file says where flows come from, where they are kept and where else they go; it is read again while all
goes on, and what came is there after the end."""
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.request

from program import SECONDS, WEIR, main, need, need_equal, query, test, weir

USAGE, MACHINE = 2, 4
EXPORTED = 1704067200
FIELDS = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4)]


def ipfix(sequence, *sets, domain=7):
    body = b"".join(struct.pack(">HH", number, len(content) + 4) + content for number, content in sets)
    return struct.pack(">HHIII", 10, len(body) + 16, EXPORTED, sequence, domain) + body


def template(fields=tuple(FIELDS)):
    return 2, struct.pack(">HH", 300, len(fields)) + b"".join(struct.pack(">HH", *field) for field in fields)


def record(i):
    return struct.pack(">IIHHBII", 0x0a000000 + i, 0x0a640001, 1024 + i % 60000, 443, 6, 1, 100)


def flows(first, count, domain=7):
    return ipfix(first, (300, b"".join(record(i) for i in range(first, first + count))), domain=domain)


def waited(holds, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    need(False, "waited in vain for " + what)


class Service:
    """weir run in a folder of its own; its file may be written again."""

    def __init__(self, folder, text, env=None):
        self.file, self.said = os.path.join(folder, "weir.yaml"), ""
        self.write(text)
        self.run = subprocess.Popen([WEIR, "run", "-c", self.file], cwd=folder, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})))
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def write(self, text):
        with open(self.file + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.file + ".new", self.file)

    def read(self):
        for line in self.run.stderr:
            self.said += line.decode()

    def wait_for(self, sentence):
        waited(lambda: sentence in self.said, '"%s" in: %s' % (sentence, self.said))

    def ports(self, count):
        waited(lambda: self.said.count("listening at") == count or self.run.poll() is not None, "listening")
        return [int(port) for port in re.findall(r"port (\d+)", self.said)]

    def send(self, port, *messages):
        for message in messages:
            self.socket.sendto(message, ("127.0.0.1", port))

    def stop(self, status=0):
        time.sleep(0.3)
        self.run.send_signal(signal.SIGTERM)
        self.run.wait(timeout=SECONDS)
        self.reader.join()
        self.socket.close()
        need_equal(self.run.returncode, status, self.said)
        return self.said


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]


def scraped(port):
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10) as page:
        lines = page.read().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


BASE = """
sources:
  - udp://127.0.0.1:0
store:
  path: case
  every: 1s
"""


@test
def what_is_sent_is_kept(folder):
    metrics = free_port()
    service = Service(folder, BASE + "metrics:\n  listen: 127.0.0.1:%d\n" % metrics)
    port, case = service.ports(1)[0], os.path.join(folder, "case")
    service.send(port, ipfix(0, template()))
    for first in range(0, 2000, 20):
        service.send(port, flows(first, 20))
        time.sleep(0.001)
    waited(lambda: os.path.isdir(os.path.join(case, "records")) and
           query(case, "SELECT count(*) n FROM flow")[0]["n"] == 2000, "2000 flows while it runs")
    found = waited(lambda: (lambda m: m.get("weir_store_rows_total") == "2000" and m)(scraped(metrics)), "metrics")
    need_equal(found['weir_exporter_flows_total{exporter="127.0.0.1"}'], "2000")
    need_equal(found['weir_source_datagrams_total{source="udp://127.0.0.1:0"}'], "101")
    service.send(port, flows(2000, 30))
    service.stop()
    need_equal(query(case, "SELECT count(*) n FROM flow")[0]["n"], 2030)
    weir("verify", "--quick", case)


main()
