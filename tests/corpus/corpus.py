"""The captures and what other programs say of them (layout: README.md beside them)."""
import io
import os
import shutil
import subprocess

NOT_CAPTURES = {"text/flow"}
FLOW_EXPORTS = "flow-export/"
DATASETS = "flow-datasets/"


def open_text(path):
    """A list, or its compressed form."""
    if os.path.exists(path):
        return open(path, encoding="utf-8", errors="replace", newline="\n")
    done = subprocess.run([shutil.which("zstd") or "zstd", "-dcq", path + ".zst"], capture_output=True, check=True)
    return io.StringIO(done.stdout.decode("utf-8", "replace"), newline="\n")


class Capture:
    def __init__(self, root, name):
        self.root, self.name = root, name
        self.path = os.path.join(root, name)
        self.folder, base = os.path.split(self.path)
        self.stem = base.removesuffix(".zst")
        if name.startswith(FLOW_EXPORTS):  # their lists are named without .pcap and .ipfix
            self.stem = os.path.splitext(self.stem)[0]
        self.checks = {}

    def expected_path(self, kind):
        return os.path.join(self.folder, "expected", self.stem + "." + kind)

    def has(self, kind):
        path = self.expected_path(kind)
        return os.path.exists(path) or os.path.exists(path + ".zst")

    def table(self, kind):
        """Rows of a .tsv list as dictionaries; none when there is no such list."""
        if not self.has(kind):
            return []
        rows, columns = [], None
        with open_text(self.expected_path(kind)) as lines:
            for line in lines:
                values = line.rstrip("\n").split("\t")
                if columns is None:
                    columns = [values[0].lstrip("#")] + values[1:]
                elif not line.startswith("#truncated"):
                    rows.append(dict(zip(columns, values + [""] * len(columns))))
        return rows

    def zeek_logs(self, log):
        """Baselines of Zeek's `log`: (name, rows) for each test that has one with named fields."""
        folder = os.path.join(self.folder, "expected")
        for name in sorted(os.listdir(folder)):
            plain = name.removesuffix(".zst")
            if plain.startswith(self.stem + ".zeek.") and plain.endswith("." + log + ".log"):
                rows = zeek_rows(os.path.join(folder, plain))
                if rows:
                    yield plain[len(self.stem) + 1:], rows


def zeek_rows(path):
    """Rows of a log as dictionaries. Logs that a test has cut to unnamed columns give none."""
    rows, columns = [], None
    with open_text(path) as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("###"):
                continue
            if line.startswith("#"):
                if line.startswith("#fields"):
                    columns = line.split("\t")[1:]
            elif columns is None and line.startswith(("ts\t", "uid\t", "id.orig_h\t")):
                columns = line.split("\t")
            elif columns and "\t" in line:
                rows.append(dict(zip(columns, line.split("\t"))))
    return rows


def read_manifest(root):
    """All captures, with the scalar checks of their topics."""
    captures = {}
    with open(os.path.join(root, "MANIFEST.tsv"), encoding="utf-8") as lines:
        for line in lines:
            name, _, packets, link = line.split("\t")[:4]
            if not line.startswith("#") and link not in NOT_CAPTURES and packets != "-":
                captures[name] = Capture(root, name)
                captures[name].packets = int(packets)
                captures[name].has_packets = link != "ipfix-file"
    for folder in sorted({os.path.dirname(name) for name in captures}):
        with open(os.path.join(root, folder, "expected.tsv"), encoding="utf-8") as lines:
            for line in lines:
                file, check, value = line.rstrip("\n").split("\t")[:3]
                capture = captures.get(f"{folder}/{file}")
                if capture:
                    capture.checks[check] = value
    return list(captures.values())


def read_datasets(root):
    """Flows as lines, which are no captures."""
    with open(os.path.join(root, "MANIFEST.tsv"), encoding="utf-8") as lines:
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [Capture(root, row[0]) for row in rows if row[0].startswith(DATASETS)]
