#!/usr/bin/env python3
"""What is read does not depend on how it is read: digests are equal with 1, 2 and 4 lanes, from standard input,
compressed, in pieces, in memory and on disk."""

import os
import shutil
import subprocess

from program import (GOLDEN, Skip, content_of, cut_into, digest, golden_captures, main, mix, need, need_equal,
                     packets_of, read, test)

PIECES = 3
MIX_PIECES = 7
COMPRESSORS = {"gz": ["gzip", "-nc"], "zst": ["zstd", "-qc"], "lz4": ["lz4", "-qc"]}
SAME_TIME = {}


def case_digest(folder, *words, **options):
    """The digest of a case made by `weir read WORDS`; the case goes again."""
    case = os.path.join(folder, "case")
    read(*words, "-w", case, **options)
    found = digest(case)
    shutil.rmtree(case)
    return found


def every_golden(folder, other):
    """other(NAME, PATH) must give the digest that the plain file has."""
    for name, path in golden_captures().items():
        if name not in SAME_TIME:
            SAME_TIME[name] = digest(path)
        need_equal(other(name, path), SAME_TIME[name], name)


@test
def some_captures_are_bundled(folder):
    need(len(golden_captures()) >= 100, "only %d captures in %s" % (len(golden_captures()), GOLDEN))


@test
def disk_gives_what_memory_gives(folder):
    every_golden(folder, lambda name, path: case_digest(folder, path))


@test
def four_lanes(folder):
    every_golden(folder, lambda name, path: case_digest(folder, path, "-j", 4))


def sorted_records(*words, **options):
    """The records as they are printed while reading, without those of the captures themselves."""
    lines = read(*words, "-o", "json", **options).out.splitlines()
    return sorted(line for line in lines if b'"kind":"capture"' not in line)


@test
def two_lanes_record_for_record(folder):
    for name, path in golden_captures().items():
        need_equal(sorted_records(path, "-j", 2), sorted_records(path), name)


@test
def standard_input(folder):
    every_golden(folder, lambda name, path: digest("-", stdin=content_of(path)))


def compressed(folder, ending):
    command = COMPRESSORS[ending]
    if shutil.which(command[0]) is None:
        raise Skip("%s is not installed" % command[0])

    def digest_compressed(name, path):
        packed = os.path.join(folder, "packed.pcap." + ending)
        with open(packed, "wb") as out:
            subprocess.run(command + [path], stdout=out, check=True)
        return digest(packed)

    every_golden(folder, digest_compressed)


@test
def compressed_by_gzip(folder):
    compressed(folder, "gz")


@test
def compressed_by_zstd(folder):
    compressed(folder, "zst")


@test
def compressed_by_lz4(folder):
    compressed(folder, "lz4")


@test
def pieces_in_a_folder(folder):
    def digest_pieces(name, path):
        if not in_order(path):
            return SAME_TIME[name]  # pieces are merged by time, and these packets would change places
        pieces = cut_into(path, PIECES, os.path.join(folder, "pieces"))
        found = case_digest(folder, pieces, "-j", 2)
        shutil.rmtree(pieces)
        return found

    every_golden(folder, digest_pieces)


def in_order(path):
    """Whether the times in a capture never go back."""
    times = [(int.from_bytes(p[0:4], "little"), int.from_bytes(p[4:8], "little")) for p in packets_of(path)[1]]
    return times == sorted(times)


@test
def all_bundled_captures_as_one_tap(folder):
    expected = case_digest(folder, GOLDEN)
    for lanes in 2, 3, 4:
        need_equal(case_digest(folder, GOLDEN, "-j", lanes), expected, "%d lanes" % lanes)


@test
def captures_named_in_another_order(folder):
    paths = [path for name, path in golden_captures().items() if name.startswith("http/")]
    need_equal(case_digest(folder, *reversed(paths)), case_digest(folder, *paths))


@test
def different_captures_differ(folder):
    names = golden_captures()
    need(digest(names["tcp/pushes"]) != digest(names["tcp/no-end"]), "a capture without its end has the same digest")


@test
def a_realistic_mix(folder):
    path = mix(folder)
    expected = digest(path)
    for lanes in 1, 2, 4:
        need_equal(case_digest(folder, path, "-j", lanes), expected, "%d lanes" % lanes)
    with open(path, "rb") as file:
        need_equal(digest("-", stdin=file), expected, "standard input")
    pieces = cut_into(path, MIX_PIECES, os.path.join(folder, "pieces"))
    need_equal(case_digest(folder, pieces, "-j", 2), expected, "pieces")
    packed = os.path.join(folder, "mix.pcap.zst")
    subprocess.run(["zstd", "-1", "-qf", path, "-o", packed], check=True)
    need_equal(digest(packed), expected, "zstd")


main()
