//! The table `access_requests` as operators see it.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::domain::hold::Hold;
use crate::domain::person::PersonKey;
use crate::store::connections::{StoreError, read};
use crate::store::parameters::to_bytea_array;

/// An access request as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequestRecord {
    pub id: Uuid,
    pub state: AccessState,
    pub hold: Hold,
    /// When it was used, cancelled, or replaced after it had expired.
    pub close_time: Option<DateTime<Utc>>,
}

/// The state of an access request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessState {
    /// The hold is running or has passed.
    Open,
    /// A PIN was issued.
    Used,
    Cancelled,
    /// The access window passed without an order.
    Expired,
}

/// Lists up to `limit` access requests of the person with these pseudonyms, the latest first.
pub async fn list(
    pool: &PgPool,
    keys: &[PersonKey],
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<AccessRequestRecord>, StoreError> {
    read(pool, "list_access_requests", async |connection| {
        let rows = sqlx::query!(
            "SELECT id, state, request_time, eligible_time, expire_time, close_time FROM access_requests
            WHERE person_key = ANY ($1) ORDER BY request_time DESC, id DESC LIMIT $2",
            &to_bytea_array(keys),
            limit,
        )
        .fetch_all(connection)
        .await?;
        rows.into_iter()
            .map(|row| {
                let state = match row.state.as_str() {
                    // The row is updated only when the next access request opens.
                    "open" if row.expire_time > now => AccessState::Open,
                    "open" | "expired" => AccessState::Expired,
                    "used" => AccessState::Used,
                    "cancelled" => AccessState::Cancelled,
                    _ => return Err(StoreError::unknown_value("access_requests.state")),
                };
                let hold = Hold {
                    request_time: row.request_time,
                    eligible_time: row.eligible_time,
                    expire_time: row.expire_time,
                };
                Ok(AccessRequestRecord { id: row.id, state, hold, close_time: row.close_time })
            })
            .collect()
    })
    .await
}
