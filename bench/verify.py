"""What it costs to verify a case: beside `openssl dgst -sha256` over the same files, and beside reading the capture."""

import os
import shutil
import subprocess


def verify_costs(weir, capture, folder, measure, runs):
    """The ratios `--quick` to openssl and `verify` to `weir read`, of a case that keeps its packets."""
    case = os.path.join(folder, 'verified')
    shutil.rmtree(case, ignore_errors=True)
    subprocess.run([weir, 'read', '-q', '--keep', capture, '-w', case], check=True)
    hashing = ['sh', '-c', f'find {case} -type f -print0 | xargs -0 openssl dgst -sha256 >/dev/null']
    total = lambda command: sum(measure(command, runs, folder)[part] for part in ('cpu', 'hashing'))
    quick = total([weir, 'verify', '--quick', case]) / total(hashing)
    whole = total([weir, 'verify', case]) / total([weir, 'read', '-q', '--keep', capture, '-w', '{out}'])
    shutil.rmtree(case)
    return quick, whole
