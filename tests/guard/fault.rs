//! Failures of Redis (R26): the answer is never `Allowed`, it comes in time, and the guard works again when Redis is back.

use std::future::Future;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use temporary_pin::guard::{Bucket, Guard, GuardDecision, GuardError};
use test_support::fault_proxy::FaultProxy;
use test_support::{redis_url, unique};

use crate::fixture::{GuardFixture, agent, at, hold, limit, mobile, person, spend};

const TIMEOUT: Duration = Duration::from_secs(2);
/// More time for a busy machine.
const SLACK: Duration = Duration::from_secs(10);

/// A guard whose connection goes through a proxy that can fail.
async fn connect_through_proxy() -> (FaultProxy, Guard) {
    let (proxy, url) = FaultProxy::start_for_url(&redis_url()).await;
    (proxy, Guard::connect(&url, &unique("test"), TIMEOUT).await.unwrap())
}

/// Asserts that the call ends in time with [`GuardError::Unavailable`].
async fn assert_unavailable<T>(what: &str, call: impl Future<Output = Result<T, GuardError>>) {
    let start = Instant::now();
    assert_eq!(call.await.map(drop), Err(GuardError::Unavailable), "{what}");
    assert!(start.elapsed() < TIMEOUT + SLACK, "{what} took {:?}", start.elapsed());
}

/// Asserts that every method of the guard ends in time with [`GuardError::Unavailable`].
async fn assert_all_unavailable(guard: &Guard) {
    let now: DateTime<Utc> = at(0);
    let hold = hold(now);
    let spends = [
        spend(Bucket::PersonPins(person()), limit(3, 100), 1),
        spend(Bucket::MobilePins(mobile()), limit(3, 100), 1),
        spend(Bucket::AgentPins(agent()), limit(3, 100), 1),
        spend(Bucket::ServicePins, limit(3, 100), 1),
    ];
    tokio::join!(
        assert_unavailable("check_health", guard.check_health()),
        assert_unavailable("check_and_spend", guard.check_and_spend(Some(person()), &spends, now)),
        assert_unavailable("peek", guard.peek(&spends, now)),
        assert_unavailable("refund", guard.refund(&spends, now)),
        assert_unavailable("remember_hold", guard.remember_hold(person(), &hold, now)),
        assert_unavailable("forget_hold", guard.forget_hold(person())),
    );
}

/// Asserts that the guard works.
async fn assert_works(guard: &Guard) {
    let one = [spend(Bucket::PersonPins(person()), limit(1, 100), 1)];
    assert_eq!(guard.check_health().await, Ok(()));
    assert_eq!(guard.check_and_spend(None, &one, at(0)).await, Ok(GuardDecision::Allowed));
}

#[tokio::test]
async fn r26_redis_down_at_the_start_is_unavailable_until_it_is_up() {
    let (proxy, url) = FaultProxy::start_for_url(&redis_url()).await;
    proxy.refuse();
    let start = Instant::now();
    let guard = Guard::connect(&url, &unique("test"), TIMEOUT).await.unwrap();
    assert!(start.elapsed() < TIMEOUT + SLACK);
    assert_all_unavailable(&guard).await;
    proxy.restore();
    assert_works(&guard).await;
}

#[tokio::test]
async fn r26_redis_silent_at_the_start_is_unavailable_until_it_answers() {
    let (proxy, url) = FaultProxy::start_for_url(&redis_url()).await;
    proxy.stall();
    let start = Instant::now();
    let guard = Guard::connect(&url, &unique("test"), TIMEOUT).await.unwrap();
    assert!(start.elapsed() < TIMEOUT + SLACK);
    assert_eq!(guard.check_health().await, Err(GuardError::Unavailable));
    proxy.restore();
    assert_works(&guard).await;
}

#[tokio::test]
async fn r26_a_port_without_a_server_is_unavailable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let guard = Guard::connect(&format!("redis://{free}"), "test", TIMEOUT).await.unwrap();
    assert_all_unavailable(&guard).await;
}

#[tokio::test]
async fn r26_refused_connections_are_unavailable_until_redis_is_back() {
    let (proxy, guard) = connect_through_proxy().await;
    assert_works(&guard).await;
    proxy.refuse();
    assert_all_unavailable(&guard).await;
    proxy.restore();
    assert_works(&guard).await;
}

#[tokio::test]
async fn r26_a_stalled_redis_is_unavailable_until_it_answers_again() {
    let (proxy, guard) = connect_through_proxy().await;
    assert_works(&guard).await;
    proxy.stall();
    assert_all_unavailable(&guard).await;
    proxy.restore();
    assert_works(&guard).await;
}

#[tokio::test]
async fn r26_a_cut_connection_costs_one_call_at_most() {
    let (proxy, guard) = connect_through_proxy().await;
    assert_works(&guard).await;
    proxy.cut();
    let _ = guard.check_health().await;
    assert_works(&guard).await;
}

#[tokio::test]
async fn r26_a_connection_that_goes_silent_for_ever_costs_one_call() {
    let (proxy, guard) = connect_through_proxy().await;
    assert_works(&guard).await;
    proxy.silence();
    assert_eq!(guard.check_health().await, Err(GuardError::Unavailable));
    assert_works(&guard).await;
}

#[tokio::test]
async fn concurrent_calls_share_one_new_connection() {
    let (proxy, guard) = connect_through_proxy().await;
    proxy.cut();
    let _ = guard.check_health().await;
    let before = proxy.connections();
    let calls: Vec<_> = (0..32)
        .map(|_| {
            tokio::spawn({
                let guard = guard.clone();
                async move { guard.check_health().await }
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
    assert_eq!(proxy.connections(), before + 1);
}

#[tokio::test]
async fn r26_damaged_values_in_redis_never_allow_anything() {
    let mut fixture = GuardFixture::new().await;
    let person = person();
    let pins = [spend(Bucket::PersonPins(person), limit(3, 100), 1)];
    let agent = [spend(Bucket::AgentPins(agent()), limit(3, 100), 1)];
    fixture.guard.remember_hold(person, &hold(at(0)), at(0)).await.unwrap();
    let _ = fixture.check_and_spend(&pins, at(0)).await;
    let _ = fixture.check_and_spend(&agent, at(0)).await;
    for key in fixture.keys().await {
        redis::cmd("SET").arg(key).arg("damaged").exec_async(&mut fixture.redis).await.unwrap();
    }
    assert_eq!(fixture.guard.check_and_spend(None, &pins, at(0)).await, Err(GuardError::Unavailable));
    assert_eq!(fixture.guard.check_and_spend(None, &agent, at(0)).await, Err(GuardError::Unavailable));
    assert_eq!(fixture.guard.check_and_spend(Some(person), &[], at(0)).await, Err(GuardError::Unavailable));
}

#[tokio::test]
async fn r26_what_another_script_spent_beside_a_failure_is_given_back() {
    let mut fixture = GuardFixture::new().await;
    let pins = Bucket::PersonPins(person());
    let mobile = spend(Bucket::MobilePins(mobile()), limit(5, 100), 1);
    let _ = fixture.check_and_spend(&[mobile], at(0)).await;
    let key = fixture.only_key().await;
    redis::cmd("SET").arg(key).arg("damaged").exec_async(&mut fixture.redis).await.unwrap();
    let spends = [spend(pins, limit(3, 100), 1), mobile];
    assert_eq!(fixture.guard.check_and_spend(None, &spends, at(0)).await, Err(GuardError::Unavailable));
    assert_eq!(fixture.spent(pins, 100, at(0)).await, 0);
}

#[tokio::test]
async fn an_invalid_url_is_refused_without_repeating_it() {
    for url in ["", "localhost:6379", "http://secret@localhost", "redis://"] {
        let error = Guard::connect(url, "test", TIMEOUT).await.err();
        assert_eq!(error, Some(GuardError::InvalidUrl), "{url}");
        assert!(!error.unwrap().to_string().contains("secret"));
    }
}
