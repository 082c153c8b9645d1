"""A network of its own for a test: cables (veth) with two ends, and frames that go through them.

It takes root, or user namespaces that anybody may make.
"""
import os
import socket
import struct
import subprocess
import sys
import time

from program import Skip, golden, need_equal, packets_of

INSIDE = "WEIR_TEST_NETWORK"


def ip(*words):
    done = subprocess.run(["ip", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    need_equal(done.returncode, 0, "ip %s: %s" % (" ".join(words), done.stdout.decode()))


def cable(near, far):
    if INSIDE not in os.environ:
        raise Skip("no network namespace can be made here: neither root nor user namespaces")
    ip("link", "add", near, "type", "veth", "peer", "name", far)
    for end in near, far:
        with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % end, "w") as file:
            file.write("1")  # nothing but what the test sends
        ip("link", "set", end, "up")
    return near, far


class Sender:
    """Frames out of one end."""

    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((interface, 0))

    def send(self, frames, pause=0.0005):
        count = 0
        for frame in frames:
            self.socket.send(frame)
            count += 1
            if pause:
                time.sleep(pause)
        return count


def frames_of(name):
    return [packet[16:] for packet in packets_of(golden(name))[1]]


def datagram(number, size=60):
    payload = struct.pack(">I", number) + bytes(size)
    udp = struct.pack(">HHHH", 1000 + number % 60000, 9, 8 + len(payload), 0)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 1, 0, 64, 17, 0, bytes([10, 0, 0, 1]),
                       bytes([10, 0, 0, 2]))
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + head + udp + payload


def enter_network():
    """Runs this script again in a network of its own, where one can be made."""
    if INSIDE in os.environ:
        ip("link", "set", "lo", "up")
    for words in ["unshare", "-n"], ["unshare", "-Urn"]:
        if INSIDE not in os.environ and subprocess.run([*words, "true"], stderr=subprocess.DEVNULL,
                                                       check=False).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp("unshare", [*words, sys.executable, *sys.argv])
