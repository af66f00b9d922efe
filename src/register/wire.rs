//! Reading values off the wire, strictly.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::cpr::CprNumber;
use crate::domain::person::MitidUuid;

/// An answer that cannot be relied on: which field, never what it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// A CPR number, or `None` where the text is empty.
pub(super) fn cpr_number(text: &str, field: &'static str) -> Result<Option<CprNumber>, Malformed> {
    if text.is_empty() { Ok(None) } else { CprNumber::parse(text).map(Some).map_err(|_| Malformed(field)) }
}

/// A MitID UUID.
pub(super) fn mitid_uuid(text: &str, field: &'static str) -> Result<MitidUuid, Malformed> {
    Uuid::try_parse(text).map(MitidUuid).map_err(|_| Malformed(field))
}

/// A date, YYYY-MM-DD and in no other form.
pub(super) fn date(text: &str, field: &'static str) -> Result<NaiveDate, Malformed> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|date| date.format("%Y-%m-%d").to_string() == text)
        .ok_or(Malformed(field))
}

/// A moment, or `None` where it is not set.
pub(super) fn instant(
    timestamp: Option<prost_types::Timestamp>,
    field: &'static str,
) -> Result<Option<DateTime<Utc>>, Malformed> {
    let Some(timestamp) = timestamp else { return Ok(None) };
    u32::try_from(timestamp.nanos)
        .ok()
        .and_then(|nanos| DateTime::from_timestamp(timestamp.seconds, nanos))
        .map(Some)
        .ok_or(Malformed(field))
}
