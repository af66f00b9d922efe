//! Values in the form in which statements take them as parameters.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

use crate::domain::person::PersonKey;

/// A span of time. Spans of more than 292,000 years become the longest one that Postgres takes.
pub(super) fn interval(span: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(span.as_micros()).unwrap_or(i64::MAX) }
}

/// The pseudonyms of one person.
pub(super) fn pseudonyms(keys: &[PersonKey]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.0.to_vec()).collect()
}

/// The pseudonyms of several persons, as two arrays of the same length: the number of the person, from 1, and the pseudonym.
pub(super) fn numbered_pseudonyms<'a>(persons: impl Iterator<Item = &'a [PersonKey]>) -> (Vec<i64>, Vec<&'a [u8]>) {
    (1..).zip(persons).flat_map(|(number, keys)| keys.iter().map(move |key| (number, key.0.as_slice()))).unzip()
}
