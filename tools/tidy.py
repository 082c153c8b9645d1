#!/usr/bin/env python3
"""The rules of docs/STYLE.md that a machine can check. A mistake is a line: file:line: rule.

    tools/tidy.py             checks the tree; status 1 when there is a mistake
    tools/tidy.py --format [FILE|FOLDER ...]
                              runs clang-format over the C files, or over these (.clang-format)

Each rule is a function that yields mistakes (file, line, text); the rows of RULES at the end are all of them.
A file that is a table, and may be long for it, says so with a comment line: // tidy: table
"""

import concurrent.futures
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800
HEADER_LINES_MAX = 300
COLUMNS_MAX = 100
TABLE_MARKER = "// tidy: table"

# The two sides that meet in record and bus only.
DATA_PLANE = ("source", "decode", "flow", "stream", "dissect", "extract", "collect", "enrich", "analyze", "detect")
KEEPING = ("store", "sink", "api")

# Folders of extensions, and what others may include of them.
FRONT = {
    "source": ("source.h", "capture_kind.h", "datagrams.h", "connections.h", "link_type.h", "live.h",
               "rights.h", "capture_writer.h", "fetch.h"),
    "decode": ("decode.h", "scope.h", "shard.h", "key.h", "tunnels.h", "watermark.h", "reasons.h"),
    "dissect": ("dissect.h", "driver.h", "harness.h"),
}

# Which folder may include which library; tests may include all.
LIBRARIES = {
    "openssl/": ("base",), "xxhash": ("base",), "zlib": ("base",), "brotli/": ("base",), "zstd": ("base",),
    "lz4": ("base",), "bzlib": ("base",), "pcap": ("source",), "pcre2": ("filter",), "jansson": ("collect", "store"), "dlfcn": ("bus", "store"), "librdkafka/": ("bus",),
    "yaml": ("config",), "microhttpd": ("api",),
    "pthread": ("base", "bus", "source", "engine", "service"), "stdatomic": ("base", "bus", "engine", "service"),
}

# Calls that are not made, and where they are all the same; tests may.
BANNED = {
    "strcpy": (), "strcat": (), "sprintf": (), "vsprintf": (), "gets": (), "alloca": (), "strtok": (),
    "atoi": ("cmd",), "malloc": ("base",), "calloc": ("base",), "realloc": ("base",),
}

UNDECIDED = {"util", "utils", "misc", "common", "helper", "helpers", "manager"}

# Written in two halves, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MACHINE_PATHS = re.compile(r"/wo" + r"rk/|/tmp/" + r"w/|/home/\w+/")

BINARY = (".pcap", ".pcapng", ".gz", ".zst", ".lz4", ".png", ".parquet", ".snoop", ".cap")


# ---- the tree --------------------------------------------------------------------------------------------------


def tracked():
    """Files of the project: what git knows or would add; without git, all but build folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return sorted(f for f in done.stdout.decode().splitlines() if os.path.isfile(os.path.join(ROOT, f)))
    except OSError:
        pass
    found = []
    for where, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith(("build", ".git", "__pycache__"))]
        found += [os.path.relpath(os.path.join(where, f), ROOT) for f in files]
    return sorted(found)


class Tree:
    def __init__(self):
        self.files = tracked()
        self.texts = {}
        for name in self.files:
            if not name.endswith(BINARY):
                with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as file:
                    self.texts[name] = file.read()
        self.code = [f for f in self.texts if f.endswith((".c", ".h"))]
        self.src = [f for f in self.code if f.startswith("src/")]
        order = re.findall(r"^subdir\('(\w+)'\)", self.texts.get("src/meson.build", ""), re.M)
        self.order = {folder: number for number, folder in enumerate(order)}

    def lines(self, name):
        return self.texts[name].splitlines()


def folder_of(name):
    return name.split("/")[1]


def is_test(name):
    """Tests, and what is linked into tests only."""
    return re.search(r"_test\.[ch]$|/(fixture|harness\w*|capture_builder|test_\w+)\.[ch]$", name) is not None


INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def includes(tree, name):
    for number, line in enumerate(tree.lines(name), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')


def bare(line):
    """A line of code without its strings and its comment."""
    return STRING.sub('""', line).split("//")[0]


# ---- layers ----------------------------------------------------------------------------------------------------


def ours(tree, name):
    for number, quoted, path in includes(tree, name):
        if quoted and "/" in path and path.split("/")[0] in tree.order:
            yield number, path.split("/")[0], path


def order(tree):
    for name in tree.src:
        me = folder_of(name)
        if me not in tree.order:
            yield name, 1, "folder %s is not in src/meson.build" % me
            continue
        for number, other, path in ours(tree, name):
            if tree.order[other] > tree.order[me]:
                yield name, number, "%s knows only folders before it in src/meson.build, not %s" % (me, other)
            apart = (me in DATA_PLANE and other in KEEPING) or (me in KEEPING and other in DATA_PLANE)
            if apart:
                yield name, number, "%s and %s meet in record and bus only" % (me, other)


def front(tree):
    for name in tree.src:
        for number, other, path in ours(tree, name):
            if other in FRONT and other != folder_of(name) and path.split("/")[1] not in FRONT[other]:
                yield name, number, "%s is inside %s: include its front header" % (path, other)


def registered(tree, folder, pattern):
    text = tree.texts.get("src/%s/meson.build" % folder, "")
    match = re.search(pattern, text, re.S | re.M)
    return match.group(1) if match else ""


def dissector_groups(tree):
    """Name of each dissector, and its files."""
    rows = registered(tree, "dissect", r"^dissectors = \{(.*?)^\}")
    return {n: re.findall(r"'(\w+\.c)'", files) for n, files in re.findall(r"'(\w+)':\s*\[(.*?)\]", rows, re.S)}


def strangers(tree):
    """Extensions don't include one another's files."""
    groups = {file[:-2]: name for name, files in dissector_groups(tree).items() for file in files}

    def group(path):
        stem = re.sub(r"(_test)?\.[ch]$", "", os.path.basename(path))
        return groups.get(stem) or next((groups[g] for g in groups if stem.startswith(g + "_")), None)

    for name in tree.src:
        mine = group(name) if folder_of(name) == "dissect" else None
        for number, other, path in ours(tree, name):
            if mine and other == "dissect" and group(path) not in (None, mine):
                yield name, number, "%s belongs to another dissector" % path


def libraries(tree):
    for name in tree.src:
        if is_test(name):
            continue
        for number, quoted, path in includes(tree, name):
            for library, folders in LIBRARIES.items():
                if not quoted and path.startswith(library) and folder_of(name) not in folders:
                    yield name, number, "<%s> is included by %s only" % (path, ", ".join(folders))


# ---- form ------------------------------------------------------------------------------------------------------


def functions(tree, name):
    """(name, first line, last line, body) of each function: its braces stand alone at the left edge."""
    lines, begin = tree.lines(name), None
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            head = " ".join(lines[max(0, begin - 6):begin - 1])
            head = re.split(r"[;}]|\*/", head)[-1]
            called = re.search(r"(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*(?:\(\(.*\)\))?\s*$", head)
            yield called.group(1) if called else "?", begin, number, lines[begin:number - 1]
            begin = None


def sizes(tree):
    for name in tree.code:
        lines = tree.lines(name)
        most = HEADER_LINES_MAX if name.endswith(".h") else FILE_LINES_MAX
        if len(lines) > most and TABLE_MARKER not in lines:
            yield name, most + 1, "%d lines, more than %d" % (len(lines), most)
        for function, first, last, _ in functions(tree, name):
            if last - first + 1 > FUNCTION_LINES_MAX:
                yield name, first, "%s has %d lines, more than %d" % (function, last - first + 1, FUNCTION_LINES_MAX)
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                yield name, number, "%d columns, more than %d" % (len(line), COLUMNS_MAX)


def recursion(tree):
    for name in tree.code:
        for function, first, _, body in functions(tree, name):
            for number, line in enumerate(body, first + 1):
                if function != "?" and re.search(r"(?<![\w.>])%s\s*\(" % function, bare(line)):
                    yield name, number, "%s calls itself: a loop with a limit instead" % function


def braces(tree):
    """A function's brace stands on its own line."""
    head = re.compile(r"^[a-z][\w\s*]*\b\w+\([^;={}]*\)\s*\{")
    for name in tree.code:
        for number, line in enumerate(tree.lines(name), 1):
            if head.match(line):
                yield name, number, "the brace of a function stands on a line of its own"


def calls(tree):
    pattern = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
    for name in tree.src:
        if is_test(name):
            continue
        me = folder_of(name)
        for number, line in enumerate(tree.lines(name), 1):
            for call in pattern.findall(bare(line)):
                if me not in BANNED[call]:
                    yield name, number, "%s is not called here" % call


def spaces(tree):
    for name in tree.texts:
        if name == "LICENSE":
            continue
        text = tree.texts[name]
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip():
                yield name, number, "spaces at the end of the line"
            if "\t" in line and name.endswith((".c", ".h", ".py", "meson.build")):
                yield name, number, "a tab"
        if text and not text.endswith("\n"):
            yield name, text.count("\n") + 1, "no line feed at the end of the file"


def words(tree):
    for name in tree.texts:
        for number, line in enumerate(tree.lines(name), 1):
            found = UNFINISHED.search(line)
            if found:
                yield name, number, "%s: finish it, or leave it out" % found.group(1)
            if MACHINE_PATHS.search(line):
                yield name, number, "a path of somebody's machine"


def names(tree):
    for name in tree.files:
        for part in name.split("/"):
            if UNDECIDED & set(re.split(r"[_\-.]", part.lower())):
                yield name, 1, "%s: a name that decides nothing" % part


# ---- headers ---------------------------------------------------------------------------------------------------


def header_form(tree):
    for name in tree.src:
        if name.endswith(".h"):
            lines = tree.lines(name)
            if not lines or not lines[0].startswith("// "):
                yield name, 1, "a header begins with a comment that says what it is"
            if "#pragma once" not in lines:
                yield name, 1, "no #pragma once"


def own_header_first(tree):
    for name in tree.src:
        own = re.sub(r"\.c$", ".h", name)
        if name.endswith(".c") and own in tree.texts and not name.endswith("_test.c"):
            first = next(includes(tree, name), (1, True, ""))
            if first[2] != own[len("src/"):]:
                yield name, first[0], 'its own header "%s" comes first' % own[len("src/"):]


def compile_alone(name):
    command = [os.environ.get("CC", "gcc"), "-std=gnu17", "-D_GNU_SOURCE", "-w", "-fsyntax-only", "-I", "src", "-x",
               "c", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return None
    first = next((line for line in done.stderr.decode().splitlines() if "error" in line), "does not compile")
    return name, 1, "does not compile by itself: " + first


def headers_alone(tree):
    headers = [f for f in tree.src if f.endswith(".h")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from filter(None, pool.map(compile_alone, headers))


# ---- completeness ----------------------------------------------------------------------------------------------


def built(tree):
    """Every source is in its folder's list, every fuzz target in some list."""
    for name in tree.src:
        stem = os.path.basename(name)[:-2]
        text = tree.texts.get("src/%s/meson.build" % folder_of(name), "")
        listed = ["'%s.c'" % stem, "'%s'" % stem, "'%s'" % re.sub(r"_test$", "", stem)]
        if name.endswith(".c") and not any(word in text for word in listed):
            yield name, 1, "is in no list of its meson.build"
    builds = "".join(text for name, text in tree.texts.items() if name.endswith("meson.build"))
    for name in tree.code:
        if name.startswith("fuzz/") and name.endswith(".c") and name not in builds:
            yield name, 1, "is a target in no meson.build"


def dissectors(tree):
    sources = tree.texts.get("tests/golden/SOURCES.md", "")
    for name, files in dissector_groups(tree).items():
        text = "".join(tree.texts.get("src/dissect/" + file, "") for file in files)
        if not re.search(r"\bRFC \d+", text):
            yield "src/dissect/%s.c" % name, 1, "cites no RFC"
        if not any(f.startswith("tests/golden/%s/" % name) for f in tree.files):
            yield "src/dissect/%s.c" % name, 1, "has no captures in tests/golden/%s" % name
    for name in tree.files:
        if name.startswith("tests/golden/") and name.endswith((".pcap", ".pcapng")):
            capture = name[len("tests/golden/"):].rsplit(".", 1)[0]
            if capture not in sources:
                yield "tests/golden/SOURCES.md", 1, "does not say where %s comes from" % capture


FIELD = re.compile(r'\{\s*"(\w+)",\s*FIELD_\w+,\s*(?:NULL|"[^"]*"),\s*(NULL|"")')


def fields(tree):
    """Each row of a field table has its line of help."""
    for name in tree.src:
        if not is_test(name):
            for match in FIELD.finditer(tree.texts[name]):
                yield name, tree.texts[name].count("\n", 0, match.start()) + 1, "field %s has no help" % match.group(1)


# ---- the table -------------------------------------------------------------------------------------------------

RULES = [
    order, front, strangers, libraries, sizes, recursion, braces, calls, spaces, words, names, header_form,
    own_header_first, headers_alone, built, dissectors, fields,
]


RULER = re.compile(r"^(// ---- .*?) -{3,}$", re.M)


def clang_format(tree, folders):
    """Rulers between the parts of a file end at the last column: clang-format would break them."""
    files = [f for f in tree.code if f.startswith(tuple(folders) or ("src/", "fuzz/", "bench/", "tests/"))]
    for name in files:
        text = RULER.sub(lambda m: (m.group(1) + " ").ljust(COLUMNS_MAX, "-"), tree.texts[name])
        if text != tree.texts[name]:
            with open(os.path.join(ROOT, name), "w", encoding="utf-8") as file:
                file.write(text)
    return subprocess.run(["clang-format", "-i", "--style=file"] + files, cwd=ROOT, check=False).returncode


def main():
    tree = Tree()
    if sys.argv[1:2] == ["--format"]:
        return clang_format(tree, sys.argv[2:])
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    mistakes = 0
    for rule in RULES:
        for name, line, text in rule(tree):
            print("%s:%d: %s" % (name, line, text))
            mistakes += 1
    print("tidy: %d mistake%s in %d files" % (mistakes, "" if mistakes == 1 else "s", len(tree.files)))
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
