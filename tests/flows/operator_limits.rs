//! Operators list what is spent of a person's limits, and reset limits (R4, R9, R18, R25).

use chrono::TimeDelta;
use rstest::rstest;
use temporary_pin::proto::temporarypin::v1::audit_event::Action;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::{Channel, PersonLimit, Reason};
use test_support::acts::wrong;
use test_support::calls::time;
use test_support::person::{Person, unknown_person};
use test_support::world::World;

/// What is spent of each limit, and the limit itself.
async fn list_usage(world: &World, person: &Person) -> Vec<(i32, i32)> {
    let limits = world.list_limits(person.reference()).await.unwrap().limits;
    let all = [
        (PersonLimit::WrongTries, Channel::Unspecified),
        (PersonLimit::FailedVerifications, Channel::Phone),
        (PersonLimit::FailedVerifications, Channel::Counter),
        (PersonLimit::PersonPins, Channel::Unspecified),
        (PersonLimit::MobilePins, Channel::Unspecified),
    ];
    assert_eq!(limits.iter().map(|limit| (limit.limit(), limit.channel())).collect::<Vec<_>>(), all);
    limits.iter().map(|limit| (limit.spent, limit.of)).collect()
}

#[rstest]
#[case::redis_has_counted(false)]
#[case::redis_has_lost_its_data(true)]
#[tokio::test]
async fn r4_r18_r25_the_usage_of_each_limit_is_listed(#[case] redis_is_wiped: bool) {
    let world = World::start().await;
    let person = world.new_person().await;
    assert_eq!(list_usage(&world, &person).await, [(0, 10), (0, 3), (0, 3), (0, 3), (0, 5)]);
    let pin = world.order_pin(&person).await;
    for _ in 0..2 {
        world.redeem(person.reference(), &wrong(&pin)).await.unwrap();
    }
    world.fail_verification(&person).await;
    if redis_is_wiped {
        world.wipe_redis().await;
    }
    assert_eq!(list_usage(&world, &person).await, [(2, 10), (1, 3), (0, 3), (1, 3), (1, 5)]);
}

#[tokio::test]
async fn r18_a_reached_limit_has_a_next_attempt_time() {
    let world = World::start().await;
    let person = world.new_person().await;
    let before = world.now().await;
    for _ in 0..3 {
        world.fail_verification(&person).await;
    }
    let limits = world.list_limits(person.reference()).await.unwrap().limits;
    let until = time(limits[1].next_attempt_time);
    assert!(before + TimeDelta::hours(24) <= until && until <= world.now().await + TimeDelta::hours(24));
    assert!(limits[0].next_attempt_time.is_none() && limits[2].next_attempt_time.is_none());
}

/// A reset must work in Redis and in Postgres, which also counts in case Redis has lost its data.
#[rstest]
#[case::redis_keeps_its_data(false)]
#[case::redis_loses_its_data_afterwards(true)]
#[tokio::test]
async fn r18_failed_verifications_can_be_reset(#[case] redis_is_wiped: bool) {
    let world = World::start().await;
    let person = world.new_person().await;
    for _ in 0..3 {
        world.fail_verification(&person).await;
    }
    world.call_support(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);

    let status = world.reset_limit(&person, PersonLimit::FailedVerifications).await;

    assert_eq!((status.limit(), status.spent, status.next_attempt_time), (PersonLimit::FailedVerifications, 0, None));
    if redis_is_wiped {
        world.wipe_redis().await;
    }
    for _ in 0..3 {
        world.fail_verification(&person).await;
    }
    world.call_support(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);
    assert_eq!(world.actions(&person).await.iter().filter(|action| **action == Action::LimitReset).count(), 1);
}

#[rstest]
#[case::redis_keeps_its_data(false)]
#[case::redis_loses_its_data_afterwards(true)]
#[tokio::test]
async fn r25_pins_of_the_person_and_of_the_number_can_be_reset(#[case] redis_is_wiped: bool) {
    let world = World::start().await;
    let person = world.new_person().await;
    for _ in 0..3 {
        world.order_pin(&person).await;
        world.advance(TimeDelta::minutes(11)).await;
    }
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap_err().assert_limit(Reason::PersonLimit);

    world.reset_limit(&person, PersonLimit::PersonPins).await;
    if redis_is_wiped {
        world.wipe_redis().await;
    }

    let check = world.check_eligibility("phone", person.reference()).await.unwrap();
    assert_eq!(check.channels[1].reasons().count(), 0, "{check:?}");
    assert_eq!(list_usage(&world, &person).await[3..], [(0, 3), (3, 5)]);
    for _ in 0..2 {
        world.order_pin(&person).await;
        world.advance(TimeDelta::minutes(11)).await;
    }
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap_err().assert_limit(Reason::MobileLimit);
    let status = world.reset_limit(&person, PersonLimit::MobilePins).await;
    assert_eq!((status.spent, status.of), (0, 5));
    if redis_is_wiped {
        world.wipe_redis().await;
    }
    world.issue("phone", &verification).await.unwrap();
}

#[rstest]
#[case::redis_keeps_its_data(false)]
#[case::redis_loses_its_data_afterwards(true)]
#[tokio::test]
async fn r4_wrong_tries_can_be_reset(#[case] redis_is_wiped: bool) {
    let world = World::start().await;
    let person = world.new_person().await;
    for _ in 0..3 {
        let pin = world.order_pin(&person).await;
        for _ in 0..3 {
            world.redeem(person.reference(), &wrong(&pin)).await.unwrap();
        }
    }
    world.reset_limit(&person, PersonLimit::PersonPins).await;
    let pin = world.order_pin(&person).await;
    let redeem = async |pin: &str| world.redeem(person.reference(), pin).await.unwrap();
    assert_eq!(redeem(&wrong(&pin)).await.outcome(), Outcome::BudgetExhausted);

    world.reset_limit(&person, PersonLimit::WrongTries).await;
    if redis_is_wiped {
        world.wipe_redis().await;
    }

    assert_eq!(redeem(&pin).await.outcome(), Outcome::Revoked, "a revoked PIN stays revoked");
    world.reset_limit(&person, PersonLimit::PersonPins).await;
    let pin = world.order_pin(&person).await;
    assert_eq!(redeem(&wrong(&pin)).await.attempts_left, 2);
    world.reset_limit(&person, PersonLimit::WrongTries).await;
    assert_eq!(redeem(&wrong(&pin)).await.attempts_left, 1, "the tries of the PIN (R3) are not reset");
    assert_eq!(redeem(&pin).await.outcome(), Outcome::Redeemed);
}

#[tokio::test]
async fn r25_without_a_mobile_number_there_is_no_limit_of_pins_to_it() {
    let world = World::start().await;
    let refusal = world.try_reset_limit(unknown_person(), PersonLimit::MobilePins).await.unwrap_err();
    refusal.assert_precondition(Reason::NoMobileNumber);
    world.try_reset_limit(unknown_person(), PersonLimit::FailedVerifications).await.unwrap();
}
