//! Concurrent calls share round trips to Redis. Each is decided as if it had come alone.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use proptest::prelude::*;
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::guard::{Bucket, Guard, GuardDecision, GuardError};
use test_support::fault_proxy::FaultProxy;
use test_support::redis_url;

use crate::fixture::{GuardFixture, TIMEOUT, agent, at, limit, mobile, person, spend};

/// Spends one call of the caller.
async fn spend_call(
    guard: &Guard,
    caller: &str,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<GuardDecision, GuardError> {
    guard.check_and_spend(None, &[spend(Bucket::CallerCalls(caller), limit, 1)], now).await
}

fn limited(seconds: i64) -> GuardDecision {
    GuardDecision::Limited { reason: Reason::CallerLimit, until: at(seconds) }
}

#[tokio::test]
async fn concurrent_calls_are_allowed_up_to_the_limit_and_no_further() {
    let mut fixture = GuardFixture::new().await;
    let call_now = |caller| spend_call(&fixture.guard, caller, limit(100, 1000), at(0));
    let calls = join_all((0..400).map(|number| call_now(if number % 2 == 0 { "web" } else { "phone" }))).await;
    for caller in 0..2 {
        let answers: Vec<_> = calls.iter().skip(caller).step_by(2).map(|answer| (*answer).unwrap()).collect();
        let (allowed, refused) = answers.split_at(100);
        assert!(allowed.iter().all(|answer| *answer == GuardDecision::Allowed), "{allowed:?}");
        assert!(refused.iter().all(|answer| *answer == limited(10)), "{refused:?}");
    }
    assert_eq!(call_now("counter").await, Ok(GuardDecision::Allowed));
    assert_eq!(spend_call(&fixture.guard, "web", limit(100, 1000), at(10)).await, Ok(GuardDecision::Allowed));
    let keys = fixture.keys().await;
    assert_eq!(keys.len(), 3, "{keys:?}");
    let left = fixture.expires_in(&keys[2]).await;
    assert!((900_000..=1_010_000).contains(&left), "expires when the bucket is full again: {left}");
}

#[tokio::test]
async fn a_refused_call_leaves_no_key() {
    let mut fixture = GuardFixture::new().await;
    let refused = (0..2).map(|_| spend_call(&fixture.guard, "web", limit(0, 10), at(0)));
    assert_eq!(join_all(refused).await, [Ok(limited(10)); 2]);
    assert_eq!(fixture.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_redis_that_is_down_allows_nothing() {
    let guard = Guard::connect("redis://127.0.0.1:1", "test", TIMEOUT).await.unwrap();
    let calls = (0..3).map(|_| spend_call(&guard, "web", limit(100, 1), at(0)));
    assert_eq!(join_all(calls).await, [Err(GuardError::Unavailable); 3]);
}

/// The scripts that succeed in the same round trip are not run again.
#[tokio::test]
async fn a_damaged_key_fails_only_the_decisions_on_it() {
    let mut fixture = GuardFixture::new().await;
    let damaged = [Bucket::PersonPins(person()), Bucket::AgentPins(agent())];
    for bucket in damaged {
        let _ = fixture.check_and_spend(&[spend(bucket, limit(3, 100), 1)], at(0)).await;
    }
    for key in fixture.keys().await {
        redis::cmd("SET").arg(key).arg("damaged").exec_async(&mut fixture.redis).await.unwrap();
    }
    let rate = Bucket::AgentPins(agent());
    let sound = [Bucket::PersonPins(person()), Bucket::MobilePins(mobile()), rate];
    let decisions = damaged.into_iter().chain(sound).map(|bucket| {
        let guard = fixture.guard.clone();
        async move { guard.check_and_spend(None, &[spend(bucket, limit(3, 100), 2)], at(0)).await }
    });
    let (unavailable, allowed) = (Err(GuardError::Unavailable), Ok(GuardDecision::Allowed));
    assert_eq!(join_all(decisions).await, [unavailable, unavailable, allowed, allowed, allowed]);
    for bucket in &sound[..2] {
        assert_eq!(fixture.spent(*bucket, 100, at(0)).await, 1);
    }
    assert_eq!(count_allowed(&fixture, rate, 5).await, 2, "one of three is spent already");
}

/// Spends a rate several times concurrently, and counts the allowed spends. The burst of the rate is three.
async fn count_allowed(fixture: &GuardFixture, rate: Bucket<'_>, spends: usize) -> usize {
    let answers =
        join_all((0..spends).map(async |_| fixture.check_and_spend(&[spend(rate, limit(3, 100), 1)], at(0)).await));
    answers.await.iter().filter(|answer| **answer == GuardDecision::Allowed).count()
}

#[tokio::test]
async fn spends_peeks_and_refunds_of_one_rate_do_not_mix() {
    let fixture = GuardFixture::new().await;
    let of_rate = [spend(Bucket::ServicePins, limit(3, 100), 1)];
    assert_eq!(count_allowed(&fixture, Bucket::ServicePins, 5).await, 3);
    let acts = join_all((0..9).map(async |number| match number % 3 {
        0 => fixture.guard.refund(&of_rate, at(0)).await.map(|()| 0),
        1 => fixture.guard.peek(&of_rate, at(0)).await.map(|_| 0),
        _ => Ok(count_allowed(&fixture, Bucket::ServicePins, 1).await),
    }));
    let allowed: usize = acts.await.into_iter().map(Result::unwrap).sum();
    // The three refunds gave back three, and the peeks took none of them.
    assert_eq!(
        allowed + count_allowed(&fixture, Bucket::ServicePins, 5).await,
        3,
        "{allowed} of the concurrent spends"
    );
}

/// The command waited for its batch and for the connection until it had timed out.
#[tokio::test]
async fn a_command_that_has_timed_out_spends_nothing() {
    const SHORT_TIMEOUT: Duration = Duration::from_millis(500);
    let fixture = GuardFixture::new().await;
    let (proxy, url) = FaultProxy::start_for_url(&redis_url()).await;
    let guard = Guard::connect(&url, &fixture.prefix, SHORT_TIMEOUT).await.unwrap();
    proxy.silence();
    proxy.stall();
    let pins = |bucket| {
        let guard = guard.clone();
        tokio::spawn(async move { guard.check_and_spend(None, &[spend(bucket, limit(3, 100), 1)], at(0)).await })
    };
    // The maximum number of concurrent batches waits for Redis.
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(pins(Bucket::AgentPins(agent())));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let late = Bucket::PersonPins(person());
    assert_eq!(pins(late).await.unwrap(), Err(GuardError::Unavailable));
    proxy.restore();
    for decision in waiting {
        assert_eq!(decision.await.unwrap(), Err(GuardError::Unavailable));
    }
    // All commands that waited for the connection have been sent before this one.
    let soon = pins(Bucket::PersonPins(person())).await.unwrap();
    assert_eq!(soon, Ok(GuardDecision::Allowed));
    assert_eq!(fixture.spent(late, 100, at(0)).await, 0);
}

/// Times of concurrent calls in tenths of a second, in any order.
fn bursts() -> impl Strategy<Value = Vec<Vec<i64>>> {
    prop::collection::vec(prop::collection::vec(0..20_000_i64, 1..20), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_call_of_a_batch_is_decided_as_if_it_had_come_alone(bursts in bursts(), times in 1..10_u32) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (batched, alone) = (GuardFixture::new().await, GuardFixture::new().await);
            // Long enough that no key expires by the clock of Redis during the test.
            let limit = limit(times, 1000);
            for burst in bursts {
                let time = |tenths| at(0) + TimeDelta::milliseconds(100 * tenths);
                let calls = burst.iter().map(|tenths| spend_call(&batched.guard, "web", limit, time(*tenths)));
                let answers = join_all(calls).await;
                for (tenths, answer) in burst.iter().zip(answers) {
                    let expected = spend_call(&alone.guard, "web", limit, time(*tenths)).await;
                    assert_eq!(answer, expected, "{burst:?}");
                }
            }
        });
    }
}
