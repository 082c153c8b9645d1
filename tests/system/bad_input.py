#!/usr/bin/env python3
"""Bad input: one sentence that names the thing and the way out, the right exit status, nothing half written."""

import gzip
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from program import (GOLDEN, SECONDS, WEIR, Skip, call, content_of, digest, golden, main, need, need_equal, packets_of,
                     query, read, test, weir, write)

NOTHING_FOUND, USAGE, INPUT, MACHINE = 1, 2, 3, 4
NOBODY = 65534


def need_sentence(done, status, *mentioned):
    """One sentence on standard error that has all of these in it, and nothing on standard output."""
    need_equal(done.status, status, "status of\n%s" % done)
    need_equal(done.out, b"", "standard output of\n%s" % done)
    lines = done.err.decode("utf-8").splitlines()
    need(len(lines) == 1 and lines[0].startswith("weir: "), "not one sentence", done)
    for word in mentioned:
        need(str(word) in lines[0], "%r is not mentioned" % (word,), done)


def refuse(status, words, *mentioned, **options):
    need_sentence(call(*words, **options), status, *mentioned)


def snapshot(folder):
    """Every file below a folder by its hash. The lock is not content."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(at, name)
            if os.path.relpath(path, folder) != "lock":
                found[os.path.relpath(path, folder)] = hashlib.sha256(content_of(path)).hexdigest()
        for name in folders:
            found[os.path.relpath(os.path.join(at, name), folder) + "/"] = ""
    return found


def refuse_capture(folder, path, *mentioned, status=INPUT):
    """The capture can't be read: no case comes into being, and one that is there stays as it was."""
    fresh, old = os.path.join(folder, "fresh.weir"), os.path.join(folder, "old.weir")
    read(golden("udp/exchange"), "-w", old)
    before = snapshot(old)
    for command in (("read", path, "-w", fresh), ("read", path, "-w", old), ("read", path, "-w", "none"),
                    ("read", golden("tcp/echo"), path, "-w", old)):
        refuse(status, command, *mentioned)
    need(not os.path.exists(fresh), "%s is left behind" % fresh)
    need_equal(snapshot(old), before, "the case changed")


# ---- captures --------------------------------------------------------------------------------------------------


@test
def missing_file(folder):
    refuse_capture(folder, os.path.join(folder, "missing.pcap"), "missing.pcap", "check the name")


@test
def missing_case(folder):
    for words in ("report",), ("digest",), ("query",), ("show",), ("files",):
        more = {"query": ["SELECT 1"], "show": ["0" * 32]}.get(words[0], [])
        refuse(INPUT, [words[0], os.path.join(folder, "missing.weir")] + more, "missing.weir", "weir read")


@test
def empty_file(folder):
    refuse_capture(folder, write(os.path.join(folder, "empty.pcap")), "empty.pcap", "empty")


@test
def empty_standard_input(folder):
    refuse(INPUT, ["read", "-", "-w", os.path.join(folder, "case")], "standard input")
    need(not os.path.exists(os.path.join(folder, "case")), "a case is left behind")


@test
def not_a_capture(folder):
    refuse_capture(folder, write(os.path.join(folder, "text.pcap"), b"no capture\n" * 100), "text.pcap", "not a capture",
                   "editcap")
    packed = write(os.path.join(folder, "text.gz"), gzip.compress(b"no capture\n" * 100))
    refuse_capture(folder, packed, "text.gz", "not a capture")


@test
def folder_without_captures(folder):
    os.makedirs(os.path.join(folder, "papers", "more"))
    write(os.path.join(folder, "papers", "a.txt"), b"text")
    refuse_capture(folder, os.path.join(folder, "papers"), "papers", "no capture")


def as_nobody(words, **options):
    if os.getuid() != 0:
        raise Skip("needs root, to become somebody else")
    try:
        if subprocess.run([WEIR, "-V"], user=NOBODY, group=NOBODY, extra_groups=[], stdout=subprocess.DEVNULL,
                          check=False).returncode:
            raise Skip("others cannot start %s" % WEIR)
    except PermissionError:
        raise Skip("others cannot start %s" % WEIR) from None
    # His key lies where he can write: the folder of the tests may be closed to him.
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        os.chmod(home, 0o777)
        done = subprocess.run([WEIR] + words, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=SECONDS, check=False,
                              env=dict(os.environ, WEIR_KEY=os.path.join(home, "key.pem")), **options)
    from program import Done
    return Done([WEIR] + words, done.returncode, done.stdout, done.stderr)


@test
def no_right_to_read(folder):
    secret = write(os.path.join(folder, "secret.pcap"), content_of(golden("udp/exchange")))
    os.chmod(secret, 0)
    need_sentence(as_nobody(["read", secret, "-w", "none"]), MACHINE, "secret.pcap", "no right")


@test
def no_right_to_write(folder):
    os.chmod(folder, 0o755)
    case = os.path.join(folder, "case.weir")
    need_sentence(as_nobody(["read", "-", "-w", case]), MACHINE, "case.weir")  # before it reads anything
    source = os.path.join("/tmp", "weir-%d.pcap" % os.getpid())
    shutil.copy(golden("udp/exchange"), source)
    os.chmod(source, 0o644)
    try:
        done = as_nobody(["read", source, "-w", case])
        need_sentence(done, MACHINE, "case.weir")
    finally:
        os.remove(source)
    need(not os.path.exists(case), "a case is left behind")


def unknown_link_type(folder, packets=5):
    head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 147)
    rows = [struct.pack("<IIII", 1700000000, i, 60, 60) + b"x" * 60 for i in range(packets)]
    return write(os.path.join(folder, "strange.pcap"), head, *rows)


@test
def link_type_that_is_not_known(folder):
    case = os.path.join(folder, "case")
    need_sentence(call("read", "-q", unknown_link_type(folder), "-w", case), INPUT, "5 packets", "link type")
    need_equal(query(case, "SELECT packets, link_types FROM capture"), [{"packets": 5, "link_types": "147"}])
    need_equal(query(case, "SELECT packets FROM loss"), [{"packets": 5}])


@test
def capture_that_was_cut(folder):
    whole, case = content_of(golden("tcp/pushes")), os.path.join(folder, "case")
    cut = write(os.path.join(folder, "cut.pcap"), whole[:5000])
    need_sentence(call("read", "-q", cut, "-w", case), INPUT, "cut.pcap", "7 packets")
    need_equal(query(case, "SELECT packets, truncated FROM capture"), [{"packets": 7, "truncated": True}])
    need_equal([row["reason"] for row in query(case, "SELECT reason FROM loss")], ["file_cut"])


@test
def capture_cut_at_every_place(folder):
    """Whatever is missing, all whole packets before it are there; between two packets nothing is missing."""
    whole = content_of(golden("udp/exchange"))
    head, packets = packets_of(golden("udp/exchange"))
    ends = [len(head) + sum(map(len, packets[:n])) for n in range(len(packets) + 1)]
    for size in range(ends[1], len(whole)):  # before that there is no time to judge a header by
        path = write(os.path.join(folder, "cut.pcap"), whole[:size])
        done = call("read", "-q", path, "-o", "json")
        need_equal(done.status, 0 if size in ends else INPUT, "cut at %d\n%s" % (size, done))
        rows = [row for row in done.rows() if row["kind"] == "capture"]
        need_equal(rows[0]["packets"], sum(end <= size for end in ends) - 1, "packets when cut at %d" % size)


@test
def compressed_capture_that_was_cut(folder):
    packed = gzip.compress(content_of(golden("http/nginx-large")))
    path = write(os.path.join(folder, "cut.pcap.gz"), packed[:len(packed) // 2])
    need_sentence(call("read", "-q", path, "-w", "none"), INPUT, "cut.pcap.gz")


@test
def capture_that_shrinks_while_it_is_read(folder):
    head, packets = packets_of(golden("demo"))
    path = write(os.path.join(folder, "shrinks.pcap"), head, *(packets * 60))
    size = os.path.getsize(path)
    case = os.path.join(folder, "case")
    reader = subprocess.Popen([WEIR, "read", "-q", path, "-w", case], stderr=subprocess.PIPE)
    time.sleep(0.02)
    os.truncate(path, size // 3)
    errors = reader.communicate(timeout=SECONDS)[1]
    need(reader.returncode in (0, INPUT), "status %d" % reader.returncode, errors)
    need_equal(len(query(case, "SELECT packets FROM capture")), 1)


@test
def damage_in_the_middle(folder):
    head, packets = packets_of(golden("demo"))
    broken = bytearray(packets[100])
    broken[8:12] = b"\xff\xff\xff\x7f"
    path = write(os.path.join(folder, "broken.pcap"), head, *packets[:100], bytes(broken), *packets[101:])
    case = os.path.join(folder, "case")
    need_sentence(call("read", "-q", path, "-w", case), INPUT, "broken.pcap", "damaged")
    row = query(case, "SELECT packets, damaged_bytes FROM capture")[0]
    need(row["packets"] >= len(packets) - 2 and row["damaged_bytes"] > 0, row)


# ---- cases -----------------------------------------------------------------------------------------------------


def rewrite_log(case, change):
    """Changes the entries of a case's log and chains them anew, as a program would that has written them."""
    path = os.path.join(case, "log", "00000001.jsonl")
    head, lines = "0" * 64, []
    for line in content_of(path).decode().splitlines():
        entry = json.loads(line)
        change(entry)
        entry["prev"] = head
        lines.append(json.dumps(entry, separators=(",", ":")))
        head = hashlib.sha256(lines[-1].encode()).hexdigest()
    write(path, ("\n".join(lines) + "\n").encode())


@test
def case_of_a_newer_version(folder):
    case = os.path.join(folder, "case")
    read(golden("udp/exchange"), "-w", case)
    rewrite_log(case, lambda entry: entry.update(format=99, weir="9.0.0"))
    before = snapshot(case)
    for words in ["read", golden("tcp/echo"), "-w", case], ["query", case, "SELECT 1"], ["report", case], ["digest", case]:
        refuse(INPUT, words, case, "9.0.0", "use that version")
    need_equal(snapshot(case), before, "the case changed")


@test
def case_with_a_changed_log(folder):
    case = os.path.join(folder, "case")
    read(golden("udp/exchange"), "-w", case)
    log = os.path.join(case, "log", "00000001.jsonl")
    write(log, content_of(log).replace(b'"time_ns":', b'"time_ns": ', 1))
    refuse(INPUT, ["query", case, "SELECT 1"], case, "changed")


@test
def case_that_another_process_writes(folder):
    case, pipe = os.path.join(folder, "case"), os.path.join(folder, "pipe")
    read(golden("tcp/echo"), "-w", case)
    os.mkfifo(pipe)
    before = snapshot(case)
    content = content_of(golden("http/nginx-large"))
    writer = subprocess.Popen([WEIR, "read", "-q", pipe, "-w", case], stderr=subprocess.PIPE)
    try:
        with open(pipe, "wb") as slow:
            slow.write(content[:-1000])
            slow.flush()
            wait_for_writer(case, writer.pid)
            refuse(INPUT, ["read", golden("udp/junk"), "-w", case], case, str(writer.pid), "another process", "wait")
            need_equal(len(query(case, "SELECT id FROM conversation")), 1, "a reader is not disturbed")
            slow.write(content[-1000:])
        errors = writer.communicate(timeout=SECONDS)[1]
    finally:
        writer.kill()
    need_equal((writer.returncode, errors), (0, b""), "the writer")
    need_equal(len(query(case, "SELECT id FROM conversation")), 2)
    need(set(before) <= set(snapshot(case)), "something went away")


def wait_for_writer(case, pid):
    for _ in range(200):
        lock = os.path.join(case, "lock")
        if os.path.exists(lock) and content_of(lock).strip() == str(pid).encode():
            return
        time.sleep(0.05)
    need(False, "the writer has not opened the case")


@test
def case_that_is_something_else(folder):
    other = os.path.join(folder, "other")
    os.makedirs(other)
    write(os.path.join(other, "letter.txt"), b"text")
    before = snapshot(other)
    refuse(USAGE, ["read", golden("tcp/echo"), "-w", other], "other", "another name")
    refuse(USAGE, ["read", golden("tcp/echo"), "-w", os.path.join(other, "letter.txt")], "letter.txt", "another name")
    refuse(INPUT, ["report", other], "other", "not a case", "weir read")
    need_equal(snapshot(other), before, "the folder changed")


@test
def folder_of_the_case_is_not_there(folder):
    case = os.path.join(folder, "a", "b", "case.weir")
    refuse(INPUT, ["read", golden("tcp/echo"), "-w", case], "case.weir", "make")


# ---- a full disk -----------------------------------------------------------------------------------------------

IN_SMALL_DISK = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'


def on_small_disk(disk, size, script):
    """Runs a shell script in which "$WEIR" may fill a disk of that size, which nobody else sees."""
    command = ["unshare", "-m", "sh", "-c", IN_SMALL_DISK, "sh", size, disk, "sh", "-c", script]
    environment = dict(os.environ, WEIR=WEIR, DISK=disk, BIG=golden("http/nginx-large"), SMALL=golden("udp/exchange"))
    return subprocess.run(command, capture_output=True, env=environment, timeout=SECONDS, check=False)


def small_disk(folder):
    disk = os.path.join(folder, "disk")
    os.makedirs(disk)
    if os.getuid() != 0 or shutil.which("unshare") is None or on_small_disk(disk, "1m", "true").returncode:
        raise Skip("needs the right to mount a file system")
    return disk


def need_full(done, size):
    lines = done.stderr.decode().splitlines()
    need(len(lines) == 1 and lines[0].startswith("weir: "), "not one sentence on a disk of " + size, done.stderr)
    need("space" in lines[0] or "full" in lines[0], "does not tell that the disk is full", lines[0])


def sizes():
    """Disks from far too small to large enough, so that another write fails on each."""
    for kilobytes in range(4, 2000, 28):
        yield "%dk" % kilobytes
    need(False, "the reading does not fit in 2 MB")


@test
def full_disk_with_a_fresh_case(folder):
    disk = small_disk(folder)
    script = '"$WEIR" read -q "$BIG" -w "$DISK/case"; s=$?; find "$DISK" -mindepth 1; exit $s'
    for size in sizes():
        done = on_small_disk(disk, size, script)
        if done.returncode == 0:
            break
        need_equal(done.returncode, MACHINE, "on a disk of %s\n%s" % (size, done))
        need_full(done, size)
        need_equal(done.stdout, b"", "left behind on a disk of " + size)


@test
def full_disk_with_a_case_that_is_there(folder):
    disk = small_disk(folder)
    script = ('"$WEIR" read -q "$SMALL" -w "$DISK/case" || exit 99; '
              'find "$DISK" -type f | sort >"$TMP/before"; "$WEIR" digest "$DISK/case" >>"$TMP/before"; '
              '"$WEIR" read -q "$BIG" -w "$DISK/case"; s=$?; '
              'find "$DISK" -type f | sort >"$TMP/after"; "$WEIR" digest "$DISK/case" >>"$TMP/after"; '
              'cmp "$TMP/before" "$TMP/after" || exit 98; exit $s')
    for size in sizes():
        done = on_small_disk(disk, size, "TMP='%s'\n%s" % (folder, script))
        if done.returncode == 99:
            continue
        if done.returncode == 98 and not done.stderr:
            break
        need_equal(done.returncode, MACHINE, "on a disk of %s\n%s" % (size, done))
        need_full(done, size)


@test
def full_disk_behind_standard_output(folder):
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    case = os.path.join(folder, "case")
    read(golden("demo"), "-w", case)
    conversation = query(case, "SELECT id FROM conversation LIMIT 1")[0]["id"]
    for words in (["query", case, "SELECT * FROM dns", "-o", "json"], ["query", case, "-k", "dns"], ["report", case],
                  ["digest", case], ["read", "-q", golden("demo"), "-o", "json"], ["show", case, conversation],
                  ["fields"], ["shards", golden("demo")]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([WEIR] + words, stdout=full, stderr=subprocess.PIPE, timeout=SECONDS, check=False)
        lines = done.stderr.decode().splitlines()
        need_equal(done.returncode, MACHINE, "%s\n%s" % (words, done.stderr))
        need(len(lines) == 1 and lines[0].startswith("weir: "), words, done.stderr)


# ---- words -----------------------------------------------------------------------------------------------------


@test
def wrong_words(folder):
    capture = golden("udp/exchange")
    refuse(USAGE, ["read", capture, "-f", "no such filter"], "no such filter", "pcap-filter")
    refuse(USAGE, ["read", capture, "--such"], "--such", "weir read --help")
    refuse(USAGE, ["read", capture, "-Z"], "-Z", "weir read --help")
    refuse(USAGE, ["read"], "weir read FILE")
    refuse(USAGE, ["raed", capture], "raed", "read", "weir --help")
    refuse(USAGE, [capture], "weir read")
    refuse(USAGE, ["read", capture, "-j", "0"], "-j", "1 and 64")
    refuse(USAGE, ["read", capture, "-j", "x"], "-j", "x")
    refuse(USAGE, ["read", capture, "-j"], "-j", "value")
    refuse(USAGE, ["read", capture, "--timeout", "soon"], "soon", "600s")
    refuse(USAGE, ["read", capture, "-o", "xml"], "xml", "json")
    refuse(INPUT, ["read", capture, "--services", os.path.join(folder, "no.csv")], "no.csv")
    refuse(USAGE, ["query", capture], "weir query CASE")
    refuse(USAGE, ["query", capture, "-k", "dnss"], "dnss", "weir fields")
    refuse(USAGE, ["query", capture, "SELECT 1", "-o", "xml"], "xml", "csv")
    refuse(USAGE, ["show", capture, "12"], "12", "32 hexadecimal digits")
    refuse(USAGE, ["show", capture], "weir show CASE ID")
    refuse(NOTHING_FOUND, ["show", capture, "0" * 32], "id")
    refuse(USAGE, ["show", capture, "0" * 32, "--raw", "up"], "up", "src or dst")
    refuse(USAGE, ["fields", "dnss"], "dnss", "weir fields")
    refuse(USAGE, ["shards"], "weir shards FILE")
    refuse(USAGE, ["digest"], "weir digest CASE")


@test
def wrong_sql_points_at_the_place(folder):
    for sql, word in ("SELEC 1", "SELEC"), ("SELECT * FROM no_such_kind", "no_such_kind"), ("SELECT x FROM dns", '"x"'):
        done = call("query", golden("udp/exchange"), sql)
        lines = done.err.decode().splitlines()
        need_equal((done.status, done.out), (USAGE, b""), done)
        need(lines[0].startswith("weir: ") and word in lines[0] and lines[-1].strip() == "^", done)


@test
def sql_stays_inside_the_case(folder):
    case, target = os.path.join(folder, "case"), os.path.join(folder, "out.csv")
    read(golden("udp/exchange"), "-w", case)
    for sql in ("SELECT * FROM read_csv('/etc/passwd')", "COPY (SELECT 1) TO '%s'" % target, "ATTACH '%s'" % target,
                "SELECT * FROM read_text('%s')" % golden("udp/exchange"), "SET enable_external_access=true",
                "INSTALL httpfs", "CREATE TABLE t AS SELECT 1", "DROP VIEW dns", "SELECT 1; SELECT 2"):
        done = call("query", case, sql)
        need(done.status != 0 and done.err.startswith(b"weir: ") and done.out == b"", sql, done)
    need(not os.path.exists(target), "a file was written")


@test
def wrong_expression_points_at_the_place(folder):
    for expression, column in ("no_such_field == 1", 0), ("dst_port ==", 11), ("dst_port == 80 and (", 20):
        done = call("query", golden("udp/exchange"), "-k", "conversation", "-Y", expression)
        lines = done.err.decode().splitlines()
        need_equal((done.status, done.out), (USAGE, b""), done)
        need(lines[0].startswith("weir: "), done)
        carets = [line for line in lines if line.strip() == "^"]
        need(len(carets) == 1 and abs(carets[0].index("^") - 2 - column) <= 1, "the place in " + expression, done)


@test
def nothing_found(folder):
    for words in ["SELECT * FROM dns WHERE query = 'x'"], ["-k", "http"], ["-k", "dns", "-Y", 'query == "x"']:
        done = call("query", golden("udp/exchange"), *words, "-o", "json")
        need_equal((done.status, done.out, done.err), (NOTHING_FOUND, b"", b""), done)


main()
