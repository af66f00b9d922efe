"""Writes the table of reasons into a document (stdin to stdout). The table comes from the contract's comments.

    reasons.py PROTOSET <document
"""

import re
import sys

from google.protobuf import descriptor_pb2

MARKS = ("<!-- reasons: deploy/local/descriptors writes them -->\n", "<!-- end of reasons -->\n")

# The last sentence of a comment names the code.
COMMENT = re.compile(r"(.*\.) ((?:REJECTED|[A-Z]+_?[A-Z]+)\b[^.]*)\.")


def rows(descriptors):
    for file in descriptors.file:
        comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
        for index, enum in enumerate(file.enum_type):
            if (file.package, enum.name) == ("temporarypin.v1", "Reason"):
                for place, value in enumerate(enum.value[1:], start=1):
                    text, code = COMMENT.fullmatch(" ".join(comments[5, index, 2, place].split())).groups()
                    yield f"| `{value.name.removeprefix('REASON_')}` | {text} | {code} |\n"


with open(sys.argv[1], "rb") as protoset:
    table = "| reason | what it means, and what to do | code |\n|---|---|---|\n"
    table += "".join(rows(descriptor_pb2.FileDescriptorSet.FromString(protoset.read())))
before, begin, rest = sys.stdin.read().partition(MARKS[0])
_, end, after = rest.partition(MARKS[1])
if not (begin and end) or table.count("\n") < 10:
    sys.exit("the marks of the table or the reasons are missing")
sys.stdout.write(before + begin + table + end + after)
