#!/usr/bin/env python3
"""What flows as lines of JSON cost, from a file to records: CPU seconds for a million, and beside them what the kernel takes for the
file alone.

    bench/flow_lines.py [--lines N] [--runs N]
"""
import argparse
import os
import random
import tempfile

from run import Run, WEIR, line

MUST, AIM = 0.25, 0.18
FLAGS = ['.A..S.', '.AP..F', '.AP.SF', '.A....', '...R..', '....S.']


def write(path, count):
    """Twelve keys and some 270 bytes a line; the same in every run."""
    noise = random.Random(1)
    names = ['.'.join(str(noise.randrange(1, 255)) for _ in range(4)) for _ in range(50000)]
    with open(path, 'w') as file:
        for i in range(count):
            milliseconds, packets = i // 8 + noise.randrange(1024), 1 + noise.randrange(500)
            seconds, duration = milliseconds // 1000 % 3600, noise.randrange(60)
            clock = '2015-07-18T18:%02d:%02d.%03d+01'
            first = clock % (seconds // 60, seconds % 60, milliseconds % 1000)
            later = (seconds + duration) % 3600
            last = clock % (later // 60, later % 60, milliseconds % 1000)
            file.write(f'{{"date_first_seen":"{first}","date_last_seen":"{last}","duration":{duration}.000,'
                       f'"src_ip_addr":"{noise.choice(names)}","dst_ip_addr":"{noise.choice(names)}",'
                       f'"src_port":{1024 + noise.randrange(64000)},"dst_port":{noise.choice((443, 80, 53, 8080))},'
                       f'"protocol":"{noise.choice(("TCP", "TCP", "UDP"))}","flags":"{noise.choice(FLAGS)}","tos":0,'
                       f'"packets":{packets},"bytes":{packets * 600}}}\n')


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument('--lines', type=int, default=1000000)
    words.add_argument('--runs', type=int, default=5)
    words = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'flows.json')
        write(path, words.lines)
        million = words.lines / 1e6
        best = lambda *command: min(Run(list(command)).cpu for _ in range(words.runs)) / million
        line('reading the file alone (dd)', best('dd', f'if={path}', 'of=/dev/null', 'bs=64k'), 's a million')
        line('lines to records', best(WEIR, 'collect', path), 's a million', MUST, AIM)
        print(f'  {os.path.getsize(path) / words.lines:.0f} bytes a line')


if __name__ == '__main__':
    main()
