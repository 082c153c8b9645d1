#!/usr/bin/env python3
"""The command line: help, exit status, what goes where, and readings as the unit of idempotence."""

import hashlib
import os
import re
import shutil

from program import (call, content_of, digest, golden, listing, main, need, need_equal, query, read, records, test, weir,
                     write)

COMMANDS = ["read", "report", "query", "show", "files", "export", "dissect", "digest", "shards", "fields"]
USAGE = 2


def rows(case, kind):
    done = weir("query", case, "-k", kind, "-o", "json", status=(0, 1))
    return done.rows()


# ---- words -----------------------------------------------------------------------------------------------------


@test
def version(folder):
    for word in "-V", "--version", "version":
        done = weir(word)
        need(re.match(rb"weir \d+\.\d+\.\d+ ", done.out) and not done.err, done)


@test
def help_of_the_program(folder):
    for words in ["--help"], ["-h"], ["help"]:
        done = weir(*words)
        need(all(b"weir " + name.encode() in done.out for name in COMMANDS) and not done.err, done)


@test
def help_of_each_command(folder):
    for name in COMMANDS:
        done = weir(name, "--help")
        need(done.out.startswith(b"weir " + name.encode()) and not done.err, done)
        need_equal(weir("help", name).out, done.out, "weir help " + name)
        need_equal(weir(name, "-h").out, done.out, "weir %s -h" % name)
        for letter, word in re.findall(rb"^  (?:-(\w), )? *--([\w-]+)", done.out, re.M):
            need(word, "an option without a name", done)


@test
def without_a_command(folder):
    done = weir(status=USAGE)
    need(not done.out and b"weir read" in done.err, done)


@test
def command_that_is_not_there(folder):
    for wrong, right in ("raed", "read"), ("reprot", "report"), ("qurey", "query"), ("digset", "digest"):
        done = weir(wrong, status=USAGE)
        need(not done.out and b'"%s"' % right.encode() in done.err, done)


@test
def options_are_taken_in_every_form(folder):
    capture, cases = golden("udp/silence-599"), []
    for words in (["--timeout", "598s"], ["--timeout=598s"]):
        cases.append(len(records(capture, *words, kinds={"conversation"})))
    need_equal(cases, [2, 2])
    for words in (["-j2", "-wnone"], ["-j", "2", "-w", "none"], ["--lanes=2", "--write=none"], ["-qj2", "-w", "none"]):
        weir("read", capture, *words)
    need_equal(weir("read", "-q", "-w", "none", "--", capture).out, b"")
    need_equal(weir("read", "-q", "-w", "none", "-r", capture).out, b"")


# ---- what goes where -------------------------------------------------------------------------------------------


@test
def report_on_standard_output(folder):
    done = weir("read", golden("demo"), folder=folder)
    need(done.out and not done.err, "the report, and no progress where nobody watches", done)
    again = weir("report", "demo.weir", folder=folder)
    need(again.out and not again.err, again)
    lines = done.out.decode().splitlines()
    need(all(len(line) <= 80 or "weir " in line for line in lines), "lines longer than the screen")


@test
def quiet_is_silent(folder):
    for words in ["-w", "none"], ["-w", "memory"], ["-w", os.path.join(folder, "case")]:
        done = weir("read", "-q", golden("demo"), *words)
        need_equal((done.out, done.err), (b"", b""))


@test
def remarks_on_standard_error(folder):
    cut = write(os.path.join(folder, "cut.pcap"), content_of(golden("demo"))[:30001])
    done = weir("read", "-q", cut, "-o", "json", status=3)
    need(done.err.startswith(b"weir: ") and all(row["kind"] for row in done.rows()), done)
    done = weir("query", cut, "SELECT 1 AS one", "-o", "json")
    need_equal((done.rows(), done.err[:6]), ([{"one": 1}], b"weir: "))


@test
def nothing_is_kept_unless_asked(folder):
    for words in ["read", "-w", "none"], ["read", "-w", "memory"], ["read", "-o", "json"], ["digest"], ["shards"]:
        weir(words[0], golden("udp/exchange"), *words[1:], folder=folder)
    weir("query", golden("udp/exchange"), "SELECT 1", folder=folder)
    need_equal(listing(folder), {})


@test
def default_name_of_the_case(folder):
    os.makedirs(os.path.join(folder, "sub", "day"))
    names = {"sub/a.pcap": "a.weir", "sub/b.c.pcapng": "b.c.weir", "sub/d.cap": "d.weir", "sub/plain": "plain.weir"}
    for name, case in names.items():
        shutil.copy(golden("udp/exchange"), os.path.join(folder, name))
        read(name, folder=folder)
        need(os.path.isdir(os.path.join(folder, case)), "%s is not there" % case)
    shutil.copy(golden("udp/exchange"), os.path.join(folder, "sub", "day", "x.pcap"))
    read("sub/day/", folder=folder)
    need(os.path.isdir(os.path.join(folder, "day.weir")), "day.weir is not there")
    read("-", folder=folder, stdin=content_of(golden("udp/exchange")))
    need(os.path.isdir(os.path.join(folder, "capture.weir")), "capture.weir is not there")


@test
def formats(folder):
    case = os.path.join(folder, "case")
    read(golden("udp/exchange"), "-w", case)
    sql = "SELECT src_addr, dst_port FROM conversation"
    need_equal(query(case, sql), [{"src_addr": "192.0.2.10", "dst_port": 53}])
    need_equal(weir("query", case, sql, "-o", "csv").out.decode().split(), ["src_addr,dst_port", "192.0.2.10,53"])
    table = weir("query", case, sql).out.decode().splitlines()
    need_equal(table[0].split(), ["src_addr", "dst_port"])
    need_equal(table[2].split()[:2], ["192.0.2.10", "53"])
    need_equal(weir("query", case, sql, "-o", "parquet").out[:4], b"PAR1")


@test
def kind_and_sql_say_the_same(folder):
    case = os.path.join(folder, "case")
    read(golden("demo"), "-w", case)
    for kind in "conversation", "http", "dns", "tls", "x509", "file":
        by_sql, by_kind = query(case, "SELECT * FROM %s" % kind), rows(case, kind)
        need(by_sql, "no %s in the demonstration" % kind)
        need_equal(sorted(row["id"] for row in by_kind), sorted(row["id"] for row in by_sql), kind)
    by_filter = weir("query", case, "-k", "http", "-Y", "status_code >= 400", "-o", "json").rows()
    by_sql = query(case, "SELECT id FROM http WHERE status_code >= 400")
    need(by_sql and {row["id"] for row in by_filter} == {row["id"] for row in by_sql}, by_sql, by_filter)


@test
def fields_are_told(folder):
    for kind in "conversation", "flow", "dns", "http", "tls", "x509", "file", "anomaly", "loss", "capture":
        need(kind.encode() in weir("fields").out, kind)
        told = weir("fields", kind).out.decode()
        for name in records(golden("demo"), kinds={kind})[:1] or [{}]:
            missing = [field for field in name if field != "kind" and not re.search(r"\b%s\b" % field, told)]
            need(not missing, "weir fields %s does not tell %s" % (kind, missing))


# ---- readings --------------------------------------------------------------------------------------------------


@test
def reading_again_adds_nothing(folder):
    case = os.path.join(folder, "case")
    read(golden("demo"), "-w", case)
    before, files = digest(case), listing(case)
    done = read(golden("demo"), "-w", case)
    need(b"already" in done.err and b"nothing to add" in done.err and not done.out, done)
    copy = shutil.copy(golden("demo"), os.path.join(folder, "another-name.pcap"))
    need(b"already" in read(copy, "-w", case).err, "a copy under another name")
    need(b"nothing to add" in read("-", "-w", case, stdin=content_of(copy)).err, "from standard input")
    need_equal((digest(case), listing(case)), (before, files))


@test
def other_options_need_again(folder):
    case = os.path.join(folder, "case")
    read(golden("demo"), "-w", case)
    before = digest(case)
    done = weir("read", "-q", golden("demo"), "-w", case, "--timeout", "5s", status=USAGE)
    need(b"--again" in done.err and done.err.count(b"\n") == 1, done)
    need_equal(digest(case), before)
    read(golden("demo"), "-w", case, "--timeout", "5s", "--again")
    fresh = os.path.join(folder, "fresh")
    read(golden("demo"), "-w", fresh, "--timeout", "5s")
    need_equal(digest(case), digest(fresh))
    need(digest(case) != before, "the option makes no difference")
    need_equal(len(rows(case, "capture")), 1)


@test
def lanes_are_no_other_options(folder):
    case = os.path.join(folder, "case")
    read(golden("demo"), "-w", case)
    need(b"already" in read(golden("demo"), "-w", case, "-j", "2").err, "lanes must not matter")


@test
def a_folder_that_has_grown(folder):
    """Only what is new is read, and it is the same evidence as if it had been read alone."""
    day, case, whole = (os.path.join(folder, name) for name in ("day", "case", "whole"))
    os.makedirs(day)
    shutil.copy(golden("udp/exchange"), day)
    read(day, "-w", case)
    shutil.copy(golden("tcp/echo"), day)
    done = read(day, "-w", case)
    need(b"only the others were read" in done.err, done)
    hashes = {hashlib.sha256(content_of(golden(name))).hexdigest() for name in ("udp/exchange", "tcp/echo")}
    need_equal({row["sha256"] for row in rows(case, "capture")}, hashes)
    read(golden("udp/exchange"), "-w", whole)
    read(golden("tcp/echo"), "-w", whole)
    need_equal(digest(case), digest(whole))
    need(b"nothing to add" in read(day, "-w", case).err)


@test
def a_tap_has_other_ids(folder):
    plain = records(golden("udp/exchange"), kinds={"conversation"})[0]["id"]
    named = records(golden("udp/exchange"), "--tap", "uplink", kinds={"conversation"})[0]["id"]
    need(plain != named and plain[:16] == named[:16], plain, named)


@test
def a_packet_filter(folder):
    found = records(golden("demo"), "-f", "udp port 53")
    need({row.get("service") for row in found if row["kind"] == "conversation"} <= {"dns", None}, "not only DNS")
    capture = [row for row in found if row["kind"] == "capture"][0]
    need(0 < capture["filtered"] < capture["packets"] + capture["filtered"], capture)


@test
def stop_at_conversations(folder):
    kinds = {row["kind"] for row in records(golden("demo"), "--no-dissect")}
    need_equal(kinds - {"loss", "counter"}, {"conversation", "flow", "capture"})


# ---- one conversation ------------------------------------------------------------------------------------------


@test
def raw_bytes_are_those_of_the_body(folder):
    case = os.path.join(folder, "case")
    read(golden("http/nginx-large"), "-w", case)
    (file,) = query(case, "SELECT * FROM file")
    stream = weir("show", case, file["conversation_id"], "--raw", "dst").out
    head, body = stream.split(b"\r\n\r\n", 1)
    need(head.startswith(b"HTTP/1.1 200") and len(body) == file["size"] == 300000, len(body), file)
    need_equal(hashlib.sha256(body).hexdigest(), file["sha256"])
    kept = os.path.join(case, "artifacts", file["sha256"][:2], file["sha256"])
    need(content_of(kept) == body, "the artifact differs from the stream")
    request = weir("show", case, file["conversation_id"], "--raw", "src").out
    need(request.startswith(b"GET "), request)


@test
def show_by_any_id(folder):
    case = os.path.join(folder, "case")
    read(golden("http/nginx-gzip"), "-w", case)
    (conversation,) = query(case, "SELECT id FROM conversation")
    expected = weir("show", case, conversation["id"]).out
    for kind in "http", "file":
        need_equal(weir("show", case, query(case, "SELECT id FROM %s LIMIT 1" % kind)[0]["id"]).out, expected, kind)


@test
def packets_of_a_conversation(folder):
    case = os.path.join(folder, "case")
    read(golden("demo"), "-w", case)
    for row in query(case, "SELECT id, src_packets + dst_packets AS packets FROM conversation LIMIT 20"):
        need_equal(weir("show", case, row["id"], "--packets").out.count(b"\n"), row["packets"], row["id"])


@test
def capture_that_is_gone(folder):
    capture, case = os.path.join(folder, "gone.pcap"), os.path.join(folder, "case")
    shutil.copy(golden("udp/exchange"), capture)
    read(capture, "-w", case)
    (row,) = query(case, "SELECT id FROM conversation")
    os.rename(capture, capture + ".away")
    done = call("show", case, row["id"], "--packets")
    need(done.status == 3 and b"gone.pcap" in done.err and done.err.count(b"\n") == 1, done)


@test
def files_are_taken_out(folder):
    case, out = os.path.join(folder, "case"), os.path.join(folder, "out")
    read(golden("http/nginx-keepalive"), "-w", case)
    weir("files", case, "-w", out)
    hashes = {row["sha256"] for row in query(case, "SELECT sha256 FROM file")}
    found = {hashlib.sha256(content_of(os.path.join(out, name))).hexdigest() for name in os.listdir(out)}
    need_equal(found, hashes)


main()
