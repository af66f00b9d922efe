//! What has changed about a person since the sandbox started.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use temporary_pin::proto::identityregister::v1::Person as PersonRecord;
use temporary_pin::proto::identityregister::v1::mitid_account::State;

/// What differs from the person that the sandbox made. `None`: nothing.
#[derive(Clone, Default)]
pub struct Changes {
    /// The registered mobile number; empty: none.
    pub mobile_number: Option<String>,
    /// When the number was registered or changed.
    pub mobile_change_time: Option<DateTime<Utc>>,
    pub cpr_status: Option<String>,
    pub mitid_state: Option<State>,
    /// Whether the register knows the person.
    pub known: Option<bool>,
}

impl Changes {
    /// These changes and later ones, which take precedence.
    pub(super) fn followed_by(self, later: Self) -> Self {
        Self {
            mobile_number: later.mobile_number.or(self.mobile_number),
            mobile_change_time: later.mobile_change_time.or(self.mobile_change_time),
            cpr_status: later.cpr_status.or(self.cpr_status),
            mitid_state: later.mitid_state.or(self.mitid_state),
            known: later.known.or(self.known),
        }
    }

    /// The register's record with these changes. `None` if the register does not know the person any more.
    pub(super) fn apply(&self, mut record: PersonRecord) -> Option<PersonRecord> {
        if self.known == Some(false) {
            return None;
        }
        if let Some(status) = &self.cpr_status {
            record.cpr_status.clone_from(status);
        }
        if let Some(account) = &mut record.mitid_account {
            if let Some(number) = &self.mobile_number {
                account.mobile_number.clone_from(number);
            }
            if let Some(time) = self.mobile_change_time {
                account.mobile_number_change_time = Some(SystemTime::from(time).into());
            }
            if let Some(state) = self.mitid_state {
                account.set_state(state);
            }
        }
        Some(record)
    }

    /// The fields that have changed, under the names of `POST /people/{id}`.
    pub(super) fn to_json(&self) -> Value {
        let mut json = json!({
            "mobile_number": self.mobile_number,
            "mobile_change_time": self.mobile_change_time,
            "cpr_status": self.cpr_status,
            "mitid_state": self.mitid_state.map(|state| state.as_str_name()),
            "known": self.known,
        });
        if let Value::Object(fields) = &mut json {
            fields.retain(|_, value| !value.is_null());
        }
        json
    }
}
