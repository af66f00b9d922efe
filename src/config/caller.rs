//! The callers: client certificates and what they may do.

use serde::Deserialize;

use crate::domain::channel::Channel;

/// A caller: who holds a certificate with one of the names may call in these roles.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// The name in tables, logs and metrics.
    pub name: String,
    /// Subject alternative names of its certificates: URIs (`spiffe://…`) or DNS names.
    pub sans: Vec<String>,
    /// What it may do; at most one channel.
    pub roles: Vec<Role>,
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Role {
    /// `channel:web`, `channel:phone`, `channel:counter`: ask for PINs, in that channel.
    Channel(Channel),
    /// `redeemer`: redeem PINs.
    Redeemer,
    /// `operator`: look into a person's case, revoke, cancel, block, reset a limit.
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
