"""A service under test, and an exporter of flows that sends to it."""
import atexit
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.request

from program import SECONDS, WEIR, need, need_equal

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
        atexit.register(self.run.kill)  # where a test fails; nothing where it has ended
        self.reader = threading.Thread(target=self.read, daemon=True)
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

    def stopped_hard(self):
        self.run.kill()
        self.run.wait(timeout=SECONDS)
        self.reader.join()
        self.socket.close()

    def stop(self, status=0):
        time.sleep(0.3)
        self.run.send_signal(signal.SIGTERM)
        self.run.wait(timeout=SECONDS)
        self.reader.join()
        self.socket.close()
        need_equal(self.run.returncode, status, self.said)
        return self.said


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
