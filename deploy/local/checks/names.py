"""Prints the settings of a tree with their defaults, its metrics and its migrations, one per line.

    names.py TREE >deploy/contract/VERSION.names
"""

import pathlib
import re
import sys

SECTION = re.compile(r"#?\[\[?([a-z_.]+)\]\]?$")
# "#key" is a setting without a default; "# key" is prose.
SETTING = re.compile(r"(#?)([a-z_]+) = (.*)$")
METRIC = re.compile(r'"((?:temporary_pin|rpc)\.[a-z_.]+)"')


def settings(tree):
    section = ""
    for line in (tree / "deploy/temporary-pin.toml").read_text().splitlines():
        if found := SECTION.match(line):
            section = found[1]
        elif found := SETTING.match(line):
            default = "(none)" if found[1] else found[3]
            yield f"setting {section}.{found[2]} = {default}"


def metrics(tree):
    for file in (tree / "src").rglob("*.rs"):
        # Tests and the made-up world define no metric.
        if not {"tests", "bin"} & set(file.parts[len(tree.parts):]):
            for name in METRIC.findall(file.read_text()):
                yield f"metric {name}"


def migrations(tree):
    for file in (tree / "migrations").glob("*.sql"):
        yield f"migration {file.stem}"


def names(tree):
    return sorted({*settings(tree), *metrics(tree), *migrations(tree)})


if __name__ == "__main__":
    print("\n".join(names(pathlib.Path(sys.argv[1]))))
