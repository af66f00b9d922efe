//! Settings of callers: their client certificates and roles.

use serde::Deserialize;

use crate::domain::channel::Channel;

/// A client process that may call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerSettings {
    /// Name of the caller in tables, logs and metrics.
    pub name: String,
    /// Subject alternative names of the caller's certificates: URIs (`spiffe://…`) or DNS names. A certificate with one of
    /// them is this caller's.
    pub sans: Vec<String>,
    /// What the caller may do. At most one role is a channel.
    pub roles: Vec<Role>,
}

/// A set of RPCs that a caller may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Role {
    /// `channel:web`, `channel:phone`, `channel:counter`: order PINs for persons in that channel.
    Channel(Channel),
    /// `redeemer`: redeem PINs.
    Redeemer,
    /// `operator`: look up a person's records, revoke, cancel, block, reset a limit.
    Operator,
}

impl TryFrom<String> for Role {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "redeemer" => Some(Self::Redeemer),
            "operator" => Some(Self::Operator),
            other => other.strip_prefix("channel:").and_then(Channel::from_name).map(Self::Channel),
        }
        .ok_or("must be one of channel:web, channel:phone, channel:counter, redeemer, operator")
    }
}
