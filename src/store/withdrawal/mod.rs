//! Cancelling an access request and revoking a PIN (R9): final, audited, and told to the person.

mod cancel_access_request;
mod revoke_temporary_pin;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::audit::Action;
use crate::domain::person::PersonKey;
use crate::store::audit::audit_events::{Actor, EventSubject, NewAuditEvent, record_in_transaction};
use crate::store::connections::StoreError;
use crate::store::messages::{Notice, outbox};

pub use cancel_access_request::cancel_access_request;
pub use revoke_temporary_pin::revoke_temporary_pin;

pub(in crate::store) use cancel_access_request::cancel_in_transaction;
pub(in crate::store) use revoke_temporary_pin::revoke_in_transaction;

/// An order to cancel or revoke what is open for a person.
pub struct Withdrawal<'a> {
    pub person: PersonKey,
    pub actor: Actor<'a>,
    /// Why, as the audit stores it: a fixed word or an operator's reason. Nothing personal.
    pub reason: &'a str,
    /// What the person is told if something was open.
    pub notice: Option<&'a Notice>,
    pub now: DateTime<Utc>,
}

/// Completes the withdrawal of the row `withdrawn`: withdraws its unsent messages, queues the notice and records the audit
/// event.
async fn complete_withdrawal(
    connection: &mut PgConnection,
    withdrawal: &Withdrawal<'_>,
    withdrawn: EventSubject,
    message_ids: &[Uuid],
) -> Result<(), StoreError> {
    outbox::withdraw(connection, message_ids, "cancelled").await?;
    if let Some(notice) = withdrawal.notice {
        outbox::queue_notice(connection, withdrawal.person, notice, withdrawal.now).await?;
    }
    let action = match withdrawn {
        EventSubject::AccessRequest(_) => Action::AccessCancelled,
        EventSubject::PinRequest(_) => Action::PinRevoked,
    };
    let Withdrawal { person, actor, reason, now, .. } = *withdrawal;
    let event = NewAuditEvent { now, person, action, actor, reason, subject: Some(withdrawn) };
    record_in_transaction(connection, &event).await
}
