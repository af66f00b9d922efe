"""Adds the descriptors of error details and of the health service to a descriptor set (stdin), because the service also answers
with them.

The result (stdout) is what grpcurl's -protoset takes.
"""

import sys

from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2


def canonical(name):
    """The path under which other files import this file. Python's package of the health service has a path of its own."""
    return name.replace("grpc_health/v1/", "grpc/health/v1/")


def add(descriptors, file):
    """Adds a file after those that it imports, unless it is there already."""
    if any(known.name == canonical(file.name) for known in descriptors.file):
        return
    for imported in file.dependencies:
        add(descriptors, imported)
    added = descriptors.file.add()
    file.CopyToProto(added)
    added.name = canonical(file.name)


descriptors = descriptor_pb2.FileDescriptorSet.FromString(sys.stdin.buffer.read())
for module in (error_details_pb2, status_pb2, health_pb2):
    add(descriptors, module.DESCRIPTOR)
sys.stdout.buffer.write(descriptors.SerializeToString(deterministic=True))
