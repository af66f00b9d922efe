//! Revokes a PIN (R9).

use sqlx::{Connection as _, PgConnection, PgPool};

use super::{Withdrawal, complete_withdrawal};
use crate::store::audit::audit_events::EventSubject;
use crate::store::connections::{StoreError, write};

/// Revokes the person's open PIN. Final and audited; its SMS is withdrawn if it is not sent yet. Returns whether there was
/// one.
pub async fn revoke_temporary_pin(pool: &PgPool, withdrawal: &Withdrawal<'_>) -> Result<bool, StoreError> {
    write(pool, "revoke_temporary_pin", async |connection| {
        let mut transaction = connection.begin().await?;
        let is_revoked = revoke_in_transaction(&mut transaction, withdrawal).await?;
        transaction.commit().await?;
        Ok(is_revoked)
    })
    .await
}

/// Like [`revoke_temporary_pin`], as part of a larger transaction.
pub(in crate::store) async fn revoke_in_transaction(
    connection: &mut PgConnection,
    withdrawal: &Withdrawal<'_>,
) -> Result<bool, StoreError> {
    let revoked = sqlx::query!(
        "UPDATE pin_requests SET state = 'revoked', close_time = $3, revoke_reason = $2
        WHERE person_key = $1 AND state = 'open' AND expire_time > $3
        RETURNING id, message_id",
        &withdrawal.person.0,
        withdrawal.reason,
        withdrawal.now,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(pin) = revoked else { return Ok(false) };
    complete_withdrawal(connection, withdrawal, EventSubject::PinRequest(pin.id), &[pin.message_id]).await?;
    Ok(true)
}
