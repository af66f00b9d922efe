"""Copies a document from stdin to stdout and replaces its table of reasons. PROTOSET is the descriptor set of the contract; the
comments of its enum Reason are the rows of the table.

    reasons.py PROTOSET <document
"""

import re
import sys

from google.protobuf import descriptor_pb2

BEGIN_MARK, END_MARK = ("<!-- reasons: deploy/local/descriptors writes them -->\n", "<!-- end of reasons -->\n")

# The comment of a reason: what it means and what to do; the last sentence names the status codes.
COMMENT = re.compile(r"(.*\.) ((?:REJECTED|[A-Z]+_?[A-Z]+)\b[^.]*)\.")


def rows(descriptors):
    for file in descriptors.file:
        # By path: (5, index of the enum, 2, index of the value), see SourceCodeInfo in descriptor.proto.
        comments = {tuple(location.path): location.leading_comments for location in file.source_code_info.location}
        for enum_index, enum in enumerate(file.enum_type):
            if (file.package, enum.name) == ("temporarypin.v1", "Reason"):
                for value_index, value in enumerate(enum.value[1:], start=1):
                    text, codes = COMMENT.fullmatch(" ".join(comments[5, enum_index, 2, value_index].split())).groups()
                    yield f"| `{value.name.removeprefix('REASON_')}` | {text} | {codes} |\n"


with open(sys.argv[1], "rb") as protoset:
    table = "| reason | what it means, and what to do | code |\n|---|---|---|\n"
    table += "".join(rows(descriptor_pb2.FileDescriptorSet.FromString(protoset.read())))
before, begin, rest = sys.stdin.read().partition(BEGIN_MARK)
_, end, after = rest.partition(END_MARK)
# A table with fewer than eight reasons means that the comments were not found.
if not (begin and end) or table.count("\n") < 10:
    sys.exit("the document has no begin and end mark, or the contract has no reasons")
sys.stdout.write(before + begin + table + end + after)
