#!/usr/bin/env python3
"""What flows cost, received, stored and asked, beside nfcapd and nfdump: CPU seconds for a million flows, sent over loopback by
bench/exporter. What got lost is told beside each figure.

    bench/flows.py [--flows N] [--stored N] [--rate N] [JOB ...]      jobs: receive, join, lines, load, query, idle
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from run import WEIR, line, measure, tree_bytes

EXPORTER = os.path.join(os.path.dirname(WEIR), 'bench', 'exporter')
FORMS = [('ipfix', 0.60, 0.40), ('netflow9', 0.60, 0.40), ('netflow5', 0.45, 0.35), ('sflow', 0.60, 0.45)]
SETTLE = 0.5  # seconds until a socket is open, and until what was sent is read


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def export(form, target, flows, rate=0):
    words = [EXPORTER, form, target, '-n', str(flows), '-r', str(rate)]
    return json.loads(subprocess.run(words, capture_output=True, check=True).stdout.splitlines()[-1])


def anonymous(pid):
    with open(f'/proc/{pid}/status') as file:
        told = dict(text.split(':', 1) for text in file)
    return sum(int(told[name].split()[0]) for name in ('RssAnon', 'RssShmem')) / 1024


class Collector:
    """A collector while it runs; then what it cost, and how many flows it has."""

    def __init__(self, *words):
        port = free_port()
        self.target = f'udp://127.0.0.1:{port}'
        self.process = subprocess.Popen([word.replace('{port}', str(port)) for word in words], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        time.sleep(SETTLE)

    def end(self):
        time.sleep(SETTLE)
        self.memory = anonymous(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        self.told = self.process.stdout.read().decode('utf-8', 'replace')
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        self.cpu = usage.ru_utime + usage.ru_stime
        return self


def collector(*words):
    return Collector(WEIR, 'collect', 'udp://127.0.0.1:{port}', *words)


def flows_of(told):
    """Of weir: N flows in ...; of nfcapd, each time it changes files: Flows: N, ..."""
    counts = re.findall(r'weir: (\d+) flows', told) or re.findall(r'Flows: (\d+)', told)
    return sum(map(int, counts))


def receive(form, flows, rate, *words):
    run = collector(*words)
    export(form, run.target, flows, rate)
    run.end()
    return run, flows_of(run.told)


def bench_receive(options, folder):
    print('\nreceived: CPU seconds for a million flows')
    run, got = receive('ipfix', options.flows, options.rate, '-w', 'none')
    line(f'weir: ipfix, nothing kept ({options.flows - got} lost)', run.cpu / got * 1e6, 's', 0.20, 0.13)
    for form, must, aim in FORMS:
        case = os.path.join(folder, form)
        run, got = receive(form, options.flows, options.rate, '-w', case)
        line(f'weir: {form}, stored ({options.flows - got} lost)', run.cpu / got * 1e6, 's', must, aim)
        line(f'weir: {form}, on disk', tree_bytes(case) / got, 'bytes', 22, 18)
        shutil.rmtree(case)
    for form in ('ipfix', 'netflow9', 'netflow5'):
        peer(form, options, folder)


def bench_join(options, folder):
    print('\none-way flows, nothing kept: CPU seconds for a million flows')
    messages = os.path.join(folder, 'messages.ipfix')
    for what, words in ('with their answers', ['-b']), ('without', []):
        subprocess.run([EXPORTER, 'ipfix', messages, '-n', str(options.flows), *words], check=True, capture_output=True)
        for how in [], ['--join']:
            cpu = measure([WEIR, 'collect', messages, *how], 3, folder)['cpu'] / options.flows * 1e6
            line(f'weir: {what}, {"--join" if how else "as they are"}', cpu, 's')
    os.remove(messages)


def peer(form, options, folder):
    if not shutil.which('nfcapd'):
        print('  nfcapd                                           not installed (tools/setup --bench)')
        return
    out = os.path.join(folder, 'nfcapd')
    os.mkdir(out)
    run = Collector('nfcapd', '-p', '{port}', '-b', '127.0.0.1', '-w', out, '-B', str(4 << 20), '-t', '3600')
    export(form, run.target, options.flows, options.rate)
    run.end()
    got = flows_of(run.told) or options.flows
    line(f'nfcapd: {form}, stored ({options.flows - got} lost)', run.cpu / got * 1e6, 's')
    line(f'nfcapd: {form}, on disk', tree_bytes(out) / got, 'bytes')
    shutil.rmtree(out)


def bench_lines(options, folder):
    print('\nlines of JSON: CPU seconds for a million flows')
    path, messages = os.path.join(folder, 'flows.json'), os.path.join(folder, 'flows.ipfix')
    export('json', path, options.flows)
    export('ipfix', messages, options.flows)
    million = options.flows / 1e6
    cost = lambda *words: measure(list(words), 3, folder)['cpu'] / million
    line('reading the file alone (dd)', cost('dd', f'if={path}', 'of=/dev/null', 'bs=64k'), 's')
    line('weir: lines to records', cost(WEIR, 'collect', path), 's', 0.25, 0.18)
    line('weir: ipfix to lines', cost(WEIR, 'collect', messages, '-o', 'json'), 's', 0.80, 0.40)
    os.remove(path)
    os.remove(messages)


def bench_load(options, folder):
    print('\none exporter, 1 M flows a second for ten seconds')
    case = os.path.join(folder, 'load')
    flows = 10000000
    run = collector('-w', case)
    sent = export('ipfix', run.target, flows, 1000000)
    run.end()
    got = flows_of(run.told)
    line('lost', flows - got, 'flows', 0, 0)
    print(f'  sent in {sent["seconds"]:.1f} s; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors')
    shutil.rmtree(case)


QUERIES = [
    ('top 10 sources', 'SELECT ip_text(hi, lo), b FROM (SELECT src_addr_hi AS hi, src_addr_lo AS lo, sum(bytes) AS b FROM raw.flow '
     'GROUP BY ALL ORDER BY b DESC LIMIT 10)', ['-s', 'srcip/bytes', '-n', '10'], 0.6),
    ('the same with addresses as text', 'SELECT src_addr, sum(bytes) AS b FROM flow GROUP BY src_addr ORDER BY b DESC LIMIT 10', None, None),
    ('one address', "SELECT * FROM flow WHERE src_addr = '{address}' OR dst_addr = '{address}'", ['ip {address}', '-o', 'line'], 0.2),
    ('count by port', 'SELECT dst_port, count(*) AS n FROM flow GROUP BY dst_port ORDER BY n DESC LIMIT 10',
     ['-s', 'dstport/flows', '-n', '10'], 0.12),
]


def bench_query(options, folder):
    print(f'\nasked: CPU seconds over {options.stored / 1e6:.0f} M stored flows')
    case, messages, peer_files = (os.path.join(folder, name) for name in ('asked', 'asked.ipfix', 'asked.nfcapd'))
    export('ipfix', messages, options.stored)
    subprocess.run([WEIR, 'collect', messages, '-w', case], check=True, capture_output=True)
    os.remove(messages)
    if shutil.which('nfdump'):
        os.mkdir(peer_files)
        run = Collector('nfcapd', '-p', '{port}', '-b', '127.0.0.1', '-w', peer_files, '-B', str(4 << 20), '-t', '3600')
        export('ipfix', run.target, options.stored, options.rate)
        run.end()
    address = subprocess.run([WEIR, 'query', case, '-o', 'csv', 'SELECT src_addr FROM flow LIMIT 1 OFFSET 4242'], capture_output=True,
                             check=True, text=True).stdout.split()[-1].strip('"')
    for name, sql, words, must in QUERIES:
        cpu = measure([WEIR, 'query', case, sql.replace('{address}', address)], 3, folder)['cpu']
        line(f'weir: {name}', cpu, 's', must, must)
        if words and os.path.isdir(peer_files):
            words = [word.replace('{address}', address) for word in words]
            line(f'nfdump: {name}', measure(['nfdump', '-R', peer_files, *words], 3, folder)['cpu'], 's')


def bench_idle(options, folder):
    run = collector('-w', os.path.join(folder, 'idle'))
    time.sleep(2)
    print('\nidle')
    line('a collector, memory', run.end().memory, 'MB', 100, 50)


JOBS = {'receive': bench_receive, 'join': bench_join, 'lines': bench_lines, 'load': bench_load, 'query': bench_query, 'idle': bench_idle}


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument('jobs', nargs='*', metavar='JOB', help=', '.join(JOBS) + ' [all]')
    words.add_argument('--flows', type=int, default=2000000)
    words.add_argument('--stored', type=int, default=8000000)
    words.add_argument('--rate', type=int, default=300000, help='flows a second')
    options = words.parse_args()
    if any(job not in JOBS for job in options.jobs):
        words.error('there are ' + ', '.join(JOBS))
    print(f'load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors')
    with tempfile.TemporaryDirectory() as folder:
        for job in options.jobs or JOBS:
            JOBS[job](options, folder)


main()
