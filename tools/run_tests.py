#!/usr/bin/env python3
"""Runs every test and ends with one line: N passed, N failed (and N skipped, if any were).

    tools/run_tests.py [--build FOLDER] [--long] [--fuzz-seconds N] [SUITE ...]

The suites are the rows of SUITES at the end; without names all of them run. Each suite is a function that yields
results: (name, outcome, detail), where the outcome is PASSED, FAILED or SKIPPED. System tests are the scripts
in tests/system: each prints lines `ok NAME`, `not ok NAME` or `skip NAME REASON`, and finds what it needs in the
environment: WEIR (the program), WEIR_SOURCE (the root of the tree), WEIR_LONG (1 in `make prove`, else 0).
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
OUTPUT_SHOWN = 40  # lines of a failed test's output
SMOKE_RUNS = 4000  # inputs for each fuzz target when no time is given
SMOKE_SECONDS = 20
SYSTEM_SECONDS = 900
LONG_SECONDS = 4 * 3600


class Context:
    """What the suites share: where to build, how long to take, and which builds are there already."""

    def __init__(self, options):
        self.build = os.path.join(ROOT, options.build)
        self.long = options.long
        self.fuzz_seconds = options.fuzz_seconds
        self.ready = {}

    def folder(self, name):
        return self.build if name == "gcc" else os.path.join(self.build, "with-" + name)


def run(command, seconds, env=None):
    """The exit status and the output of a command, which sees no terminal. Status 124: it took too long."""
    whole = dict(os.environ, **(env or {}))
    try:
        done = subprocess.run(command, cwd=ROOT, env=whole, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode("utf-8", "replace")
        return 124, output + "\ntook longer than %d s" % seconds


# ---- builds ----------------------------------------------------------------------------------------------------

# libduckdb throws, and AddressSanitizer passes that on only where the program brings the C++ library itself.
FOR_EXCEPTIONS = "-Dc_link_args=-Wl,--push-state,--no-as-needed,-lstdc++,--pop-state"

# Name: compiler and Meson's options. Warnings are errors in the plain ones (meson.build says why not in the others).
BUILDS = {
    "gcc": ("gcc", []),
    "clang": ("clang", []),
    "asan": ("clang", ["-Dfuzz=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", FOR_EXCEPTIONS]),
    "tsan": ("clang", ["-Db_sanitize=thread", "-Db_lundef=false"]),
}


def configure(folder, compiler, options):
    if os.path.exists(os.path.join(folder, "build.ninja")):
        return 0, ""
    env = {"CC": os.environ.get("WEIR_" + compiler.upper(), compiler)}
    return run(["meson", "setup", folder, ROOT] + options, 300, env)


def build(context, name, targets=None):
    """Builds once; the detail of the failure, or None."""
    key = (name, tuple(targets or ()))
    if key not in context.ready:
        compiler, options = BUILDS[name]
        folder = context.folder(name)
        status, output = 0, ""
        if shutil.which(compiler) is None:
            status, output = 127, compiler + " is not installed: tools/setup --test"
        if not status:
            status, output = configure(folder, compiler, options)
        if not status:
            status, output = run(["ninja", "-C", folder] + list(targets or ()), 1800)
        context.ready[key] = output if status else None
    return context.ready[key]


def link_duckdb(context, name):
    return run([os.path.join(ROOT, "tools/fetch_duckdb"), os.path.join(context.folder(name), "lib")], 900)


# ---- unit tests ------------------------------------------------------------------------------------------------

COUNTS = re.compile(r"^\[  (PASSED|FAILED|SKIPPED)[ ]*\] (\d+) test\(s\)", re.M)
NAMES = re.compile(r"^\[  (FAILED|SKIPPED)[ ]*\] (\w+)$", re.M)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def results_of(row, prefix):
    """The results of one Meson test: those of cmocka where it tells them, one otherwise."""
    output = ANSI.sub("", row.get("stdout", "") + "\n" + row.get("stderr", ""))
    name, fine = prefix + row["name"], row["result"] in ("OK", "SKIP")
    counts = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for word, number in COUNTS.findall(output):
        counts[word] += int(number)
    if row["result"] == "SKIP" or not sum(counts.values()):
        outcome = SKIPPED if row["result"] == "SKIP" else PASSED if fine else FAILED
        yield name, outcome, output if not fine else last_line(output)
        return
    for number in range(counts["PASSED"]):
        yield "%s %d" % (name, number + 1), PASSED, ""
    for word, test in sorted(set(NAMES.findall(output))):
        if word == "SKIPPED":
            yield "%s %s" % (name, test), SKIPPED, ""
    failures = max(counts["FAILED"], 0 if fine else 1)
    for number in range(failures):
        yield "%s, failure %d" % (name, number + 1), FAILED, output if number == 0 else ""


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


def meson_tests(context, name, wanted=None, wrapper=None, env=None):
    folder = context.folder(name)
    # Meson puts the name of the wrapper into that of the log.
    wrapped = "-" + os.path.basename(wrapper.split()[0]) if wrapper else ""
    log = os.path.join(folder, "meson-logs", "testlog%s.json" % wrapped)
    if os.path.exists(log):
        os.remove(log)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--timeout-multiplier", "10"]
    if wrapper:
        command += ["--wrapper", wrapper]
    status, output = run(command + (wanted or []), 3600, env)
    if not os.path.exists(log):
        yield name + " tests", FAILED, output
        return
    rows = [json.loads(line) for line in open(log, encoding="utf-8")]
    for row in rows:
        yield from results_of(row, "" if name == "gcc" else name + ": ")
    if status and all(row["result"] in ("OK", "SKIP") for row in rows):
        yield name + " tests", FAILED, output


def with_build(context, name, targets=None):
    """Whether a build stands; yields its failure."""
    failure = build(context, name, targets)
    yield name + " builds without a warning" if name in ("gcc", "clang") else name + " builds", \
        FAILED if failure is not None else PASSED, failure or ""


def gcc(context):
    yield from with_build(context, "gcc")
    if build(context, "gcc") is None:
        status, output = link_duckdb(context, "gcc")
        yield "libduckdb is there", FAILED if status else PASSED, output
        yield from meson_tests(context, "gcc")


def clang(context):
    yield from with_build(context, "clang")


# What the kernel and libduckdb (not ours, not instrumented) do must not be held against us.
ASAN = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=0:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "LSAN_OPTIONS": "suppressions=%s:print_suppressions=0" % os.path.join(ROOT, "tools/leaks.txt"),
}


def asan(context):
    yield from with_build(context, "asan")
    if build(context, "asan") is None:
        link_duckdb(context, "asan")
        yield from meson_tests(context, "asan", wrapper=None, env=ASAN, wanted=tests_of(context, "asan", ASAN_LEFT_OUT))
        yield from system_tests(context, "asan", ASAN, SANITIZED_LONG if context.long else SANITIZED)


# Reads the tree, not the program: once is enough.
ASAN_LEFT_OUT = re.compile(r"^tidy")


def tests_of(context, name, left_out):
    status, output = run(["meson", "introspect", "--tests", context.folder(name)], 60)
    tests = json.loads(output) if status == 0 else []
    return [test["name"] for test in tests if not left_out.search(test["name"])]


# ---- threads ---------------------------------------------------------------------------------------------------

# Not what runs in threads of librdkafka: it makes them in a way of which ThreadSanitizer does not hear.
THREADED = re.compile(r"^(bus/(?!kafka_)|engine|service|source/(?!live_topic)|store/artifact)")
TSAN = {"TSAN_OPTIONS": "halt_on_error=1:exitcode=66"}


def steady_addresses():
    """ThreadSanitizer needs addresses in their place; where the kernel shuffles them widely, they are held still."""
    command = ["setarch", os.uname().machine, "-R"]
    try:
        return command if run(command + ["true"], 10)[0] == 0 else []
    except OSError:
        return []


def tsan(context):
    status, output = configure(context.folder("tsan"), *BUILDS["tsan"])
    if status:
        yield "tsan builds", FAILED, output
        return
    tests = json.loads(run(["meson", "introspect", "--tests", context.folder("tsan")], 60)[1])
    threaded = [test for test in tests if THREADED.match(test["name"])]
    targets = [os.path.relpath(test["cmd"][0], context.folder("tsan")) for test in threaded] + ["weir"]
    yield from with_build(context, "tsan", targets)
    if build(context, "tsan", targets) is not None:
        return
    still = steady_addresses()
    names = [test["name"] for test in threaded if not test["name"].startswith("store")]
    yield from meson_tests(context, "tsan", names, " ".join(still) or None, TSAN)
    yield from tsan_reads(context, still)


def tsan_reads(context, still):
    """The whole pipeline on four lanes over the bundled captures, without libduckdb, which is not instrumented."""
    golden = os.path.join(ROOT, "tests/golden")
    command = still + [os.path.join(context.folder("tsan"), "weir"), "read", "-q", "-j", "4", "-w", "none", golden]
    status, output = run(command, 600, TSAN)
    yield "tsan: four lanes over the bundled captures", PASSED if status in (0, 3) else FAILED, output


# ---- system tests ----------------------------------------------------------------------------------------------

LINE = re.compile(r"^(ok|not ok|skip) (\S+)(?: (.*))?$")
OUTCOMES = {"ok": PASSED, "not ok": FAILED, "skip": SKIPPED}


# All but those that run the program some thousand times; in `make prove` these too.
SANITIZED = ("bad_input", "cli", "corpus", "evasion", "golden", "records", "report", "rows")
SANITIZED_LONG = SANITIZED + ("crash", "digest")


def system_tests(context, name="gcc", env=None, only=""):
    folder = os.path.join(ROOT, "tests/system")
    scripts = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for script in scripts:
        path = os.path.join(folder, script)
        if script.startswith(only) and script.endswith((".py", ".sh")) and os.access(path, os.X_OK):
            yield from system_test(context, name, path, env or {})


def system_test(context, name, path, env):
    place = os.path.relpath(path, os.path.join(ROOT, "tests")).rsplit(".", 1)[0]
    label = ("" if name == "gcc" else name + ": ") + place
    seconds = LONG_SECONDS if context.long else SYSTEM_SECONDS
    with tempfile.TemporaryDirectory(prefix="weir-test-") as scratch:
        env = dict(env, WEIR=os.path.join(context.folder(name), "weir"), WEIR_SOURCE=ROOT, TMPDIR=scratch,
                   WEIR_LONG="1" if context.long else "0")
        status, output = run([path], seconds, env)
    told_failure = False
    for match in filter(None, map(LINE.match, output.splitlines())):
        word, test, detail = match.groups()
        told_failure |= word == "not ok"
        yield "%s %s" % (label, test), OUTCOMES[word], output if word == "not ok" else detail or ""
    if status == 77:
        yield label, SKIPPED, last_line(output)
    elif status and not told_failure:
        yield label, FAILED, "ended with status %d\n%s" % (status, output)


def system(context):
    failure = build(context, "gcc")
    if failure is not None:
        yield "system tests", FAILED, "nothing to test: the program does not build"
        return
    yield from system_tests(context)


# ---- simulation ------------------------------------------------------------------------------------------------

SIMULATED, SIMULATED_LONG = 10000, 1000000  # cases


def simulation(context):
    """Seeded cases whose truth is known (tests/sim), shared out among the processors."""
    failure = build(context, "gcc")
    if failure is not None:
        yield "simulated traffic", FAILED, "nothing to test: the program does not build"
        return
    cases, shares = (SIMULATED_LONG, os.cpu_count() or 1) if context.long else (SIMULATED, 1)
    program = os.path.join(context.folder("gcc"), "tests/sim/sim")
    each = -(-cases // shares)
    commands = [[program, "--from", str(1 + share * each), "--count", str(each)] for share in range(shares)]
    commands[0] += ["--seeds", os.path.join(ROOT, "tests/sim/seeds.txt")]
    with concurrent.futures.ThreadPoolExecutor(shares) as pool:
        for status, output in pool.map(lambda command: run(command, LONG_SECONDS), commands):
            yield "simulated traffic, " + last_line(output), FAILED if status else PASSED, output


# ---- fuzz ------------------------------------------------------------------------------------------------------


def fuzz_targets(folder):
    found = []
    for where, _, files in os.walk(folder):
        if not where.endswith(".p"):
            found += [os.path.join(where, f) for f in files if f.startswith("fuzz_") and "." not in f]
    return sorted(f for f in found if os.access(f, os.X_OK))


def fuzz(context):
    yield from with_build(context, "asan")
    if build(context, "asan") is not None:
        return
    targets = fuzz_targets(context.folder("asan"))
    if not targets:
        yield "fuzz targets", FAILED, "there are none"
    for target in targets:
        yield fuzz_one(context, target)


def fuzz_one(context, target):
    name = os.path.basename(target)
    seconds = context.fuzz_seconds or (600 if context.long else 0)
    corpus = os.path.join(context.build, "fuzz", name)
    os.makedirs(corpus, exist_ok=True)
    limits = ["-max_total_time=%d" % (seconds or SMOKE_SECONDS)] + ([] if seconds else ["-runs=%d" % SMOKE_RUNS, "-seed=1"])
    command = [target, corpus, "-artifact_prefix=%s-" % corpus, "-timeout=20", "-rss_limit_mb=2048",
               "-print_final_stats=1"] + limits
    status, output = run(command, (seconds or SMOKE_SECONDS) + 120, ASAN)
    runs = re.search(r"stat::number_of_executed_units: *(\d+)", output)
    detail = "%s inputs" % runs.group(1) if runs and not status else output
    return name, FAILED if status else PASSED, detail


# ---- the table -------------------------------------------------------------------------------------------------

# Name, what runs it, what it is.
SUITES = [
    ("unit", gcc, "gcc build, unit tests beside the source, tidy"),
    ("sim", simulation, "simulated traffic whose truth is known: tests/sim"),
    ("system", system, "the program from outside: tests/system"),
    ("clang", clang, "clang build, warnings are errors"),
    ("asan", asan, "AddressSanitizer and UndefinedBehaviorSanitizer: unit tests and golden captures"),
    ("tsan", tsan, "ThreadSanitizer: what runs on several threads"),
    ("fuzz", fuzz, "every fuzz target for a moment"),
]


def show(name, outcome, detail):
    if outcome == SKIPPED:
        print("skipped: %s %s" % (name, detail))
    if outcome == FAILED:
        lines = detail.rstrip().splitlines()
        print("FAILED: %s" % name)
        for line in lines[-OUTPUT_SHOWN:]:
            print("    " + line)
    sys.stdout.flush()


def run_suite(row, context, total):
    name, function, what = row
    print("== %s: %s" % (name, what), flush=True)
    began = time.monotonic()
    counts = {PASSED: 0, FAILED: 0, SKIPPED: 0}
    for test, outcome, detail in function(context):
        counts[outcome] += 1
        show(test, outcome, detail)
        if outcome == PASSED and name == "fuzz":
            print("   %s %s" % (test, detail), flush=True)
    for outcome, number in counts.items():
        total[outcome] += number
    print("   %s (%.0f s)" % (line_of(counts), time.monotonic() - began), flush=True)


def line_of(counts):
    line = "%d passed, %d failed" % (counts[PASSED], counts[FAILED])
    return line + ", %d skipped" % counts[SKIPPED] if counts[SKIPPED] else line


def main():
    parser = argparse.ArgumentParser(description="Runs every test.")
    parser.add_argument("--build", default="build")
    parser.add_argument("--long", action="store_true", help="the long counts too")
    parser.add_argument("--fuzz-seconds", type=int, default=0, help="for each target; 0: a moment")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(row[0] for row in SUITES))
    options = parser.parse_args()
    unknown = set(options.suites) - {row[0] for row in SUITES}
    if unknown:
        parser.error("no such suite: " + ", ".join(sorted(unknown)))
    context = Context(options)
    total = {PASSED: 0, FAILED: 0, SKIPPED: 0}
    for row in SUITES:
        if not options.suites or row[0] in options.suites:
            run_suite(row, context, total)
    print(line_of(total))
    return 1 if total[FAILED] or not total[PASSED] else 0


if __name__ == "__main__":
    sys.exit(main())
