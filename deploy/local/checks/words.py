"""Checks that retired names do not come back.

    words.py RETIRED

Each line of the file RETIRED has a kind, a name that nothing of this kind may have, and optionally the only file to which this
applies:

    type NAME        struct, enum, trait, union or type alias (Rust), message or enum (proto)
    fn NAME          function (Rust, Lua, SQL)
    const NAME       constant or static
    name NAME        any identifier
    file PATTERN     path of a file, with * for any text

Comments and strings do not count: English may use every word.
"""

import fnmatch
import pathlib
import re
import subprocess
import sys

FOLDERS = ("src", "tests", "deploy", "proto", "migrations", "build.rs")
# Frozen: an applied migration cannot be changed.
FROZEN = re.compile(r"migrations/000[1-6]_")

RUST = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.[^\']*|[^\'\\])\'', re.S)
SQL = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:''|[^'])*'", re.S)
LUA = re.compile(r"--[^\n]*|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.S)
PROSE = {".rs": RUST, ".proto": RUST, ".sql": SQL, ".lua": LUA}

BEFORE = {
    "type": r"\b(?:struct|enum|trait|union|type|message)\s+",
    "fn": r"\b(?:fn|function|FUNCTION)\s+",
    "const": r"\b(?:const|static)\s+",
    "name": r"\b",
}


def retired(path):
    for line in pathlib.Path(path).read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            kind, name, where = (*words, "*")[:3]
            yield kind, name, where


def main():
    patterns, files = [], []
    for kind, name, where in retired(sys.argv[1]):
        if kind == "file":
            files.append(name)
        else:
            patterns.append((kind, name, where, re.compile(BEFORE[kind] + re.escape(name) + r"\b")))
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *FOLDERS]
    tracked = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    failures = 0
    for name in tracked:
        path = pathlib.Path(name)
        if not path.exists() or FROZEN.match(name):
            continue
        for pattern in files:
            if fnmatch.fnmatchcase(name, pattern):
                failures += 1
                print(f"{name}: the file name is retired ({pattern})", file=sys.stderr)
        prose = PROSE.get(path.suffix)
        if prose:
            # Line breaks stay, so that line numbers are right.
            code = prose.sub(lambda match: "\n" * match[0].count("\n"), path.read_text())
            for number, line in enumerate(code.split("\n"), start=1):
                for kind, word, where, pattern in patterns:
                    if pattern.search(line) and fnmatch.fnmatchcase(name, where):
                        failures += 1
                        print(f"{name}:{number}: {kind} {word} is retired: {line.strip()}", file=sys.stderr)
    if failures:
        sys.exit(f"{failures} retired names: docs/glossary.md has the current names")
    print(f"{len(patterns) + len(files)} retired names, none of them in use")


main()
