"""The program under test, and how its tests say what they found.

A test is a function with @test that takes an empty folder. It calls need() for what must hold; the first need that
does not hold ends it. main() runs all tests of a script, or those named on its command line, and prints for each
`ok NAME`, `not ok NAME` with the reason in lines behind it, or `skip NAME REASON`.
"""

import glob
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WEIR = os.path.abspath(os.environ.get("WEIR", os.path.join(ROOT, "build", "weir")))
GOLDEN = os.path.join(ROOT, "tests", "golden")
CORPUS = os.environ.get("WEIR_CORPUS", os.path.join(ROOT, "..", "shared", "corpus"))
LONG = os.environ.get("WEIR_LONG", "0") == "1"
SECONDS = 120  # for one call
PORT_SECONDS = 30  # until a port is taken
# Cases of tests are signed, but not with the key of whoever runs them.
os.environ.setdefault("WEIR_KEY", os.path.join(tempfile.gettempdir(), "weir-test-%d" % os.getuid(), "key.pem"))
REASON_LINES = 40

TESTS = []


class Wrong(Exception):
    """Something that must hold does not."""


class Skip(Exception):
    """This test cannot run here."""


def test(function):
    TESTS.append(function)
    return function


def need(holds, *why):
    if not holds:
        raise Wrong("\n".join(str(word) for word in why))


def need_equal(found, expected, what=""):
    need(found == expected, what, "expected: %s" % short(expected), "found:    %s" % short(found))


def short(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) < 2000 else text[:2000] + " ..."


# ---- what stands beside it -------------------------------------------------------------------------------------


def need_program(name):
    if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None:
        raise Skip("%s is not installed: tools/setup --test" % name)


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]


def wait_for_port(port):
    """Until somebody has the UDP port."""
    end = time.time() + PORT_SECONDS
    while time.time() < end:
        with open("/proc/net/udp", encoding="ascii") as file:
            if ":%04X " % port in file.read():
                return
        time.sleep(0.02)
    raise Skip("nobody listens at port %d after %d s" % (port, PORT_SECONDS))


# ---- calls -----------------------------------------------------------------------------------------------------


class Done:
    """What a call left behind."""

    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def __str__(self):
        return "%s\nstatus %d\nstdout: %s\nstderr: %s" % (" ".join(self.command), self.status,
                                                        short(self.out.decode("utf-8", "replace")),
                                                        short(self.err.decode("utf-8", "replace")))

    def rows(self):
        return [json.loads(line) for line in self.out.decode("utf-8").split("\n") if line]


def call(*words, stdin=None, folder=None, environment=None, wrapper=(), seconds=SECONDS):
    """Runs weir with these words; `stdin` is bytes, an open file, or nothing."""
    command = list(wrapper) + [WEIR] + [str(word) for word in words]
    source = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin or subprocess.DEVNULL}
    whole = dict(os.environ, **(environment or {}))
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=whole,
                          timeout=seconds, check=False, **source)
    return Done(command, done.returncode, done.stdout, done.stderr)


def weir(*words, status=0, **options):
    """The same, with the exit status that it must have: a number, or several."""
    done = call(*words, **options)
    need(done.status in (status if isinstance(status, tuple) else (status,)), "expected status %s" % (status,), done)
    return done


def read(*words, **options):
    """weir read without its report. Status 3 is a capture with something missing: what is there was read."""
    return weir("read", "-q", *words, status=(0, 3), **options)


def digest(*words, **options):
    return weir("digest", *words, **options).out.decode()


def records(capture, *words, kinds=None):
    """All records of a capture, or those of some kinds."""
    done = weir("read", "-q", capture, "-o", "json", *words, status=(0, 3))
    return [row for row in done.rows() if kinds is None or row["kind"] in kinds]


def query(case, sql, status=0):
    return weir("query", case, sql, "-o", "json", status=status).rows()


# ---- captures --------------------------------------------------------------------------------------------------


def golden(name):
    return os.path.join(GOLDEN, name + ".pcap")


def golden_captures():
    """Every bundled capture; its name is SUITE/CASE."""
    paths = sorted(glob.glob(os.path.join(GOLDEN, "**", "*.pcap"), recursive=True))
    return {os.path.relpath(path, GOLDEN)[:-len(".pcap")]: path for path in paths}


def packets_of(path):
    """The head and the packet records of a classic capture file."""
    with open(path, "rb") as file:
        content = file.read()
    order = "<" if content[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, packets = 24, []
    while at + 16 <= len(content):
        size = 16 + struct.unpack_from(order + "I", content, at + 8)[0]
        packets.append(content[at:at + size])
        at += size
    return content[:24], packets


def write(path, *contents):
    with open(path, "wb") as file:
        for content in contents:
            file.write(content)
    return path


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def cut_into(path, pieces, folder):
    """The capture as several files that together hold its packets."""
    head, packets = packets_of(path)
    os.makedirs(folder)
    each = max(1, -(-len(packets) // pieces))
    for number, at in enumerate(range(0, len(packets), each)):
        write(os.path.join(folder, "piece-%03d.pcap" % number), head, *packets[at:at + each])
    return folder


def mix(folder):
    """mix-1 of the corpus, made once and kept beside the program."""
    if not os.path.isdir(os.path.join(CORPUS, "scale")):
        raise Skip("no corpus at %s" % CORPUS)
    for tool in "editcap", "mergecap", "zstd":
        if shutil.which(tool) is None:
            raise Skip("%s is not installed" % tool)
    kept = os.path.join(os.path.dirname(WEIR), "mix-1.pcap")
    if not os.path.exists(kept):
        sys.path.insert(0, os.path.join(ROOT, "bench"))
        import captures
        captures.compose_from_corpus(folder, os.path.join(folder, "mix-1"))
        shutil.move(os.path.join(folder, "mix-1"), kept)
    return kept


# ---- files -----------------------------------------------------------------------------------------------------


def listing(folder):
    """Every path below a folder with its size; empty when there is no such folder."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(at, name)
            found[os.path.relpath(path, folder)] = os.path.getsize(path) if os.path.isfile(path) else None
    return found


# ---- the end ---------------------------------------------------------------------------------------------------


def run_test(function):
    name = function.__name__.replace("_", "-")
    with tempfile.TemporaryDirectory(prefix="weir-") as folder:
        try:
            function(folder)
        except Skip as skip:
            print("skip %s %s" % (name, skip), flush=True)
            return True
        except Exception as wrong:  # whatever it was: the other tests run
            print("not ok %s" % name)
            known = isinstance(wrong, (Wrong, subprocess.TimeoutExpired))
            lines = (str(wrong) if known else traceback.format_exc()).splitlines()
            print("\n".join("# " + line for line in lines[:REASON_LINES]), flush=True)
            return False
    print("ok %s" % name, flush=True)
    return True


def main():
    wanted = set(sys.argv[1:])
    chosen = [f for f in TESTS if not wanted or f.__name__.replace("_", "-") in wanted]
    if not os.access(WEIR, os.X_OK):
        sys.exit("%s is not there: make build, or say where it is by WEIR" % WEIR)
    fine = [run_test(function) for function in chosen]
    sys.exit(0 if all(fine) and chosen else 1)
