//! Redemption: once, within three tries, and ten wrong ones a day (R2, R3, R4).

use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome::{
    self, BudgetExhausted, NoOpenPin, Redeemed, Revoked, WrongPin,
};
use test_support::acts::wrong;
use test_support::calls::uuid;
use test_support::person::{Person, nobody};
use test_support::world::World;
use tonic::Code;
use uuid::Uuid;

/// One try: the outcome and the tries that are left.
async fn redeem(world: &World, person: &Person, pin: &str) -> (Outcome, i32) {
    redeem_again(world, person, pin, uuid()).await
}

async fn redeem_again(world: &World, person: &Person, pin: &str, request_id: Uuid) -> (Outcome, i32) {
    let answer = world.redeem_again(person.reference(), pin, request_id).await.unwrap();
    (answer.outcome(), answer.attempts_left)
}

#[tokio::test]
async fn r2_a_pin_is_redeemed_once() {
    let world = World::open().await;
    let person = world.somebody().await;
    assert_eq!(redeem(&world, &person, "12345678").await, (NoOpenPin, 0));
    let pin = world.pin(&person).await;

    // As it stands in the SMS, by the other name.
    let typed = format!("{} {}", &pin[..4], &pin[4..]);
    let by_uuid = person.references().pop().unwrap();
    assert_eq!(world.redeem(by_uuid, &typed).await.unwrap().outcome(), Redeemed);

    assert_eq!(redeem(&world, &person, &pin).await, (NoOpenPin, 0));
    assert_eq!(world.check("phone", person.reference()).await.unwrap().open_pin_request, None);
    assert_eq!(world.redeem(nobody(), &pin).await.unwrap().outcome(), NoOpenPin);
}

#[tokio::test]
async fn r2_a_pin_lives_ten_minutes() {
    let world = World::open().await;
    let person = world.somebody().await;
    let pin = world.pin(&person).await;
    world.advance(TimeDelta::minutes(9)).await;
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 2));

    world.advance(TimeDelta::minutes(1)).await;

    assert_eq!(redeem(&world, &person, &pin).await, (NoOpenPin, 0));
}

#[tokio::test]
async fn r3_the_third_wrong_try_revokes_the_pin() {
    let world = World::open().await;
    let person = world.somebody().await;
    let pin = world.pin(&person).await;

    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 2));
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 1));
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (Revoked, 0));

    assert_eq!(redeem(&world, &person, &pin).await, (Revoked, 0), "also the right one comes too late");
    assert_eq!(world.check("phone", person.reference()).await.unwrap().open_pin_request, None);
    let fresh = world.pin(&person).await;
    assert_eq!(redeem(&world, &person, &fresh).await, (Redeemed, 0));
}

#[tokio::test]
async fn r3_somebody_elses_pin_is_a_wrong_one() {
    let world = World::open().await;
    let (person, other) = (world.somebody().await, world.somebody().await);
    let (_, others_pin) = (world.pin(&person).await, world.pin(&other).await);
    assert_eq!(redeem(&world, &person, &others_pin).await, (WrongPin, 2));
    assert_eq!(redeem(&world, &other, &others_pin).await, (Redeemed, 0));
}

#[tokio::test]
async fn r3_a_repeat_counts_no_try() {
    let world = World::open().await;
    let person = world.somebody().await;
    let pin = world.pin(&person).await;
    let (slip, right) = (uuid(), uuid());
    for wiped in [false, false, true] {
        if wiped {
            world.wipe_redis().await;
        }
        assert_eq!(redeem_again(&world, &person, &wrong(&pin), slip).await, (WrongPin, 2));
    }
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 1));
    for _ in 0..3 {
        assert_eq!(redeem_again(&world, &person, &pin, right).await, (Redeemed, 0));
    }
    assert_eq!(redeem_again(&world, &person, &wrong(&pin), slip).await, (WrongPin, 2));
}

#[tokio::test]
async fn another_pin_under_a_used_request_id_is_refused() {
    let world = World::open().await;
    let (person, request_id) = (world.somebody().await, uuid());
    let pin = world.pin(&person).await;
    assert_eq!(redeem_again(&world, &person, &wrong(&pin), request_id).await, (WrongPin, 2));

    let refusal = world.redeem_again(person.reference(), &pin, request_id).await.unwrap_err();

    refusal.assert(Code::InvalidArgument, Reason::RequestIdReused);
    assert_eq!(refusal.fields(), ["request_id"]);
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 1), "it cost nothing");
}

#[tokio::test]
async fn r2_of_many_redeemers_at_once_one_redeems() {
    let world = World::open().await;
    for _ in 0..4 {
        let person = world.somebody().await;
        let pin = world.pin(&person).await;

        let outcomes = join_all((0..32).map(|_| redeem(&world, &person, &pin))).await;

        let redeemed = outcomes.iter().filter(|(outcome, _)| *outcome == Redeemed).count();
        assert_eq!(redeemed, 1, "{outcomes:?}");
    }
}

#[tokio::test]
async fn r3_of_many_guesses_at_once_three_are_compared() {
    let world = World::open().await;
    let person = world.somebody().await;
    let pin = world.pin(&person).await;
    let guess = wrong(&pin);

    let outcomes = join_all((0..32).map(|_| redeem(&world, &person, &guess))).await;

    let mut left: Vec<i32> = outcomes.iter().filter(|it| it.0 == WrongPin).map(|it| it.1).collect();
    left.sort_unstable();
    assert!(left.len() <= 2 && left.iter().all(|left| [1, 2].contains(left)), "{outcomes:?}");
    assert!(outcomes.iter().all(|(outcome, _)| *outcome != Redeemed));
    assert_ne!(redeem(&world, &person, &pin).await.0, Redeemed);
}

/// Three PINs in a day and three tries each leave nine wrong tries. The tenth is the first of a PIN of the next day,
/// made while the first day's tries still count. Whether Redis knows of them or Postgres alone.
#[rstest]
#[case::redis_knows(false)]
#[case::redis_lost_them(true)]
#[tokio::test]
async fn r4_ten_wrong_tries_in_a_day_over_all_pins(#[case] wiped: bool) {
    let world = World::open().await;
    let person = world.somebody().await;
    let start = world.now().await;
    let mut last = None;
    for _ in 0..3 {
        let pin = world.pin(&person).await;
        world.advance(TimeDelta::minutes(9)).await;
        for _ in 0..3 {
            let (slip, typed) = (uuid(), wrong(&pin));
            last = Some((redeem_again(&world, &person, &typed, slip).await, slip, typed));
        }
    }
    world.advance_to(start + TimeDelta::hours(24) + TimeDelta::minutes(1)).await;
    let pin = world.pin(&person).await;
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 2), "the tenth");
    if wiped {
        world.wipe_redis().await;
    }

    // The eleventh comes too late, even if it is right; and the PIN is revoked.
    assert_eq!(redeem(&world, &person, &pin).await, (BudgetExhausted, 0));
    assert_eq!(world.check("phone", person.reference()).await.unwrap().open_pin_request, None);
    assert_eq!(redeem(&world, &person, &pin).await, (BudgetExhausted, 0));
    let (answered, slip, typed) = last.unwrap();
    assert_eq!(answered, (Revoked, 0));
    assert_eq!(redeem_again(&world, &person, &typed, slip).await, answered, "a repeat is answered as the first time");

    // There is room again when the first PIN's tries no longer count.
    world.advance_to(start + TimeDelta::hours(24) + TimeDelta::minutes(11)).await;
    let pin = world.pin(&person).await;
    assert_eq!(redeem(&world, &person, &pin).await, (Redeemed, 0));
}
