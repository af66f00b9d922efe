//! What revoking, cancelling and blocking share (R9): an end for good, audited, with a notice to the person.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;
use super::access_requests::Notice;
use super::audit_events::{By, NewEvent, record_in};
use super::outbox::queue_notice;
use crate::domain::audit::Action;
use crate::domain::person::PersonKey;

/// An order to end something for good, by an operator or by the service itself.
pub struct Withdrawal<'a> {
    /// The person.
    pub person: PersonKey,
    /// Who ends it.
    pub by: By<'a>,
    /// Why, as the audit keeps it: a fixed word or an operator's reason, nothing personal.
    pub reason: &'a str,
    /// What the person is told when there was something to end.
    pub notice: Option<&'a Notice>,
    /// The time of the order.
    pub now: DateTime<Utc>,
}

/// What has been ended.
pub(super) enum Withdrawn {
    /// A PIN request.
    Pin(Uuid),
    /// A request for access.
    Access(Uuid),
}

/// Concludes the end of something: what is not sent yet is not sent, the person is told, and it is on record.
pub(super) async fn conclude(
    connection: &mut PgConnection,
    withdrawal: &Withdrawal<'_>,
    withdrawn: Withdrawn,
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
    let (action, access_request_id, pin_request_id) = match withdrawn {
        Withdrawn::Pin(id) => (Action::PinRevoked, None, Some(id)),
        Withdrawn::Access(id) => (Action::AccessCancelled, Some(id), None),
    };
    let Withdrawal { person, by, reason, now, .. } = *withdrawal;
    record_in(connection, &NewEvent { now, person, action, by, reason, access_request_id, pin_request_id }).await
}
