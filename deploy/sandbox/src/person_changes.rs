//! Reads the body of `POST /people/{id}`, which changes a person while the sandbox runs.

use chrono::{DateTime, TimeDelta, Utc};
use made_up_world::people::{Changes, Person};
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::proto::identityregister::v1::mitid_account::State;

use crate::request_body::{BadRequest, Fields};

const MAX_CHANGE_AGE_SECONDS: u32 = 366 * 24 * 3600;

/// A new number counts as changed now, unless the body says when.
pub(crate) fn read(person: &Person, mut fields: Fields, now: DateTime<Utc>) -> Result<Changes, BadRequest> {
    let mobile_number = fields.take_optional_text("mobile_number")?;
    if mobile_number.as_ref().is_some_and(|number| !number.is_empty() && MobileNumber::parse(number).is_err()) {
        return Err(BadRequest::field("mobile_number", "must be in E.164 form, such as +4520000001, or empty"));
    }
    let time = fields.take_optional_text("mobile_change_time")?.map(|text| text.parse::<DateTime<Utc>>()).transpose();
    let time = time.map_err(|_| BadRequest::field("mobile_change_time", "must be like 2026-11-23T12:00:00Z"))?;
    let age = fields.take_optional_number("mobile_change_age_seconds", MAX_CHANGE_AGE_SECONDS)?;
    let mobile_change_time = match (time, age) {
        (Some(_), Some(_)) => {
            return Err(BadRequest::field("mobile_change_age_seconds", "must be left out with mobile_change_time"));
        }
        (time, age) => time
            .or_else(|| age.map(|seconds| now - TimeDelta::seconds(seconds.into())))
            .or_else(|| mobile_number.is_some().then_some(now)),
    };
    let cpr_status = fields.take_optional_text("cpr_status")?;
    if cpr_status.as_ref().is_some_and(|code| code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(BadRequest::field("cpr_status", "must be a code of two digits, such as 90"));
    }
    if cpr_status.is_some() && person.cpr_number.is_none() {
        return Err(BadRequest::field("cpr_status", "cannot be set: the person has no CPR number"));
    }
    let mitid_state = match fields.take_optional_text("mitid_state")?.as_deref() {
        None => None,
        Some("active") => Some(State::Active),
        Some("blocked") => Some(State::Blocked),
        Some("closed") => Some(State::Closed),
        Some(_) => return Err(BadRequest::field("mitid_state", "must be active, blocked or closed")),
    };
    let changes = Changes {
        mobile_number,
        mobile_change_time,
        cpr_status,
        mitid_state,
        known: fields.take_optional_flag("known")?,
    };
    let concerns_account = [
        ("mobile_number", changes.mobile_number.is_some()),
        ("mobile_change_time", changes.mobile_change_time.is_some()),
        ("mitid_state", changes.mitid_state.is_some()),
    ];
    if let Some((field, _)) = concerns_account.iter().find(|(_, is_set)| *is_set && person.account.is_none()) {
        return Err(BadRequest::field(field, "cannot be set: the person has no MitID account"));
    }
    fields.finish()?;
    Ok(changes)
}
