"""Connects a frontend to the service, and reads its errors."""

import os
import pathlib

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# The deadlines, the retries and the limits of retries, in one file for every frontend.
SERVICE_CONFIG = pathlib.Path(__file__).parents[3] / "deploy/contract/service_config.json"

OPTIONS = [
    ("grpc.service_config", SERVICE_CONFIG.read_text()),
    # Detects a dead connection within 80 seconds, also behind a firewall that drops idle connections.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
]


def connect(caller, address=None):
    """Connects to the sandbox. Connect once per process: one connection carries many calls at the same time.

    In production, use grpc.secure_channel with a client certificate. The certificate names the caller.
    """
    channel = grpc.insecure_channel(address or os.environ["SANDBOX_GRPC"], OPTIONS)
    return grpc.intercept_channel(channel, _CallerMetadata(caller))


class _CallerMetadata(grpc.UnaryUnaryClientInterceptor):
    """Adds metadata to each call. Only the sandbox reads `x-sandbox-caller`; production ignores it."""

    def __init__(self, caller):
        # Production reads `accept-language`: it is the language of LocalizedMessage.
        self._metadata = [("x-sandbox-caller", caller), ("accept-language", "en")]

    def intercept_unary_unary(self, continuation, details, request):
        metadata = [*(details.metadata or ()), *self._metadata]
        return continuation(details._replace(metadata=metadata), request)


class Refused(Exception):
    """The service refused a call. Has the reason and, where waiting helps, the time of the next attempt."""

    def __init__(self, error):
        self.code = error.code()
        self.reason, self.next_attempt_time, self.message, self.retry_delay = None, None, None, None
        status = rpc_status.from_call(error)
        for detail in status.details if status else []:
            if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                info = error_details_pb2.ErrorInfo.FromString(detail.value)
                self.reason = info.reason
                self.next_attempt_time = info.metadata.get("nextAttemptTime")
            elif detail.Is(error_details_pb2.LocalizedMessage.DESCRIPTOR):
                self.message = error_details_pb2.LocalizedMessage.FromString(detail.value).message
            elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
                self.retry_delay = error_details_pb2.RetryInfo.FromString(detail.value).retry_delay.ToTimedelta()
        # The message does not contain the request: requests must not be logged.
        until = f", not before {self.next_attempt_time}" if self.next_attempt_time else ""
        super().__init__(f"{self.code.name} {self.reason}{until}")


def call(method, request):
    """Calls a method. SERVICE_CONFIG sets the deadline and the retries."""
    try:
        return method(request)
    except grpc.RpcError as error:
        raise Refused(error) from None
