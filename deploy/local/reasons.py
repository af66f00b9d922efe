"""Writes a document (stdin) anew (stdout), with the table of reasons as the contract's comments have it.

    reasons.py PROTOSET <document
"""

import sys

from google.protobuf import descriptor_pb2

MARKS = ("<!-- reasons: deploy/local/descriptors writes them -->\n", "<!-- end of reasons -->\n")


def rows(descriptors):
    for file in descriptors.file:
        comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
        for index, enum in enumerate(file.enum_type):
            if (file.package, enum.name) == ("temporarypin.v1", "Reason"):
                for place, value in enumerate(enum.value[1:], start=1):
                    comment = " ".join(comments[5, index, 2, place].split())
                    yield f"| `{value.name.removeprefix('REASON_')}` | {comment} |\n"


with open(sys.argv[1], "rb") as protoset:
    table = "| Reason | What it means, and what to do |\n|---|---|\n"
    table += "".join(rows(descriptor_pb2.FileDescriptorSet.FromString(protoset.read())))
before, begin, rest = sys.stdin.read().partition(MARKS[0])
_, end, after = rest.partition(MARKS[1])
if not (begin and end) or table.count("\n") < 10:
    sys.exit("the marks of the table are missing, or the reasons")
sys.stdout.write(before + begin + table + end + after)
