#!/usr/bin/env python3
"""Service names by port.

    make_services.py list SERVICES > src/flow/services.txt   facts out of a services(5) file
    make_services.py table LIST HEADER                       the list as rows of C, sorted by port

Only the first name of a port and protocol counts; aliases and comments are left out.
"""
import re
import sys

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "dccp": 33}
ROW = re.compile(r"^([A-Za-z0-9._+-]+)\s+(\d+)/([a-z]+)")


def read(path):
    rows = {}
    for line in open(path, encoding="utf-8"):
        match = ROW.match(line)
        if match and match[3] in PROTOCOLS and 0 < int(match[2]) < 65536:
            rows.setdefault((int(match[2]), match[3]), match[1])
    if not rows:
        sys.exit(f"{path}: no services in it")
    return rows


def write_list(rows):
    print("# Service names by port and protocol: the facts of Debian's /etc/services"
          " (tools/make_services.py).")
    for (port, protocol), name in sorted(rows.items()):
        print(f"{name} {port}/{protocol}")


def write_table(rows, path):
    numbered = sorted((port, PROTOCOLS[protocol], name) for (port, protocol), name in rows.items())
    with open(path, "w", encoding="utf-8") as out:
        out.write("// Made from services.txt by tools/make_services.py: port, protocol, name.\n")
        for port, protocol, name in numbered:
            out.write(f'{{{port}, {protocol}, "{name}"}},\n')


if len(sys.argv) == 3 and sys.argv[1] == "list":
    write_list(read(sys.argv[2]))
elif len(sys.argv) == 4 and sys.argv[1] == "table":
    write_table(read(sys.argv[2]), sys.argv[3])
else:
    sys.exit(__doc__)
