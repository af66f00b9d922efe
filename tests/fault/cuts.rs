//! R26: cuts connections to Redis and Postgres at random points of IssueTemporaryPin. The same request, repeated until it is
//! answered, gives one PIN and one SMS.

use std::time::{Duration, Instant};

use rand::RngExt as _;
use serde_json::json;
use temporary_pin::random;
use test_support::calls::uuid;
use test_support::world::wait_until;
use tonic::Code;

use crate::faulty_sandbox::{FaultySandbox, LEASE};

/// Fewest and most orders. A busy machine may need more orders until a cut hits one.
const ORDERS: std::ops::Range<usize> = 24..72;

#[tokio::test(flavor = "multi_thread")]
async fn r26_an_order_survives_a_cut_connection_to_redis() {
    // Redis is used at the beginning of an order.
    cut_at_random(0.3, |faulty| faulty.redis.cut()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r26_an_order_survives_a_cut_connection_to_postgres() {
    // Postgres is used until after the order, by the dispatcher.
    cut_at_random(1.5, |faulty| faulty.postgres.cut()).await;
}

/// Cuts at a random time within the first `fraction` of the duration of an order.
async fn cut_at_random(fraction: f64, cut: impl Fn(&FaultySandbox)) {
    let faulty = FaultySandbox::start(ORDERS.end + 1).await;
    let world = &faulty.world;
    let verification = world.identify_with_separate_agent(&world.new_person().await).await;
    let start = Instant::now();
    world.issue("phone", &verification).await.unwrap();
    let latest_cut = start.elapsed().mul_f64(fraction);

    let (mut people, mut interrupted) = (Vec::new(), 0);
    while people.len() < ORDERS.start || (interrupted == 0 && people.len() < ORDERS.end) {
        let person = world.new_person().await;
        let verification = world.identify_with_separate_agent(&person).await;
        let request_id = uuid();
        let order = || world.issue_with_request_id("phone", &verification, request_id);
        let cut_later = async {
            tokio::time::sleep(random::secure().random_range(Duration::ZERO..latest_cut)).await;
            cut(&faulty);
        };
        let (first, ()) = tokio::join!(order(), cut_later);
        let answered = async {
            loop {
                match order().await {
                    Ok(pin_request) => break pin_request,
                    Err(refusal) => assert_eq!(refusal.code, Code::Unavailable, "{refusal:?}"),
                }
            }
        };
        let repeated =
            tokio::time::timeout(Duration::from_secs(20), answered).await.expect("the order is answered in the end");
        match first {
            Ok(first) => assert_eq!(first.id, repeated.id),
            Err(refusal) => {
                assert_eq!(refusal.code, Code::Unavailable, "{refusal:?}");
                interrupted += 1;
            }
        }
        people.push(person);
    }
    assert!(interrupted > 0, "the cuts hit nothing");
    let orders = 1 + i64::try_from(people.len()).unwrap();
    assert_eq!(world.count("pin_requests").await, orders);

    // Wait for running hand-overs: one whose lease expires would be given up.
    let running_hand_overs = async || world.count("outbox WHERE state = 'queued' AND handover_time IS NOT NULL").await;
    wait_until("no hand-over is running", async || running_hand_overs().await == 0).await;
    // A message whose claim was committed without the dispatcher learning of it is free again after the lease.
    world.sandbox.post("/clock/advance", json!({ "seconds": LEASE.num_seconds() })).await;
    // The dispatcher retries until the outcome is recorded.
    let accepted = async || world.count("outbox WHERE state = 'accepted'").await == orders;
    wait_until("every SMS is recorded as accepted", accepted).await;
    for person in &people {
        assert_eq!(world.texts(person).await.len(), 1, "{}", person.id());
    }
}
