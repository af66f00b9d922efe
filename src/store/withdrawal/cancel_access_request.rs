//! Cancels an access request (R9).

use sqlx::{Connection as _, PgConnection, PgPool};

use super::{Withdrawal, complete_withdrawal};
use crate::store::audit::audit_events::EventSubject;
use crate::store::connections::{StoreError, write};

/// Cancels the person's open access request. Final and audited; its unsent notices are withdrawn. Returns whether there was
/// one. Does not remove the hold from Redis.
pub async fn cancel_access_request(pool: &PgPool, withdrawal: &Withdrawal<'_>) -> Result<bool, StoreError> {
    write(pool, "cancel_access_request", async |connection| {
        let mut transaction = connection.begin().await?;
        let is_cancelled = cancel_in_transaction(&mut transaction, withdrawal).await?;
        transaction.commit().await?;
        Ok(is_cancelled)
    })
    .await
}

/// Like [`cancel_access_request`], as part of a larger transaction.
pub(in crate::store) async fn cancel_in_transaction(
    connection: &mut PgConnection,
    withdrawal: &Withdrawal<'_>,
) -> Result<bool, StoreError> {
    let cancelled = sqlx::query!(
        "UPDATE access_requests SET state = 'cancelled', close_time = $2
        WHERE person_key = $1 AND state = 'open' AND expire_time > $2
        RETURNING id, notice_ids",
        &withdrawal.person.0,
        withdrawal.now,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(request) = cancelled else { return Ok(false) };
    complete_withdrawal(connection, withdrawal, EventSubject::AccessRequest(request.id), &request.notice_ids).await?;
    Ok(true)
}
