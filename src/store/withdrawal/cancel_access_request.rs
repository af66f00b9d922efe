//! The cancel transaction (R9).

use sqlx::{Connection as _, PgConnection, PgPool};

use crate::store::audit::audit_events::EventSubject;
use crate::store::connections::{StoreError, write};
use crate::store::withdrawal::{Withdrawal, conclude};

/// Cancels the person's open access request: final and audited; notices that are not sent yet are not sent. Says
/// whether there was one. The hold in Redis is for the caller to forget.
pub async fn cancel_access_request(pool: &PgPool, withdrawal: &Withdrawal<'_>) -> Result<bool, StoreError> {
    write(pool, "cancel_access_request", async |connection| {
        let mut transaction = connection.begin().await?;
        let cancelled = cancel_in_transaction(&mut transaction, withdrawal).await?;
        transaction.commit().await?;
        Ok(cancelled)
    })
    .await
}

/// [`cancel_access_request`] as part of a larger transaction.
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
    conclude(connection, withdrawal, EventSubject::AccessRequest(request.id), &request.notice_ids).await?;
    Ok(true)
}
