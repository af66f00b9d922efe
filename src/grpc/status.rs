//! Makes all gRPC error statuses. The contract's `common.proto` lists the reasons and their codes.
//!
//! The details follow AIP-193: every status has a `google.rpc.ErrorInfo`, each type of detail occurs at most once, and
//! every variable part of a message is also in `ErrorInfo.metadata`.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use super::repeat_advice;
use crate::domain::language::Language;
use crate::domain::reason::{Denial, Reason};
use crate::issuance::{DependencyFailure, Refusal};
use crate::telemetry::propagation::current_trace_id;
use crate::texts::Texts;

/// `ErrorInfo.domain` of every error.
const ERROR_DOMAIN: &str = "temporarypin";

/// Key in `ErrorInfo.metadata`: the time from which another attempt may succeed, RFC 3339.
const NEXT_ATTEMPT_TIME_KEY: &str = "nextAttemptTime";

/// Key in `ErrorInfo.metadata`: the malformed fields that the message names.
const FIELDS_KEY: &str = "fields";

/// Metadata that delays the automatic retries of gRPC clients (gRFC A6), in milliseconds.
const RETRY_PUSHBACK_HEADER: &str = "grpc-retry-pushback-ms";

/// How long callers should wait before they retry after an outage or overload.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// How long callers should wait while another call for the same person is running.
const BUSY_RETRY_DELAY: Duration = Duration::from_millis(200);

/// The status for a use case's refusal.
pub(super) fn from_refusal(refusal: &Refusal, now: DateTime<Utc>) -> Status {
    match refusal {
        Refusal::Invalid(violations) => invalid_fields(
            violations.iter().map(|(field, description)| FieldViolation::new(*field, description.clone())).collect(),
        ),
        Refusal::RequestIdReused => {
            let mut details = error_info(Reason::RequestIdReused, None);
            details.add_bad_request_violation("request_id", "was used before with another payload");
            with_details(Code::InvalidArgument, "request_id was used before with another payload", details)
        }
        Refusal::NotAllowed(reason) => {
            with_details(Code::PermissionDenied, "this caller may not do that", error_info(*reason, None))
        }
        Refusal::Precondition(denials) => failed_precondition(denials),
        Refusal::Limited(denial) => limit_reached(*denial, now),
        Refusal::Busy => busy(),
        Refusal::Unavailable(DependencyFailure { dependency, cause }) => {
            tracing::warn!(dependency = dependency.as_str(), cause, "a dependency does not answer");
            unavailable()
        }
        Refusal::Abandoned => deadline_exceeded(),
        Refusal::Internal(cause) => {
            tracing::error!(cause, "a defect");
            internal()
        }
    }
}

/// INVALID_ARGUMENT: one or more fields are malformed.
pub(super) fn invalid_fields(violations: Vec<FieldViolation>) -> Status {
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    let fields = fields.join(", ");
    let message = format!("malformed: {fields}");
    let mut details = ErrorDetails::with_error_info(
        Reason::InvalidField.as_str(),
        ERROR_DOMAIN,
        HashMap::from([(FIELDS_KEY.to_owned(), fields)]),
    );
    details.set_bad_request(violations);
    with_details(Code::InvalidArgument, message, details)
}

/// UNAUTHENTICATED: the caller is not known.
pub(super) fn caller_unknown() -> Status {
    with_details(Code::Unauthenticated, "the caller is not known", error_info(Reason::CallerUnknown, None))
}

/// PERMISSION_DENIED: the caller has no role for the call.
pub(super) fn caller_not_allowed() -> Status {
    with_details(
        Code::PermissionDenied,
        "the caller has no role for this call",
        error_info(Reason::CallerNotAllowed, None),
    )
}

/// DEADLINE_EXCEEDED: the call was not finished in time.
pub(super) fn deadline_exceeded() -> Status {
    let message = format!("the deadline passed; {}", repeat_advice::current());
    with_details(Code::DeadlineExceeded, message, error_info(Reason::DeadlineExceeded, None))
}

/// UNAVAILABLE: a dependency does not answer.
fn unavailable() -> Status {
    let mut details = error_info(Reason::Unavailable, None);
    details.set_retry_info(Some(RETRY_DELAY));
    let message = format!("a dependency does not answer; {}", repeat_advice::current());
    with_details(Code::Unavailable, message, details)
}

/// UNAVAILABLE: another call for the same person is running.
fn busy() -> Status {
    let mut details = error_info(Reason::Busy, None);
    details.set_retry_info(Some(BUSY_RETRY_DELAY));
    with_details(Code::Unavailable, "another call for the same person is running; repeat in a moment", details)
}

/// RESOURCE_EXHAUSTED: the request or the response is larger than `server.message_limit`.
pub(super) fn message_too_large() -> Status {
    with_details(
        Code::ResourceExhausted,
        "the message is larger than the server passes on; waiting does not help",
        error_info(Reason::MessageTooLarge, None),
    )
}

/// RESOURCE_EXHAUSTED: too many calls are running.
pub(super) fn overloaded() -> Status {
    let mut details = error_info(Reason::Overloaded, None);
    details.set_retry_info(Some(RETRY_DELAY));
    let mut overloaded = with_details(Code::ResourceExhausted, "too many calls run at this moment", details);
    overloaded.metadata_mut().insert(RETRY_PUSHBACK_HEADER, MetadataValue::from(RETRY_DELAY.as_millis() as u64));
    overloaded
}

/// The status with details for an error that tonic made before our handler started.
pub(super) fn from_tonic_error(error: &Status) -> Status {
    match error.code() {
        Code::OutOfRange => message_too_large(),
        Code::Internal => with_details(
            Code::InvalidArgument,
            "the body is not a message of this request's type",
            error_info(Reason::InvalidField, None),
        ),
        Code::Unimplemented => with_details(
            Code::Unimplemented,
            "there is no such method, or not in this encoding",
            error_info(Reason::MethodUnknown, None),
        ),
        // Most likely the request body ended early, because the caller has disconnected.
        code => with_details(code, "the call failed", error_info(Reason::Internal, None)),
    }
}

/// The refusal with the text for the person. `None` if the error does not come from this service.
pub(super) fn localize(refusal: &Status, texts: &Texts, language: Language) -> Option<Status> {
    let mut details = refusal.get_error_details();
    let info = details.error_info().filter(|info| info.domain == ERROR_DOMAIN)?;
    let reason = Reason::from_name(&info.reason)?;
    let next_attempt_time = info.metadata.get(NEXT_ATTEMPT_TIME_KEY).and_then(|time| time.parse().ok());
    let (language, text) = texts.render_refusal(reason, next_attempt_time, language);
    details.set_localized_message(language.code(), text);
    let metadata = refusal.metadata().clone();
    Some(Status::with_error_details_and_metadata(refusal.code(), refusal.message(), details, metadata))
}

/// INTERNAL: a defect. The status tells the trace id and nothing else.
pub(super) fn internal() -> Status {
    let mut details = error_info(Reason::Internal, None);
    details.set_request_info(current_trace_id().to_string(), "");
    with_details(Code::Internal, "a defect in the service; report the trace id", details)
}

/// FAILED_PRECONDITION. The first denial gives the reason; `PreconditionFailure` lists all of them.
fn failed_precondition(denials: &[Denial]) -> Status {
    let Some(first) = denials.first() else { return internal() };
    let is_permanent = denials.iter().any(|denial| denial.until.is_none());
    let until = if is_permanent { None } else { denials.iter().filter_map(|denial| denial.until).max() };
    let mut details = error_info(first.reason, until);
    for denial in denials {
        let name = denial.reason.as_str();
        details.add_precondition_failure_violation(name, "person", until_text(denial.until));
    }
    with_details(Code::FailedPrecondition, format!("refused: {}", first.reason.as_str()), details)
}

/// RESOURCE_EXHAUSTED: a limit is reached.
fn limit_reached(denial: Denial, now: DateTime<Utc>) -> Status {
    let name = denial.reason.as_str();
    let mut details = error_info(denial.reason, denial.until);
    details.add_quota_failure_violation(name, until_text(denial.until));
    details.set_retry_info(denial.until.map(|until| (until - now).to_std().unwrap_or_default()));
    with_details(Code::ResourceExhausted, format!("limit reached: {name}"), details)
}

fn until_text(until: Option<DateTime<Utc>>) -> String {
    until.map_or_else(|| "waiting does not help".into(), |until| format!("until {}", rfc3339(until)))
}

fn error_info(reason: Reason, next_attempt_time: Option<DateTime<Utc>>) -> ErrorDetails {
    let metadata: HashMap<String, String> =
        next_attempt_time.map(|time| (NEXT_ATTEMPT_TIME_KEY.into(), rfc3339(time))).into_iter().collect();
    ErrorDetails::with_error_info(reason.as_str(), ERROR_DOMAIN, metadata)
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn with_details(code: Code, message: impl Into<String>, details: ErrorDetails) -> Status {
    Status::with_error_details(code, message, details)
}
