//! The one place where a refusal becomes a gRPC status: the table of the contract's reasons and codes (common.proto).
//!
//! By AIP-193: every status carries `google.rpc.ErrorInfo`, each kind of detail stands at most once, and what a message
//! says beyond a fixed text stands in `ErrorInfo.metadata` too.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::domain::language::Language;
use crate::domain::reason::{Denial, Reason};
use crate::issuance::Refusal;
use crate::telemetry::propagation::current_trace_id;
use crate::texts::Texts;

/// `ErrorInfo.domain` of every error.
const DOMAIN: &str = "temporarypin";

/// `ErrorInfo.metadata` key: from when another try may succeed, RFC 3339.
const NEXT_ATTEMPT_TIME: &str = "nextAttemptTime";

/// `ErrorInfo.metadata` key: the malformed fields that the message names.
const FIELDS: &str = "fields";

/// The pause that gRPC's own retries (gRFC A6) make before the next try, in milliseconds.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// How long to wait after an outage before the next try.
const OUTAGE_DELAY: Duration = Duration::from_secs(1);

/// What the caller did not get, and why.
pub(super) fn refused(refusal: &Refusal, now: DateTime<Utc>) -> Status {
    match refusal {
        Refusal::Invalid(violations) => invalid(
            violations.iter().map(|(field, description)| FieldViolation::new(*field, description.clone())).collect(),
        ),
        Refusal::RequestIdReused => {
            let mut details = info(Reason::RequestIdReused, None);
            details.add_bad_request_violation("request_id", "was used before with another payload");
            status(Code::InvalidArgument, "request_id was used before with another payload", details)
        }
        Refusal::NotAllowed(reason) => {
            status(Code::PermissionDenied, "this caller may not do that", info(*reason, None))
        }
        Refusal::Precondition(denials) => precondition(denials),
        Refusal::Limited(denial) => limited(*denial, now),
        Refusal::Unavailable(dependency) => {
            tracing::warn!(dependency = dependency.as_str(), "a dependency does not answer");
            unavailable("a dependency does not answer; a repeat with the same request_id does nothing twice")
        }
        Refusal::Abandoned => deadline_exceeded(),
        Refusal::Internal(cause) => {
            tracing::error!(cause, "a defect");
            internal()
        }
    }
}

/// One or more fields are malformed.
pub(super) fn invalid(violations: Vec<FieldViolation>) -> Status {
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    let fields = fields.join(", ");
    let message = format!("malformed: {fields}");
    let mut details = ErrorDetails::with_error_info(
        Reason::InvalidField.as_str(),
        DOMAIN,
        HashMap::from([(FIELDS.to_owned(), fields)]),
    );
    details.set_bad_request(violations);
    status(Code::InvalidArgument, message, details)
}

/// The caller is not known.
pub(super) fn caller_unknown() -> Status {
    status(Code::Unauthenticated, "the caller is not known", info(Reason::CallerUnknown, None))
}

/// The caller has no role for the call.
pub(super) fn caller_not_allowed() -> Status {
    status(Code::PermissionDenied, "the caller has no role for this call", info(Reason::CallerNotAllowed, None))
}

/// The deadline passed.
pub(super) fn deadline_exceeded() -> Status {
    status(
        Code::DeadlineExceeded,
        "the deadline passed; a repeat with the same request_id tells the outcome",
        info(Reason::DeadlineExceeded, None),
    )
}

/// A dependency is down, or the service is stopping.
pub(super) fn unavailable(message: &str) -> Status {
    let mut details = info(Reason::Unavailable, None);
    details.set_retry_info(Some(OUTAGE_DELAY));
    status(Code::Unavailable, message, details)
}

/// A message, request or answer, is larger than the server passes on.
pub(super) fn message_too_large() -> Status {
    status(
        Code::ResourceExhausted,
        "the message is larger than the server passes on; waiting does not help",
        info(Reason::MessageTooLarge, None),
    )
}

/// Too many calls run.
pub(super) fn overloaded() -> Status {
    let mut details = info(Reason::Overloaded, None);
    details.set_retry_info(Some(OUTAGE_DELAY));
    let mut overloaded = status(Code::ResourceExhausted, "too many calls run at this moment", details);
    overloaded.metadata_mut().insert(PUSHBACK, MetadataValue::from(OUTAGE_DELAY.as_millis() as u64));
    overloaded
}

/// What tonic refused before a service saw it, with details.
pub(super) fn of_tonic(refusal: &Status) -> Status {
    match refusal.code() {
        Code::OutOfRange => message_too_large(),
        Code::Internal => status(
            Code::InvalidArgument,
            "the body is not a message of this request's type",
            info(Reason::InvalidField, None),
        ),
        Code::Unimplemented => status(
            Code::Unimplemented,
            "there is no such method, or not in this encoding",
            info(Reason::MethodUnknown, None),
        ),
        // A body that broke off, most likely: nobody is left to read this.
        code => status(code, "the call failed", info(Reason::Internal, None)),
    }
}

/// The refusal with what to tell the person. `None`: it is nothing of ours.
pub(super) fn localized(refusal: &Status, texts: &Texts, language: Language) -> Option<Status> {
    let mut details = refusal.get_error_details();
    let info = details.error_info().filter(|info| info.domain == DOMAIN)?;
    let reason = Reason::from_name(&info.reason)?;
    let until = info.metadata.get(NEXT_ATTEMPT_TIME).and_then(|time| time.parse().ok());
    let (language, text) = texts.render_refusal(reason, until, language);
    details.set_localized_message(language.code(), text);
    let metadata = refusal.metadata().clone();
    Some(Status::with_error_details_and_metadata(refusal.code(), refusal.message(), details, metadata))
}

/// A defect: the trace id and nothing else.
pub(super) fn internal() -> Status {
    let mut details = info(Reason::Internal, None);
    details.set_request_info(current_trace_id().to_string(), "");
    status(Code::Internal, "a defect in the service; report the trace id", details)
}

/// Not now: the first denial is the reason; all stand in `PreconditionFailure`.
fn precondition(denials: &[Denial]) -> Status {
    let Some(first) = denials.first() else { return internal() };
    let lasting = denials.iter().any(|denial| denial.until.is_none());
    let until = if lasting { None } else { denials.iter().filter_map(|denial| denial.until).max() };
    let mut details = info(first.reason, until);
    for denial in denials {
        let name = denial.reason.as_str();
        details.add_precondition_failure_violation(name, "person", until_text(denial.until));
    }
    status(Code::FailedPrecondition, format!("refused: {}", first.reason.as_str()), details)
}

fn limited(denial: Denial, now: DateTime<Utc>) -> Status {
    let name = denial.reason.as_str();
    let mut details = info(denial.reason, denial.until);
    details.add_quota_failure_violation(name, until_text(denial.until));
    details.set_retry_info(denial.until.map(|until| (until - now).to_std().unwrap_or_default()));
    status(Code::ResourceExhausted, format!("limit reached: {name}"), details)
}

fn until_text(until: Option<DateTime<Utc>>) -> String {
    until.map_or_else(|| "waiting does not help".into(), |until| format!("until {}", rfc3339(until)))
}

fn info(reason: Reason, next_attempt_time: Option<DateTime<Utc>>) -> ErrorDetails {
    let metadata: HashMap<String, String> =
        next_attempt_time.map(|time| (NEXT_ATTEMPT_TIME.into(), rfc3339(time))).into_iter().collect();
    ErrorDetails::with_error_info(reason.as_str(), DOMAIN, metadata)
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn status(code: Code, message: impl Into<String>, details: ErrorDetails) -> Status {
    Status::with_error_details(code, message, details)
}
