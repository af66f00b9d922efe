//! The copy of a person's hold in Redis.

use chrono::{DateTime, Utc};

use super::keys::{name_key, person_tag};
use super::{Guard, GuardError};
use crate::domain::hold::{Hold, HoldState};
use crate::domain::person::PersonKey;

/// The last part of the hold's key.
pub(super) const HOLD: &str = "hold";

impl Guard {
    /// Keeps the hold until it expires. Replaces any other hold of the person.
    pub async fn remember_hold(&self, person: PersonKey, hold: &Hold, now: DateTime<Utc>) -> Result<(), GuardError> {
        if hold.state(now) == HoldState::Expired {
            return self.forget_hold(person).await;
        }
        // One millisecond more, because `num_milliseconds` cuts off a part of one.
        let left = (hold.expire_time - now).num_milliseconds() + 1;
        let mut set = redis::cmd("SET");
        set.arg(self.hold_key(person)).arg(hold_to_text(hold)).arg("PX").arg(left);
        let store = async |mut connection| set.exec_async(&mut connection).await;
        self.connection.run_for_call("remember_hold", store).await
    }

    /// Forgets the hold, because it was cancelled or used.
    pub async fn forget_hold(&self, person: PersonKey) -> Result<(), GuardError> {
        self.delete_key("forget_hold", self.hold_key(person)).await
    }

    fn hold_key(&self, person: PersonKey) -> String {
        name_key(&self.prefix, &person_tag(person), HOLD)
    }
}

/// The value of the hold's key: three times in microseconds, in order.
fn hold_to_text(hold: &Hold) -> String {
    let [request, eligible, expire] =
        [hold.request_time, hold.eligible_time, hold.expire_time].map(|time| time.timestamp_micros());
    format!("{request} {eligible} {expire}")
}

/// Reads the three times as the script returns them.
pub(super) fn hold_from_micros(times: &[i64]) -> Option<Hold> {
    let &[request, eligible, expire] = times else { return None };
    Some(Hold {
        request_time: DateTime::from_timestamp_micros(request)?,
        eligible_time: DateTime::from_timestamp_micros(eligible)?,
        expire_time: DateTime::from_timestamp_micros(expire)?,
    })
}
