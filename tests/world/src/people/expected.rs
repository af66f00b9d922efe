//! The first answers that the service must give about each person. They are written by hand and not computed from the
//! service's rules, because tests compare the service's answers with them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::channel_eligibility::Status;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use tonic::Code;

/// The answer of CheckEligibility for each channel.
pub struct Expected {
    pub web: Expectation,
    pub phone: Expectation,
    pub counter: Expectation,
}

/// The answer of CheckEligibility about one channel to a caller of that channel.
#[derive(Clone)]
pub struct Expectation {
    status: Status,
    reasons: Vec<Reason>,
    next_attempt_time: Option<DateTime<Utc>>,
}

impl Expected {
    /// Every channel is open; on the web access must be requested first.
    pub fn ordinary() -> Self {
        Self {
            web: Expectation::not_yet(Reason::AccessNotRequested, None),
            phone: Expectation::eligible(),
            counter: Expectation::eligible(),
        }
    }

    /// Only the counter is open.
    pub fn counter_only(elsewhere: Expectation) -> Self {
        Self { web: elsewhere.clone(), phone: elsewhere, counter: Expectation::eligible() }
    }

    /// The same expectation for every channel.
    pub fn everywhere(expectation: Expectation) -> Self {
        Self { web: expectation.clone(), phone: expectation.clone(), counter: expectation }
    }

    /// No channel is open.
    pub fn never(reason: Reason) -> Self {
        Self::everywhere(Expectation::never([reason]))
    }

    /// As `GET /people` shows it.
    pub fn to_json(&self) -> Value {
        json!({ "web": self.web.to_json(), "phone": self.phone.to_json(), "counter": self.counter.to_json() })
    }
}

impl Expectation {
    pub fn eligible() -> Self {
        Self { status: Status::Eligible, reasons: Vec::new(), next_attempt_time: None }
    }

    /// Not open yet. Opens at `next_attempt_time`, if waiting helps.
    pub fn not_yet(reason: Reason, next_attempt_time: Option<DateTime<Utc>>) -> Self {
        Self { status: Status::NotYet, reasons: vec![reason], next_attempt_time }
    }

    /// Closed, and waiting does not help.
    pub fn never(reasons: impl Into<Vec<Reason>>) -> Self {
        Self { status: Status::NotEligible, reasons: reasons.into(), next_attempt_time: None }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "status": self.status.as_str_name(), "reasons": names(&self.reasons) });
        if let Some(time) = self.next_attempt_time {
            json["next_attempt_time"] = json!(time);
        }
        json
    }
}

/// The answer of VerifyIdentity when the person logs in or presents their first document.
#[derive(Clone)]
pub enum Outcome {
    /// An answer: the identity is confirmed or not, or questions follow.
    Answer(State, Vec<Reason>),
    /// An error with this code.
    Error(Code, Vec<Reason>),
}

impl Outcome {
    /// The outcome for a person with a valid document: `open` if the channel is open, or else why it is closed.
    pub fn from_expectation(expectation: &Expectation, open: Self) -> Self {
        match (expectation.status, expectation.reasons.as_slice()) {
            // A login requests access.
            (Status::Eligible, _) | (_, [Reason::AccessNotRequested]) => open,
            (_, reasons) => Self::Error(Code::FailedPrecondition, reasons.to_vec()),
        }
    }

    /// Questions follow.
    pub fn questions() -> Self {
        Self::Answer(State::QuestionsPending, Vec::new())
    }

    /// The identity is confirmed at once.
    pub fn verified() -> Self {
        Self::Answer(State::Verified, Vec::new())
    }

    /// The identity is not confirmed.
    pub fn rejected(reason: Reason) -> Self {
        Self::Answer(State::Rejected, vec![reason])
    }

    /// The channel does not accept such a request.
    pub fn invalid() -> Self {
        Self::Error(Code::InvalidArgument, vec![Reason::InvalidField])
    }

    /// As `GET /people` shows it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Answer(state, reasons) => json!({ "state": state.as_str_name(), "reasons": names(reasons) }),
            Self::Error(code, reasons) => json!({ "code": code_name(*code), "reasons": names(reasons) }),
        }
    }
}

/// The name as gRPC's documentation writes it.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        _ => "UNKNOWN",
    }
}

fn names(reasons: &[Reason]) -> Vec<&'static str> {
    reasons.iter().map(Reason::as_str_name).collect()
}
