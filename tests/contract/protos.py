"""Prepares the generation of stubs. Prints the names of the files in a descriptor set, except those of google/protobuf, which
every runtime has. Writes the descriptor set of server reflection, which Python's packages have and Node's lack.
"""

import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_reflection.v1alpha import reflection_pb2

contract, reflection = map(Path, sys.argv[1:])
files = FileDescriptorSet.FromString(contract.read_bytes()).file
print(*(file.name for file in files if not file.name.startswith("google/protobuf/")), sep="\n")

written = FileDescriptorSet()
reflection_pb2.DESCRIPTOR.CopyToProto(written.file.add())
reflection.write_bytes(written.SerializeToString())
