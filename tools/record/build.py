#!/usr/bin/env python3
"""Builds the captures that no server makes, packet by packet, and the demonstration.

    tools/record/build.py [FOLDER]     writes them below FOLDER (tests/golden where nothing is told)
    tools/record/build.py --check      says which files of the tree are not as they would be built

The same bytes each time. The demonstration is made of what the recorders beside this file have recorded.
"""
import os
import sys
import tempfile

import cases_gse
import cases_link
import cases_proxy
import cases_tcp
import cases_udp
from frames import ETHERNET, read_pcap, write_pcap

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.normpath(os.path.join(HERE, '..', '..', 'tests', 'golden'))
MODULES = (cases_tcp, cases_udp, cases_link, cases_gse, cases_proxy)
DEMO_PARTS = ['http', 'dns', 'tls', 'icmp']


def build(folder):
    """Returns the names that were built."""
    names = []
    for module in MODULES:
        for name, make in module.CASES.items():
            made = make()
            frames, link_type, snap = made if isinstance(made, tuple) else (made, ETHERNET, 262144)
            path = os.path.join(folder, name + '.pcap')
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_pcap(path, frames, link_type, snap)
            names.append(name)
    return names


def recorded():
    """Captures of real servers: those that are not built here."""
    built = {name for module in MODULES for name in module.CASES}
    for part in DEMO_PARTS:
        for file in sorted(os.listdir(os.path.join(GOLDEN, part))):
            name, kind = os.path.splitext(f'{part}/{file}')
            if kind == '.pcap' and name not in built:
                yield os.path.join(GOLDEN, part, file)


def build_demo(folder):
    """All of them in order of time, with the pauses between recordings cut to a second."""
    captures = sorted((read_pcap(path)[0] for path in recorded()), key=lambda frames: frames[0][0])
    merged, shift, end = [], 0, None
    for frames in captures:
        if end is not None:
            shift = end + 1000000 - frames[0][0]
        merged += [(time + shift, data) for time, data, length in frames if length == len(data)]
        end = merged[-1][0]
    write_pcap(os.path.join(folder, 'demo.pcap'), merged)
    return ['demo']


def check():
    with tempfile.TemporaryDirectory() as folder:
        names = build(folder) + build_demo(folder)
        wrong = [name for name in names if not same(folder, name)]
    for name in wrong:
        print(f'{name}.pcap is not as built')
    return 1 if wrong else 0


def same(folder, name):
    try:
        with open(f'{folder}/{name}.pcap', 'rb') as one, open(f'{GOLDEN}/{name}.pcap', 'rb') as other:
            return one.read() == other.read()
    except FileNotFoundError:
        return False


if __name__ == '__main__':
    if sys.argv[1:] == ['--check']:
        sys.exit(check())
    target = sys.argv[1] if len(sys.argv) > 1 else GOLDEN
    print(len(build(target) + build_demo(target)), 'captures')
