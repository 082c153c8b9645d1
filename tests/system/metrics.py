#!/usr/bin/env python3
"""weir run: what its metrics tell adds up, is as Prometheus wants it, and has what the alerts name."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

from network import Sender, cable, datagram, enter_network
from program import ROOT, free_port, main, need, need_equal, test
from service import BASE, Service, flows, ipfix, scraped, template, waited

RULES = os.path.join(ROOT, "share", "prometheus", "weir.rules.yaml")


def page(port):
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10) as answer:
        return answer.read().decode()


def total(found, name, **labels):
    """Of all samples of a name that have these labels."""
    wanted = ['%s="%s"' % label for label in labels.items()]
    return sum(float(value) for sample, value in found.items()
               if re.match(re.escape(name) + r"(\{|$)", sample) and all(label in sample for label in wanted))


def settled(port, holds, what):
    """The metrics, once this is true of them."""
    found = {}
    def look():
        found.clear()
        found.update(scraped(port))
        return holds(found)
    waited(look, "%s in %s" % (what, found))
    return found


@test
def flows_add_up(folder):
    """Sent = told + lost; told = stored."""
    metrics = free_port(socket.SOCK_STREAM)
    service = Service(folder, BASE.replace("- udp://127.0.0.1:0", "- {listen: udp://127.0.0.1:0, buffer: 4096}") +
                      "metrics:\n  listen: 127.0.0.1:%d\n" % metrics)
    port, sent = service.ports(1)[0], 40000
    service.send(port, ipfix(0, template()))
    settled(metrics, lambda m: total(m, "weir_source_messages_total") == 1, "a template")
    for first in range(0, sent, 20):
        service.send(port, flows(first, 20))
    datagrams = 1 + sent // 20
    while True:  # what the kernel dropped shows when the next one comes
        service.send(port, flows(sent, 1))
        sent, datagrams = sent + 1, datagrams + 1
        time.sleep(0.05)
        found = scraped(metrics)
        if total(found, "weir_source_datagrams_total") + total(found, "weir_source_kernel_drops_total") == datagrams:
            break
    told = "weir_exporter_flows_total"
    found = settled(metrics, lambda m: total(m, told, exporter="127.0.0.1") +
                    total(m, "weir_lost_total", reason="sequence_gap", point="127.0.0.1") == sent, "all that was sent")
    found = settled(metrics, lambda m: total(m, "weir_store_segment_rows", kind="flow") == total(m, told), "all that was told")
    need_equal(total(found, "weir_records_total", kind="flow"), total(found, told))
    need_equal(total(found, "weir_source_flows_total"), total(found, told))
    need(total(found, "weir_source_bytes_total") > 20 * total(found, told), found)
    need(total(found, "weir_store_segment_bytes", kind="flow") > 0, found)
    need_equal(total(found, "weir_store_oldest_timestamp_seconds", kind="flow") > 0, True, found)
    service.stop()


@test
def packets_add_up(folder):
    """Sent = read + dropped; read = decoded; of conversations = counted + shed."""
    near, far = cable("v0", "v1")
    metrics = free_port(socket.SOCK_STREAM)
    service = Service(folder, "sources:\n  - {read: interface:%s, buffer: 512k}\nmetrics: {listen: '127.0.0.1:%d'}\n" %
                      (far, metrics))
    service.wait_for("capturing at interface:%s" % far)
    sender = Sender(near)
    sent = sender.send([datagram(number) for number in range(300)])
    came = "weir_interface_packets_total"
    settled(metrics, lambda m: total(m, came, iface=far) == sent, "%d packets" % sent)
    service.run.send_signal(signal.SIGSTOP)
    sent += sender.send([datagram(number, 1200) for number in range(5000)], pause=0)
    service.run.send_signal(signal.SIGCONT)
    found = settled(metrics, lambda m: total(m, came) + total(m, "weir_interface_dropped_packets_total") == sent,
                    "%d packets" % sent)
    need(total(found, "weir_interface_dropped_packets_total") > 1000, found)
    need_equal(total(found, "weir_decode_packets_total", reason="ok"), total(found, came))
    need_equal(total(found, "weir_lane_packets_in_total"), total(found, came))
    need_equal(total(found, "weir_lane_packets_counted_total") + total(found, "weir_lane_packets_shed_total"), total(found, came))
    need_equal(total(found, "weir_lane_open_conversations"), total(found, "weir_lane_conversations_total"))
    need_equal(total(found, "weir_interface_up"), 1)
    lost = total(found, "weir_lost_total", stage="source", reason="interface_drops", iface=far, unit="packets")
    need_equal(lost, total(found, "weir_interface_dropped_packets_total"))
    service.stop()


def all_of_it(folder):
    metrics = free_port(socket.SOCK_STREAM)
    service = Service(folder, BASE +
                      "sinks:\n  - {to: out.json, format: json}\nmetrics:\n  listen: 127.0.0.1:%d\n" % metrics)
    port = service.ports(1)[0]
    service.send(port, ipfix(0, template()), flows(0, 20), flows(40, 20))
    settled(metrics, lambda m: total(m, "weir_store_segment_rows", kind="flow") == 40, "40 flows")
    text = page(metrics)
    service.stop()
    return text


@test
def prometheus_can_read_it(folder):
    text = all_of_it(folder)
    seen, family, types = set(), None, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            need(family not in types and line.endswith("."), line)
        elif line.startswith("# TYPE "):
            types[family] = line.split()[3]
            need_equal(line.split()[2], family)
        else:
            sample = line.rsplit(" ", 1)[0]
            need(re.fullmatch(re.escape(family) + r'(\{\w+="[^"]*"(,\w+="[^"]*")*\})?', sample), line)
            need(sample not in seen, "twice", line)
            seen.add(sample)
    for name, kind in types.items():
        need(re.fullmatch(r"(weir|process)_[a-z0-9_]+", name), name)
        need(kind == ("counter" if name.endswith("_total") else "gauge"), name, kind)
    if not shutil.which("promtool"):
        return
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False)
    need(done.returncode in (0, 3), done.stderr.decode())  # 3: an opinion on style
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, check=False)
    need_equal(done.returncode, 0, done.stderr.decode())


@test
def alerts_name_what_is_there(folder):
    text = all_of_it(folder)
    there = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    with open(RULES, encoding="utf-8") as file:
        rules = file.read()
    named = {name for expression in re.findall(r"expr: (.*)", rules) for name in re.findall(r"\b(?:weir|process)_\w+", expression)}
    need(len(named) > 10, named)
    need_equal(sorted(named - there), [])
    reasons = set(re.findall(r'reason="(\w+)"', rules))
    with open(os.path.join(ROOT, "src", "collect", "session.h"), encoding="utf-8") as file:
        told = file.read()
    need_equal([word for word in reasons if "X(%s," % word not in told], [])


if __name__ == "__main__":
    enter_network()
    main()
