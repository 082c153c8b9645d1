#!/usr/bin/env python3
"""weir verify: a sound case is found sound; whatever is changed in it is named; what cannot be checked is said.

    verify.py [--count N] [--seed N] [TEST ...]     random changes: 50, with WEIR_LONG=1 1000
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys

from program import LONG, Skip, call, content_of, golden, main, need, need_equal, read, test, weir, write


def number_after(word, otherwise):
    if word not in sys.argv:
        return otherwise
    place = sys.argv.index(word)
    number = int(sys.argv[place + 1])
    del sys.argv[place:place + 2]
    return number


COUNT = number_after("--count", 1000 if LONG else 50)
SEED = number_after("--seed", 1)
LOG = "log/00000001.jsonl"


def state_of(case):
    """What verify prints to be kept elsewhere."""
    line = [line for line in weir("verify", "--quick", case).out.decode().splitlines() if line.startswith("state ")]
    need_equal(len(line), 1, "one state")
    return line[0].split()[1]


def make_case(folder):
    """Two readings, the first of them kept; and the capture of the other."""
    case, capture = os.path.join(folder, "case"), os.path.join(folder, "demo.pcap")
    shutil.copy(golden("demo"), capture)
    read("--keep", golden("http/python-http10"), "-w", case)
    read(capture, "-w", case, "--why", "a test")
    return case, capture


def files_of(case):
    """All that the log covers: everything but the lock."""
    found = []
    for path, _, names in os.walk(case):
        found += [os.path.relpath(os.path.join(path, name), case) for name in names]
    return sorted(set(found) - {"lock"})


def lines_of(case):
    return content_of(os.path.join(case, LOG)).splitlines(keepends=True)


def said(done):
    return (done.out + done.err).decode("utf-8", "replace")


# ---- sound -----------------------------------------------------------------------------------------------------


@test
def a_sound_case(folder):
    case, _ = make_case(folder)
    done = weir("verify", case)
    need(b"your key" in done.out, done)
    need(b"2 readings made again" in done.out, done)
    need_equal(weir("verify", "-j", "4", case).out, done.out, "with four lanes")
    state = state_of(case)
    weir("verify", "--quick", "--head", state, case)
    first = hashlib.sha256(lines_of(case)[0].rstrip(b"\n")).hexdigest()
    weir("verify", "--quick", "--head", first, case)
    weir("verify", "--quick", "--head", first + ":1", case)
    weir("verify", "--quick", "--head", first + ":2", case, status=1)
    weir("verify", "--quick", "--head", "abc", case, status=2)
    weir("verify", status=2)


@test
def replaced_readings(folder):
    case, capture = make_case(folder)
    read("--again", "--file-limit", "100", capture, "-w", case)
    weir("verify", case)
    read("--again", "--no-dissect", capture, "-w", case)
    weir("verify", case)


@test
def dissected_again(folder):
    case, _ = make_case(folder)
    weir("dissect", case, "-Y", 'service == "http"')
    weir("verify", case)
    weir("dissect", case, "--file-limit", "100")
    weir("verify", "--quick", case)
    done = weir("verify", case, status=3)
    need_equal(done.err.count(b"put others in their place"), 1, done)


@test
def a_case_elsewhere(folder):
    """Copied, in another folder, and on a medium that cannot be written."""
    case, _ = make_case(folder)
    other = os.path.join(folder, "another name")
    shutil.copytree(case, other)
    os.remove(os.path.join(other, "lock"))
    os.chmod(other, 0o500)
    weir("verify", other)
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ! touch "$0/x" 2>/dev/null && exec "$@"'
    wrapper = ["unshare", "-rm", "sh", "-c", script, other]
    if subprocess.run(wrapper + ["true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("nothing can be mounted here")
    weir("verify", other, wrapper=wrapper)


@test
def signatures_without_weir(folder):
    """As docs/formats/case.md describes it."""
    case, _ = make_case(folder)
    lines = [line.rstrip(b"\n") for line in lines_of(case)]
    need_equal([json.loads(line)["type"] for line in lines], ["case", "checkpoint"] + 2 * ["reading", "checkpoint"])
    last = lines[-1]
    message, signature = last[:-1].rsplit(b',"signature":', 1)
    key = json.loads(last)["key"]
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", os.path.join(case, "keys", key[:16] + ".pem"), "-rawin",
         "-in", write(os.path.join(folder, "message"), message), "-sigfile",
         write(os.path.join(folder, "signature"), bytes.fromhex(json.loads(signature)))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    need(done.returncode == 0, done.stdout)
    for before, line in zip(lines, lines[1:]):
        need_equal(json.loads(line)["prev"], hashlib.sha256(before).hexdigest())


# ---- changed ---------------------------------------------------------------------------------------------------


def flip(case, random_):
    name = random_.choice([name for name in files_of(case) if os.path.getsize(os.path.join(case, name))])
    path = os.path.join(case, name)
    content = bytearray(content_of(path))
    content[random_.randrange(len(content))] ^= 1 << random_.randrange(8)
    write(path, bytes(content))
    return [name]


def cut(case, random_):
    name = random_.choice([name for name in files_of(case) if os.path.getsize(os.path.join(case, name))])
    os.truncate(os.path.join(case, name), random_.randrange(os.path.getsize(os.path.join(case, name))))
    return [name]


def swap(case, random_):
    while True:
        one, other = random_.sample(files_of(case), 2)
        paths = [os.path.join(case, name) for name in (one, other)]
        contents = [content_of(path) for path in paths]
        if contents[0] != contents[1]:
            break
    write(paths[0], contents[1])
    write(paths[1], contents[0])
    return [one, other] if LOG not in (one, other) else [LOG]


def remove(case, random_):
    name = random_.choice(files_of(case))
    os.remove(os.path.join(case, name))
    return [name]


def add(case, random_):
    folders = [os.path.relpath(path, case) for path, _, _ in os.walk(case)]
    name = os.path.normpath(os.path.join(random_.choice(folders), random_.choice(
        ["x", ".x", "00000099-0001.parquet", "00000003-0099.parquet", 64 * "a", "0123456789abcdef.pem"])))
    write(os.path.join(case, name), bytes(random_.randrange(256) for _ in range(random_.randrange(100))))
    return [name]


def drop_lines(case, random_):
    lines = lines_of(case)
    first = random_.randrange(len(lines))
    last = first + random_.randrange(1, 3)
    write(os.path.join(case, LOG), *lines[:first], *lines[last:])
    # Without its end the log is an older one: then what that does not name is told, or that it is not signed.
    return [LOG] if last < len(lines) else []


@test
def random_changes(folder):
    case, _ = make_case(folder)
    whole = os.path.join(folder, "whole")
    shutil.move(case, whole)
    counts = {}
    for trial in range(COUNT):
        random_ = random.Random(SEED * 1000000 + trial)
        shutil.copytree(whole, case)
        change = random_.choice([flip, flip, flip, cut, swap, remove, add, drop_lines])
        names = change(case, random_)
        done = call("verify", "--quick", case)
        missed = [name for name in names if name not in said(done)]
        need(done.status in (1, 3) and not missed, "seed %d, trial %d: %s of %s" % (SEED, trial, change.__name__, names),
             done)
        counts[change.__name__] = counts.get(change.__name__, 0) + 1
        shutil.rmtree(case)
    need(sum(counts.values()) == COUNT, counts)


@test
def every_bit_of_the_end_of_the_log(folder):
    """Nothing follows from the last line: its signature alone covers it."""
    case, _ = make_case(folder)
    content = content_of(os.path.join(case, LOG))
    begin = content.rindex(b"\n", 0, -1) + 1
    step = 1 if LONG else 37
    for bit in range(8 * begin, 8 * len(content), step):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        write(os.path.join(case, LOG), bytes(changed))
        done = call("verify", "--quick", case)
        need(done.status in (1, 3) and LOG in said(done), "bit %d" % bit, done)


@test
def an_older_state_put_back(folder):
    case, capture = os.path.join(folder, "case"), golden("demo")
    read(golden("http/python-http10"), "-w", case)
    older = os.path.join(folder, "older")
    shutil.copytree(case, older)
    read(capture, "-w", case)
    state = state_of(case)
    weir("verify", "--quick", "--head", state, case)
    weir("verify", "--quick", older)
    done = weir("verify", "--quick", "--head", state, older, status=1)
    need(b"set back" in done.out, done)


def sign_again(case, change):
    """What somebody with the key can do: changes an entry of the log, and signs all of it."""
    lines, prev = [], 64 * "0"
    for line in lines_of(case):
        text = line.decode().rstrip("\n").replace(json.loads(line)["prev"], prev)
        entry = json.loads(text)
        if entry["type"] == "checkpoint":
            message = text[:-1].rsplit(',"signature":', 1)[0]
            path = write(os.path.join(case, "..", "message"), message.encode())
            signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", os.environ["WEIR_KEY"], "-rawin", "-in",
                                        path], stdout=subprocess.PIPE, check=True).stdout
            text = message + ',"signature":"' + signature.hex() + '"}'
        else:
            text = change(text)
        lines.append(text.encode() + b"\n")
        prev = hashlib.sha256(text.encode()).hexdigest()
    write(os.path.join(case, LOG), *lines)


@test
def records_that_do_not_follow_from_packets(folder):
    """The whole case is consistent and signed, and only the packets say otherwise."""
    case, capture = os.path.join(folder, "case"), os.path.join(folder, "a.pcap")
    truth = content_of(golden("demo"))
    lie = truth.replace(b"User-Agent: ", b"User-agent: ", 1).replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 203 OK", 1)
    need(lie != truth and len(lie) == len(truth), "nothing to change in the capture")
    read(write(capture, lie), "-w", case)
    write(capture, truth)
    done = weir("verify", case, status=3)
    need(b"was changed since it was read" in done.err, done)
    sign_again(case, lambda text: text.replace(hashlib.sha256(lie).hexdigest(), hashlib.sha256(truth).hexdigest()))
    weir("verify", "--quick", case)
    done = weir("verify", case, status=1)
    need(b"http " in done.out and b"is not what its packets say" in done.out, done)


# ---- what cannot be checked ------------------------------------------------------------------------------------


@test
def captures_that_are_gone(folder):
    case, capture = make_case(folder)
    whole = content_of(capture)
    write(capture, whole + b"x")
    done = weir("verify", case, status=3)
    need(b"is not the capture that was read" in done.err and capture.encode() in done.err, done)
    changed = bytearray(whole)
    changed[len(changed) // 2] ^= 1
    write(capture, bytes(changed))
    done = weir("verify", case, status=3)
    need(b"was changed since it was read" in done.err, done)
    os.rename(write(capture, whole), capture + ".moved")
    done = weir("verify", case, status=3)
    need(b"is missing" in done.err and b"weir relocate" in done.err, done)
    weir("verify", "--quick", case)
    weir("relocate", case, capture + ".moved")
    weir("verify", case)


@test
def an_unsigned_end(folder):
    case, capture = make_case(folder)
    lines = lines_of(case)
    for rest in ([], [lines[-1][:40]]):
        write(os.path.join(case, LOG), *lines[:-1], *rest)
        done = weir("verify", case, status=3)
        need(b"lines 5 to 5 are not signed" in done.err, done)
        need(not rest or b"not finished" in done.err, done)
    read("--again", capture, "-w", case)
    weir("verify", case)


@test
def keys(folder):
    case, _ = make_case(folder)
    own = os.environ["WEIR_KEY"]
    other = {"WEIR_KEY": os.path.join(folder, "config", "other.pem")}
    public = os.path.join(case, "keys", os.listdir(os.path.join(case, "keys"))[0])
    weir("verify", "--quick", "--key", public, case)
    weir("verify", "--quick", "--key", own, case)
    done = weir("verify", "--quick", "--key", os.path.join(folder, "absent.pem"), case, status=3)
    need(b"--key" in done.err and b"missing" in done.err, done)
    done = weir("verify", "--quick", case, environment=other)
    need(b"compare it" in done.out, done)
    need(not os.path.exists(other["WEIR_KEY"]), "verify made a key")
    read(golden("dns/bind-failures"), "-w", case, environment=other)
    need_equal(os.stat(other["WEIR_KEY"]).st_mode & 0o777, 0o600, "who may read the key")
    done = weir("verify", "--quick", case)
    need_equal(done.out.count(b"signed by"), 2, done)
    done = weir("verify", "--quick", "--key", own, case, status=1)
    need(b"another key" in done.out, done)
    done = weir("read", "-q", golden("demo"), "-w", os.path.join(folder, "case2"), status=2,
                environment={"WEIR_KEY": "", "HOME": "", "XDG_CONFIG_HOME": ""})
    need(b"WEIR_KEY" in done.err, done)
    done = weir("read", "-q", golden("demo"), "-w", os.path.join(folder, "case2"), status=3,
                environment={"WEIR_KEY": golden("http/python-http10")})
    need(b"no Ed25519 key" in done.err, done)


@test
def what_is_no_case(folder):
    weir("verify", folder, status=3)
    weir("verify", os.path.join(folder, "absent"), status=3)
    case, _ = make_case(folder)
    write(os.path.join(case, LOG), b"")
    done = weir("verify", case, status=1)
    need(b"has no line" in done.out, done)


if __name__ == "__main__":
    main()
