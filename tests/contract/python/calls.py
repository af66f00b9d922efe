"""Makes gRPC calls with generated stubs. Requests and answers are JSON."""

import importlib

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from temporarypin.v1 import operator_service_pb2_grpc, redemption_service_pb2_grpc, temporary_pin_service_pb2_grpc

DEFAULT_DEADLINE = 20  # seconds

STUBS = {
    "temporarypin.v1.TemporaryPinService": temporary_pin_service_pb2_grpc.TemporaryPinServiceStub,
    "temporarypin.v1.RedemptionService": redemption_service_pb2_grpc.RedemptionServiceStub,
    "temporarypin.v1.OperatorService": operator_service_pb2_grpc.OperatorServiceStub,
    "grpc.health.v1.Health": health_pb2_grpc.HealthStub,
}
MODULES = {
    "temporarypin.v1.TemporaryPinService": "temporarypin.v1.temporary_pin_service_pb2",
    "temporarypin.v1.RedemptionService": "temporarypin.v1.redemption_service_pb2",
    "temporarypin.v1.OperatorService": "temporarypin.v1.operator_service_pb2",
    "grpc.health.v1.Health": "grpc_health.v1.health_pb2",
}


class Target:
    """The service under test."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)

    def call(self, step):
        """Makes the call of a step. Returns `{"answer"}` or `{"error"}`."""
        name, _, method = step["call"].rpartition("/")
        service = name if "." in name else f"temporarypin.v1.{name}"
        metadata = [(key, value) for key, value in step.get("metadata", {}).items()]
        if step.get("caller"):
            metadata.append(("x-sandbox-caller", step["caller"]))
        send, request = self.prepared(service, method, step)
        deadline = step["deadline_ms"] / 1000 if "deadline_ms" in step else DEFAULT_DEADLINE
        try:
            answer = send(request, metadata=metadata, timeout=deadline)
        except grpc.RpcError as error:
            return {"error": described(error)}
        return {"answer": shown(answer)}

    def prepared(self, service, method, step):
        """The function that sends the call, and its request: a message, or bytes if the step has `body_hex` or `append_hex`."""
        descriptor = service in MODULES and importlib.import_module(MODULES[service]).DESCRIPTOR
        rpc = descriptor and descriptor.services_by_name[service.rpartition(".")[2]].methods_by_name.get(method)
        if rpc and "body_hex" not in step and "append_hex" not in step:
            message = ParseDict(step.get("request", {}), rpc.input_type._concrete_class())
            return getattr(STUBS[service](self.channel), method), message
        body = bytes.fromhex(step.get("body_hex", ""))
        if rpc and "append_hex" in step:
            message = ParseDict(step.get("request", {}), rpc.input_type._concrete_class())
            body = message.SerializeToString() + bytes.fromhex(step["append_hex"])
        read = rpc.output_type._concrete_class.FromString if rpc else bytes
        return self.channel.unary_unary(f"/{service}/{method}", bytes, read), body

    def services(self):
        """The names of the services that reflection lists."""
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(self.channel)
        answers = stub.ServerReflectionInfo(iter([request]), timeout=DEFAULT_DEADLINE)
        return sorted(service.name for service in next(answers).list_services_response.service)


def shown(message):
    """A message as JSON, with the field names of the proto files, and with the fields that have default values."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def described(error):
    """An error as JSON: its code and all its details."""
    shown = {"code": error.code().name}
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        describe(detail, shown)
    return shown


def describe(detail, shown):
    """Adds one google.rpc detail to the JSON of an error."""
    name = detail.TypeName().rpartition(".")[2]
    message = getattr(error_details_pb2, name)()
    detail.Unpack(message)
    match name:
        case "ErrorInfo":
            shown["reason"] = message.reason
            shown["domain"] = message.domain
            if message.metadata:
                shown["metadata"] = dict(message.metadata)
        case "BadRequest":
            shown["fields"] = sorted(violation.field for violation in message.field_violations)
        case "RetryInfo":
            shown["retry_seconds"] = message.retry_delay.seconds + message.retry_delay.nanos / 1e9
        case "QuotaFailure":
            shown["quota"] = [violation.subject for violation in message.violations]
        case "PreconditionFailure":
            shown["preconditions"] = [violation.type for violation in message.violations]
        case "LocalizedMessage":
            shown["localized"] = {"locale": message.locale, "message": message.message}
        case "RequestInfo":
            shown["request_info"] = message.request_id
        case _:
            shown[name] = MessageToDict(message, preserving_proto_field_name=True)
