//! Callers that disconnect at random points of IssueTemporaryPin.

use std::time::Duration;

use chrono::TimeDelta;
use rand::RngExt as _;
use temporary_pin::proto::temporarypin::v1::{IssueTemporaryPinRequest, Reason};
use temporary_pin::random;
use test_support::calls::uuid;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic::Code;
use uuid::Uuid;

use crate::in_process::count_recorded_orders;

const ORDERS: usize = 30;

/// About how long an order takes.
const ORDER_DURATION: Duration = Duration::from_millis(20);

const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// Orders, and drops the call after a random time.
async fn order_and_disconnect(world: &World, verification: &str, request_id: Uuid) {
    let wait = random::secure().random_range(Duration::ZERO..ORDER_DURATION);
    let _ = tokio::time::timeout(wait, world.issue_with_request_id("phone", verification, request_id)).await;
}

/// Orders with a deadline that leaves the server little more than the 20 ms that it reserves for the answer.
async fn order_with_short_deadline(world: &World, verification: &str, request_id: Uuid) {
    let request = IssueTemporaryPinRequest {
        request_id: request_id.to_string(),
        verification_id: verification.to_owned(),
        language: 0,
    };
    let timeout = format!("{}u", random::secure().random_range(20_000..20_000 + ORDER_DURATION.as_micros()));
    let answer = world.call_raw("phone", "TemporaryPinService/IssueTemporaryPin", Some(&timeout), &request).await;
    if let Err(refusal) = answer {
        refusal.assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_repeated_with_the_same_request_id_gives_one_pin_and_one_sms() {
    let world = World::with_sandbox(Sandbox::start(&["--people", "40"])).await;
    let mut people = Vec::new();
    for index in 0..ORDERS {
        let person = world.new_person().await;
        let verification = world.identify_with_separate_agent(&person).await;
        let request_id = uuid();
        if index % 2 == 0 {
            order_and_disconnect(&world, &verification, request_id).await;
        } else {
            order_with_short_deadline(&world, &verification, request_id).await;
        }
        count_recorded_orders(&mut world.database().await).await;
        let repeated = world.issue_with_request_id("phone", &verification, request_id).await.unwrap();
        assert_eq!(world.issue_with_request_id("phone", &verification, request_id).await.unwrap(), repeated);
        people.push(person);
    }
    count_recorded_orders(&mut world.database().await).await;
    assert_eq!(world.count("pin_requests").await, ORDERS as i64);
    for person in people {
        assert_eq!(world.texts(&person).await.len(), 1, "{}", person.id());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r25_abandoned_orders_spend_no_more_than_was_issued() {
    let world = World::with_sandbox(Sandbox::start(&["--people", "1"])).await;
    let person = world.new_person().await;
    for round in 1..=3 {
        let verification = world.identify_with_separate_agent(&person).await;
        // Four abandoned orders, and then one with a request id of its own.
        for _ in 0..4 {
            order_and_disconnect(&world, &verification, uuid()).await;
        }
        let request_id = uuid();
        // While the abandoned orders are running they have spent the limit. All but one refund it.
        wait_until("the PIN is issued", async || {
            match world.issue_with_request_id("phone", &verification, request_id).await {
                Ok(_) => true,
                Err(refusal) => {
                    refusal.assert_limit(Reason::PersonLimit);
                    false
                }
            }
        })
        .await;
        assert_eq!(world.count("pin_requests").await, round);
        world.advance(LIFETIME).await;
    }
    let verification = world.identify_with_separate_agent(&person).await;
    world.issue("phone", &verification).await.unwrap_err().assert_limit(Reason::PersonLimit);
}
