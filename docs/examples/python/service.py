"""Connects a frontend to the service, and reads its errors."""

import os
import pathlib

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

# The deadlines, the retries and the limits of retries, in one file for every frontend.
SERVICE_CONFIG = pathlib.Path(__file__).parents[3] / "deploy/contract/service_config.json"

OPTIONS = [
    ("grpc.service_config", SERVICE_CONFIG.read_text()),
    # Detects a dead connection within 80 seconds, also behind a firewall that drops idle connections.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
]


def connect(caller, language="en"):
    """Connects with the certificate of a caller, which decides the channel and the roles.

    Connect once per process: one connection carries many calls at the same time. The language is that of the texts for the
    person in refusals.
    """
    folder = pathlib.Path(os.environ["SANDBOX_CERTIFICATES"])
    ca, key, certificate = [(folder / name).read_bytes() for name in ("ca.pem", f"{caller}.key", f"{caller}.pem")]
    mutual_tls = grpc.ssl_channel_credentials(ca, key, certificate)
    channel = grpc.secure_channel(os.environ["SANDBOX_TLS"], mutual_tls, OPTIONS)
    return grpc.intercept_channel(channel, _AcceptLanguage(language))


def is_serving(channel):
    """For the readiness of this process, not before each call."""
    request = health_pb2.HealthCheckRequest(service="temporarypin.v1.TemporaryPinService")
    answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=2)
    return answer.status == health_pb2.HealthCheckResponse.SERVING


class _AcceptLanguage(grpc.UnaryUnaryClientInterceptor):
    def __init__(self, language):
        self._language = ("accept-language", language)

    def intercept_unary_unary(self, continuation, details, request):
        metadata = [*(details.metadata or ()), self._language]
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
