//! Deadlines: every call ends in time, with a reason, and leaves consistent data.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, IssueTemporaryPinRequest, PersonLimit, Reason, RedeemTemporaryPinRequest,
    ResetLimitRequest,
};
use temporary_pin::store::MAX_STATEMENT_TIMEOUT;
use test_support::calls::{Answer, uuid};
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic::Code;
use uuid::Uuid;

use crate::faulty_sandbox::FaultySandbox;
use crate::outages::Outage;

async fn new_world() -> World {
    World::with_sandbox(Sandbox::start(&["--people", "2"])).await
}

#[rstest]
#[case("1n")]
#[case("1m")]
#[case("20m")]
#[case("300m")]
#[case("300000u")]
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_shorter_than_the_work_is_exceeded_with_a_reason(#[case] timeout: &str) {
    let world = new_world().await;
    world.slow_down("/register", 60).await;
    let request = CheckEligibilityRequest { person: Some(world.new_person().await.reference()) };
    let start = Instant::now();
    let answer = world.call_raw("phone", "TemporaryPinService/CheckEligibility", Some(timeout), &request).await;
    answer.unwrap_err().assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    // The time-out of the register alone would be twice as long.
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_deadline_does_not_prolong_the_work() {
    let world = new_world().await;
    world.slow_down("/register", 60).await;
    let request = CheckEligibilityRequest { person: Some(world.new_person().await.reference()) };
    let start = Instant::now();
    let answer = world.call_raw("phone", "TemporaryPinService/CheckEligibility", Some("99999999H"), &request).await;
    answer.unwrap_err().assert(Code::Unavailable, Reason::Unavailable);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// An order that times out before its statement has started is not executed later, and its spends are refunded.
#[rstest]
#[case::register_slow(Outage::RegisterSlow)]
#[case::redis_silent(Outage::RedisSilent)]
#[tokio::test(flavor = "multi_thread")]
async fn r25_an_order_that_has_not_started_by_its_deadline_is_not_done_and_spends_nothing(#[case] outage: Outage) {
    let faulty = FaultySandbox::start(1).await;
    let world = &faulty.world;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    outage.start(&faulty).await;
    // As many orders as the daily limit of a person (R25). They run at once, before the guard considers Redis down: from
    // then on, it is unknown whether a command has spent something.
    for order in join_all((0..3).map(|_| order(world, &verification, uuid(), "100m"))).await {
        order.unwrap_err().assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    }
    faulty.restore_all().await;

    let request_id = uuid();
    let orders = async || world.issue_with_request_id("phone", &verification, request_id).await.is_ok();
    wait_until("the person can order", orders).await;
    assert_eq!(world.count("requests").await, 1);
    assert_eq!(world.texts(&person).await.len(), 1);
    for _ in 0..2 {
        world.advance(TimeDelta::minutes(10)).await;
        let verification = world.identify(&person).await;
        world.issue("phone", &verification).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_has_started_by_its_deadline_is_recorded() {
    let world = new_world().await;
    let person = world.new_person().await;
    let (verification, request_id) = (world.identify(&person).await, uuid());
    let lock = world.lock_table("pin_requests").await;
    let order = order(&world, &verification, request_id, "2500m").await;
    order.unwrap_err().assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    assert_eq!(world.count_waiting_statements().await, 1, "the statement still waits for the lock");
    drop(lock);

    wait_until("the order is recorded", async || world.count("requests").await == 1).await;
    assert_eq!(world.texts(&person).await.len(), 1);
    world.issue_with_request_id("phone", &verification, request_id).await.unwrap();
    assert_eq!(world.count("pin_requests").await, 1);
    assert_eq!(world.texts(&person).await.len(), 1);
}

/// A counted attempt to redeem is compared and recorded, even if its deadline passes in between.
#[tokio::test(flavor = "multi_thread")]
async fn r3_a_counted_try_is_concluded_after_its_deadline() {
    let world = new_world().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;
    let lock = world.lock_table("requests").await;
    let request = RedeemTemporaryPinRequest { request_id: uuid().to_string(), person: Some(person.reference()), pin };
    let redeem = world.call_raw("redeemer", "RedemptionService/RedeemTemporaryPin", Some("2500m"), &request).await;
    redeem.unwrap_err().assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    drop(lock);

    wait_until("it is redeemed", async || world.count("pin_requests WHERE state = 'redeemed'").await == 1).await;
    assert_eq!(world.count("requests WHERE method = 'RedeemTemporaryPin' AND response IS NOT NULL").await, 1);
}

/// A reset that has started in Postgres is done in Redis too. Otherwise the limit would stay spent.
#[tokio::test(flavor = "multi_thread")]
async fn r9_a_reset_that_has_started_reaches_redis_after_its_deadline() {
    let world = new_world().await;
    let person = world.new_person().await;
    for _ in 0..3 {
        world.fail_verification(&person).await;
    }
    world.call_support(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);
    let lock = world.lock_table("limit_resets").await;
    let request = ResetLimitRequest {
        person: Some(person.reference()),
        limit: PersonLimit::FailedVerifications.into(),
        reason: "a test".into(),
    };
    let reset = world.call_raw("operator", "OperatorService/ResetLimit", Some("2500m"), &request).await;
    reset.unwrap_err().assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    drop(lock);

    wait_until("the person can be verified", async || world.call_support(&person).await.is_ok()).await;
}

/// After its deadline, a call that only reads occupies no connection and no statement in Postgres.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_ends_at_its_deadline() {
    let world = new_world().await;
    let person = world.new_person().await;
    world.check_eligibility("phone", person.reference()).await.unwrap();
    let _lock = world.lock_table("pin_requests").await;
    let request = CheckEligibilityRequest { person: Some(person.reference()) };
    let mut start = Instant::now();
    for _ in 0..3 {
        start = Instant::now();
        let check = world.call_raw("phone", "TemporaryPinService/CheckEligibility", Some("300m"), &request).await;
        check.unwrap_err().assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    }
    wait_until("Postgres has ended the statements", async || world.count_waiting_statements().await == 0).await;
    // Without a deadline, the last statement would have waited for the lock until the statement time-out.
    assert!(start.elapsed() < MAX_STATEMENT_TIMEOUT, "{:?}", start.elapsed());
}

async fn order(world: &World, verification: &str, request_id: Uuid, timeout: &str) -> Answer<()> {
    let request = IssueTemporaryPinRequest {
        request_id: request_id.to_string(),
        verification_id: verification.to_owned(),
        language: 0,
    };
    world.call_raw("phone", "TemporaryPinService/IssueTemporaryPin", Some(timeout), &request).await
}
