"""What stubs are made of: prints the files of a descriptor set, but for those that come with every runtime, and writes the
descriptor set of reflection, which Python has and Node lacks.
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
