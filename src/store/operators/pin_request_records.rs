//! The table `pin_requests` as operators see it.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::domain::channel::Channel;
use crate::domain::person::PersonKey;
use crate::store::connections::{StoreError, read};
use crate::store::issuing::{DispatchState, PinState};
use crate::store::parameters::to_bytea_array;

/// A PIN request as operators see it. Never contains the PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinRequestRecord {
    pub id: Uuid,
    pub person: PersonKey,
    pub state: PinState,
    pub channel: Channel,
    pub create_time: DateTime<Utc>,
    /// From when the PIN cannot be redeemed any more (R2).
    pub expire_time: DateTime<Utc>,
    /// When it was redeemed, revoked, or replaced after it had expired.
    pub close_time: Option<DateTime<Utc>>,
    pub masked_mobile_number: String,
    /// `None` if the message is purged.
    pub dispatch_state: Option<DispatchState>,
    /// Tries so far (R3), right ones included.
    pub tries: u32,
    pub revoke_reason: Option<String>,
}

/// The query for the PIN requests that fulfil a condition.
macro_rules! select_records {
    ($condition:tt, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            RecordRow,
            r#"SELECT p.id, p.person_key, p.state, p.channel, p.create_time, p.expire_time, p.close_time,
                p.masked_mobile_number, o.state AS "dispatch_state?", p.tries, p.revoke_reason
            FROM pin_requests p
            -- LIMIT makes it a look into an index for each PIN, whatever the statistics.
            LEFT JOIN LATERAL (SELECT message.state FROM outbox message WHERE message.id = p.message_id LIMIT 1) AS o ON true
            "# + $condition,
            $($parameter),+
        )
    };
}

/// Lists up to `limit` PIN requests of the person with these pseudonyms, the latest first.
pub async fn list(
    pool: &PgPool,
    keys: &[PersonKey],
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<PinRequestRecord>, StoreError> {
    read(pool, "list_pin_requests", async |connection| {
        let rows = select_records!(
            "WHERE p.person_key = ANY ($1) ORDER BY p.create_time DESC, p.id DESC LIMIT $2",
            &to_bytea_array(keys),
            limit,
        )
        .fetch_all(connection)
        .await?;
        rows.into_iter().map(|row| row.into_record(now)).collect()
    })
    .await
}

/// Finds the PIN request with this id.
pub async fn get(pool: &PgPool, id: Uuid, now: DateTime<Utc>) -> Result<Option<PinRequestRecord>, StoreError> {
    read(pool, "get_pin_request", async |connection| {
        let row = select_records!("WHERE p.id = $1", id,).fetch_optional(connection).await?;
        row.map(|row| row.into_record(now)).transpose()
    })
    .await
}

struct RecordRow {
    id: Uuid,
    person_key: Vec<u8>,
    state: String,
    channel: String,
    create_time: DateTime<Utc>,
    expire_time: DateTime<Utc>,
    close_time: Option<DateTime<Utc>>,
    masked_mobile_number: String,
    dispatch_state: Option<String>,
    tries: i16,
    revoke_reason: Option<String>,
}

impl RecordRow {
    fn into_record(self, now: DateTime<Utc>) -> Result<PinRequestRecord, StoreError> {
        let unknown = |column| StoreError::unknown_value(column);
        Ok(PinRequestRecord {
            id: self.id,
            person: PersonKey(self.person_key.try_into().map_err(|_| unknown("pin_requests.person_key"))?),
            // The row is updated only when the next PIN is issued.
            state: match self.state.as_str() {
                "open" if self.expire_time > now => PinState::Open,
                "open" | "expired" => PinState::Expired,
                "redeemed" => PinState::Redeemed,
                "revoked" => PinState::Revoked,
                _ => return Err(unknown("pin_requests.state")),
            },
            channel: Channel::from_name(&self.channel).ok_or_else(|| unknown("pin_requests.channel"))?,
            create_time: self.create_time,
            expire_time: self.expire_time,
            close_time: self.close_time,
            masked_mobile_number: self.masked_mobile_number,
            dispatch_state: self.dispatch_state.as_deref().map(DispatchState::from_message_state),
            tries: self.tries.unsigned_abs().into(),
            revoke_reason: self.revoke_reason,
        })
    }
}
