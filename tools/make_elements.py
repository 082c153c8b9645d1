#!/usr/bin/env python3
"""Information elements as rows of C.

    make_elements.py LIST HEADER      LIST is src/record/elements.tsv; rows sorted by enterprise and number
"""
import sys

TYPES = {"octetArray", "unsigned8", "unsigned16", "unsigned32", "unsigned64", "signed8", "signed16", "signed32",
         "signed64", "float32", "float64", "boolean", "macAddress", "string", "dateTimeSeconds",
         "dateTimeMilliseconds", "dateTimeMicroseconds", "dateTimeNanoseconds", "ipv4Address", "ipv6Address",
         "basicList", "subTemplateList", "subTemplateMultiList"}


def read(path):
    rows = {}
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if line.startswith("#") or not line.strip():
            continue
        parts = line.rstrip("\n").split("\t")
        if len(parts) not in (4, 5) or parts[3] not in TYPES:
            sys.exit(f"{path}: line {number} is not ENTERPRISE NUMBER NAME TYPE [FIELD]")
        key = int(parts[0]), int(parts[1])
        if key in rows:
            sys.exit(f"{path}: line {number}: {key} is there twice")
        rows[key] = parts[2], parts[3], parts[4] if len(parts) == 5 else ""
    return rows


def main():
    rows = read(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write("// Made from elements.tsv by tools/make_elements.py.\n")
        for (enterprise, number), (name, type_, field) in sorted(rows.items()):
            fills = f'"{field}"' if field else "NULL"
            out.write(f'{{{enterprise}, {number}, ELEMENT_{type_}, "{name}", {fills}}},\n')


main()
