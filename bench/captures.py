"""The captures that benchmarks read: a realistic mix when the corpus is there, otherwise the bundled captures repeated with
other addresses."""
import os
import struct
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORPUS = os.environ.get('WEIR_CORPUS', os.path.join(ROOT, '..', 'shared', 'corpus'))


def run(*command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def compose_from_corpus(folder, target):
    """One capture in which 350 real ones run side by side (the corpus's README, section 5)."""
    parts = []
    with open(os.path.join(CORPUS, 'scale', 'mix-1.compose.tsv')) as rows:
        for row in rows:
            if row.startswith('#'):
                continue
            name, _, seconds = row.rstrip('\n').split('\t')[:3]
            source, part = os.path.join(CORPUS, name), os.path.join(folder, f'part-{len(parts)}.pcap')
            if name.endswith('.zst'):
                plain = os.path.join(folder, 'plain')
                run('zstd', '-qdf', source, '-o', plain)
                source = plain
            run('editcap', '-F', 'pcap', '-t', seconds, source, part)
            parts.append(part)
    run('mergecap', '-F', 'pcap', '-w', target, *parts)
    for part in parts + [os.path.join(folder, 'plain')]:
        os.remove(part)


def compose_from_golden(folder, target):
    """The bundled captures, one behind the other, until there are some 100,000 packets."""
    demo = os.path.join(ROOT, 'tests', 'golden', 'demo.pcap')
    parts, seconds = [], 0
    packets = int(subprocess.run(['capinfos', '-Mrc', demo], capture_output=True, text=True).stdout.split()[-1])
    while len(parts) * packets < 100000:
        part = os.path.join(folder, f'part-{len(parts)}.pcap')
        moved = os.path.join(folder, 'moved.pcap')
        run('editcap', '-F', 'pcap', '-t', str(seconds), demo, moved)
        run('tcprewrite', f'--seed={1000 + len(parts)}', '-i', moved, '-o', part)
        parts.append(part)
        seconds += 1
    run('mergecap', '-F', 'pcap', '-w', target, *parts)
    for part in parts:
        os.remove(part)


def count_packets(path):
    """Records of a classic capture file."""
    packets = 0
    with open(path, 'rb') as file:
        file.seek(24)
        while header := file.read(16):
            packets += 1
            file.seek(struct.unpack('<I', header[8:12])[0], 1)
    return packets


def make(folder):
    """mix-1, mix-4, mix-16 and `long` (mix-4 four times in succession) in `folder`; made once."""
    os.makedirs(folder, exist_ok=True)
    path = lambda name: os.path.join(folder, name)
    if not os.path.exists(path('mix-1.pcap')):
        compose = compose_from_corpus if os.path.isdir(CORPUS) else compose_from_golden
        compose(folder, path('mix-1.part'))
        os.rename(path('mix-1.part'), path('mix-1.pcap'))
    copies = []
    for seed in range(1, 17):
        copies.append(path(f'copy-{seed}.pcap'))
        if not os.path.exists(path('mix-16.pcap')):
            run('tcprewrite', f'--seed={seed}', '-i', path('mix-1.pcap'), '-o', copies[-1])
    for name, number in ('mix-4.pcap', 4), ('mix-16.pcap', 16):
        if not os.path.exists(path(name)):
            run('mergecap', '-F', 'pcap', '-w', path('part'), *copies[:number])
            os.rename(path('part'), path(name))
    for copy in copies:
        if os.path.exists(copy):
            os.remove(copy)
    if not os.path.exists(path('long.pcap')):
        moved = [path('mix-4.pcap')]
        for i in range(1, 4):
            moved.append(path(f'moved-{i}.pcap'))
            run('editcap', '-F', 'pcap', '-t', str(i * 100000000), path('mix-4.pcap'), moved[-1])
        run('mergecap', '-a', '-F', 'pcap', '-w', path('part'), *moved)
        os.rename(path('part'), path('long.pcap'))
        for part in moved[1:]:
            os.remove(part)
    return {name: path(f'{name}.pcap') for name in ('mix-1', 'mix-4', 'mix-16', 'long')}
