//! The default deadline, for calls without one.

use std::time::{Duration, Instant};

use temporary_pin::proto::temporarypin::v1::Reason;
use test_support::fault_proxy::FaultProxy;
use test_support::installation::Installation;
use test_support::redis_url;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_deadline_gets_the_default_deadline() {
    let mut world = World::with_sandbox(Sandbox::start(&[])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    let (redis, url) = FaultProxy::start_for_url(&redis_url()).await;
    installation.set("REDIS__URL", url);
    // Longer than the deadline, so that the deadline ends the call.
    installation.set("REDIS__TIMEOUT", "1m");
    installation.set("SERVER__DEFAULT_DEADLINE", "500ms");
    // Short, so that the end of the test does not wait for Redis.
    installation.set("SERVER__DRAIN", "1s");
    let process = installation.start().await;
    world.channel = process.connect_as("phone");
    let person = world.person("anna").await;
    wait_until("a call succeeds", async || world.check_eligibility("phone", person.reference()).await.is_ok()).await;

    redis.stall();
    let start = Instant::now();
    let refusal = world.check_eligibility("phone", person.reference()).await.unwrap_err();
    refusal.assert(Code::DeadlineExceeded, Reason::DeadlineExceeded);
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(500)..Duration::from_secs(3)).contains(&elapsed), "{elapsed:?}");
}
