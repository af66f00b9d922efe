//! R26: connections that break in the middle of IssueTemporaryPin, at any point of it. The same request, repeated until
//! it is answered, gives one PIN and one SMS.

use std::time::{Duration, Instant};

use rand::RngExt as _;
use serde_json::json;
use temporary_pin::random;
use test_support::calls::uuid;
use test_support::world::until;
use tonic::Code;

use crate::faulty::{Faulty, LEASE};

/// Orders at least, and at most: a busy machine may need more of them until a cut hits one.
const ORDERS: std::ops::Range<usize> = 24..72;

#[tokio::test(flavor = "multi_thread")]
async fn r26_redis_cut_in_the_middle_of_an_order() {
    // Redis is asked at the beginning.
    cut_in_the_middle(0.3, |faulty| faulty.redis.cut()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r26_postgres_cut_in_the_middle_of_an_order() {
    // The dispatcher uses the database afterwards.
    cut_in_the_middle(1.5, |faulty| faulty.postgres.cut()).await;
}

/// Cuts at random within that part of the time that an order takes.
async fn cut_in_the_middle(part: f64, cut: impl Fn(&Faulty)) {
    let faulty = Faulty::open(ORDERS.end + 1).await;
    let world = &faulty.world;
    let verification = world.identify_by_own_agent(&world.somebody().await).await;
    let start = Instant::now();
    world.issue("phone", &verification).await.unwrap();
    let longest = start.elapsed().mul_f64(part);

    let (mut people, mut broken_off) = (Vec::new(), 0);
    while people.len() < ORDERS.start || (broken_off == 0 && people.len() < ORDERS.end) {
        let person = world.somebody().await;
        let verification = world.identify_by_own_agent(&person).await;
        let request_id = uuid();
        let order = || world.issue_again("phone", &verification, request_id);
        let later = async {
            tokio::time::sleep(random::secure().random_range(Duration::ZERO..longest)).await;
            cut(&faulty);
        };
        let (first, ()) = tokio::join!(order(), later);
        let answered = async {
            loop {
                match order().await {
                    Ok(pin_request) => break pin_request,
                    Err(refusal) => assert_eq!(refusal.code, Code::Unavailable, "{refusal:?}"),
                }
            }
        };
        let repeated = tokio::time::timeout(Duration::from_secs(20), answered).await.expect("all is well again");
        match first {
            Ok(first) => assert_eq!(first.id, repeated.id),
            Err(refusal) => {
                assert_eq!(refusal.code, Code::Unavailable, "{refusal:?}");
                broken_off += 1;
            }
        }
        people.push(person);
    }
    assert!(broken_off > 0, "the cuts hit nothing");
    let orders = 1 + i64::try_from(people.len()).unwrap();
    assert_eq!(world.count("pin_requests").await, orders);

    // A hand-over that has begun would be given up if its lease ran out, and the dispatcher asks again before it goes on.
    let under_way = async || world.count("outbox WHERE state = 'queued' AND handover_time IS NOT NULL").await;
    until("no hand-over is under way", async || under_way().await == 0).await;
    // A claim whose answer was lost lasts as long as its lease.
    world.sandbox.post("/clock/advance", json!({ "seconds": LEASE.num_seconds() })).await;
    // The dispatcher asks again until what it saw is recorded.
    let accepted = async || world.count("outbox WHERE state = 'accepted'").await == orders;
    until("every SMS is recorded as accepted", accepted).await;
    for person in &people {
        assert_eq!(world.texts(person).await.len(), 1, "{}", person.id());
    }
}
