#!/usr/bin/env python3
"""weir run with `keep: yes`: the packets of an interface are part of the case with each part of it, whatever happens then."""
import json
import os
import signal
import subprocess
import time

from network import Sender, cable, datagram, enter_network, frames_of
from program import SECONDS, content_of, digest, golden, main, need, need_equal, query, test, weir
from service import Service, waited

INPUT = 3
KINDS = ("conversation", "flow", "dns", "http", "tls", "file")


def lines_of(case):
    path = os.path.join(case, "log", "00000001.jsonl")
    return [json.loads(line) for line in content_of(path).splitlines()] if os.path.exists(path) else []


def extents_of(case):
    return [extent for line in lines_of(case) if line["type"] == "reading" for extent in line.get("extents", [])]


def recording_of(case, folder):
    out = os.path.join(folder, "recording.pcapng")
    with open(out, "wb") as file:
        for extent in extents_of(case):
            subprocess.run(["zstd", "-dcq", os.path.join(case, extent["path"])], stdout=file, check=True)
    return out


def recorder(folder, interface, more="", every="1s", store=""):
    service = Service(folder, "sources:\n  - {read: 'interface:%s', keep: yes%s}\nstore: {path: case, every: %s%s}\n" %
                      (interface, more, every, store))
    service.wait_for("capturing at interface:%s" % interface)
    service.case = os.path.join(folder, "case")
    return service


def sent_in_parts(service, near, frames, parts=3):
    """Each piece is in a part of its own."""
    sender, size = Sender(near), len(frames) // parts + 1
    for at in range(0, len(frames), size):
        before = len(extents_of(service.case))
        sender.send(frames[at:at + size])
        waited(lambda: len(extents_of(service.case)) > before, "a part with packets")


def totals(path):
    return [line for line in digest(path).splitlines() if line.split()[0] in KINDS]


@test
def in_parts_like_its_recording(folder):
    near, far = cable("a0", "a1")
    frames = frames_of("demo")
    service = recorder(folder, far, ", lanes: 2")
    sent_in_parts(service, near, frames)
    service.stop()
    extents = extents_of(service.case)
    need(len(extents) > 2, extents)
    need_equal(query(service.case, "SELECT sum(packets) n FROM capture"), [{"n": len(frames)}])
    need_equal(digest(service.case), digest(recording_of(service.case, folder)))
    weir("verify", service.case)
    out = os.path.join(folder, "out.pcapng")
    weir("export", service.case, "-Y", "bytes >= 0", "-w", out)
    need_equal(query(out, "SELECT packets FROM capture"), query(golden("demo"), "SELECT packets FROM capture"))
    found = weir("search", service.case, "GET /").out
    need(found.count(b"\n") > 5, found)


@test
def killed(folder):
    """What was in a part is there with its packets; of what came after it is said that they are not."""
    near, far = cable("b0", "b1")
    frames = frames_of("demo")
    service = recorder(folder, far)
    sent_in_parts(service, near, frames[:-200], 2)
    service.stopped_hard()
    before = extents_of(service.case)
    told = weir("verify", service.case, status=(0, INPUT)).out.decode()
    need("extents of packets" in told, told)
    need_equal(query(recording_of(service.case, folder), "SELECT packets FROM capture"), [{"packets": len(frames) - 200}])
    again = recorder(folder, far)
    sent_in_parts(again, near, frames[-200:], 1)
    again.stop()
    need_equal(extents_of(service.case)[:len(before)], before)
    weir("verify", service.case)
    need_equal(os.listdir(os.path.join(service.case, "packets", ".new")), [])
    out = os.path.join(folder, "out.pcapng")
    weir("export", service.case, "-Y", "bytes >= 0", "-w", out)
    packets = sum(row["packets"] for row in query(recording_of(service.case, folder), "SELECT packets FROM capture"))
    need_equal(packets, len(frames))


@test
def what_is_old_or_too_much_goes(folder):
    """The oldest packets; records stay, and say of their packets that they went."""
    near, far = cable("c0", "c1")
    service = recorder(folder, far, ", timeout: 1s")
    sent_in_parts(service, near, [datagram(number, 1000) for number in range(60)], 3)
    case = service.case
    waited(lambda: query(case, "SELECT count(*) n FROM conversation")[0]["n"] >= 20, "conversations")
    kept = [os.path.join(case, extent["path"]) for extent in extents_of(case)]
    oldest, = query(case, "SELECT id FROM conversation ORDER BY first_seen LIMIT 1")
    need(weir("show", case, oldest["id"], "--packets").out.count(b"\n") == 1, "one packet")
    size = sum(part["bytes"] for line in lines_of(case) if line["type"] == "reading"
               for part in line.get("extents", []) + [part for part in line["segments"] if part["kind"] == "packets"])
    service.write(content_of(service.file).decode().replace("store: {", "store: {retain: 'packets=%d', " % (size - 1)))
    service.wait_for("was read again")
    waited(lambda: not os.path.exists(kept[0]), "the oldest packets to go", 40)
    service.stop()
    expired = [path for line in lines_of(case) if line["type"] == "expire" for path in line["removes"]]
    need(os.path.relpath(kept[0], case) in expired, expired)
    told = weir("show", case, oldest["id"], "--packets", status=INPUT).err.decode()
    need("went by age or size" in told and told.count("\n") == 1, told)
    told = weir("verify", case).out.decode()
    need("extents of packets" in told, told)
    out = os.path.join(folder, "out.pcapng")
    told = weir("export", case, "-Y", "bytes >= 0", "-w", out, status=(0, INPUT)).err.decode()
    need("went by age or size" in told, told)
    weir("search", case, "x" * 40, status=INPUT)


if __name__ == "__main__":
    enter_network()
    main()
