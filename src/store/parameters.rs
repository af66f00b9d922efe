//! Converts values to the types of SQL parameters.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

use crate::domain::person::PersonKey;

/// Converts a span of time. A span of more than 292,000 years is cut to the most microseconds that an `i64` can hold.
pub(super) fn to_interval(span: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(span.as_micros()).unwrap_or(i64::MAX) }
}

/// Converts the pseudonyms of one person to a `bytea[]`.
pub(super) fn to_bytea_array(pseudonyms: &[PersonKey]) -> Vec<Vec<u8>> {
    pseudonyms.iter().map(|key| key.0.to_vec()).collect()
}

/// Converts the pseudonyms of several persons to two arrays of the same length. At each index, the first array has the number
/// of the person, counted from 1, and the second array has a pseudonym of that person.
pub(super) fn to_numbered_arrays<'a>(persons: impl Iterator<Item = &'a [PersonKey]>) -> (Vec<i64>, Vec<&'a [u8]>) {
    (1..).zip(persons).flat_map(|(number, keys)| keys.iter().map(move |key| (number, key.0.as_slice()))).unzip()
}
