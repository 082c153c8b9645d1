#!/usr/bin/env python3
"""More than a collector can take: what was sent is what was stored and what is counted as lost, by exporter."""
import json
import os
import re
import signal
import subprocess
import time

from program import SECONDS, WEIR, Skip, main, need, need_equal, query, test

EXPORTER = os.path.join(os.path.dirname(WEIR), "bench", "exporter")
EXPORTERS, FLOWS, RATE = 4, 40000, 20000
HALTED = 0.8  # seconds of the load in which nobody reads
ROOM = "128k"


def loaded(folder, form):
    """The case of a collector with little room that halts, and what each exporter says that it sent."""
    if not os.access(EXPORTER, os.X_OK):
        raise Skip("%s is not built" % EXPORTER)
    case = os.path.join(folder, "case")
    run = subprocess.Popen([WEIR, "collect", "udp://127.0.0.1:0", "-w", case, "--buffer", ROOM], stderr=subprocess.PIPE)
    port = re.search(r"port (\d+)", run.stderr.readline().decode()).group(1)
    load = subprocess.Popen([EXPORTER, form, "udp://127.0.0.1:" + port, "-n", str(FLOWS), "-e", str(EXPORTERS), "-r",
                             str(RATE), "-a", "now"], stdout=subprocess.PIPE)
    time.sleep(HALTED / 2)
    run.send_signal(signal.SIGSTOP)
    time.sleep(HALTED)
    run.send_signal(signal.SIGCONT)
    sent = [json.loads(line) for line in load.communicate(timeout=SECONDS)[0].splitlines()]
    time.sleep(HALTED)  # what was sent over loopback is read before the end
    run.send_signal(signal.SIGTERM)
    told = run.communicate(timeout=SECONDS)[1].decode()
    need_equal(run.returncode, 0, told)
    return case, {line["exporter"]: line for line in sent if "exporter" in line}, told


def lost_in(case):
    """By exporter what its count says, and what the kernel says of the port."""
    rows = query(case, "SELECT point, reason, sum(count)::BIGINT c, sum(packets)::BIGINT p FROM loss GROUP BY ALL")
    gaps = {row["point"]: row["c"] for row in rows if row["reason"] == "sequence_gap"}
    return gaps, sum(row["p"] for row in rows if row["reason"] == "kernel_drops")


def flows_add_up(folder, form):
    """Exporters that count flows."""
    case, sent, _ = loaded(folder, form)
    stored = {row["exporter"]: row["n"] for row in query(case, "SELECT exporter, count(*) n FROM flow GROUP BY ALL")}
    gaps, dropped = lost_in(case)
    need(dropped and gaps, "nothing was lost")
    need_equal({name: stored[name] + gaps.get(name, 0) for name in sent}, {name: sent[name]["flows"] for name in sent})


def messages_add_up(folder, form):
    """Exporters that count messages: the kernel and they tell of the same."""
    case, sent, told = loaded(folder, form)
    gaps, dropped = lost_in(case)
    came = int(re.search(r"flows in (\d+) messages", told).group(1))
    need(dropped and gaps, "nothing was lost")
    need_equal(sum(gaps.values()), dropped)
    need_equal(came + dropped, sum(line["messages"] for line in sent.values()))


@test
def ipfix_adds_up(folder):
    flows_add_up(folder, "ipfix")


@test
def netflow5_adds_up(folder):
    flows_add_up(folder, "netflow5")


@test
def netflow9_adds_up(folder):
    messages_add_up(folder, "netflow9")


@test
def sflow_adds_up(folder):
    messages_add_up(folder, "sflow")


main()
