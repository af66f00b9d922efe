//! Redis that fails (R26): never a yes, always soon, and all is well when it is back.

use std::future::Future;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use temporary_pin::guard::{Bucket, Guard, GuardDecision, GuardError};
use test_support::fault_proxy::FaultProxy;
use test_support::{redis_url, unique};

use crate::world::{World, agent, at, hold, limit, mobile, person, spend};

const TIMEOUT: Duration = Duration::from_secs(2);
/// The machine may be busy.
const SLACK: Duration = Duration::from_secs(10);

async fn behind_a_proxy() -> (FaultProxy, Guard) {
    let (proxy, url) = FaultProxy::in_front_of(&redis_url()).await;
    (proxy, Guard::connect(&url, &unique("test"), TIMEOUT).await.unwrap())
}

/// That the call ends soon, and with [`GuardError::Unavailable`].
async fn unavailable<T>(what: &str, call: impl Future<Output = Result<T, GuardError>>) {
    let start = Instant::now();
    assert_eq!(call.await.map(drop), Err(GuardError::Unavailable), "{what}");
    assert!(start.elapsed() < TIMEOUT + SLACK, "{what} took {:?}", start.elapsed());
}

/// That every call of the guard does.
async fn all_unavailable(guard: &Guard) {
    let now: DateTime<Utc> = at(0);
    let hold = hold(now);
    let spends = [
        spend(Bucket::PersonPins(person()), limit(3, 100), 1),
        spend(Bucket::MobilePins(mobile()), limit(3, 100), 1),
        spend(Bucket::AgentPins(agent()), limit(3, 100), 1),
        spend(Bucket::ServicePins, limit(3, 100), 1),
    ];
    tokio::join!(
        unavailable("ping", guard.ping()),
        unavailable("admit", guard.check_and_spend(Some(person()), &spends, now)),
        unavailable("peek", guard.peek(&spends, now)),
        unavailable("refund", guard.refund(&spends, now)),
        unavailable("remember_hold", guard.remember_hold(person(), &hold, now)),
        unavailable("forget_hold", guard.forget_hold(person())),
    );
}

/// That the guard works again.
async fn works(guard: &Guard) {
    let one = [spend(Bucket::PersonPins(person()), limit(1, 100), 1)];
    assert_eq!(guard.ping().await, Ok(()));
    assert_eq!(guard.check_and_spend(None, &one, at(0)).await, Ok(GuardDecision::Allowed));
}

#[tokio::test]
async fn r26_redis_down_at_the_start_is_unavailable_until_it_is_up() {
    let (proxy, url) = FaultProxy::in_front_of(&redis_url()).await;
    proxy.refuse();
    let start = Instant::now();
    let guard = Guard::connect(&url, &unique("test"), TIMEOUT).await.unwrap();
    assert!(start.elapsed() < TIMEOUT + SLACK);
    all_unavailable(&guard).await;
    proxy.restore();
    works(&guard).await;
}

#[tokio::test]
async fn r26_redis_silent_at_the_start_is_unavailable_until_it_answers() {
    let (proxy, url) = FaultProxy::in_front_of(&redis_url()).await;
    proxy.stall();
    let start = Instant::now();
    let guard = Guard::connect(&url, &unique("test"), TIMEOUT).await.unwrap();
    assert!(start.elapsed() < TIMEOUT + SLACK);
    assert_eq!(guard.ping().await, Err(GuardError::Unavailable));
    proxy.restore();
    works(&guard).await;
}

#[tokio::test]
async fn r26_nobody_listens() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let guard = Guard::connect(&format!("redis://{free}"), "test", TIMEOUT).await.unwrap();
    all_unavailable(&guard).await;
}

#[tokio::test]
async fn r26_refused_connections() {
    let (proxy, guard) = behind_a_proxy().await;
    works(&guard).await;
    proxy.refuse();
    all_unavailable(&guard).await;
    proxy.restore();
    works(&guard).await;
}

#[tokio::test]
async fn r26_a_stalled_redis() {
    let (proxy, guard) = behind_a_proxy().await;
    works(&guard).await;
    proxy.stall();
    all_unavailable(&guard).await;
    proxy.restore();
    works(&guard).await;
}

#[tokio::test]
async fn r26_a_cut_connection_costs_one_call_at_most() {
    let (proxy, guard) = behind_a_proxy().await;
    works(&guard).await;
    proxy.cut();
    let _ = guard.ping().await;
    works(&guard).await;
}

#[tokio::test]
async fn r26_a_connection_that_falls_silent_for_ever_costs_one_call() {
    let (proxy, guard) = behind_a_proxy().await;
    works(&guard).await;
    proxy.silence();
    assert_eq!(guard.ping().await, Err(GuardError::Unavailable));
    works(&guard).await;
}

#[tokio::test]
async fn one_connection_serves_many_calls_and_is_made_once_for_all_that_wait() {
    let (proxy, guard) = behind_a_proxy().await;
    proxy.cut();
    let _ = guard.ping().await;
    let before = proxy.connections();
    let calls: Vec<_> = (0..32)
        .map(|_| {
            tokio::spawn({
                let guard = guard.clone();
                async move { guard.ping().await }
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
    assert_eq!(proxy.connections(), before + 1);
}

#[tokio::test]
async fn r26_what_is_damaged_in_redis_is_no_yes() {
    let mut world = World::new().await;
    let person = person();
    let pins = [spend(Bucket::PersonPins(person), limit(3, 100), 1)];
    let agent = [spend(Bucket::AgentPins(agent()), limit(3, 100), 1)];
    world.guard.remember_hold(person, &hold(at(0)), at(0)).await.unwrap();
    let _ = world.check_and_spend(&pins, at(0)).await;
    let _ = world.check_and_spend(&agent, at(0)).await;
    for key in world.keys().await {
        redis::cmd("SET").arg(key).arg("damaged").exec_async(&mut world.redis).await.unwrap();
    }
    assert_eq!(world.guard.check_and_spend(None, &pins, at(0)).await, Err(GuardError::Unavailable));
    assert_eq!(world.guard.check_and_spend(None, &agent, at(0)).await, Err(GuardError::Unavailable));
    assert_eq!(world.guard.check_and_spend(Some(person), &[], at(0)).await, Err(GuardError::Unavailable));
}

#[tokio::test]
async fn r26_what_was_spent_beside_a_failure_is_given_back() {
    let mut world = World::new().await;
    let pins = Bucket::PersonPins(person());
    let mobile = spend(Bucket::MobilePins(mobile()), limit(5, 100), 1);
    let _ = world.check_and_spend(&[mobile], at(0)).await;
    let key = world.only_key().await;
    redis::cmd("SET").arg(key).arg("damaged").exec_async(&mut world.redis).await.unwrap();
    let spends = [spend(pins, limit(3, 100), 1), mobile];
    assert_eq!(world.guard.check_and_spend(None, &spends, at(0)).await, Err(GuardError::Unavailable));
    assert_eq!(world.spent(pins, 100, at(0)).await, 0);
}

#[tokio::test]
async fn a_url_that_is_none_of_redis_is_told_without_repeating_it() {
    for url in ["", "localhost:6379", "http://secret@localhost", "redis://"] {
        let error = Guard::connect(url, "test", TIMEOUT).await.err();
        assert_eq!(error, Some(GuardError::InvalidUrl), "{url}");
        assert!(!error.unwrap().to_string().contains("secret"));
    }
}
