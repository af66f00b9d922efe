//! Exact rolling windows (R4, R18, R25).

use chrono::TimeDelta;
use rstest::rstest;
use temporary_pin::domain::person_limit::LimitUsage;
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rules::{Limit, LimitRules};
use temporary_pin::guard::{Bucket, GuardDecision};

use crate::world::{World, at, id, limit, mobile, person, spend};

const DAY: i64 = 24 * 3600;
const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);

#[rstest]
#[case::r4_wrong_tries(Bucket::WrongTries(person()), LimitRules::default().wrong_tries, 10, Reason::PersonLimit)]
#[case::r18_failed_verifications(
    Bucket::FailedVerifications(person()),
    LimitRules::default().failed_verifications,
    3,
    Reason::VerificationLimit
)]
#[case::r25_pins_of_a_person(Bucket::PersonPins(person()), LimitRules::default().person_pins, 3, Reason::PersonLimit)]
#[case::r25_pins_to_a_mobile(Bucket::MobilePins(mobile()), LimitRules::default().mobile_pins, 5, Reason::MobileLimit)]
#[tokio::test]
async fn admits_so_many_in_any_24_hours(
    #[case] bucket: Bucket<'static>,
    #[case] limit: Limit,
    #[case] times: i64,
    #[case] reason: Reason,
) {
    let world = World::new().await;
    let refused = |seconds| GuardDecision::Limited { reason, until: at(seconds) };
    // One each hour, until there is no more.
    for hour in 0..times {
        let number = u128::try_from(hour).unwrap();
        assert_eq!(
            world.check_and_spend(&[spend(bucket, limit, number)], at(hour * 3600)).await,
            GuardDecision::Allowed,
            "{hour}"
        );
    }
    let next = [spend(bucket, limit, 100)];
    assert_eq!(world.check_and_spend(&next, at(times * 3600)).await, refused(DAY));
    assert_eq!(world.check_and_spend(&next, at(DAY) - MICROSECOND).await, refused(DAY));
    // The first has left the window; the second leaves an hour later.
    assert_eq!(world.check_and_spend(&next, at(DAY)).await, GuardDecision::Allowed);
    assert_eq!(world.check_and_spend(&[spend(bucket, limit, 101)], at(DAY)).await, refused(DAY + 3600));
}

#[tokio::test]
async fn r25_the_same_id_spends_once_and_keeps_its_time() {
    let world = World::new().await;
    let pins = Bucket::PersonPins(person());
    let limit = limit(2, 100);
    for seconds in [0, 10, 20] {
        assert_eq!(world.check_and_spend(&[spend(pins, limit, 1)], at(seconds)).await, GuardDecision::Allowed);
    }
    assert_eq!(world.spent(pins, 100, at(20)).await, 1);
    let _ = world.check_and_spend(&[spend(pins, limit, 2)], at(30)).await;
    // Known, so there is room for it even in a full window; and the window opens as of the first time.
    assert_eq!(world.check_and_spend(&[spend(pins, limit, 1)], at(40)).await, GuardDecision::Allowed);
    let until = at(100);
    assert_eq!(
        world.check_and_spend(&[spend(pins, limit, 3)], at(40)).await,
        GuardDecision::Limited { reason: Reason::PersonLimit, until }
    );
    // After that it is new again.
    assert_eq!(world.check_and_spend(&[spend(pins, limit, 1)], until).await, GuardDecision::Allowed);
    assert_eq!(world.spent(pins, 100, until).await, 2);
}

#[tokio::test]
async fn r18_a_refund_gives_back_what_was_spent_under_the_id_and_is_idempotent() {
    let world = World::new().await;
    let failures = Bucket::FailedVerifications(person());
    let limit = limit(3, 100);
    for number in 0..3 {
        let _ = world.check_and_spend(&[spend(failures, limit, number)], at(0)).await;
    }
    for _ in 0..3 {
        world.guard.refund(&[spend(failures, limit, 1)], at(0)).await.unwrap();
        assert_eq!(world.spent(failures, 100, at(1)).await, 2);
    }
    world.guard.refund(&[spend(failures, limit, 77)], at(0)).await.unwrap();
    assert_eq!(world.spent(failures, 100, at(1)).await, 2, "a refund of what was never spent gives nothing");
    assert_eq!(world.check_and_spend(&[spend(failures, limit, 9)], at(1)).await, GuardDecision::Allowed);
}

#[tokio::test]
async fn r25_a_repeat_that_comes_to_nothing_does_not_give_back_what_the_first_call_spent() {
    let world = World::new().await;
    let pins = Bucket::PersonPins(person());
    let order = [spend(pins, limit(3, 100), 1)];
    let _ = world.check_and_spend(&order, at(0)).await;
    let repeated = at(0) + MICROSECOND;
    assert_eq!(world.check_and_spend(&order, repeated).await, GuardDecision::Allowed);
    world.guard.refund(&order, repeated).await.unwrap();
    assert_eq!(world.spent(pins, 100, repeated).await, 1);
    world.guard.refund(&order, at(0)).await.unwrap();
    assert_eq!(world.spent(pins, 100, repeated).await, 0);
}

#[tokio::test]
async fn r18_a_peek_spends_nothing() {
    let mut world = World::new().await;
    let peek = [spend(Bucket::FailedVerifications(person()), limit(1, 100), 1)];
    for _ in 0..3 {
        assert_eq!(world.guard.peek(&peek, at(0)).await, Ok(GuardDecision::Allowed));
    }
    assert_eq!(world.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_limit_lowered_in_the_configuration_holds_until_enough_have_left() {
    let world = World::new().await;
    let pins = Bucket::PersonPins(person());
    for number in 0..5 {
        let _ = world.check_and_spend(&[spend(pins, limit(5, 100), number)], at(i64::try_from(number).unwrap())).await;
    }
    // Of the five at 0, 1, 2, 3 and 4 seconds all but one must leave.
    assert_eq!(
        world.check_and_spend(&[spend(pins, limit(2, 100), 9)], at(10)).await,
        GuardDecision::Limited { reason: Reason::PersonLimit, until: at(103) }
    );
}

#[tokio::test]
async fn a_limit_of_zero_admits_nothing() {
    let world = World::new().await;
    let limited = GuardDecision::Limited { reason: Reason::PersonLimit, until: at(107) };
    assert_eq!(world.check_and_spend(&[spend(Bucket::PersonPins(person()), limit(0, 100), 1)], at(7)).await, limited);
}

#[tokio::test]
async fn keys_expire_when_the_window_is_empty() {
    let mut world = World::new().await;
    let pins = Bucket::PersonPins(person());
    let limit = limit(3, 100);
    let _ = world.check_and_spend(&[spend(pins, limit, 1)], at(50)).await;
    let key = world.only_key().await;
    let left = world.expires_in(&key).await;
    assert!((90_000..=100_000).contains(&left), "{left}");
    // An instance whose clock is 30 seconds behind does not shorten the life of what is there.
    let _ = world.check_and_spend(&[spend(pins, limit, 2)], at(20)).await;
    let left = world.expires_in(&key).await;
    assert!((120_000..=130_000).contains(&left), "{left}");
}

#[tokio::test]
async fn what_has_left_the_window_is_not_kept() {
    let mut world = World::new().await;
    let pins = Bucket::PersonPins(person());
    for number in 0..20 {
        let now = at(i64::try_from(number).unwrap() * 100);
        assert_eq!(world.check_and_spend(&[spend(pins, limit(1, 100), number)], now).await, GuardDecision::Allowed);
    }
    let key = world.only_key().await;
    let kept: Vec<String> = redis::cmd("ZRANGE").arg(key).arg(0).arg(-1).query_async(&mut world.redis).await.unwrap();
    assert_eq!(kept, [id(19).to_string()]);
}

/// As operators see it, and reset it (R9).
#[tokio::test]
async fn r9_a_window_tells_what_is_spent_and_starts_afresh() {
    let mut world = World::new().await;
    let (tries, other) = (Bucket::WrongTries(person()), Bucket::WrongTries(person()));
    let limit = limit(2, 100);
    let told = async |world: &World, seconds| world.guard.spent(tries, limit, at(seconds)).await.unwrap();
    assert_eq!(told(&world, 0).await, LimitUsage::default());
    for (number, seconds) in [(1, 0), (2, 10)] {
        let _ = world.check_and_spend(&[spend(tries, limit, number), spend(other, limit, number)], at(seconds)).await;
    }
    assert_eq!(told(&world, 20).await, LimitUsage { times: 2, full_until: Some(at(100)) });
    assert_eq!(told(&world, 100).await, LimitUsage { times: 1, full_until: None });

    world.guard.reset(tries).await.unwrap();

    assert_eq!(told(&world, 20).await, LimitUsage::default());
    assert_eq!(world.spent(other, 100, at(20)).await, 2, "somebody else's stays");
    assert_eq!(world.keys().await.len(), 1);
}
