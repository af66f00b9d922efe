//! Calls of callers that come at the same moment: as many are admitted as if each had come alone.

use chrono::TimeDelta;
use futures_util::future::join_all;
use proptest::prelude::*;
use temporary_pin::domain::reason::Reason;
use temporary_pin::guard::{Admission, Bucket, Guard, GuardError};

use crate::world::{TIMEOUT, World, at, limit, spend};

fn limited(seconds: i64) -> Admission {
    Admission::Limited { reason: Reason::CallerLimit, until: at(seconds) }
}

#[tokio::test]
async fn of_many_at_once_as_many_are_admitted_as_there_is_room_for() {
    let mut world = World::new().await;
    let call = |caller| world.guard.admit_call(caller, limit(100, 1000), at(0));
    let calls = join_all((0..400).map(|number| call(if number % 2 == 0 { "web" } else { "phone" }))).await;
    for caller in 0..2 {
        let answers: Vec<_> = calls.iter().skip(caller).step_by(2).map(|answer| (*answer).unwrap()).collect();
        let (admitted, refused) = answers.split_at(100);
        assert!(admitted.iter().all(|answer| *answer == Admission::Admitted), "{admitted:?}");
        assert!(refused.iter().all(|answer| *answer == limited(10)), "{refused:?}");
    }
    assert_eq!(call("counter").await, Ok(Admission::Admitted));
    assert_eq!(world.guard.admit_call("web", limit(100, 1000), at(10)).await, Ok(Admission::Admitted));
    let keys = world.keys().await;
    assert_eq!(keys.len(), 3, "{keys:?}");
    let left = world.expires_in(&keys[2]).await;
    assert!((900_000..=1_010_000).contains(&left), "expires when the bucket is full again: {left}");
}

#[tokio::test]
async fn a_refused_call_keeps_no_key() {
    let mut world = World::new().await;
    let refused = (0..2).map(|_| world.guard.admit_call("web", limit(0, 10), at(0)));
    assert_eq!(join_all(refused).await, [Ok(limited(10)); 2]);
    assert_eq!(world.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_redis_that_is_down_admits_nobody() {
    let guard = Guard::connect("redis://127.0.0.1:1", "test", TIMEOUT).await.unwrap();
    let calls = (0..3).map(|_| guard.admit_call("web", limit(100, 1), at(0)));
    assert_eq!(join_all(calls).await, [Err(GuardError::Unavailable); 3]);
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
                let calls = burst.iter().map(|millis| together.guard.admit_call("web", limit, time(*millis)));
                let answers = join_all(calls).await;
                for (millis, answer) in burst.iter().zip(answers) {
                    let expected = alone.admit(&[spend(Bucket::CallerCalls("web"), limit, 1)], time(*millis)).await;
                    assert_eq!(answer, Ok(expected), "{burst:?}");
                }
            }
        });
    }
}
