//! What comes at the same moment goes to Redis together, and is decided as if each had come alone.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use proptest::prelude::*;
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rules::Limit;
use temporary_pin::guard::{Admission, Bucket, Guard, GuardError};

use crate::world::{TIMEOUT, World, agent, at, limit, mobile, person, spend};

/// A call of that caller.
async fn call(guard: &Guard, caller: &str, limit: Limit, now: DateTime<Utc>) -> Result<Admission, GuardError> {
    guard.admit(None, &[spend(Bucket::CallerCalls(caller), limit, 1)], now).await
}

fn limited(seconds: i64) -> Admission {
    Admission::Limited { reason: Reason::CallerLimit, until: at(seconds) }
}

#[tokio::test]
async fn of_many_at_once_as_many_are_admitted_as_there_is_room_for() {
    let mut world = World::new().await;
    let now = |caller| call(&world.guard, caller, limit(100, 1000), at(0));
    let calls = join_all((0..400).map(|number| now(if number % 2 == 0 { "web" } else { "phone" }))).await;
    for caller in 0..2 {
        let answers: Vec<_> = calls.iter().skip(caller).step_by(2).map(|answer| (*answer).unwrap()).collect();
        let (admitted, refused) = answers.split_at(100);
        assert!(admitted.iter().all(|answer| *answer == Admission::Admitted), "{admitted:?}");
        assert!(refused.iter().all(|answer| *answer == limited(10)), "{refused:?}");
    }
    assert_eq!(now("counter").await, Ok(Admission::Admitted));
    assert_eq!(call(&world.guard, "web", limit(100, 1000), at(10)).await, Ok(Admission::Admitted));
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

/// One that fails fails alone.
#[tokio::test]
async fn what_is_damaged_spoils_nothing_beside_it() {
    let mut world = World::new().await;
    let damaged = [Bucket::PersonPins(person()), Bucket::AgentPins(agent())];
    for bucket in damaged {
        let _ = world.admit(&[spend(bucket, limit(3, 100), 1)], at(0)).await;
    }
    for key in world.keys().await {
        redis::cmd("SET").arg(key).arg("damaged").exec_async(&mut world.redis).await.unwrap();
    }
    let sound = [Bucket::PersonPins(person()), Bucket::MobilePins(mobile()), Bucket::AgentPins(agent())];
    let asked = damaged.into_iter().chain(sound).map(|bucket| {
        let guard = world.guard.clone();
        async move { guard.admit(None, &[spend(bucket, limit(3, 100), 2)], at(0)).await }
    });
    let (unavailable, admitted) = (Err(GuardError::Unavailable), Ok(Admission::Admitted));
    assert_eq!(join_all(asked).await, [unavailable, unavailable, admitted, admitted, admitted]);
    for bucket in &sound[..2] {
        assert_eq!(world.spent(*bucket, 100, at(0)).await, 1);
    }
}

/// A peek beside spends of the same rate sees what has been spent, or not yet, and takes nothing.
#[tokio::test]
async fn spends_peeks_and_refunds_of_one_rate_do_not_mix() {
    let world = World::new().await;
    let of_rate = [spend(Bucket::ServicePins, limit(10, 1000), 1)];
    let acts = (0..30).map(|number| {
        let (guard, of_rate) = (world.guard.clone(), &of_rate);
        async move {
            match number % 3 {
                0 => guard.admit(None, of_rate, at(0)).await.map(|answer| answer == Admission::Admitted),
                1 => guard.peek(of_rate, at(0)).await.map(|_| true),
                _ => guard.refund(&[spend(Bucket::AgentPins(agent()), limit(3, 100), 1)], at(0)).await.map(|()| true),
            }
        }
    });
    assert_eq!(join_all(acts).await, [Ok(true); 30]);
    assert_ne!(world.admit(&of_rate, at(0)).await, Admission::Admitted, "ten were spent");
    let refunds = join_all((0..4).map(|_| world.guard.refund(&of_rate, at(0)))).await;
    assert_eq!(refunds, [Ok(()); 4]);
    let again = join_all((0..10).map(|_| world.admit(&of_rate, at(0)))).await;
    assert_eq!(again.iter().filter(|answer| **answer == Admission::Admitted).count(), 4, "{again:?}");
}

/// Redis has none of the scripts, as after a restart, when many ask at once.
#[tokio::test]
async fn a_redis_that_has_forgotten_the_scripts_is_told_them_again() {
    let mut world = World::new().await;
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut world.redis).await.unwrap();
    let pins = (0..50).map(|number| {
        let guard = world.guard.clone();
        let spends = [
            spend(Bucket::PersonPins(person()), limit(3, 1000), number),
            spend(Bucket::ServicePins, limit(40, 1000), number),
        ];
        async move { guard.admit(None, &spends, at(0)).await.unwrap() }
    });
    let answers = join_all(pins).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Admission::Admitted).count(), 40);
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
            let (together, alone) = (World::new().await, World::new().await);
            // Long enough that no key expires by Redis's own clock meanwhile.
            let limit = limit(times, 1000);
            for burst in bursts {
                let time = |millis| at(0) + TimeDelta::milliseconds(100 * millis);
                let calls = burst.iter().map(|millis| call(&together.guard, "web", limit, time(*millis)));
                let answers = join_all(calls).await;
                for (millis, answer) in burst.iter().zip(answers) {
                    let expected = call(&alone.guard, "web", limit, time(*millis)).await;
                    assert_eq!(answer, expected, "{burst:?}");
                }
            }
        });
    }
}
