//! What can be spent, and the Redis keys that count it.

use uuid::Uuid;

use super::keys::{hex, name_key, person_tag};
use crate::domain::channel::Channel;
use crate::domain::person::{AgentKey, MobileKey, PersonKey};
use crate::domain::reason::Reason;
use crate::domain::rule_settings::Limit;

/// A limited count. Counts of persons and mobile numbers are exact over any rolling window. All others are rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket<'a> {
    /// R4: wrong tries of a person, over all PINs.
    WrongTries(PersonKey),
    /// R18: failed verifications of a person in one channel.
    FailedVerifications(PersonKey, Channel),
    /// R25: PINs of a person.
    PersonPins(PersonKey),
    /// R25: PINs to a mobile number.
    MobilePins(MobileKey),
    /// R22: verifications by an agent.
    AgentVerifications(AgentKey),
    /// R22: PINs by an agent.
    AgentPins(AgentKey),
    /// R25: all PINs.
    ServicePins,
    /// The calls of one caller. The text is its name in the configuration.
    CallerCalls(&'a str),
}

/// One unit to take out of a bucket. A list of spends names each bucket at most once.
#[derive(Clone, Copy, Debug)]
pub struct Spend<'a> {
    /// The bucket to take it out of.
    pub bucket: Bucket<'a>,
    /// How much the bucket holds.
    pub limit: Limit,
    /// What the unit is spent for. A rolling window spends the same id only once. A rate ignores the id.
    pub id: Uuid,
}

/// How a bucket counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CountingMethod {
    /// Exact: a log of all spends in the window.
    Window,
    /// The generic cell rate algorithm.
    Rate,
}

impl Bucket<'_> {
    /// The hash tag of the bucket's key. Buckets with the same tag are on the same node of a Redis Cluster, so one script
    /// can decide on them together.
    pub(super) fn tag(&self) -> String {
        match self {
            Self::WrongTries(person) | Self::FailedVerifications(person, _) | Self::PersonPins(person) => {
                person_tag(*person)
            }
            Self::MobilePins(mobile) => format!("mobile:{}", hex(&mobile.0)),
            Self::AgentVerifications(agent) | Self::AgentPins(agent) => format!("agent:{}", hex(&agent.0)),
            Self::ServicePins => "service".to_owned(),
            Self::CallerCalls(caller) => format!("caller:{caller}"),
        }
    }

    /// The Redis key of the bucket.
    pub(super) fn key(&self, prefix: &str) -> String {
        name_key(prefix, &self.tag(), self.name())
    }

    /// The last part of the key. It is unique among the buckets with the same tag.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::WrongTries(_) => "wrong-tries",
            // Version 0.1.0 counts all channels together, in `failed-verifications`.
            Self::FailedVerifications(_, Channel::Web) => "failed-verifications-web",
            Self::FailedVerifications(_, Channel::Phone) => "failed-verifications-phone",
            Self::FailedVerifications(_, Channel::Counter) => "failed-verifications-counter",
            Self::PersonPins(_) | Self::MobilePins(_) | Self::AgentPins(_) | Self::ServicePins => "pins",
            Self::AgentVerifications(_) => "verifications",
            Self::CallerCalls(_) => "calls",
        }
    }

    pub(super) const fn counting_method(&self) -> CountingMethod {
        match self {
            Self::WrongTries(_) | Self::FailedVerifications(..) | Self::PersonPins(_) | Self::MobilePins(_) => {
                CountingMethod::Window
            }
            Self::AgentVerifications(_) | Self::AgentPins(_) | Self::ServicePins | Self::CallerCalls(_) => {
                CountingMethod::Rate
            }
        }
    }

    /// The reason of a refusal when the limit is reached.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::FailedVerifications(..) => Reason::VerificationLimit,
            Self::WrongTries(_) => Reason::WrongTryLimit,
            Self::PersonPins(_) => Reason::PersonLimit,
            Self::MobilePins(_) => Reason::MobileLimit,
            Self::AgentVerifications(_) | Self::AgentPins(_) => Reason::AgentLimit,
            Self::ServicePins => Reason::ServiceLimit,
            Self::CallerCalls(_) => Reason::CallerLimit,
        }
    }
}
