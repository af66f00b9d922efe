//! How Redis stores the times of a hold.

use chrono::DateTime;

use crate::domain::hold::Hold;

/// The value of the hold's key: three times in microseconds, in order.
pub(super) fn write_hold(hold: &Hold) -> String {
    let [request, eligible, expire] =
        [hold.request_time, hold.eligible_time, hold.expire_time].map(|time| time.timestamp_micros());
    format!("{request} {eligible} {expire}")
}

/// Reads the three times as the script returns them.
pub(super) fn read_hold(times: &[i64]) -> Option<Hold> {
    let &[request, eligible, expire] = times else { return None };
    Some(Hold {
        request_time: DateTime::from_timestamp_micros(request)?,
        eligible_time: DateTime::from_timestamp_micros(eligible)?,
        expire_time: DateTime::from_timestamp_micros(expire)?,
    })
}
