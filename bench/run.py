#!/usr/bin/env python3
"""What reading captures costs, beside other programs on the same machine, input and run.

CPU seconds (user and system of the whole process tree) count; wall time on shared machines says little. The cost of a packet is
(mix-16 - mix-4) / packets, which takes the start out. Peers that are not Debian packages are told from figures measured before
on this kind of machine, brought over by the ratio to tcpdump.

    bench/run.py [--runs N] [--folder DIR] [--quick]
"""
import argparse
import glob
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import tempfile
import threading
import time

import captures
from verify import verify_costs

ROOT = captures.ROOT
WEIR = os.environ.get('WEIR', os.path.join(ROOT, 'build', 'weir'))

# Microseconds a packet without start-up, measured on mix-4 and mix-16 of the same recipe, with tcpdump to null at 0.272 beside.
RECORDED_TCPDUMP = 0.272
RECORDED = [
    ('softflowd', 0.52), ('Suricata, flow log only', 1.00), ('Suricata, records and files', 1.39),
    ('Suricata, the same with mid-stream', 1.52), ('Arkime, dry run', 2.17), ('tcpflow -a', 3.60), ('Zeek', 3.97),
]


# The conversation below which this share of all lies by its packets.
FETCHED = '''SELECT id FROM conversation WHERE carries IS NULL AND src_packets + dst_packets >=
             (SELECT quantile_disc(src_packets + dst_packets, %s) FROM conversation WHERE carries IS NULL)
             ORDER BY src_packets + dst_packets, id LIMIT 1'''


class Run:
    """One run of a command: CPU seconds, highest private memory, CPU seconds of the thread that hashes captures."""

    def __init__(self, command, **options):
        self.memory, self.hashing = 0, 0.0
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        watcher = threading.Thread(target=self.watch)
        watcher.start()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.status = self.process.returncode
        self.cpu = usage.ru_utime + usage.ru_stime
        watcher.join()

    def watch(self):
        folder = f'/proc/{self.process.pid}'
        while self.process.returncode is None:
            try:
                with open(f'{folder}/status') as file:
                    lines = dict(line.split(':', 1) for line in file)
                kb = sum(int(lines[name].split()[0]) for name in ('RssAnon', 'RssShmem') if name in lines)
                self.memory = max(self.memory, kb / 1024)
                for task in glob.glob(f'{folder}/task/*'):
                    with open(f'{task}/comm') as file:
                        if file.read().strip() != 'weir-hash':
                            continue
                    with open(f'{task}/schedstat') as file:
                        self.hashing = max(self.hashing, int(file.read().split()[0]) / 1e9)
            except (OSError, ValueError):
                pass
            time.sleep(0.002)


def measure(command, runs, folder):
    """Median of several runs; `{out}` in the command is a fresh name each time."""
    results = []
    for i in range(runs + 1):
        out = os.path.join(folder, f'out-{i}')
        results.append(Run([word.replace('{out}', out) for word in command]))
        if i < runs:
            shutil.rmtree(out, ignore_errors=True)
            if os.path.isfile(out):
                os.remove(out)
    results = results[1:]  # the first warms the caches
    shutil.rmtree(os.path.join(folder, f'out-{runs}'), ignore_errors=True)
    middle = lambda values: statistics.median(values)
    return {'cpu': middle([r.cpu - r.hashing for r in results]), 'hashing': middle([r.hashing for r in results]),
            'memory': max(r.memory for r in results), 'status': results[-1].status}


def weir(*words):
    return [WEIR, 'read', '-q', *words]


def one_packet(folder, capture):
    with open(capture, 'rb') as file:
        head = file.read(40)
        packet = file.read(struct.unpack('<I', head[32:36])[0])
    path = os.path.join(folder, 'one.pcap')
    with open(path, 'wb') as file:
        file.write(head + packet)
    return path


def tree_bytes(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def line(name, value, unit, must=None, aim=None):
    bounds = ''
    if must is not None:
        bounds = f'   must {must}  aim {aim}   {"yes" if value <= must else "NO"}'
    print(f'  {name:<46} {value:9.3f} {unit}{bounds}', flush=True)


def bench_weir(mixes, packets, runs, folder):
    marginal = {}
    jobs = [('conversations counted (-w none --no-dissect)', ['-w', 'none', '--no-dissect'], 0.25, 0.16),
            ('everything but the case (-w none)', ['-w', 'none'], None, None),
            ('everything, case written', ['-w', '{out}'], 0.70, 0.35),
            ('the same with the packets (--keep)', ['--keep', '-w', '{out}'], None, None)]
    print('\nweir: cost of a packet, microseconds of CPU')
    for name, words, must, aim in jobs:
        small, large = (measure(weir(mixes[mix], *words), runs, folder) for mix in ('mix-4', 'mix-16'))
        marginal[name] = (large['cpu'] - small['cpu']) / packets * 1e6
        line(name, marginal[name], 'us', must, aim)
        if large['hashing']:
            line('SHA-256 of the capture, in its own thread', (large['hashing'] - small['hashing']) / packets * 1e6, 'us')
    more = marginal['the same with the packets (--keep)'] - marginal['everything, case written']
    line('what --keep adds', more, 'us', 0.8, 0.5)
    one = measure(weir(mixes['mix-16'], '-w', 'none'), runs, folder)['cpu']
    two = measure(weir(mixes['mix-16'], '-w', 'none', '-j', '2'), runs, folder)['cpu']
    line('CPU of two lanes over one', two / one, 'x', 1.15, 1.05)
    start = measure(weir(one_packet(folder, mixes['mix-1']), '-w', '{out}'), runs, folder)
    line('a capture of one packet, CPU seconds', start['cpu'] + start['hashing'], 's', 0.07, 0.04)
    return marginal


def bench_memory(mixes, folder):
    print('\nweir: memory (RssAnon + RssShmem), MB')
    once = measure(weir(mixes['mix-4'], '-w', '{out}'), 2, folder)['memory']
    four = measure(weir(mixes['long'], '-w', '{out}'), 2, folder)['memory']
    line('mix-4', once, 'MB')
    line('mix-4 four times in succession', four, 'MB', 120, 80)
    line('four times over once', four / once, 'x', 1.1, 1.1)
    copies = [os.path.join(folder, f'copy-{i}.pcap') for i in range(10)]
    for i, copy in enumerate(copies):
        captures.run('editcap', '-F', 'pcap', '-t', str(i * 100000000), mixes['mix-1'], copy)
    one, ten = (measure(weir(*paths, '-w', '{out}'), 2, folder)['memory'] for paths in (copies[:1], copies))
    line('ten times mix-1 over once', ten / one, 'x', 1.05, 1.05)
    for copy in copies:
        os.remove(copy)


def bench_fetch(mixes, runs, folder):
    case, fetch = os.path.join(folder, 'kept'), os.path.join(os.path.dirname(WEIR), 'bench', 'fetch')
    subprocess.run(weir(mixes['mix-16'], '--keep', '-w', case), check=True)
    kept = tree_bytes(os.path.join(case, 'packets')) / os.path.getsize(mixes['mix-16'])
    print(f'\nweir: packets of one conversation out of {os.path.getsize(mixes["mix-16"]) / 1e9:.1f} GB kept ({100 * kept:.0f} % of it on disk)')
    for name, share in ('of ten the one with most packets', 0.9), ('of a hundred', 0.99), ('of all', 1):
        conversation = subprocess.run([WEIR, 'query', case, '-o', 'json', FETCHED % share], capture_output=True, check=True).stdout
        show = [WEIR, 'show', case, json.loads(conversation)['id'], '--packets']
        frames = b'\n'.join(re.findall(rb'frame (\d+)', subprocess.run(show, capture_output=True, check=True).stdout))
        costs = [float(subprocess.run([fetch, case], input=frames, capture_output=True, check=True).stdout.split()[1])
                 for _ in range(runs)]
        line(f'{name}: {frames.count(10) + 1} packets', statistics.median(costs), 'ms', 50, 10)
    line('the last, weir show --packets as a whole', 1000 * measure(show, runs, folder)['cpu'], 'ms')
    shutil.rmtree(case)


def bench_size(mixes, folder):
    case = os.path.join(folder, 'size')
    subprocess.run(weir(mixes['mix-4'], '-w', case), check=True)
    total = os.path.getsize(mixes['mix-4'])
    artifacts, packets = tree_bytes(os.path.join(case, 'artifacts')), tree_bytes(os.path.join(case, 'records', 'packets'))
    print('\nweir: size of the case, per cent of the capture')
    line('records', 100 * (tree_bytes(case) - artifacts - packets - tree_bytes(os.path.join(case, 'packets'))) / total, '%', 1.0, 0.4)
    places = tree_bytes(os.path.join(case, 'packets'))
    line('references to packets, and their places', 100 * (packets + places) / total, '%', 2, 1)
    line('files', 100 * artifacts / total, '%')
    shutil.rmtree(case)


def bench_peers(mixes, packets, runs, folder):
    commands = [('tcpdump to null', ['tcpdump', '-r', '{in}', '-w', '/dev/null']),
                ('nfpcapd', ['nfpcapd', '-r', '{in}', '-l', '{out}']),
                ('tcpflow', ['tcpflow', '-o', '{out}', '-r', '{in}'])]
    print('\npeers: cost of a packet in this run, microseconds of CPU')
    costs = {}
    for name, command in commands:
        if not shutil.which(command[0]):
            print(f'  {name:<46}   not installed (tools/setup --bench)')
            continue
        cpu = []
        for mix in 'mix-4', 'mix-16':
            out = os.path.join(folder, f'peer-{mix}')
            os.makedirs(out, exist_ok=True)
            words = [word.replace('{in}', mixes[mix]).replace('{out}', out) for word in command]
            cpu.append(statistics.median(Run(words).cpu for _ in range(runs)))
            shutil.rmtree(out, ignore_errors=True)
        costs[name] = (cpu[1] - cpu[0]) / packets * 1e6
        line(name, costs[name], 'us')
    if shutil.which('tshark'):
        fields = ['-T', 'fields', '-e', 'http.host', '-e', 'dns.qry.name', '-e', 'tls.handshake.extensions_server_name']
        cpu = Run(['tshark', '-n', '-r', mixes['mix-1'], '-Y', 'http or dns or tls.handshake', *fields]).cpu
        costs['tshark'] = cpu / captures.count_packets(mixes['mix-1']) * 1e6
        line('tshark (mix-1, start included)', costs['tshark'], 'us')
    scale = costs.get('tcpdump to null', RECORDED_TCPDUMP) / RECORDED_TCPDUMP
    print(f'\npeers recorded before, brought over by tcpdump ({scale:.2f}x)')
    for name, cost in RECORDED:
        costs[name] = cost * scale
        line(name, costs[name], 'us')
    return costs


def main():
    words = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    words.add_argument('--runs', type=int, default=5)
    words.add_argument('--folder', default=os.path.join(ROOT, 'build', 'bench'))
    words.add_argument('--quick', action='store_true', help='leave the peers out')
    options = words.parse_args()
    mixes = captures.make(options.folder)
    packets = captures.count_packets(mixes['mix-16']) - captures.count_packets(mixes['mix-4'])
    print(f'load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; medians of {options.runs} runs')
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        marginal = bench_weir(mixes, packets, options.runs, folder)
        quick, whole = verify_costs(WEIR, mixes['mix-16'], folder, measure, options.runs)
        print('\nverify')
        line('verify --quick over openssl dgst of the same files', quick, 'x', 1.3, 1.1)
        line('verify over weir read --keep', whole, 'x', 1.5, 1)
        bench_memory(mixes, folder)
        bench_size(mixes, folder)
        bench_fetch(mixes, options.runs, folder)
        if options.quick:
            return
        costs = bench_peers(mixes, packets, options.runs, folder)
    whole = marginal['everything, case written']
    print('\nratios: the peer\'s cost over that of everything, case written')
    for name, cost in costs.items():
        line(name, cost / whole, 'x')


if __name__ == '__main__':
    main()
