//! What comes at the same moment goes to Redis together, and is decided as if each had come alone.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use proptest::prelude::*;
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rules::Limit;
use temporary_pin::guard::{Bucket, Guard, GuardDecision, GuardError};
use test_support::fault_proxy::FaultProxy;
use test_support::redis_url;

use crate::world::{TIMEOUT, World, agent, at, limit, mobile, person, spend};

/// A call of that caller.
async fn call(guard: &Guard, caller: &str, limit: Limit, now: DateTime<Utc>) -> Result<GuardDecision, GuardError> {
    guard.check_and_spend(None, &[spend(Bucket::CallerCalls(caller), limit, 1)], now).await
}

fn limited(seconds: i64) -> GuardDecision {
    GuardDecision::Limited { reason: Reason::CallerLimit, until: at(seconds) }
}

#[tokio::test]
async fn of_many_at_once_as_many_are_admitted_as_there_is_room_for() {
    let mut world = World::new().await;
    let now = |caller| call(&world.guard, caller, limit(100, 1000), at(0));
    let calls = join_all((0..400).map(|number| now(if number % 2 == 0 { "web" } else { "phone" }))).await;
    for caller in 0..2 {
        let answers: Vec<_> = calls.iter().skip(caller).step_by(2).map(|answer| (*answer).unwrap()).collect();
        let (admitted, refused) = answers.split_at(100);
        assert!(admitted.iter().all(|answer| *answer == GuardDecision::Allowed), "{admitted:?}");
        assert!(refused.iter().all(|answer| *answer == limited(10)), "{refused:?}");
    }
    assert_eq!(now("counter").await, Ok(GuardDecision::Allowed));
    assert_eq!(call(&world.guard, "web", limit(100, 1000), at(10)).await, Ok(GuardDecision::Allowed));
    let keys = world.keys().await;
    assert_eq!(keys.len(), 3, "{keys:?}");
    let left = world.expires_in(&keys[2]).await;
    assert!((900_000..=1_010_000).contains(&left), "expires when the bucket is full again: {left}");
}

#[tokio::test]
async fn a_refused_call_keeps_no_key() {
    let mut world = World::new().await;
    let refused = (0..2).map(|_| call(&world.guard, "web", limit(0, 10), at(0)));
    assert_eq!(join_all(refused).await, [Ok(limited(10)); 2]);
    assert_eq!(world.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_redis_that_is_down_admits_nobody() {
    let guard = Guard::connect("redis://127.0.0.1:1", "test", TIMEOUT).await.unwrap();
    let calls = (0..3).map(|_| call(&guard, "web", limit(100, 1), at(0)));
    assert_eq!(join_all(calls).await, [Err(GuardError::Unavailable); 3]);
}

/// One that fails fails alone, and what went well beside it is not done twice.
#[tokio::test]
async fn what_is_damaged_spoils_nothing_beside_it() {
    let mut world = World::new().await;
    let damaged = [Bucket::PersonPins(person()), Bucket::AgentPins(agent())];
    for bucket in damaged {
        let _ = world.check_and_spend(&[spend(bucket, limit(3, 100), 1)], at(0)).await;
    }
    for key in world.keys().await {
        redis::cmd("SET").arg(key).arg("damaged").exec_async(&mut world.redis).await.unwrap();
    }
    let rate = Bucket::AgentPins(agent());
    let sound = [Bucket::PersonPins(person()), Bucket::MobilePins(mobile()), rate];
    let asked = damaged.into_iter().chain(sound).map(|bucket| {
        let guard = world.guard.clone();
        async move { guard.check_and_spend(None, &[spend(bucket, limit(3, 100), 2)], at(0)).await }
    });
    let (unavailable, admitted) = (Err(GuardError::Unavailable), Ok(GuardDecision::Allowed));
    assert_eq!(join_all(asked).await, [unavailable, unavailable, admitted, admitted, admitted]);
    for bucket in &sound[..2] {
        assert_eq!(world.spent(*bucket, 100, at(0)).await, 1);
    }
    assert_eq!(how_many(&world, rate, 5).await, 2, "one of three was spent");
}

/// Of so many spends of a rate at the same moment, those that are admitted. Three fit into its burst.
async fn how_many(world: &World, rate: Bucket<'_>, spends: usize) -> usize {
    let answers =
        join_all((0..spends).map(async |_| world.check_and_spend(&[spend(rate, limit(3, 100), 1)], at(0)).await));
    answers.await.iter().filter(|answer| **answer == GuardDecision::Allowed).count()
}

#[tokio::test]
async fn spends_peeks_and_refunds_of_one_rate_do_not_mix() {
    let world = World::new().await;
    let of_rate = [spend(Bucket::ServicePins, limit(3, 100), 1)];
    assert_eq!(how_many(&world, Bucket::ServicePins, 5).await, 3);
    let acts = join_all((0..9).map(async |number| match number % 3 {
        0 => world.guard.refund(&of_rate, at(0)).await.map(|()| 0),
        1 => world.guard.peek(&of_rate, at(0)).await.map(|_| 0),
        _ => Ok(how_many(&world, Bucket::ServicePins, 1).await),
    }));
    let admitted: usize = acts.await.into_iter().map(Result::unwrap).sum();
    // Three came back, of which no peek took one.
    assert_eq!(admitted + how_many(&world, Bucket::ServicePins, 5).await, 3, "{admitted} at the same moment");
}

/// A question that waited for its turn, and for the connection, until its asker had gone.
#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_spent() {
    const SHORT: Duration = Duration::from_millis(500);
    let world = World::new().await;
    let (proxy, url) = FaultProxy::in_front_of(&redis_url()).await;
    let guard = Guard::connect(&url, &world.prefix, SHORT).await.unwrap();
    proxy.silence();
    proxy.stall();
    let pins = |bucket| {
        let guard = guard.clone();
        tokio::spawn(async move { guard.check_and_spend(None, &[spend(bucket, limit(3, 100), 1)], at(0)).await })
    };
    // As many batches as may be under way wait for Redis.
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(pins(Bucket::AgentPins(agent())));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let late = Bucket::PersonPins(person());
    assert_eq!(pins(late).await.unwrap(), Err(GuardError::Unavailable));
    proxy.restore();
    for asked in waiting {
        assert_eq!(asked.await.unwrap(), Err(GuardError::Unavailable));
    }
    // Whatever the connection was made for has been asked by then.
    let soon = pins(Bucket::PersonPins(person())).await.unwrap();
    assert_eq!(soon, Ok(GuardDecision::Allowed));
    assert_eq!(world.spent(late, 100, at(0)).await, 0);
}

/// Times of calls in milliseconds, in any order, as calls of one moment may have them.
fn bursts() -> impl Strategy<Value = Vec<Vec<i64>>> {
    prop::collection::vec(prop::collection::vec(0..20_000_i64, 1..20), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_is_answered_as_if_it_had_come_alone(bursts in bursts(), times in 1..10_u32) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (batched, alone) = (World::new().await, World::new().await);
            // Long enough that no key expires by Redis's own clock meanwhile.
            let limit = limit(times, 1000);
            for burst in bursts {
                let time = |millis| at(0) + TimeDelta::milliseconds(100 * millis);
                let calls = burst.iter().map(|millis| call(&batched.guard, "web", limit, time(*millis)));
                let answers = join_all(calls).await;
                for (millis, answer) in burst.iter().zip(answers) {
                    let expected = call(&alone.guard, "web", limit, time(*millis)).await;
                    assert_eq!(answer, expected, "{burst:?}");
                }
            }
        });
    }
}
