"""What agrees and what does not, counted by topic.

Differences are kept one by one, so that each can be looked up and, where it is not ours to mend, be given its reason.
"""
import fnmatch
from collections import Counter


class Tally:
    """Of one capture, or of all. `rows` and `agreed` count by topic; `differences` are (topic, file, what, detail)."""

    def __init__(self):
        self.rows = Counter()
        self.agreed = Counter()
        self.differences = []

    def note(self, topic, file, what, agrees, detail=""):
        """One expectation: `what` names it, `detail` says what there was instead."""
        self.rows[topic] += 1
        if agrees:
            self.agreed[topic] += 1
        else:
            self.differences.append((topic, file, what, detail))

    def same(self, topic, file, what, expected, found):
        self.note(topic, file, what, expected == found, f"expected {expected}, found {found}")

    def add(self, other):
        self.rows.update(other.rows)
        self.agreed.update(other.agreed)
        self.differences += other.differences


class Reasons:
    """Rows of differences.tsv: topic, file and what as patterns (* and ?), whose it is, and why."""

    def __init__(self, path):
        self.rows = []
        self.used = Counter()
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    self.rows.append(tuple(line.rstrip("\n").split("\t")))

    def of(self, difference):
        topic, file, what, _ = difference
        for row in self.rows:
            if fnmatch.fnmatchcase(topic, row[0]) and fnmatch.fnmatchcase(file, row[1]) \
                    and fnmatch.fnmatchcase(what, row[2]):
                self.used[row] += 1
                return row
        return None

    def unused(self):
        return [row for row in self.rows if not self.used[row]]
