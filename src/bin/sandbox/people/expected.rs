//! What the service must answer about each person before anything has been done. Written by hand, never computed by the
//! service's own rules: it is what those are tested against.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::channel_eligibility::Status;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;

/// What CheckEligibility says per channel.
pub(crate) struct Expected {
    pub(crate) web: Expectation,
    pub(crate) phone: Expectation,
    pub(crate) counter: Expectation,
}

/// What CheckEligibility says of one channel to a caller of that channel.
#[derive(Clone)]
pub(crate) struct Expectation {
    status: Status,
    reasons: Vec<Reason>,
    next_attempt_time: Option<DateTime<Utc>>,
}

impl Expected {
    /// Nothing against the person, who has not yet asked for access on the web.
    pub(crate) fn ordinary() -> Self {
        Self {
            web: Expectation::not_yet(Reason::AccessNotRequested, None),
            phone: Expectation::eligible(),
            counter: Expectation::eligible(),
        }
    }

    /// Neither on the web nor by phone; the counter helps.
    pub(crate) fn counter_only(elsewhere: Expectation) -> Self {
        Self { web: elsewhere.clone(), phone: elsewhere, counter: Expectation::eligible() }
    }

    /// The same everywhere.
    pub(crate) fn everywhere(expectation: Expectation) -> Self {
        Self { web: expectation.clone(), phone: expectation.clone(), counter: expectation }
    }

    /// No channel helps.
    pub(crate) fn never(reason: Reason) -> Self {
        Self::everywhere(Expectation::never([reason]))
    }

    /// As `GET /people` shows it.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "web": self.web.to_json(), "phone": self.phone.to_json(), "counter": self.counter.to_json() })
    }
}

impl Expectation {
    /// Yes.
    pub(crate) fn eligible() -> Self {
        Self { status: Status::Eligible, reasons: Vec::new(), next_attempt_time: None }
    }

    /// Not now; from `next_attempt_time`, where waiting helps.
    pub(crate) fn not_yet(reason: Reason, next_attempt_time: Option<DateTime<Utc>>) -> Self {
        Self { status: Status::NotYet, reasons: vec![reason], next_attempt_time }
    }

    /// No, and waiting does not help.
    pub(crate) fn never(reasons: impl Into<Vec<Reason>>) -> Self {
        Self { status: Status::NotEligible, reasons: reasons.into(), next_attempt_time: None }
    }

    /// Whether the answer is yes.
    pub(crate) fn is_eligible(&self) -> bool {
        self.status == Status::Eligible
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "status": self.status.as_str_name(), "reasons": names(&self.reasons) });
        if let Some(time) = self.next_attempt_time {
            json["next_attempt_time"] = json!(time);
        }
        json
    }
}

/// What VerifyIdentity answers first, when the person presents their first document.
pub(crate) struct Outcome {
    state: State,
    reasons: Vec<Reason>,
}

impl Outcome {
    /// By phone and at the counter the document is accepted and the questions follow.
    pub(crate) fn ordinary() -> BTreeMap<&'static str, Self> {
        BTreeMap::from([("phone", Self::questions()), ("counter", Self::questions())])
    }

    /// The questions follow.
    pub(crate) fn questions() -> Self {
        Self { state: State::QuestionsPending, reasons: Vec::new() }
    }

    /// The identity is confirmed at once.
    pub(crate) fn verified() -> Self {
        Self { state: State::Verified, reasons: Vec::new() }
    }

    /// The identity is not confirmed.
    pub(crate) fn rejected(reason: Reason) -> Self {
        Self { state: State::Rejected, reasons: vec![reason] }
    }

    /// As `GET /people` shows it.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "state": self.state.as_str_name(), "reasons": names(&self.reasons) })
    }
}

fn names(reasons: &[Reason]) -> Vec<&'static str> {
    reasons.iter().map(Reason::as_str_name).collect()
}
