//! The issue transaction: a PIN request, its SMS, its idempotency record and its audit event, all or none.

use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::issue_outcome::OutcomeRow;
use super::{IssueLimits, IssueOutcome, PinOrder, PinRequestView};
use crate::store::connections::{MAX_RACE_RETRIES, StoreError, none_if_race_lost, read, too_many_races, write};
use crate::store::parameters::{interval, numbered_pseudonyms};

/// Issues a PIN, sends the open one again, or tells why not. One round trip, unless a concurrent call for the same person
/// makes it run again.
pub async fn issue(pool: &PgPool, order: &PinOrder) -> Result<IssueOutcome, StoreError> {
    write(pool, "issue_temporary_pin", async |connection| {
        for _ in 0..=MAX_RACE_RETRIES {
            let outcomes = run_statement(connection, &[order]).await;
            let outcome = outcomes.map(|outcomes| outcomes.into_iter().next().flatten());
            if let Some(outcome) = none_if_race_lost(outcome)? {
                return Ok(outcome);
            }
        }
        Err(too_many_races("orders"))
    })
    .await
}

/// Finds the answer to an earlier call with this request id: [`IssueOutcome::Replayed`] or [`IssueOutcome::RequestIdReused`].
pub async fn find_replay(
    pool: &PgPool,
    caller: &str,
    request_id: Uuid,
    payload_digest: [u8; 32],
) -> Result<Option<IssueOutcome>, StoreError> {
    read(pool, "replay_temporary_pin", async |connection| {
        let row = sqlx::query!(
            r#"SELECT payload_digest, response AS "response!: Json<PinRequestView>" FROM requests
            WHERE caller = $1 AND method = 'IssueTemporaryPin' AND request_id = $2"#,
            caller,
            request_id,
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.map(|row| match row.response {
            Json(view) if row.payload_digest == payload_digest => IssueOutcome::Replayed(view),
            _ => IssueOutcome::RequestIdReused,
        }))
    })
    .await
}

/// Runs the statement once for orders of different persons with the same limits. Returns one outcome per order, in the same
/// order. `None`: the order lost a race, and nothing was written for it.
pub(super) async fn run_statement(
    connection: &mut PgConnection,
    orders: &[&PinOrder],
) -> Result<Vec<Option<IssueOutcome>>, sqlx::Error> {
    let Some(IssueLimits { person_pins, mobile_pins, resend_interval, sends }) =
        orders.first().map(|order| order.limits)
    else {
        return Ok(Vec::new());
    };
    fn column<'a, T>(orders: &[&'a PinOrder], value: impl Fn(&'a PinOrder) -> T) -> Vec<T> {
        orders.iter().map(|order| value(order)).collect()
    }
    let (numbers, pseudonyms) = numbered_pseudonyms(orders.iter().map(|order| order.keys.as_slice()));
    let rows = sqlx::query_file_as!(
        OutcomeRow,
        "src/store/issuing/issue_temporary_pin.sql",
        &column(orders, |order| &*order.caller) as &[&str],
        &column(orders, |order| order.request_id),
        &column(orders, |order| order.payload_digest.as_slice()) as &[&[u8]],
        &column(orders, |order| order.verification_id),
        &column(orders, |order| order.person.0.as_slice()) as &[&[u8]],
        &column(orders, |order| order.mobile.0.as_slice()) as &[&[u8]],
        &column(orders, |order| order.channel.as_str()) as &[&str],
        &column(orders, |order| order.agent.as_ref().map(|agent| agent.0.as_slice())) as &[Option<&[u8]>],
        &column(orders, |order| order.now),
        &column(orders, |order| order.pin_request_id),
        &column(orders, |order| order.now + order.lifetime),
        &column(orders, |order| order.masked_mobile_number.as_str()) as &[&str],
        &column(orders, |order| order.message_id),
        &column(orders, |order| order.may_issue),
        &column(orders, |order| order.verifier.key_id),
        &column(orders, |order| order.verifier.salt.as_slice()) as &[&[u8]],
        &column(orders, |order| order.verifier.mac.as_slice()) as &[&[u8]],
        &column(orders, |order| order.sealed_body.as_slice()) as &[&[u8]],
        &numbers,
        &pseudonyms as &[&[u8]],
        interval(resend_interval),
        i32::try_from(sends).unwrap_or(i32::MAX),
        interval(person_pins.per),
        i64::from(person_pins.times),
        interval(mobile_pins.per),
        i64::from(mobile_pins.times),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(OutcomeRow::into_outcome).collect())
}
