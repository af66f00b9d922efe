"""Checks the Markdown files that git knows.

- A link to a file or a heading must lead somewhere.
- A table cell has at most 200 characters.
- A path in backticks must exist, and so must a file name with a known ending. Released sections of the changelog may name
  files that are gone.
- A type that the glossary names must exist.
"""

import fnmatch
import pathlib
import re
import subprocess
import sys

MAX_CELL_LENGTH = 200
LINK = re.compile(r"\[(?:[^\]\\]|\\.)*\]\(([^()\s]+(?:\([^()]*\)[^()\s]*)*)\)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.M)
CODE_BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[A-Za-z0-9_.*-]+(?:/[A-Za-z0-9_.*-]+)*/?")
ENDINGS = (".rs", ".sql", ".lua", ".proto", ".toml", ".md", ".py", ".yaml", ".txt", ".sh")
# A path may be written from one of these folders.
ROOTS = ("", "src/", "tests/")
# Examples of files that a reader makes, and generated ones.
NOT_IN_THE_TREE = ("target/", "my.toml", "keys.toml", "keys-new.toml", "migrations/NNNN_what_it_does.sql", "NAME.py", "pin.py")


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.splitlines() if pathlib.Path(name).exists()]


def anchors(text):
    """The anchors of a document's headings, as GitHub makes them."""
    found = set()
    for heading in HEADING.findall(CODE_BLOCK.sub("", text)):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number, unique = 1, anchor
        while unique in found:
            unique, number = f"{anchor}-{number}", number + 1
        found.add(unique)
    return found


def broken_links(document, text):
    for target in LINK.findall(CODE_SPAN.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path) if path else document
        if not file.exists():
            yield f"the link to {target} leads nowhere"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{path or document.name} has no heading #{anchor}"


def long_cells(text):
    for line in text.splitlines():
        if line.startswith("|"):
            for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
                if len(cell.strip()) > MAX_CELL_LENGTH:
                    yield f"a table cell has {len(cell.strip())} characters: {cell.strip()[:60]}…"


def missing_paths(document, text, files, folders):
    names = {name.rsplit("/", 1)[-1] for name in files}
    for span in CODE_SPAN.findall(text):
        # As in `flows/redeem.rs: r3_…`.
        path = span.split(": ")[0]
        if not PATH.fullmatch(path) or path.startswith(NOT_IN_THE_TREE) or path.startswith("."):
            continue
        if "/" in path:
            first = path.split("/")[0]
            is_path = path.endswith(ENDINGS) or any(root + first in folders for root in ROOTS)
            places = [root + path.rstrip("/") for root in ROOTS] + [str(document.parent / path.rstrip("/"))]
            known = files + sorted(folders)
            if is_path and not any(fnmatch.filter(known, place) for place in places):
                yield f"`{path}` does not exist"
        elif path.endswith(ENDINGS) and not fnmatch.filter(names, path):
            yield f"no file is called `{path}`"


def missing_types(text, files):
    code = "".join(pathlib.Path(name).read_text() for name in files if name.startswith("src/") and name.endswith(".rs"))
    types = set(re.findall(r"\b(?:struct|enum|trait|type) ([A-Z]\w*)|^    ([A-Z]\w*)(?=[,({ ])", code, re.M))
    known = {name for pair in types for name in pair}
    for name in CODE_SPAN.findall(text):
        if re.fullmatch(r"(?:[A-Z][a-z]+)+", name) and name not in known:
            yield f"no type or variant is called `{name}`"


def main():
    files = tracked_files()
    folders = {str(parent) for name in files for parent in pathlib.PurePath(name).parents}
    failures = 0
    documents = [pathlib.Path(name) for name in files if name.endswith(".md")]
    for document in documents:
        text = document.read_text()
        prose = CODE_BLOCK.sub("", text)
        if document.name == "CHANGELOG.md":
            # Entries of released versions may name paths that no longer exist.
            prose_for_paths = re.split(r"^## \[\d", prose, maxsplit=1, flags=re.M)[0]
        else:
            prose_for_paths = prose
        problems = [*broken_links(document, prose), *long_cells(prose)]
        problems += missing_paths(document, prose_for_paths, files, folders)
        if document.name == "glossary.md":
            problems += missing_types(text, files)
        for problem in problems:
            failures += 1
            print(f"{document}: {problem}", file=sys.stderr)
    if failures:
        sys.exit(1)
    print(f"{len(documents)} documents: links, tables and paths are right")


main()
