"""Tests a document: runs its shell blocks in order in one shell, and compares their output.

    book.py DOCUMENT

- An `sh` block is run, unless `<!-- not run -->` stands before it. It must succeed, or be followed by `echo $?`.
- A `json` or `text` block right after an `sh` block is the expected output. Ids, times, tokens and ports may differ; nothing
  else may.
- A `python` block whose first line is `# NAME.py` is saved as target/book/NAME.py, where the reader would save it.
"""

import json
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"(<!-- not run -->\n)?^```(\w+)\n(.*?)^```$(\n*)", re.M | re.S)

# Values that differ between two runs: each is replaced by its name before the comparison.
EXAMPLES = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\b[A-Za-z0-9_-]{80,}", "TOKEN"),
    (r"\b\d{4} \d{4}\b", "PIN"),
    (r"\b\d\d[.:]\d\d(?= |\.)", "CLOCK"),
    (r"\b\d{1,2}/\d{1,2}\b", "DATE"),
    (r"\b\d{1,2} [A-Z][a-z]{2} \d{4}\b", "DATE"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r'"retryDelay": ?"[\d.]+s"', '"retryDelay":"DELAY"'),
]


def replace_examples(text):
    for pattern, name in EXAMPLES:
        text = re.sub(pattern, name, text)
    return text


def normalise_details(value):
    """Unifies details of errors: some versions of grpcurl print proto names and default values, some do not."""
    if isinstance(value, dict):
        fields = {re.sub("_([a-z])", lambda match: match[1].upper(), name): normalise_details(field) for name, field in value.items()}
        return {name: field for name, field in fields.items() if field not in (None, "", {}, [])}
    return [normalise_details(field) for field in value] if isinstance(value, list) else value


def parse_documents(text):
    """Returns all JSON documents of a text."""
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        if isinstance(document, dict) and "details" in document:
            document["details"] = normalise_details(document["details"])
        found.append(json.loads(replace_examples(json.dumps(document))))
        text = text[end:]
    return found


def is_same(kind, expected, printed):
    if kind == "json":
        return parse_documents(expected) == parse_documents(printed)
    return replace_examples(expected).split() == replace_examples(printed).split()


class Shell:
    """One bash process for the whole document."""

    END = "==end-of-block=="

    def __init__(self):
        self._bash = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._status = 0
        self._bash.stdin.write("trap 'failed=$?' ERR\n")

    def run(self, block):
        """Returns the output and the exit status: that of the last command or, if it is 0, of an earlier one that failed."""
        block = block.replace("echo $?", f"echo {self._status}")
        self._bash.stdin.write(f"failed=0\n{block}\nprintf '\\n{self.END} %s %s\\n' $? $failed\n")
        self._bash.stdin.flush()
        lines = []
        for line in self._bash.stdout:
            if line.startswith(self.END):
                last, failed = map(int, line.split()[1:])
                self._status = last or failed
                return "".join(lines).rstrip("\n") + "\n", self._status
            lines.append(line)
        sys.exit(f"the shell ended in:\n{block}\n{''.join(lines)}")


def run_document(document):
    blocks = [(bool(match[1]), match[2], match[3]) for match in BLOCK.finditer(document.read_text())]
    folder = pathlib.Path("target/book")
    folder.mkdir(parents=True, exist_ok=True)
    shell, run, compared = Shell(), 0, 0
    for index, (skipped, kind, text) in enumerate(blocks):
        name = re.match(r"# (\w+\.py)\n", text)
        if kind == "python" and name:
            (folder / name[1]).write_text(text)
        if kind != "sh" or skipped:
            continue
        printed, status = shell.run(text)
        run += 1
        following = blocks[index + 1 : index + 3]
        next_command = next((block[2] for block in following if block[1] == "sh"), "")
        if status and not next_command.startswith("echo $?"):
            sys.exit(f"{document}: status {status} of:\n{text}\n{printed}")
        if following and following[0][1] in ("json", "text"):
            compared += 1
            if not is_same(following[0][1], following[0][2], printed):
                sys.exit(f"{document}: of\n{text}\nexpected\n{following[0][2]}\nprinted\n{printed}")
    if not compared:
        sys.exit(f"{document}: no output to compare")
    print(f"{document}: {run} blocks run, {compared} outputs match")


run_document(pathlib.Path(sys.argv[1]))
