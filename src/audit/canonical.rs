//! The canonical encoding of audit rows, over which digests and MACs are made. It must never change.
//!
//! Each field is prefixed with its length, so that no two rows have the same encoding. A new column or table requires a new
//! version of the encoding, which appends it. Rows that an old version sealed keep the encoding of that version.

use aws_lc_rs::digest::{SHA256, digest};

use crate::store::audit::sealed_events::AuditRows;

/// The current version of the encoding.
pub(super) const ENCODING_VERSION: i16 = 1;

/// A SHA-256 digest.
pub(super) type Digest = [u8; 32];

/// A table that contains a part of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTable {
    Event,
    Agent,
    Operator,
}

impl EventTable {
    /// All tables, in the order in which a seal lists them.
    pub(super) const ALL: [Self; 3] = [Self::Event, Self::Agent, Self::Operator];

    /// The name of the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "audit_events",
            Self::Agent => "audit_agents",
            Self::Operator => "audit_operators",
        }
    }

    /// The digest of the event's row in that table; `None` if the event has no row there.
    pub(super) fn digest(self, event: &AuditRows) -> Option<Digest> {
        let encoding = Encoding::new(self.name()).field(event.id.to_be_bytes());
        let encoding = match self {
            Self::Event => encoding
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
            Self::Agent => encoding.field(event.agent_key.as_ref()?),
            Self::Operator => encoding.field(event.operator.as_ref()?),
        };
        Some(sha256(&encoding.0))
    }
}

/// The encoding of a sequence of fields.
pub(super) struct Encoding(pub(super) Vec<u8>);

impl Encoding {
    /// Starts with the name of what is encoded.
    pub(super) fn new(name: &str) -> Self {
        Self(Vec::new()).field(name)
    }

    /// Appends a field.
    pub(super) fn field(self, value: impl AsRef<[u8]>) -> Self {
        self.optional(Some(value))
    }

    /// Appends a field that may be missing: 0, or 1, the length in eight bytes and the value.
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
    fn different_fields_have_different_encodings() {
        let none = || None::<[u8; 0]>;
        let encodings = [
            Encoding::new("a").field("b").field("c"),
            Encoding::new("a").field("bc").field(""),
            Encoding::new("a").field("").field("bc"),
            Encoding::new("a").field("bc").optional(none()),
            Encoding::new("a").optional(none()).field("bc"),
            Encoding::new("a").field("bc"),
        ];
        for (index, one) in encodings.iter().enumerate() {
            assert!(encodings.iter().skip(index + 1).all(|other| one.0 != other.0), "{index}");
        }
    }
}
