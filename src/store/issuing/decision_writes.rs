//! What the deciding transaction writes, decision by decision. The rows are locked.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::order_facts::OrderRecord;
use super::{DispatchState, IssueOutcome, PinOrder, PinRequestView};
use crate::domain::audit::Action;
use crate::domain::order::{OrderRules, PinClosure};
use crate::store::messages::outbox;

/// Queues the open PIN's SMS once more (R5). `None` if its text was erased since the facts were read.
pub(super) async fn send_again(
    connection: &mut PgConnection,
    order: &PinOrder,
    record: &OrderRecord,
    rules: &OrderRules,
) -> Result<Option<IssueOutcome>, sqlx::Error> {
    let Some(pin) = &record.open_pin else { return Ok(None) };
    let facts = pin.facts.sent_again(order.now);
    bind_verification(connection, order, facts.id).await?;
    sqlx::query!("UPDATE pin_requests SET sends = sends + 1, last_send_time = $2 WHERE id = $1", facts.id, order.now)
        .execute(&mut *connection)
        .await?;
    let queued = sqlx::query!(
        "UPDATE outbox SET state = 'queued', sends = sends + 1, last_send = sends + 1 >= $3, attempts = 0,
            next_attempt_time = $2, lease_token = NULL, lease_expire_time = NULL, handover_time = NULL
        WHERE id = $1 AND (sealed_body IS NOT NULL) IS TRUE",
        pin.message_id,
        order.now,
        i32::try_from(rules.sends).unwrap_or(i32::MAX),
    )
    .execute(&mut *connection)
    .await?;
    if queued.rows_affected() == 0 {
        return Ok(None);
    }
    let view = PinRequestView {
        dispatch_state: DispatchState::Queued,
        next_send_time: facts.next_send_time(rules, order.now),
        ..pin.view.clone()
    };
    record_answer(connection, order, &view).await?;
    record_event(connection, order, Action::PinResent, facts.id, record.access_request).await?;
    Ok(Some(IssueOutcome::Resent(view)))
}

/// Answers with the open PIN request.
pub(super) async fn return_open(
    connection: &mut PgConnection,
    order: &PinOrder,
    record: &OrderRecord,
    rules: &OrderRules,
) -> Result<Option<IssueOutcome>, sqlx::Error> {
    let Some(pin) = &record.open_pin else { return Ok(None) };
    bind_verification(connection, order, pin.facts.id).await?;
    let view = PinRequestView { next_send_time: pin.facts.next_send_time(rules, order.now), ..pin.view.clone() };
    record_answer(connection, order, &view).await?;
    record_event(connection, order, Action::PinAlreadyOpen, pin.facts.id, record.access_request).await?;
    Ok(Some(IssueOutcome::AlreadyOpen(view)))
}

/// R21: from now on the verification serves this PIN request only.
async fn bind_verification(
    connection: &mut PgConnection,
    order: &PinOrder,
    pin_request_id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE verifications SET pin_request_id = $2 WHERE id = $1 AND pin_request_id IS NULL",
        order.verification_id,
        pin_request_id,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the answer for repeats of the request.
async fn record_answer(
    connection: &mut PgConnection,
    order: &PinOrder,
    view: &PinRequestView,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests (caller, method, request_id, payload_digest, response, create_time)
        VALUES ($1, 'IssueTemporaryPin', $2, $3, $4, $5)",
        &*order.caller,
        order.request_id,
        &order.payload_digest,
        Json(view) as _,
        order.now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Closes the PIN that holds the person's one open place, and erases its SMS.
pub(super) async fn close_open_pin(
    connection: &mut PgConnection,
    order: &PinOrder,
    record: &OrderRecord,
    closure: PinClosure,
) -> Result<(), sqlx::Error> {
    let Some(pin) = &record.open_pin else { return Ok(()) };
    let (state, message_state, reason) = match closure {
        PinClosure::Expired => ("expired", "expired", None),
        PinClosure::MobileNumberChanged => ("revoked", "cancelled", Some("mobile_number_changed")),
    };
    let closed = sqlx::query!(
        "UPDATE pin_requests SET state = $2, close_time = $3, revoke_reason = $4
        WHERE id = $1 AND (state = 'open') IS TRUE",
        pin.facts.id,
        state,
        order.now,
        reason,
    )
    .execute(&mut *connection)
    .await?;
    // A PIN that was opened after the rows were locked can be redeemed in between.
    if closed.rows_affected() == 0 {
        return Ok(());
    }
    outbox::withdraw(connection, &[pin.message_id], message_state).await?;
    if let Some(reason) = reason {
        record_revocation(connection, order, pin.facts.id, reason).await?;
    }
    Ok(())
}

/// Closes the access request that a new PIN uses up. Its notices are not sent any more.
pub(super) async fn close_access_request(
    connection: &mut PgConnection,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let notice_ids = sqlx::query_scalar!(
        "UPDATE access_requests SET state = 'used', close_time = $2 WHERE id = $1 RETURNING notice_ids",
        id,
        now,
    )
    .fetch_one(&mut *connection)
    .await?;
    outbox::withdraw(connection, &notice_ids, "cancelled").await
}

/// Records an audit event of the order, and apart from it the agent.
async fn record_event(
    connection: &mut PgConnection,
    order: &PinOrder,
    action: Action,
    pin_request_id: Uuid,
    access_request_id: Option<Uuid>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH event AS (
            INSERT INTO audit_events (
                event_time, person_key, action, purpose, channel, caller, verification_id, access_request_id, pin_request_id
            )
            VALUES ($1, $2, $3, 'issuance', $4, $5, $6, $7, $8)
            RETURNING id
        )
        INSERT INTO audit_agents (audit_event_id, agent_key)
        SELECT event.id, $9::bytea FROM event WHERE $9::bytea IS NOT NULL",
        order.now,
        &order.person.0,
        action.as_str(),
        order.channel.as_str(),
        &*order.caller,
        order.verification_id,
        access_request_id,
        pin_request_id,
        order.agent.as_ref().map(|agent| agent.0.as_slice()),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Records that a PIN of the person was revoked for the sake of this order.
async fn record_revocation(
    connection: &mut PgConnection,
    order: &PinOrder,
    pin_request_id: Uuid,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_events (event_time, person_key, action, purpose, channel, caller, reason, pin_request_id)
        VALUES ($1, $2, $3, 'issuance', $4, $5, $6, $7)",
        order.now,
        &order.person.0,
        Action::PinRevoked.as_str(),
        order.channel.as_str(),
        &*order.caller,
        reason,
        pin_request_id,
    )
    .execute(connection)
    .await?;
    Ok(())
}
