#!/usr/bin/env python3
"""The report is the same wherever the records are kept, with any number of lanes, and from the case again.

    tests/system/report.py           prints `ok NAME` or `not ok NAME` for each
    tests/system/report.py --bless   writes tests/golden/demo.report.txt anew, to be looked at
"""

import difflib
import os
import subprocess
import sys
import tempfile
import unicodedata

ROOT = os.environ.get("WEIR_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.path.abspath(os.environ.get("WEIR", os.path.join(ROOT, "build", "weir")))
DEMO = os.path.join(ROOT, "tests", "golden", "demo.pcap")
GOLDEN = os.path.join(ROOT, "tests", "golden", "demo.report.txt")
LANES = (1, 2, 4)
WIDTHS = (40, 80, 99, 100, 140, 200)
ASK = "\nWhat to ask next\n"
SECONDS = 120


def weir(*words, columns=100, locale="C.UTF-8"):
    environment = dict(os.environ, COLUMNS=str(columns), LC_ALL=locale)
    run = subprocess.run([WEIR, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, env=environment, timeout=SECONDS)
    if run.returncode:
        raise AssertionError("weir %s: status %d: %s" % (" ".join(map(str, words)), run.returncode,
                                                         run.stderr.decode(errors="replace")))
    return run.stdout.decode()


def need_equal(got, want, what):
    if got == want:
        return
    lines = difflib.unified_diff(want.splitlines(), got.splitlines(), "wanted", what, lineterm="", n=1)
    raise AssertionError("\n".join(lines))


def without_case(report):
    """What does not hang on the name of the case: no title, and nothing to ask next."""
    return report.split(ASK)[0].split("\n", 1)[1].rstrip("\n")


def columns_of(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def is_as_blessed(folder):
    with open(GOLDEN, encoding="utf-8") as golden:
        need_equal(weir("read", DEMO, "-w", "none"), golden.read(), "-w none")


def lanes_do_not_matter(folder):
    want = weir("read", DEMO, "-w", "none")
    for lanes in LANES:
        need_equal(weir("read", DEMO, "-w", "none", "-j", lanes), want, "-j %d" % lanes)


def memory_does_not_matter(folder):
    want = weir("read", DEMO, "-w", "none")
    for lanes in LANES:
        need_equal(weir("read", DEMO, "-w", "memory", "-j", lanes), want, "-w memory -j %d" % lanes)


def a_case_tells_the_same_again(folder):
    want = weir("read", DEMO, "-w", "none")
    for lanes in LANES:
        case = os.path.join(folder, "demo-%d.weir" % lanes)
        first = weir("read", DEMO, "-w", case, "-j", lanes)
        need_equal(weir("report", case), first, "weir report of the case")
        need_equal(without_case(first), without_case(want), "-w CASE -j %d" % lanes)
        assert ASK in first and ASK not in want, "what to ask next is there for cases, and for them alone"


def what_to_ask_next_can_be_asked(folder):
    case = os.path.join(folder, "it's a case.weir")
    commands = weir("read", DEMO, "-w", case).split(ASK)[1].splitlines()
    assert 3 <= len(commands) <= 5, "%d commands" % len(commands)
    for command in commands:
        script = 'weir() { "$WEIR" "$@"; };' + command
        run = subprocess.run(["sh", "-c", script], cwd=folder, env=dict(os.environ, WEIR=WEIR), timeout=SECONDS,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert run.returncode == 0 and run.stdout, "%s: status %d: %s" % (command, run.returncode, run.stderr)


def lines_fit_every_screen(folder):
    for columns in WIDTHS:
        for locale in ("C", "C.UTF-8"):
            report = weir("read", DEMO, "-w", "none", columns=columns, locale=locale)
            for line in report.splitlines():
                assert columns_of(line) <= columns, "%d columns: %s" % (columns, line)
                assert line == line.rstrip(), "white space at the end: %s" % line
                assert locale != "C" or line.isascii(), "not ASCII: %s" % line


def bless():
    report = weir("read", DEMO, "-w", "none")
    with open(GOLDEN, "w", encoding="utf-8") as golden:
        golden.write(report)
    sys.stdout.write(report)


def main():
    if sys.argv[1:] == ["--bless"]:
        return bless()
    failed = False
    for test in (is_as_blessed, lanes_do_not_matter, memory_does_not_matter, a_case_tells_the_same_again,
                 what_to_ask_next_can_be_asked, lines_fit_every_screen):
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(folder)
                print("ok", test.__name__, flush=True)
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                failed = True
                print("not ok", test.__name__, flush=True)
                print("\n".join("  " + line for line in str(error).splitlines()), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
