#!/usr/bin/env python3
"""weir search: what stands where, in streams and artifacts."""

import os
import re
import shutil

from program import GOLDEN, LONG, content_of, golden, golden_captures, main, need, need_equal, query, read, test, weir, write


def case_of(folder, *names):
    """A case of bundled captures, which are copied beside it."""
    case = os.path.join(folder, "case.weir")
    paths = [write(os.path.join(folder, name.replace("/", "-") + ".pcap"), content_of(golden(name))) for name in names]
    read(*paths, "-w", case)
    return case


def matches(case, term, *words, status=0):
    return weir("search", case, term, "-o", "json", *words, status=status).rows()


def places(rows):
    return [(row["side"], row["position"], row["length"], row["frames"]) for row in rows]


@test
def a_string_in_a_stream(folder):
    case = case_of(folder, "tcp/simple-exchange")
    request, = matches(case, "User-Agent")
    need_equal((request["side"], request["position"], request["length"], request["text"]), ("src", 37, 10, "User-Agent"))
    need_equal((request["frames"], request["captures"]), ([4], [os.path.join(folder, "tcp-simple-exchange.pcap")]))
    need(request["before"].endswith("\r\n") and request["behind"].startswith(": weir"), request)
    conversation, = query(case, "select id, src_port from conversation")
    need_equal((request["conversation_id"], request["src_port"]), (conversation["id"], conversation["src_port"]))


@test
def over_segments(folder):
    case = case_of(folder, "tcp/one-byte-segments")
    found, = matches(case, "User-Agent")
    need_equal(len(found["frames"]), 10, found)
    need_equal(found["frames"], list(range(found["frames"][0], found["frames"][0] + 10)))
    need_equal(places(matches(case, "/(?s)User-A.*?X-Fill/"))[0][1], found["position"])


@test
def once_however_often_it_was_sent(folder):
    for name in "tcp/retransmission-full", "tcp/retransmission-whole", "tcp/retransmission-partial", "tcp/reordered":
        shutil.rmtree(os.path.join(folder, "case.weir"), ignore_errors=True)
        case = case_of(folder, name)
        need_equal(len(matches(case, "User-Agent: ")), 1, name)


@test
def not_over_a_gap(folder):
    case = case_of(folder, "tcp/losses")
    gaps = query(case, "select side, \"offset\" as at, bytes from loss where bytes > 0 and side = 'dst'")
    need(gaps, "the capture has gaps")
    for row in matches(case, "/(?s).{30}/"):
        for gap in gaps:
            at = int(gap["at"])
            need(row["side"] != "dst" or row["position"] + row["length"] <= at or row["position"] >= at, row, gap)


@test
def in_datagrams(folder):
    case = case_of(folder, "fragment/ipv4")
    rows = matches(case, "000000 the water")
    need([2, 3] in [row["frames"] for row in rows], "all fragments of the datagram are named", rows)
    case = os.path.join(folder, "dns.weir")
    read(golden("dns/bind-types"), "-w", case)
    need(matches(case, "0x04776569720474657374"), "weir.test as a name in DNS")
    need(all(row["proto"] == 17 for row in matches(case, "0x0477656972")), "UDP")


@test
def in_certificates(folder):
    case = case_of(folder, "tls/openssl-tls12-rsa")
    need_equal({row["side"] for row in matches(case, "Weir Test Intermediate")}, {"dst"})


@test
def in_artifacts(folder):
    case = case_of(folder, "http/nginx-gzip")
    files = query(case, "select id, artifact from file where artifact is not null and encodings is not null")
    need(files, "the capture has encoded files")
    for file in files:
        path = os.path.join(case, "artifacts", file["artifact"][:2], file["artifact"])
        term = content_of(path)[20:32]
        rows = [row for row in matches(case, "0x" + term.hex(), "--limit", "100000") if "artifact" in row]
        need_equal({row["artifact"] for row in rows if row["artifact"] == file["artifact"]}, {file["artifact"]})
        found = [row["position"] for row in rows if row["artifact"] == file["artifact"]]
        content, expected, at = content_of(path), [], 0
        while (at := content.find(term, at)) >= 0:
            expected.append(at)
            at += len(term)
        need_equal(found, expected)
        need(file["id"] in rows[0]["file_ids"], "its record is named", rows[0])
    os.remove(path)
    done = weir("search", case, "0x" + term.hex(), status=3)
    need(b"not in the case any more" in done.err, done)


@test
def the_streams_hold_what_is_found(folder):
    for name in "http/nginx-keepalive", "http/nginx-large", "tcp/sequence-wrap", "tls/openssl-tls13":
        shutil.rmtree(os.path.join(folder, "case.weir"), ignore_errors=True)
        case = case_of(folder, name)
        for pattern in b"[a-z]{5,9}", b"\x00.", b"(?<=:).*?\n", b"[\\x80-\\xff]{4}":
            rows = matches(case, "/" + "".join("\\x%02x" % c if c > 126 or c < 32 else chr(c) for c in pattern) + "/",
                           "--limit", "1000000", status=(0, 1))
            expected = []
            for conversation, in sorted({(row["id"],) for row in query(case, "select id from conversation")}):
                for side in "src", "dst":
                    raw = weir("show", case, conversation, "--raw", side).out
                    expected += [(conversation, side, m.start(), m.end() - m.start())
                                 for m in re.finditer(pattern, raw)]
            found = [(row["conversation_id"], row["side"], row["position"], row["length"])
                     for row in rows if "artifact" not in row]
            need_equal(sorted(found), sorted(expected), "%s in %s" % (pattern, name))


@test
def whatever_case_the_letters_have(folder):
    case = case_of(folder, "tcp/simple-exchange")
    matches(case, "user-agent", status=1)
    need_equal(len(matches(case, "user-agent", "-i")), 1)
    need_equal(len(matches(case, "/USER-[a-z]+/", "-i")), 1)


@test
def only_in_some_conversations(folder):
    case = case_of(folder, "demo")
    everywhere = matches(case, "HTTP/1.1")
    one = everywhere[0]["conversation_id"]
    some = matches(case, "HTTP/1.1", "-Y", "id == %s" % one)
    need_equal(some, [row for row in everywhere if row.get("conversation_id") == one])
    matches(case, "HTTP/1.1", "-Y", "src_port == 1", status=1)
    ids = {row["id"] for row in query(case, "select id from conversation where service = 'http'")}
    need({row["conversation_id"] for row in matches(case, "/(?s)./", "-Y", "service == \"http\"")
          if "conversation_id" in row} <= ids, "only what -Y names")


@test
def no_more_than_the_limit(folder):
    case = case_of(folder, "demo")
    everything = matches(case, "HTTP/1.1")
    done = weir("search", case, "HTTP/1.1", "-o", "json", "--limit", "3")
    need_equal(done.rows(), everything[:3])
    need(b"these are 3 of %d matches" % len(everything) in done.err, done)


@test
def for_people(folder):
    case = case_of(folder, "tcp/simple-exchange")
    done = weir("search", case, "User-Agent")
    need(b"\x1b" not in done.out, "no colours where there is no terminal", done)
    need(b"--> 10 bytes at 37" in done.out and b"frame 4" in done.out and b"..User-Agent: weir.." in done.out, done)


@test
def nothing_and_mistakes(folder):
    case = case_of(folder, "tcp/simple-exchange")
    need_equal(weir("search", case, "no such text", status=1).out, b"")
    for words in ((case,), (case, ""), (case, "0x123"), (case, "/(/"), (case, "a", "-o", "yaml"), (case, "a", "b")):
        done = weir("search", *words, status=2)
        need(done.err.startswith(b"weir: ") and done.err.count(b"\n") == 1, done)
    need_equal(len(matches(golden("tcp/simple-exchange"), "User-Agent")), 1, "a capture in place of a case")


@test
def without_the_capture(folder):
    case = case_of(folder, "http/nginx-keepalive")
    os.remove(os.path.join(folder, "http-nginx-keepalive.pcap"))
    done = weir("search", case, "<h1>", "-o", "json", status=3)
    need(b"nginx-keepalive.pcap" in done.err and b"put it back" in done.err, done)
    need([row for row in done.rows() if "artifact" in row], "what can be searched is searched", done)


# ---- with an index ---------------------------------------------------------------------------------------------

TERMS = ["the water", "weir.test", "User-Agent", "x", "0x16030100", "/[A-Z]{2,}ET [^ ]+/", "/(?s)HTTP.{20}/", "no such text",
         "/(GET|POST) /", "Content-Length: 0", "0x0000000100000000"]


def index_of(case):
    folder = os.path.join(case, "cache")
    return os.path.join(folder, [name for name in os.listdir(folder) if "artifacts" not in name][0])


@test
def an_index_hides_nothing(folder):
    case = os.path.join(folder, "case.weir")
    read(GOLDEN, "-w", case)
    scanned = {term: weir("search", case, term, "-i", "--limit", "100000", status=(0, 1)) for term in TERMS}
    done = weir("search", case, "--index")
    share = float(re.search(rb"([0-9.]+) % of", done.err).group(1))
    need(share <= 3, "the index is small", done)
    for term in TERMS:
        asked = weir("search", case, term, "-i", "--limit", "100000", status=(0, 1))
        need_equal((asked.status, asked.out), (scanned[term].status, scanned[term].out), term)
    need(any(scanned[term].out for term in TERMS), "something was found")


@test
def an_index_for_every_capture(folder):
    every = 1 if LONG else 4
    for name, path in list(golden_captures().items())[::every]:
        case = os.path.join(folder, name.replace("/", "-"))
        read(path, "-w", case, "--index")
        content = content_of(path)
        terms = [content[at:at + 9] for at in (len(content) // 3, len(content) - 30)]
        for term in terms:
            words = ("search", case, "0x" + term.hex(), "-o", "json")
            asked, scanned = weir(*words, status=(0, 1)), weir(*words, "--scan", status=(0, 1))
            need_equal((asked.status, asked.out), (scanned.status, scanned.out), name)


@test
def what_the_index_leaves_out_is_not_read(folder):
    case = case_of(folder, "tcp/losses")
    weir("search", case, "--index")
    os.remove(os.path.join(folder, "tcp-losses.pcap"))
    weir("search", case, "no such text anywhere", status=1)
    weir("search", case, "User-Agent", status=3)
    weir("search", case, "no such text anywhere", "--scan", status=3)


@test
def an_index_that_does_not_fit(folder):
    case = case_of(folder, "tcp/simple-exchange")
    weir("search", case, "--index")
    path = index_of(case)
    whole = content_of(path)
    for changed in whole[:-1], whole[:60] + bytes([whole[60] ^ 1]) + whole[61:], b"", b"x" * 5000, whole + b"x", \
            whole[:8] + bytes(32) + whole[40:]:
        write(path, changed)
        done = weir("search", case, "User-Agent")
        need(b"not used" in done.err and done.err.count(b"\n") == 1, done)
    weir("search", case, "--index")
    need_equal(content_of(path), whole, "it is made again")
    weir("verify", "--quick", case)
    write(os.path.join(case, "cache", "something else"), b"x")
    done = weir("verify", "--quick", case, status=1)
    need(b"something else" in done.out + done.err, "only indexes are passed over", done)
    need_equal(weir("search", case, "User-Agent").err, b"")


@test
def an_index_of_a_part(folder):
    case = case_of(folder, "tcp/simple-exchange")
    weir("search", case, "--index")
    read(golden("http/nginx-keepalive"), "-w", case)
    need_equal(len({row["conversation_id"] for row in matches(case, "User-Agent: ") if "conversation_id" in row}), 2)


@test
def no_index_without_a_case(folder):
    for words in (("search", golden("demo"), "--index"), ("read", golden("demo"), "-w", "none", "--index")):
        need(b"case" in weir(*words, status=2).err, words)


@test
def hostile_patterns(folder):
    case = case_of(folder, "http/nginx-large")
    weir("search", case, "/(?s)(.+)+.*(.*)*\\x00\\x00nothing/", status=1)
    done = weir("search", case, "/(a|a?)+$|(.|.)+\\x00nothing/", status=(0, 1))
    need(done.status == 0 or b"too many steps" in done.err, done)


if __name__ == "__main__":
    main()
