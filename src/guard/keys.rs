//! The names of the keys in Redis. They contain pseudonyms, never personal data.

use crate::domain::person::PersonKey;

/// The last part of the key of a person's hold.
pub(super) const HOLD: &str = "hold";

/// The key that the health check writes.
pub(super) fn health_key(prefix: &str) -> String {
    format!("{prefix}:health")
}

/// Names a key: `prefix:{tag}:name`. A Redis Cluster places a key by the part in braces, the hash tag.
pub(super) fn name_key(prefix: &str, tag: &str, name: &str) -> String {
    format!("{prefix}:{{{tag}}}:{name}")
}

/// The hash tag of a person's buckets and hold.
pub(super) fn person_tag(person: PersonKey) -> String {
    format!("person:{}", hex(&person.0))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(DIGITS[usize::from(half)])).collect()
}
