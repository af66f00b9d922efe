//! Concurrent orders share a statement, but each has its own outcome.

use std::collections::HashSet;

use futures_util::future::join_all;
use sqlx::PgPool;
use temporary_pin::domain::person::{MobileKey, PersonKey};
use temporary_pin::domain::reason::{Denial, Reason};
use temporary_pin::store::StoreError;
use temporary_pin::store::issuing::{IssueOutcome, NewPin, PinIssuer, PinOrder};
use temporary_pin::store::operators::person_blocks::{BlockNotices, BlockOrder, block_person};
use test_support::store::*;

/// An order for the person with this number, who has just been verified.
async fn order_for(pool: &PgPool, number: u8) -> PinOrder {
    let person = PersonKey([number; 32]);
    let order = order(person, verified(pool, person, t0()).await, t0());
    let new_pin = NewPin { sealed_body: vec![number; 9], ..new_pin(t0()) };
    PinOrder { masked_mobile_number: format!("+45 ** ** ** {number:02}"), new_pin: Some(new_pin), ..order }
}

async fn issue_all(issuer: &PinIssuer, orders: &[PinOrder]) -> Vec<Result<IssueOutcome, StoreError>> {
    join_all(orders.iter().cloned().map(|order| issuer.issue(order))).await
}

fn is_issued(outcome: &Result<IssueOutcome, StoreError>) -> bool {
    matches!(outcome, Ok(IssueOutcome::Issued(_)))
}

#[sqlx::test]
async fn each_order_has_its_own_pin_message_record_and_event(pool: PgPool) {
    let mut all = Vec::new();
    for number in 0..40 {
        all.push(order_for(&pool, number).await);
    }
    let outcomes = issue_all(&PinIssuer::new(pool.clone(), ORDER_RULES), &all).await;
    for (order, outcome) in all.iter().zip(outcomes) {
        let Ok(IssueOutcome::Issued(view)) = outcome else { panic!("{outcome:?}") };
        let new_pin = order.new_pin.as_ref().unwrap();
        assert_eq!((view.id, &view.masked_mobile_number), (new_pin.pin_request_id, &order.masked_mobile_number));
        let matching = "SELECT count(*) FROM pin_requests p JOIN outbox o ON o.id = p.message_id
            JOIN requests r ON r.request_id = $1 AND (r.response ->> 'id')::uuid = p.id
            JOIN verifications v ON v.id = p.verification_id AND v.pin_request_id = p.id
            JOIN audit_events e ON e.pin_request_id = p.id AND e.action = 'pin_issued' AND e.verification_id = v.id
            JOIN audit_agents a ON a.audit_event_id = e.id
            WHERE p.id = $2 AND p.person_key = $3 AND o.person_key = $3 AND e.person_key = $3 AND v.person_key = $3
                AND p.mobile_key = $3 AND o.id = $4 AND o.sealed_body = $5 AND r.payload_digest = $6 AND v.id = $7";
        let count: i64 = sqlx::query_scalar(matching)
            .bind(order.request_id)
            .bind(new_pin.pin_request_id)
            .bind(order.person.0)
            .bind(new_pin.message_id)
            .bind(&new_pin.sealed_body)
            .bind(order.payload_digest)
            .bind(order.verification_id)
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(count, 1);
    }
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests").await, 40);
    assert_eq!(one::<i64>(&pool, "SELECT count(DISTINCT xmin::text) FROM pin_requests").await, 1, "one statement");
}

/// Among orders that are issued: an unknown verification, a repeat, a request id reused, a block, a mobile number that has had
/// its PINs, an order that may not issue, a resend.
#[sqlx::test]
async fn each_order_has_the_outcome_that_it_would_have_alone(pool: PgPool) {
    let mut all = Vec::new();
    for number in 0..20 {
        all.push(order_for(&pool, number).await);
    }
    all[2].verification_id = fresh_id();
    for number in [5, 7] {
        issue(&pool, &all[number]).await.unwrap();
    }
    all[7].payload_digest = [9; 32];
    let blocked = [PersonKey([200; 32])];
    let order_to_block = BlockOrder { keys: &blocked, operator: "olga", reason: "stolen phone", now: t0() };
    block_person(&pool, &order_to_block, BlockNotices::default()).await.unwrap();
    all[9].keys = vec![all[9].person, blocked[0]];
    for number in 100..105 {
        issue(&pool, &PinOrder { mobile: MobileKey([11; 32]), ..order_for(&pool, number).await }).await.unwrap();
    }
    all[13].new_pin = None;
    all[15] = order(PersonKey([15; 32]), all[15].verification_id, t0() - seconds(70));
    issue(&pool, &all[15]).await.unwrap();
    all[15] = PinOrder { request_id: fresh_id(), now: t0(), new_pin: Some(new_pin(t0())), ..all[15].clone() };

    let outcomes = issue_all(&PinIssuer::new(pool.clone(), ORDER_RULES), &all).await;

    for (number, outcome) in outcomes.into_iter().map(Result::unwrap).enumerate() {
        let is_expected = match number {
            2 => outcome == IssueOutcome::Refused(Denial::lasting(Reason::VerificationUnknown)),
            5 => matches!(outcome, IssueOutcome::Replayed(_)),
            7 => outcome == IssueOutcome::RequestIdReused,
            9 => outcome == IssueOutcome::Refused(Denial::lasting(Reason::PersonBlocked)),
            11 => outcome == IssueOutcome::Limited(Denial::until(Reason::MobileLimit, t0() + DAY)),
            13 => outcome == IssueOutcome::NotIssued,
            15 => matches!(outcome, IssueOutcome::Resent(_)),
            _ => matches!(outcome, IssueOutcome::Issued(_)),
        };
        assert!(is_expected, "{number}: {outcome:?}");
    }
}

#[sqlx::test]
async fn of_several_orders_of_a_person_one_is_issued(pool: PgPool) {
    let mut all = Vec::new();
    for number in 0..30 {
        all.push(order_for(&pool, number % 3).await);
    }
    let outcomes = issue_all(&PinIssuer::new(pool.clone(), ORDER_RULES), &all).await;
    assert_eq!(outcomes.iter().filter(|outcome| is_issued(outcome)).count(), 3);
    assert!(outcomes.iter().all(|it| matches!(it, Ok(IssueOutcome::Issued(_) | IssueOutcome::AlreadyOpen(_)))));
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests").await, 3);
}

/// Postgres refuses the whole statement because of a zero byte in a text.
#[sqlx::test]
async fn an_order_that_postgres_refuses_does_not_stop_the_others(pool: PgPool) {
    let mut all = Vec::new();
    for number in 0..8 {
        all.push(order_for(&pool, number).await);
    }
    all[3].masked_mobile_number = "\0".to_owned();
    let outcomes = issue_all(&PinIssuer::new(pool.clone(), ORDER_RULES), &all).await;
    let issued: Vec<bool> = outcomes.iter().map(is_issued).collect();
    assert_eq!(issued, [true, true, true, false, true, true, true, true]);
    assert!(matches!(outcomes[3], Err(StoreError::Internal(_))));
}

/// Four instances of the service get orders for the same persons, each in a different sequence.
#[sqlx::test]
async fn instances_that_issue_to_the_same_persons_do_not_deadlock(
    _: sqlx::postgres::PgPoolOptions,
    options: sqlx::postgres::PgConnectOptions,
) {
    const PERSONS: u8 = 32;
    const INSTANCES: usize = 4;
    let pool = wide_pool(options);
    let instances: Vec<PinIssuer> = (0..INSTANCES).map(|_| PinIssuer::new(pool.clone(), ORDER_RULES)).collect();
    let mut calls = Vec::new();
    for (index, instance) in instances.iter().enumerate() {
        let mut persons: Vec<u8> = (0..PERSONS).collect();
        persons.rotate_left(index * 7);
        for number in persons {
            calls.push((instance.clone(), order_for(&pool, number).await));
        }
    }
    let outcomes = run_concurrently(calls.len() as u64, |index| {
        let (instance, order) = calls[index as usize].clone();
        async move { (order.person.0, instance.issue(order).await) }
    })
    .await;
    assert!(outcomes.iter().all(|(_, it)| matches!(it, Ok(IssueOutcome::Issued(_) | IssueOutcome::AlreadyOpen(_)))));
    let issued: Vec<_> = outcomes.iter().filter(|(_, outcome)| is_issued(outcome)).map(|(person, _)| person).collect();
    assert_eq!(
        (issued.len(), issued.iter().collect::<HashSet<_>>().len()),
        (usize::from(PERSONS), usize::from(PERSONS))
    );
}
