//! The service's metrics. Label values are fixed names in the code, so that none can be personal data. (The one metric
//! with other labels is the expiry of certificates, in `server/certificates.rs`: their subjects and the callers' names.)

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};
use tonic::Code;

use crate::domain::channel::Channel;

/// Upper bounds of the histogram buckets for the duration of calls, in seconds, from OpenTelemetry's RPC conventions.
const DURATION_BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The instruments. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Instruments>);

#[derive(Debug)]
struct Instruments {
    calls: Histogram<f64>,
    running_calls: UpDownCounter<i64>,
    shed_calls: Counter<u64>,
    pins: Counter<u64>,
    verifications: Counter<u64>,
    redemptions: Counter<u64>,
    refusals: Counter<u64>,
    messages: Counter<u64>,
    unsent_messages: Counter<u64>,
    open_gateways: Gauge<u64>,
    dependency_failures: Counter<u64>,
    reloads: Counter<u64>,
    handshakes: Counter<u64>,
    audit_waiting: Gauge<u64>,
    audit_waiting_age: Gauge<f64>,
}

impl Metrics {
    /// Creates the instruments. Take the meter from `opentelemetry::global::meter` after telemetry has started.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        let counter = |name, about| meter.u64_counter(name).with_description(about).build();
        Self(Arc::new(Instruments {
            calls: meter
                .f64_histogram("rpc.server.call.duration")
                .with_unit("s")
                .with_description("Duration of calls, by method and status code")
                .with_boundaries(DURATION_BOUNDS.to_vec())
                .build(),
            running_calls: meter
                .i64_up_down_counter("temporary_pin.calls.running")
                .with_description("Calls at work, those whose caller has gone counted too")
                .build(),
            shed_calls: counter("temporary_pin.calls.shed", "Calls refused because too many were at work"),
            pins: counter("temporary_pin.pins", "PINs issued, by channel"),
            verifications: counter("temporary_pin.verifications", "Verifications, by channel and outcome"),
            redemptions: counter("temporary_pin.redemptions", "Redemptions, by outcome"),
            refusals: counter("temporary_pin.refusals", "Refusals, by reason"),
            messages: counter("temporary_pin.messages", "SMS handed over, by kind and outcome"),
            unsent_messages: counter("temporary_pin.messages.unsent", "SMS that ended unsent, by kind and cause"),
            open_gateways: meter
                .u64_gauge("temporary_pin.gateway.breaker")
                .with_description("1: messages are kept away from the gateway, because it fails; 0: it is in use again")
                .build(),
            dependency_failures: counter("temporary_pin.dependency.failures", "Dependencies that did not answer"),
            handshakes: counter("temporary_pin.handshakes", "Connections that came in, by outcome"),
            reloads: counter("temporary_pin.reloads", "Files read again, by role and outcome"),
            audit_waiting: meter
                .u64_gauge("temporary_pin.audit.waiting")
                .with_description("Audit events that are not sealed yet")
                .build(),
            audit_waiting_age: meter
                .f64_gauge("temporary_pin.audit.waiting.age")
                .with_unit("s")
                .with_description("Age of the oldest audit event that is not sealed yet; 0 without any")
                .build(),
        }))
    }

    /// Records the duration and status code of a call. `method` is `package.Service/Method`.
    pub fn record_call(&self, method: &'static str, code: Code, duration: Duration) {
        self.0.calls.record(
            duration.as_secs_f64(),
            &[
                KeyValue::new("rpc.system.name", "grpc"),
                KeyValue::new("rpc.method", method),
                KeyValue::new("rpc.response.status_code", code_name(code)),
            ],
        );
    }

    /// Counts a call as running.
    pub fn count_call_start(&self) {
        self.0.running_calls.add(1, &[]);
    }

    /// Counts a call as no longer running: its work has ended.
    pub fn count_call_end(&self) {
        self.0.running_calls.add(-1, &[]);
    }

    /// Counts a call that was rejected because too many were running.
    pub fn count_shed_call(&self) {
        self.0.shed_calls.add(1, &[]);
    }

    /// Counts an issued PIN.
    pub fn count_issued_pin(&self, channel: Channel) {
        self.0.pins.add(1, &[KeyValue::new("channel", channel.as_str())]);
    }

    /// Counts a verification. `outcome` is verified, rejected or questions_pending.
    pub fn count_verification(&self, channel: Channel, outcome: &'static str) {
        self.0.verifications.add(1, &[KeyValue::new("channel", channel.as_str()), KeyValue::new("outcome", outcome)]);
    }

    /// Counts an attempt to redeem a PIN, by its outcome.
    pub fn count_redemption(&self, outcome: &'static str) {
        self.0.redemptions.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    /// Counts a refused call. `reason` is its name in the contract.
    pub fn count_refusal(&self, reason: &'static str) {
        self.0.refusals.add(1, &[KeyValue::new("reason", reason)]);
    }

    /// Counts a message that was handed over to a gateway, by its kind and outcome. `gateway` is its name in the settings.
    pub fn count_message(&self, kind: &'static str, outcome: &'static str, gateway: Option<&Arc<str>>) {
        let gateway = gateway.map(|gateway| KeyValue::new("gateway", Arc::clone(gateway)));
        let labels = [KeyValue::new("kind", kind), KeyValue::new("outcome", outcome)];
        self.0.messages.add(1, &labels.into_iter().chain(gateway).collect::<Vec<_>>());
    }

    /// Records whether the breaker of a gateway is open: messages are kept away from it.
    pub fn record_gateway_breaker(&self, gateway: &Arc<str>, is_open: bool) {
        self.0.open_gateways.record(u64::from(is_open), &[KeyValue::new("gateway", Arc::clone(gateway))]);
    }

    /// Counts messages that ended without a gateway's acceptance. `cause` is expired, or lost: their dispatcher ended during the
    /// hand-over.
    pub fn count_unsent_messages(&self, kind: &'static str, cause: &'static str, count: u64) {
        self.0.unsent_messages.add(count, &[KeyValue::new("kind", kind), KeyValue::new("cause", cause)]);
    }

    /// Counts a request to a dependency that failed or was not answered.
    pub fn count_dependency_failure(&self, dependency: &'static str) {
        self.0.dependency_failures.add(1, &[KeyValue::new("dependency", dependency)]);
    }

    /// Counts an incoming connection, by the outcome of its handshake.
    pub fn count_handshake(&self, outcome: &'static str) {
        self.0.handshakes.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    /// Counts a reload of files. `role` says what they hold; `outcome` is taken or refused.
    pub fn count_reload(&self, role: &'static str, outcome: &'static str) {
        self.0.reloads.add(1, &[KeyValue::new("role", role), KeyValue::new("outcome", outcome)]);
    }

    /// Records how many audit events are not sealed yet, and the age of the oldest.
    pub fn record_unsealed_events(&self, events: u64, age: Duration) {
        self.0.audit_waiting.record(events, &[]);
        self.0.audit_waiting_age.record(age.as_secs_f64(), &[]);
    }
}

/// The name of a status code in the gRPC specification.
const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
