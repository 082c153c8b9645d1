#!/usr/bin/env python3
"""What the service takes while nothing comes: memory and CPU seconds, with a case open, two ports and metrics.

    bench/service.py [--seconds N]
"""
import argparse
import os
import re
import resource
import signal
import subprocess
import tempfile
import time

from run import WEIR, line

MUST, AIM = 100, 50
FILE = """
sources: ['udp://127.0.0.1:0', 'ipfix://127.0.0.1:0']
store: {path: case, every: 1s}
metrics: {listen: '127.0.0.1:0'}
"""


def memory(process):
    """Resident, and proportional (what is shared counts in parts), in MB."""
    with open('/proc/%d/smaps_rollup' % process, encoding='ascii') as file:
        kilobytes = dict(re.findall(r'(\w+): +(\d+) kB', file.read()))
    return int(kilobytes['Rss']) / 1000, int(kilobytes['Pss']) / 1000


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument('--seconds', type=float, default=10)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'weir.yaml'), 'w', encoding='ascii') as file:
            file.write(FILE)
        os.environ.setdefault('WEIR_KEY', os.path.join(folder, 'key.pem'))
        run = subprocess.Popen([WEIR, 'run', '-c', 'weir.yaml'], cwd=folder, stderr=subprocess.PIPE)
        port = int(re.search(r'port (\d+)', run.stderr.readline().decode()).group(1))
        time.sleep(0.5)
        fresh = memory(run.pid)
        exporter = os.path.join(os.path.dirname(WEIR), 'bench', 'exporter')
        subprocess.run([exporter, 'ipfix', 'udp://127.0.0.1:%d' % port, '-n', '100000', '-r', '50000'], check=True,
                       stdout=subprocess.DEVNULL)
        time.sleep(asked.seconds)
        used = memory(run.pid)
        run.send_signal(signal.SIGTERM)
        run.wait()
        run.stderr.close()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    for when, (resident, proportional) in (('fresh', fresh), ('after 100,000 flows', used)):
        line('service, %s, resident' % when, resident, 'MB', MUST, AIM)
        line('service, %s, shared libraries in parts' % when, proportional, 'MB', MUST, AIM)
    line('service, from start to end', spent.ru_utime + spent.ru_stime, 'CPU s')


if __name__ == '__main__':
    main()
