//! The copy of a person's hold in Redis.

use chrono::{DateTime, Utc};

use super::hold_times::write_hold;
use super::keys::{HOLD, name_key, person_tag};
use super::{Guard, GuardError};
use crate::domain::hold::{Hold, HoldState};
use crate::domain::person::PersonKey;

impl Guard {
    /// Keeps the hold until it expires. Replaces any other hold of the person.
    pub async fn remember_hold(&self, person: PersonKey, hold: &Hold, now: DateTime<Utc>) -> Result<(), GuardError> {
        if hold.state(now) == HoldState::Expired {
            return self.forget_hold(person).await;
        }
        // One millisecond more, because `num_milliseconds` cuts off a part of one.
        let left = (hold.expire_time - now).num_milliseconds() + 1;
        let mut set = redis::cmd("SET");
        set.arg(self.hold_key(person)).arg(write_hold(hold)).arg("PX").arg(left);
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
