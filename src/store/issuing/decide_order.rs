//! The deciding transaction: for an order that `issue.sql` did not insert.

use sqlx::{Connection as _, PgConnection, PgPool};

use super::decision_writes::{close_access_request, close_open_pin, return_open, send_again};
use super::insert_new_pins::insert_new_pins;
use super::order_facts::{OrderRecord, read_order_facts};
use super::{IssueOutcome, PinOrder, PinRequestView};
use crate::domain::order::{OrderDecision, OrderRules, decide};
use crate::store::connections::{MAX_RACE_RETRIES, StoreError, none_if_race_lost, too_many_races, write};
use crate::store::locks::lock_orders;

/// Decides what to do with one order, and does it: all or nothing. Runs again when a concurrent call changes what the
/// decision rests on.
pub async fn decide_order(pool: &PgPool, order: &PinOrder, rules: &OrderRules) -> Result<IssueOutcome, StoreError> {
    write(pool, "decide_order", async |connection| {
        for _ in 0..=MAX_RACE_RETRIES {
            if let Some(outcome) = none_if_race_lost(decide_once(connection, order, rules).await)? {
                return Ok(outcome);
            }
        }
        Err(too_many_races("orders"))
    })
    .await
}

/// `None`: a concurrent call changed what the decision rests on. Nothing was written.
async fn decide_once(
    connection: &mut PgConnection,
    order: &PinOrder,
    rules: &OrderRules,
) -> Result<Option<IssueOutcome>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    lock_orders(&mut transaction, order.person).await?;
    let record = read_order_facts(&mut transaction, order, rules).await?;
    let outcome = match decide(&record.facts, &order.terms(), rules) {
        OrderDecision::Replay => record.answer.map(IssueOutcome::Replayed),
        OrderDecision::RefuseRequestId => Some(IssueOutcome::RequestIdReused),
        OrderDecision::Refuse(denial) => Some(IssueOutcome::Refused(denial)),
        OrderDecision::RefuseByLimit(denial) => Some(IssueOutcome::Limited(denial)),
        OrderDecision::DoNotIssue => Some(IssueOutcome::NotIssued),
        OrderDecision::SendAgain => send_again(&mut transaction, order, &record, rules).await?,
        OrderDecision::ReturnOpen => return_open(&mut transaction, order, &record, rules).await?,
        OrderDecision::Issue { close } => {
            if let Some(closure) = close {
                close_open_pin(&mut transaction, order, &record, closure).await?;
            }
            issue(&mut transaction, order, &record, rules).await?
        }
    };
    if outcome.is_some() {
        transaction.commit().await?;
    }
    if let (Some(IssueOutcome::Issued(_)), Some(new_pin)) = (&outcome, &order.new_pin) {
        new_pin.hand_over();
    }
    Ok(outcome)
}

/// Issues the new PIN, and closes the access request that allowed it. The statement checks the conditions again: `None` if
/// one of them has changed since the facts were read.
async fn issue(
    connection: &mut PgConnection,
    order: &PinOrder,
    record: &OrderRecord,
    rules: &OrderRules,
) -> Result<Option<IssueOutcome>, sqlx::Error> {
    if let Some(access_request) = record.access_request {
        close_access_request(connection, access_request, order.now).await?;
    }
    let issued = insert_new_pins(connection, &[order], record.access_request, rules).await?;
    let new_pin = order.new_pin.as_ref().filter(|new_pin| issued.contains(&new_pin.pin_request_id));
    Ok(new_pin.map(|new_pin| IssueOutcome::Issued(PinRequestView::of_new_pin(order, new_pin, rules))))
}
