//! Access requests, which start the hold on the web (R6, R7, R8).

pub mod access_requests;

use chrono::{DateTime, Utc};

use crate::domain::hold::Hold;

/// The hold in the columns of an access request that a statement reads with a `LEFT JOIN`. `None`: there is no such row.
pub(in crate::store) fn hold_from_columns(
    request_time: Option<DateTime<Utc>>,
    eligible_time: Option<DateTime<Utc>>,
    expire_time: Option<DateTime<Utc>>,
) -> Option<Hold> {
    Some(Hold { request_time: request_time?, eligible_time: eligible_time?, expire_time: expire_time? })
}
