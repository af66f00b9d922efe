//! Reads of the table `pin_requests`.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgPool;
use uuid::Uuid;

use super::{StoreError, interval, read};
use crate::domain::channel::Channel;
use crate::domain::person::{MobileKey, PersonKey};
use crate::domain::rules::{Limit, PinRules};

/// A PIN request as answers show it. Never the PIN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PinRequestView {
    /// Its id.
    pub id: Uuid,
    /// What has become of the PIN.
    pub state: PinState,
    /// The channel it was issued through.
    pub channel: Channel,
    /// When it was issued.
    pub create_time: DateTime<Utc>,
    /// When the PIN ceases to be valid (R2).
    pub expire_time: DateTime<Utc>,
    /// The mobile number, masked.
    pub masked_mobile_number: String,
    /// What has become of the SMS.
    pub dispatch_state: DispatchState,
    /// From when the same PIN can be sent again (R5); `None` when it cannot.
    pub next_send_time: Option<DateTime<Utc>>,
}

/// What has become of a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinState {
    /// It can be redeemed until it expires.
    Open,
    /// It was redeemed.
    Redeemed,
    /// It was not redeemed in time.
    Expired,
    /// It was revoked.
    Revoked,
}

/// What has become of a PIN's SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchState {
    /// Waiting for the gateway.
    Queued,
    /// Accepted by the gateway.
    Accepted,
    /// Refused by the gateway for good.
    Failed,
    /// Not handed over in time; it will not be sent.
    Expired,
}

impl DispatchState {
    /// By the state of the message in the outbox.
    pub(super) fn of_message(state: &str) -> Self {
        match state {
            "queued" => Self::Queued,
            "accepted" => Self::Accepted,
            "failed" => Self::Failed,
            _ => Self::Expired,
        }
    }
}

/// The person's open PIN request, if there is one that has not expired.
pub async fn open(
    pool: &PgPool,
    person: PersonKey,
    rules: &PinRules,
    now: DateTime<Utc>,
) -> Result<Option<PinRequestView>, StoreError> {
    read(pool, "open_pin_request", async |connection| {
        let row = sqlx::query!(
            r#"SELECT p.id, p.channel, p.create_time, p.expire_time, p.masked_mobile_number, o.state AS dispatch_state,
                CASE
                    WHEN o.sealed_body IS NOT NULL AND p.sends < $3::int AND p.last_send_time + $4 < p.expire_time
                    THEN p.last_send_time + $4
                END AS next_send_time
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id
            WHERE p.person_key = $1 AND p.state = 'open' AND p.expire_time > $2"#,
            &person.0,
            now,
            i32::try_from(rules.sends).unwrap_or(i32::MAX),
            interval(rules.resend_interval),
        )
        .fetch_optional(connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(PinRequestView {
            id: row.id,
            state: PinState::Open,
            channel: Channel::from_name(&row.channel)
                .ok_or_else(|| StoreError::unknown_word("pin_requests.channel"))?,
            create_time: row.create_time,
            expire_time: row.expire_time,
            masked_mobile_number: row.masked_mobile_number,
            dispatch_state: DispatchState::of_message(&row.dispatch_state),
            next_send_time: row.next_send_time,
        }))
    })
    .await
}

/// Until when the limits of R25 refuse a new PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinLimits {
    /// Too many PINs for the person.
    pub person: Option<DateTime<Utc>>,
    /// Too many PINs to the mobile number.
    pub mobile: Option<DateTime<Utc>>,
}

/// Looks at the limits of R25, counted from rows. Spends nothing.
pub async fn pins_until(
    pool: &PgPool,
    person: PersonKey,
    mobile: MobileKey,
    person_pins: Limit,
    mobile_pins: Limit,
    now: DateTime<Utc>,
) -> Result<PinLimits, StoreError> {
    read(pool, "pin_limits", async |connection| {
        // As in issue_temporary_pin.sql: the PIN whose leaving the window makes room for one more.
        let row = sqlx::query!(
            r#"SELECT
                (SELECT create_time FROM pin_requests
                    WHERE person_key = $1 AND create_time > greatest($2, (SELECT reset_time FROM limit_resets
                        WHERE subject_key = $1 AND limit_name = 'person_pins'))
                    ORDER BY create_time DESC OFFSET $3::bigint - 1 LIMIT 1) AS person,
                (SELECT create_time FROM pin_requests
                    WHERE mobile_key = $4 AND create_time > greatest($5, (SELECT reset_time FROM limit_resets
                        WHERE subject_key = $4 AND limit_name = 'mobile_pins'))
                    ORDER BY create_time DESC OFFSET $6::bigint - 1 LIMIT 1) AS mobile"#,
            &person.0,
            now - person_pins.per,
            i64::from(person_pins.times),
            &mobile.0,
            now - mobile_pins.per,
            i64::from(mobile_pins.times),
        )
        .fetch_one(connection)
        .await?;
        Ok(PinLimits {
            person: row.person.map(|time| time + person_pins.per),
            mobile: row.mobile.map(|time| time + mobile_pins.per),
        })
    })
    .await
}
