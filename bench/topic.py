#!/usr/bin/env python3
"""What flows from a real Kafka broker cost, one a message, to records: CPU seconds for a million, and beside them what plain librdkafka
takes in the same run to read the same topic and to drop it.

    bench/topic.py [--messages N] [--runs N]

The broker runs on loopback and its own work is not counted (tests/system/broker.py; tools/setup --test).
"""
import argparse
import os
import subprocess
import sys
import tempfile

from flow_lines import write
from run import ROOT, Run, WEIR, line

sys.path.insert(0, os.path.join(ROOT, 'tests/system'))
from broker import Broker

PARTITIONS, MUST, AIM = 4, 0.30, 0.20


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument('--messages', type=int, default=1000000)
    words.add_argument('--runs', type=int, default=5)
    words = words.parse_args()
    plain = os.path.join(os.path.dirname(WEIR), 'bench', 'topic')
    with tempfile.TemporaryDirectory() as folder, Broker(os.path.join(folder, 'broker'), PARTITIONS) as broker:
        path = os.path.join(folder, 'flows.json')
        write(path, words.messages)
        subprocess.run(['kcat', '-P', '-b', broker.address, '-t', 'flows', '-l', path, '-X', 'linger.ms=50', '-X',
                        'sticky.partitioning.linger.ms=0'], check=True)
        costs = {'plain': [], 'weir': []}
        for _ in range(words.runs):  # in turns: what else the machine does meets both
            costs['plain'].append(Run([plain, broker.address, 'flows', str(PARTITIONS)]).cpu)
            costs['weir'].append(Run([WEIR, 'collect', broker.url('flows', 'until=end')]).cpu)
        best = {name: min(list_) / words.messages * 1e6 for name, list_ in costs.items()}
        line('librdkafka reading and dropping', best['plain'], 's a million')
        line('weir, to records', best['weir'], 's a million')
        line('weir beyond librdkafka', best['weir'] - best['plain'], 's a million', MUST, AIM)
        print(f'  {os.path.getsize(path) / words.messages:.0f} bytes a message')


main()
