#!/usr/bin/env python3
"""Many observations of one thing: which rows of `flow` are linked, and which of them count, compared with the rule
written down plainly (docs/formats/observations.md), whatever came first."""
import ipaddress
import itertools
import os
import random
import struct

from program import LONG, digest, golden, main, need, need_equal, query, read, test, weir

SECOND = 1000  # times are in milliseconds
SILENCE = 5 * SECOND
SCENES, SCENE = (2000 if LONG else 250), 1000 * SECOND
BEGAN = 1700000000 * SECOND
PEN_REVERSE = 29305
V4 = 0xffff << 32
ICMP = 1
TEMPLATE, RECORDS_MAX = 300, 20
# Number, size and enterprise of each element; a value for each in a row.
FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (152, 8), (153, 8), (2, 8), (1, 8), (2, 8, PEN_REVERSE), (34, 4),
          (61, 1), (225, 4), (226, 4), (227, 2), (228, 2))
LAYOUT = ">IIHHBQQQQQIBIIHH"


class Row:
    """A row of `flow`; `number` names it, and stands in `bytes`, which no rule looks at."""

    def __init__(self, number, point, domain, ends, **told):
        self.number, self.point, self.domain = number, point, domain
        self.src, self.sport, self.dst, self.dport = ends
        self.proto, self.first, self.last = told["proto"], told["first"], told["last"]
        self.packets, self.back, self.rate = told["packets"], told["back"], told["rate"]
        self.direction = told["direction"]
        self.behind = told.get("behind", (0, 0, 0, 0))  # src, sport, dst, dport: 0 is not told

    def record(self):
        src, sport, dst, dport = self.behind
        return struct.pack(LAYOUT, self.src, self.dst, self.sport, self.dport, self.proto, self.first, self.last,
                           self.packets, self.number, self.back, self.rate, self.direction, src, dst, sport, dport)


def message(domain, *sets):
    body = b"".join(struct.pack(">HH", number, len(content) + 4) + content for number, content in sets)
    return struct.pack(">HHIII", 10, len(body) + 16, BEGAN // SECOND, 0, domain) + body


def template():
    fields = b"".join(struct.pack(">HHI", field[0] | 0x8000, field[1], field[2]) if len(field) == 3
                      else struct.pack(">HH", *field) for field in FIELDS)
    return 2, struct.pack(">HH", TEMPLATE, len(FIELDS)) + fields


def messages_of(rows):
    """A file of messages, in the order of the rows."""
    out = b"".join(message(domain, template()) for domain in sorted({row.domain for row in rows}))
    for domain, together in itertools.groupby(rows, lambda row: row.domain):
        together = list(together)
        for at in range(0, len(together), RECORDS_MAX):
            records = b"".join(row.record() for row in together[at:at + RECORDS_MAX])
            out += message(domain, (TEMPLATE, records))
    return out


def kept(folder, name, rows, parts):
    """A case of these rows, in this order, taken in so many parts for each point."""
    case = os.path.join(folder, name)
    for part in range(parts):
        for point in dict.fromkeys(row.point for row in rows):
            some = [row for row in rows if row.point == point][part::parts]
            path = os.path.join(folder, "%s-%s-%d.ipfix" % (name, point, part))
            with open(path, "wb") as file:
                file.write(messages_of(some))
            if some:
                weir("collect", path, "-w", case, "--tap", point)
    return case


def marks_of(case):
    """Of each row whether it counts, and which link it has."""
    rows = query(case, "SELECT bytes, once, link FROM flow")
    return {row["bytes"]: (row["once"], row.get("link")) for row in rows}


# ---- the rule, plainly -----------------------------------------------------------------------------------------


class Entry:
    """A row at one of its keys: as it was told, or as it is behind a translation."""

    def __init__(self, row, ends, is_told):
        src, dst = ends[:2], ends[2:]
        if row.proto == ICMP:
            src, dst = (src[0], 0), (dst[0], 0)
        self.row, self.is_told, self.swapped = row, is_told, src > dst
        self.key = (min(src, dst), max(src, dst), row.proto)
        self.node = None


def fnv(content):
    """FNV-1a."""
    name = 0xcbf29ce484222325
    for byte in content:
        name = (name ^ byte) * 0x100000001b3 % (1 << 64)
    return name


class Node:
    """All entries of a key between two silences."""

    def __init__(self, key, entries):
        (a, ap), (b, bp), proto = key
        self.entries = entries
        self.start = min(entry.row.first for entry in entries)
        self.name = self.start * 1000, fnv(struct.pack(">QQHQQHH", 0, V4 | a, ap, 0, V4 | b, bp, proto))
        self.tied = []  # (node, whether src and dst are exchanged)
        for entry in entries:
            entry.node = self


def nodes_of(entries):
    by_key = {}
    for entry in entries:
        by_key.setdefault(entry.key, []).append(entry)
    for key, all_of_key in by_key.items():
        together, until = [], None
        for entry in sorted(all_of_key, key=lambda e: e.row.first):
            if together and entry.row.first > until + SILENCE:
                yield Node(key, together)
                together = []
            until = max(until or 0, entry.row.last) if together else entry.row.last
            together.append(entry)
        yield Node(key, together)


def groups_of(nodes):
    """Nodes that translations tie together, each with whether src and dst are exchanged in it."""
    seen = set()
    for node in nodes:
        if node in seen:
            continue
        seen.add(node)
        group, waiting = {node: False}, [node]
        while waiting:
            at = waiting.pop()
            for other, flip in at.tied:
                if other not in seen:
                    seen.add(other)
                    group[other] = group[at] != flip
                    waiting.append(other)
        yield group


def rank(row):
    return 3 if not row.rate else 2 * row.rate


def shares_of(group):
    """Rows by the point that told them and the node: each point's in the order of names."""
    shares = {}
    for node, flip in group.items():
        for entry in node.entries:
            if entry.is_told:
                name = (entry.row.point, entry.row.domain, entry.row.direction), node.name
                shares.setdefault(name, []).append((entry.row, entry.swapped != flip))
    return shares


def counted(shares):
    """The numbers of the rows that count."""
    def way(row, flipped, direction):
        return row.back if flipped != bool(direction) else row.packets

    def total(rows, direction):
        return sum(way(row, flipped, direction) for row, flipped in rows)

    def order(name, rows, packets):
        return max(rank(row) for row, _ in rows), -packets, name

    best = min(shares, key=lambda name: order(name, shares[name], total(shares[name], 0) + total(shares[name], 1)))
    numbers = {row.number for row, _ in shares[best]}
    for direction in 0, 1:
        if total(shares[best], direction):
            continue
        only = {name: [(row, flipped) for row, flipped in rows if not way(row, flipped, 1 - direction)]
                for name, rows in shares.items()}
        only = {name: rows for name, rows in only.items() if total(rows, direction)}
        if only:
            other = min(only, key=lambda name: (max(rank(row) for row, _ in shares[name]),
                                                -total(only[name], direction), name))
            numbers |= {row.number for row, _ in only[other]}
    return numbers


def rule(rows):
    """Of each row whether it counts, and the group it is linked in."""
    entries, ties = [], []
    for row in rows:
        told = row.src, row.sport, row.dst, row.dport
        behind = tuple(after or before for after, before in zip(row.behind, told))
        entries.append(Entry(row, told, True))
        if behind != told:
            entries.append(Entry(row, behind, False))
            ties.append(entries[-2:])
    nodes = list(nodes_of(entries))
    for one, other in ties:
        flip = one.swapped != other.swapped
        one.node.tied.append((other.node, flip))
        other.node.tied.append((one.node, flip))
    marks = {}
    for group in groups_of(nodes):
        shares = shares_of(group)
        linked = len(shares) > 1
        link = "%016x%016x" % min(node.name for node in group) if linked else None
        numbers = counted(shares) if linked else {row.number for rows_of in shares.values() for row, _ in rows_of}
        marks.update({row.number: (row.number in numbers, link) for some in shares.values() for row, _ in some})
    return marks


# ---- tests -----------------------------------------------------------------------------------------------------


def address(text):
    return int(ipaddress.ip_address(text))


def scene(chance, number, began):
    """A few conversations that several points see, in part, at times that meet or not."""
    inside, outside, server = address("10.0.0.1"), address("203.0.113.9"), address("192.0.2.80")
    for _ in range(chance.randint(1, 9)):
        port, proto = chance.choice((1000, 1001)), chance.choice((6, 6, 6, 17, ICMP))
        ends, behind = (inside, port, server, 80), (0, 0, 0, 0)
        what = chance.random()
        if what < 0.25:
            behind = outside, port + 4000, 0, 0
        elif what < 0.4:
            ends = outside, port + 4000, server, 80
        if chance.random() < 0.4:
            ends, behind = ends[2:] + ends[:2], behind[2:] + behind[:2]
        first = began + chance.randint(0, 40) * SECOND + chance.choice((0, 0, 1, 500))
        last = first + chance.choice((0, 0, 3 * SECOND, 20 * SECOND))
        yield Row(next(number), chance.choice("ABC"), chance.choice((1, 1, 2)), ends, behind=behind, proto=proto,
                  first=first, last=last, packets=chance.choice((0, 1, 1, 5, 9)), back=chance.choice((0, 0, 4)),
                  rate=chance.choice((0, 1, 1, 10)), direction=chance.choice((0, 0, 0, 1)))


def scenes(seed):
    chance, number = random.Random(seed), itertools.count(1)
    return [row for i in range(SCENES) for row in scene(chance, number, BEGAN + i * SCENE)]


@test
def rows_are_marked_by_the_rule(folder):
    rows = scenes(1)
    found, expected = marks_of(kept(folder, "case", rows, 1)), rule(rows)
    wrong = [(vars(row), "found %s, by the rule %s" % (found.get(row.number), expected[row.number]))
             for row in rows if found.get(row.number) != expected[row.number]]
    need(not wrong, "%d of %d rows" % (len(wrong), len(rows)), *wrong[:5])
    linked = sum(link is not None for _, link in expected.values())
    need(linked > len(rows) / 5, "%d of %d rows are linked" % (linked, len(rows)))


@test
def what_came_first_and_where_commits_fall_changes_nothing(folder):
    rows = scenes(2)
    one = kept(folder, "one", rows, 1)
    other_rows = random.Random(3).sample(rows, len(rows))
    other = kept(folder, "other", other_rows, 7)
    need_equal(marks_of(other), marks_of(one))
    need_equal(digest(other), digest(one))


@test
def a_filter_knows_it(folder):
    rows = scenes(4)[:200]
    case, expected = kept(folder, "case", rows, 1), rule(rows)
    found = weir("query", case, "-k", "flow", "-Y", "not once", "-o", "json", status=(0, 1)).rows()
    need_equal(sorted(row["bytes"] for row in found), sorted(number for number in expected if not expected[number][0]))
    need(all(row["once"] is False and row["link"] for row in found))


@test
def packets_and_what_exporters_tell_of_them_count_once(folder):
    """A capture, and what two exporters made of it: totals of each, and the same totals once."""
    case = os.path.join(folder, "case")
    totals = "SELECT sum(packets + coalesce(reverse_packets, 0)) p, sum(bytes + coalesce(reverse_bytes, 0)) b FROM flow"
    read(golden("demo"), "-w", case)
    alone = query(case, totals)
    for name in "east", "west":
        out = os.path.join(folder, name + ".ipfix")
        weir("replay", golden("demo"), "-w", out)
        weir("collect", out, "-w", case, "--tap", name)
    need_equal(query(case, totals), [{name: 3 * value for name, value in alone[0].items()}])
    need_equal(query(case, totals + " WHERE once"), alone)
    need_equal(query(case, totals + " WHERE point = 'west'"), alone)


main()
