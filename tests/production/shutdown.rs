//! Shutdown on SIGTERM: running calls and hand-overs end, new calls go to another instance.

use std::time::{Duration, Instant};

use rstest::rstest;
use temporary_pin::proto::temporarypin::v1::CheckEligibilityRequest;
use test_support::fault_proxy::FaultProxy;
use test_support::installation::Installation;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Well below the drain time of 10 s.
const MAX_STOP_TIME: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_service_ends_at_once() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let mut process = installation.start().await;
    // Two callers stay connected, and one watches health.
    let channel = process.connect_as("web");
    HealthClient::new(process.connect_as("phone")).check(HealthCheckRequest::default()).await.unwrap();
    let mut answers = HealthClient::new(channel).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().status(), ServingStatus::Serving);

    let start = Instant::now();
    process.terminate();
    assert_eq!(answers.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(process.wait().await.code(), Some(0));
    assert!(start.elapsed() < MAX_STOP_TIME, "{:?}", start.elapsed());
}

#[rstest]
#[case::one_thread("1")]
#[case::three_threads("3")]
#[tokio::test(flavor = "multi_thread")]
async fn running_calls_and_hand_overs_end_before_the_process(#[case] threads: &str) {
    let mut world = World::with_sandbox(Sandbox::start(&["--people", "1"])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    installation.set("SERVER__THREADS", threads);
    installation.set("REGISTER__DEADLINE", "8s");
    let mut process = installation.start().await;
    world.channel = process.connect_as("phone");
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    world.sandbox.post("/gateway", serde_json::json!({ "mode": "slow", "seconds": 3 })).await;
    world.issue("phone", &verification).await.unwrap();
    let running_hand_over = "outbox WHERE handover_time IS NOT NULL";
    wait_until("the hand-over begins", async || installation.count(running_hand_over).await == 1).await;

    world.sandbox.post("/register", serde_json::json!({ "mode": "slow", "seconds": 3 })).await;
    let check = world.check_eligibility("phone", person.reference());
    let terminate = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        process.terminate();
    };
    let (checked, ()) = tokio::join!(check, terminate);
    checked.unwrap();
    assert_eq!(process.wait().await.code(), Some(0));
    assert_eq!(installation.count("outbox WHERE state = 'accepted'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_postgres_does_not_keep_the_process_alive() {
    let mut world = World::with_sandbox(Sandbox::start(&[])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    let (postgres, url) = FaultProxy::start_for_url(&installation.url_as_service()).await;
    installation.set("POSTGRES__URL", url);
    installation.set("SERVER__DRAIN", "300ms");
    let mut process = installation.start().await;
    world.channel = process.connect_as("phone");
    let person = world.person("anna").await;
    world.check_eligibility("phone", person.reference()).await.unwrap();

    postgres.stall();
    let start = Instant::now();
    let mut service = world.temporary_pin_service();
    let request = CheckEligibilityRequest { person: Some(person.reference()) };
    let call = tokio::spawn(async move { service.check_eligibility(request).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!call.is_finished());
    process.terminate();
    assert_eq!(process.wait().await.code(), Some(0));
    assert!(start.elapsed() < MAX_STOP_TIME, "{:?}", start.elapsed());
}
