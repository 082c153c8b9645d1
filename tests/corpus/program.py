"""What our programs say of a capture."""
import json
import os
import re
import subprocess
from collections import defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WEIR = os.environ.get("WEIR", os.path.join(ROOT, "build", "weir"))
BESIDE = os.environ.get("CORPUS_PROGRAMS", os.path.join(os.path.dirname(WEIR), "tests", "corpus"))
TIMEOUT_S = 120


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


class Records:
    """All records of a capture by kind, and the exit status. `command` reads packets, or collects what exporters sent."""

    def __init__(self, path, command="read"):
        done = subprocess.run([WEIR, command, path, "-o", "json"], capture_output=True, timeout=TIMEOUT_S, check=False)
        self.status = done.returncode
        self.remarks = done.stderr.decode("utf-8", "replace")
        self.kinds = defaultdict(list)
        for row in json_lines(done.stdout.decode("utf-8")):
            self.kinds[row["kind"]].append(row)

    def by_endpoints(self, kind):
        rows = defaultdict(list)
        for row in self.kinds[kind]:
            rows[endpoints_of(row)].append(row)
        return rows


def lines_of(name, path):
    """What the program tests/corpus/NAME.c prints of a capture."""
    done = subprocess.run([os.path.join(BESIDE, "corpus_" + name), path], capture_output=True, timeout=TIMEOUT_S,
                          check=True)
    return json_lines(done.stdout.decode("utf-8"))


def streams(path):
    return lines_of("streams", path)


def datagrams(path):
    return lines_of("datagrams", path)


def endpoints_of(row):
    """Both ends without their order."""
    return frozenset([(row["src_addr"], row["src_port"]), (row["dst_addr"], row["dst_port"])])


def nanos(text):
    """A time of ours as nanoseconds since 1970."""
    from datetime import datetime, timezone
    match = re.fullmatch(r"(-?\d+-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z", text)
    whole = datetime.fromisoformat(match.group(1)).replace(tzinfo=timezone.utc)
    return int(whole.timestamp()) * 10**9 + int((match.group(2) or "").ljust(9, "0"))
