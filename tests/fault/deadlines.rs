//! Deadlines: each call ends in time, with a reason.

use std::time::{Duration, Instant};

use rstest::rstest;
use temporary_pin::proto::temporarypin::v1::{CheckEligibilityRequest, IssueTemporaryPinRequest, Reason};
use tonic::Code;

use crate::calls::uuid;
use crate::sandbox::Sandbox;
use crate::world::{World, until};

async fn open() -> World {
    World::around(Sandbox::start(&["--people", "2"])).await
}

#[rstest]
#[case("1n")]
#[case("1m")]
#[case("20m")]
#[case("300m")]
#[case("300000u")]
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_shorter_than_the_work_is_exceeded_with_a_reason(#[case] timeout: &str) {
    let world = open().await;
    world.slow("/register", 60).await;
    let request = CheckEligibilityRequest { person: Some(world.somebody().await.reference()) };
    let start = Instant::now();
    let answer = world.call_raw("phone", "TemporaryPinService/CheckEligibility", Some(timeout), &request).await;
    answer.unwrap_err().assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    // The register alone would have been waited for twice as long.
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_deadline_does_not_prolong_the_work() {
    let world = open().await;
    world.slow("/register", 60).await;
    let request = CheckEligibilityRequest { person: Some(world.somebody().await.reference()) };
    let start = Instant::now();
    let answer = world.call_raw("phone", "TemporaryPinService/CheckEligibility", Some("99999999H"), &request).await;
    answer.unwrap_err().assert(Code::Unavailable, Reason::Unavailable);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlasts_its_deadline_is_recorded_all_the_same() {
    let world = open().await;
    let person = world.somebody().await;
    let verification_id = world.identify(&person).await;
    let request_id = uuid();
    let request = IssueTemporaryPinRequest {
        request_id: request_id.to_string(),
        verification_id: verification_id.clone(),
        language: 0,
    };
    world.slow("/register", 1).await;
    let order = world.call_raw("phone", "TemporaryPinService/IssueTemporaryPin", Some("300m"), &request).await;
    order.unwrap_err().assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    assert_eq!(world.count("pin_requests").await, 0);

    until("the order is recorded", async || world.count("requests").await == 1).await;
    assert_eq!(world.texts(&person).await.len(), 1);
    world.issue_again("phone", &verification_id, request_id).await.unwrap();
    assert_eq!(world.count("pin_requests").await, 1);
    assert_eq!(world.texts(&person).await.len(), 1);
}
