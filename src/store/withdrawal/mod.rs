//! What revoking, cancelling and blocking share (R9): an end for good, audited, with a notice to the person.

mod cancel_access_request;
mod revoke_temporary_pin;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::audit::Action;
use crate::domain::person::PersonKey;
use crate::store::audit::audit_events::{Actor, EventSubject, NewAuditEvent, record_in};
use crate::store::connections::StoreError;
use crate::store::messages::outbox::{Notice, queue_notice};

pub use cancel_access_request::cancel_access_request;
pub use revoke_temporary_pin::revoke_temporary_pin;

pub(in crate::store) use cancel_access_request::cancel_in_transaction;
pub(in crate::store) use revoke_temporary_pin::revoke_in_transaction;

/// An order to end something for good, by an operator or by the service itself.
pub struct Withdrawal<'a> {
    /// The person.
    pub person: PersonKey,
    /// Who ends it.
    pub actor: Actor<'a>,
    /// Why, as the audit keeps it: a fixed word or an operator's reason, nothing personal.
    pub reason: &'a str,
    /// What the person is told when there was something to end.
    pub notice: Option<&'a Notice>,
    /// The time of the order.
    pub now: DateTime<Utc>,
}

/// Concludes the end of that row: what is not sent yet is not sent, the person is told, and it is on record.
pub(in crate::store) async fn conclude(
    connection: &mut PgConnection,
    withdrawal: &Withdrawal<'_>,
    ended: EventSubject,
    message_ids: &[Uuid],
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE outbox SET sealed_body = NULL, lease_token = NULL, lease_expire_time = NULL,
            state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END
        WHERE id = ANY ($1)",
        message_ids,
    )
    .execute(&mut *connection)
    .await?;
    if let Some(notice) = withdrawal.notice {
        queue_notice(connection, withdrawal.person, notice, withdrawal.now).await?;
    }
    let action = match ended {
        EventSubject::AccessRequest(_) => Action::AccessCancelled,
        EventSubject::PinRequest(_) => Action::PinRevoked,
    };
    let Withdrawal { person, actor, reason, now, .. } = *withdrawal;
    record_in(connection, &NewAuditEvent { now, person, action, actor, reason, about: Some(ended) }).await
}
