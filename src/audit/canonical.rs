//! How rows are written down to be sealed: one way only, and the same for ever.
//!
//! Fields are prefixed with their length, so that no two rows are written alike. A new column or table gets a new version,
//! which appends it; what an old version sealed is still written down by that.

use aws_lc_rs::digest::{SHA256, digest};

use crate::store::audit::audit_seals::AuditRows;

/// The present version.
pub(super) const VERSION: i16 = 1;

/// A digest.
pub(super) type Digest = [u8; 32];

/// The tables that an event is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTable {
    /// `audit_events`.
    Event,
    /// `audit_agents`.
    Agent,
    /// `audit_operators`.
    Operator,
}

impl EventTable {
    /// All, in the order in which a seal lists them.
    pub(super) const ALL: [Self; 3] = [Self::Event, Self::Agent, Self::Operator];

    /// The table's name.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Event => "audit_events",
            Self::Agent => "audit_agents",
            Self::Operator => "audit_operators",
        }
    }

    /// The digest of the event's row in that table; `None`: it has none there.
    pub(super) fn digest(self, event: &AuditRows) -> Option<Digest> {
        let written = Written::new(self.table()).field(event.id.to_be_bytes());
        let written = match self {
            Self::Event => written
                .field(event.event_time.timestamp_micros().to_be_bytes())
                .field(&event.person_key)
                .field(&event.action)
                .optional(event.channel.as_ref())
                .field(&event.caller)
                .optional(event.reason.as_ref())
                .optional(event.verification_id.as_ref())
                .optional(event.access_request_id.as_ref())
                .optional(event.pin_request_id.as_ref())
                .optional(event.purpose.as_ref())
                .field(event.pseudonym_key_id.to_be_bytes()),
            Self::Agent => written.field(event.agent_key.as_ref()?),
            Self::Operator => written.field(event.operator.as_ref()?),
        };
        Some(sha256(&written.0))
    }
}

/// Fields written down one after the other.
pub(super) struct Written(pub(super) Vec<u8>);

impl Written {
    /// Begins with what is written down.
    pub(super) fn new(what: &str) -> Self {
        Self(Vec::new()).field(what)
    }

    pub(super) fn field(self, value: impl AsRef<[u8]>) -> Self {
        self.optional(Some(value))
    }

    pub(super) fn optional(mut self, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            None => self.0.push(0),
            Some(value) => {
                let value = value.as_ref();
                self.0.push(1);
                self.0.extend((value.len() as u64).to_be_bytes());
                self.0.extend(value);
            }
        }
        self
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Digest {
    let mut array = [0; 32];
    array.copy_from_slice(digest(&SHA256, bytes).as_ref());
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cannot_run_into_each_other() {
        let none = || None::<[u8; 0]>;
        let ways = [
            Written::new("a").field("b").field("c"),
            Written::new("a").field("bc").field(""),
            Written::new("a").field("").field("bc"),
            Written::new("a").field("bc").optional(none()),
            Written::new("a").optional(none()).field("bc"),
            Written::new("a").field("bc"),
        ];
        for (index, one) in ways.iter().enumerate() {
            assert!(ways.iter().skip(index + 1).all(|other| one.0 != other.0), "{index}");
        }
    }
}
