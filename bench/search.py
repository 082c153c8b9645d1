#!/usr/bin/env python3
"""What an index costs and what it saves: its size in % of the payload (at most 3), the CPU of making it for each packet, and
that of a search with and without it.

    bench/search.py [CAPTURE]      without one: the mix of bench/captures.py
"""

import os
import re
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import captures

WEIR = os.environ.get("WEIR", os.path.join(captures.ROOT, "build", "weir"))
TERMS = ["password", "no such text here", "/pass(wd|word)=\\w+/", "0x504b0304"]


def call(*words):
    """CPU seconds of a call, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([WEIR, *words], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


def best(*words):
    return min(call(*words)[0] for _ in range(3))


def main():
    with tempfile.TemporaryDirectory() as folder:
        capture = sys.argv[1] if len(sys.argv) > 1 else os.path.join(folder, "mix.pcap")
        if len(sys.argv) < 2:
            real = os.path.isdir(os.path.join(captures.CORPUS, "scale"))
            (captures.compose_from_corpus if real else captures.compose_from_golden)(folder, capture)
        case = os.path.join(folder, "case")
        call("read", "-q", capture, "-w", case)
        _, counted = call("query", case, "SELECT sum(packets) AS n FROM capture", "-o", "csv")
        packets = int(counted.stdout.split()[-1].strip('"'))
        cpu, made = call("search", case, "--index")
        size = re.search(r"takes ([0-9.]+) kB, ([0-9.]+) % of ([0-9.]+) kB", made.stderr)
        print("index: %s kB, %s %% of %s kB of payload" % size.groups())
        print("making it: %.3f us a packet" % (cpu / packets * 1e6))
        print("%-24s %10s %10s" % ("search (CPU seconds)", "index", "scan"))
        for term in TERMS:
            words = ("search", case, term, "-i", "-o", "json")
            print("%-24s %10.3f %10.3f" % (term, best(*words), best(*words, "--scan")))


main()
