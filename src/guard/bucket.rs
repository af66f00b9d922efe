//! What can be spent, and under which keys it is kept.

use uuid::Uuid;

use crate::domain::person::{AgentKey, MobileKey, PersonKey};
use crate::domain::reason::Reason;
use crate::domain::rules::Limit;

/// A count that is limited. Those of persons and mobile numbers are exact over any rolling window; the others are rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket<'a> {
    /// R4: wrong tries of a person, over all PINs.
    WrongTries(PersonKey),
    /// R18: failed verifications of a person, across channels.
    FailedVerifications(PersonKey),
    /// R25: PINs of a person.
    PersonPins(PersonKey),
    /// R25: PINs to a mobile number.
    MobilePins(MobileKey),
    /// R22: verifications by an agent.
    AgentVerifications(AgentKey),
    /// R22: PINs by an agent.
    AgentPins(AgentKey),
    /// R25: PINs all together.
    ServicePins,
    /// Calls of a caller, by the name in the configuration.
    CallerCalls(&'a str),
}

/// One to take out of a bucket. A list of spends names each bucket at most once.
#[derive(Clone, Copy, Debug)]
pub struct Spend<'a> {
    /// From which bucket.
    pub bucket: Bucket<'a>,
    /// How much there is in it.
    pub limit: Limit,
    /// What it is spent for. The same id spends once in a rolling window; a rate does not look at it.
    pub id: Uuid,
}

/// How a bucket counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// Exact: a log of spends.
    Window,
    /// The generic cell rate algorithm.
    Rate,
}

impl Bucket<'_> {
    /// The hash tag: buckets of one tag live on one node of a Redis Cluster and are decided by one script.
    pub(super) fn tag(&self) -> String {
        match self {
            Self::WrongTries(person) | Self::FailedVerifications(person) | Self::PersonPins(person) => {
                person_tag(*person)
            }
            Self::MobilePins(mobile) => format!("mobile:{}", hex(&mobile.0)),
            Self::AgentVerifications(agent) | Self::AgentPins(agent) => format!("agent:{}", hex(&agent.0)),
            Self::ServicePins => "service".to_owned(),
            Self::CallerCalls(caller) => format!("caller:{caller}"),
        }
    }

    /// The key that it is kept under.
    pub(super) fn key(&self, prefix: &str) -> String {
        key(prefix, &self.tag(), self.name())
    }

    /// What tells apart the keys of one tag.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::WrongTries(_) => "wrong-tries",
            Self::FailedVerifications(_) => "failed-verifications",
            Self::PersonPins(_) | Self::MobilePins(_) | Self::AgentPins(_) | Self::ServicePins => "pins",
            Self::AgentVerifications(_) => "verifications",
            Self::CallerCalls(_) => "calls",
        }
    }

    pub(super) const fn counting(&self) -> Counting {
        match self {
            Self::WrongTries(_) | Self::FailedVerifications(_) | Self::PersonPins(_) | Self::MobilePins(_) => {
                Counting::Window
            }
            Self::AgentVerifications(_) | Self::AgentPins(_) | Self::ServicePins | Self::CallerCalls(_) => {
                Counting::Rate
            }
        }
    }

    pub(super) const fn reason(&self) -> Reason {
        match self {
            Self::FailedVerifications(_) => Reason::VerificationLimit,
            Self::WrongTries(_) | Self::PersonPins(_) => Reason::PersonLimit,
            Self::MobilePins(_) => Reason::MobileLimit,
            Self::AgentVerifications(_) | Self::AgentPins(_) => Reason::AgentLimit,
            Self::ServicePins => Reason::ServiceLimit,
            Self::CallerCalls(_) => Reason::CallerLimit,
        }
    }
}

/// The hash tag of a person's buckets and hold.
pub(super) fn person_tag(person: PersonKey) -> String {
    format!("person:{}", hex(&person.0))
}

/// The name of a key: `prefix:{tag}:name`.
pub(super) fn key(prefix: &str, tag: &str, name: &str) -> String {
    format!("{prefix}:{{{tag}}}:{name}")
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(DIGITS[usize::from(half)])).collect()
}
