"""How a frontend calls the service: the connection, and what an error says."""

import os
import pathlib

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# One file for every frontend: deadlines, retries and their throttling.
SERVICE_CONFIG = pathlib.Path(__file__).parents[3] / "deploy/contract/service_config.json"

OPTIONS = [
    ("grpc.service_config", SERVICE_CONFIG.read_text()),
    # Notices a dead connection within a minute and a half, also behind a firewall that forgets idle ones.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
]


def connect(caller, address=None):
    """A connection to the sandbox. One for the life of the process: it carries many calls at once.

    In production this is grpc.secure_channel, and the client certificate names the caller.
    """
    channel = grpc.insecure_channel(address or os.environ["SANDBOX_GRPC"], OPTIONS)
    return grpc.intercept_channel(channel, _Named(caller))


class _Named(grpc.UnaryUnaryClientInterceptor):
    """The sandbox takes the caller's word for who it is; production does not know that metadata."""

    def __init__(self, caller):
        # The second is for production too: in which language errors are worded.
        self._metadata = [("x-sandbox-caller", caller), ("accept-language", "en")]

    def intercept_unary_unary(self, continuation, details, request):
        metadata = [*(details.metadata or ()), *self._metadata]
        return continuation(details._replace(metadata=metadata), request)


class Refused(Exception):
    """The service's no: a reason of the contract, and from when another try may succeed."""

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
        # Not the request: it holds what must not be logged.
        until = f", not before {self.next_attempt_time}" if self.next_attempt_time else ""
        super().__init__(f"{self.code.name} {self.reason}{until}")


def call(method, request):
    """One call. Deadline and retries are the service config's."""
    try:
        return method(request)
    except grpc.RpcError as error:
        raise Refused(error) from None
