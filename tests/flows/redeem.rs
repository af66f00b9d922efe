//! Redemption: once, within three tries, and at most ten wrong tries a day (R2, R3, R4).

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

/// Tries the PIN once. Returns the outcome and the tries that are left.
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

    // With the space that the PIN has in the SMS, and with the person's other identifier.
    let typed = format!("{} {}", &pin[..4], &pin[4..]);
    let by_uuid = person.references().pop().unwrap();
    assert_eq!(world.redeem(by_uuid, &typed).await.unwrap().outcome(), Redeemed);

    assert_eq!(redeem(&world, &person, &pin).await, (NoOpenPin, 0));
    assert_eq!(world.check("phone", person.reference()).await.unwrap().open_pin_request, None);
    assert_eq!(world.redeem(nobody(), &pin).await.unwrap().outcome(), NoOpenPin);
}

#[tokio::test]
async fn r2_a_pin_is_valid_for_ten_minutes() {
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

    assert_eq!(redeem(&world, &person, &pin).await, (Revoked, 0), "the right PIN does not help any more");
    assert_eq!(world.check("phone", person.reference()).await.unwrap().open_pin_request, None);
    let fresh = world.pin(&person).await;
    assert_eq!(redeem(&world, &person, &fresh).await, (Redeemed, 0));
}

#[tokio::test]
async fn r3_the_pin_of_another_person_is_wrong() {
    let world = World::open().await;
    let (person, other) = (world.somebody().await, world.somebody().await);
    let (_, others_pin) = (world.pin(&person).await, world.pin(&other).await);
    assert_eq!(redeem(&world, &person, &others_pin).await, (WrongPin, 2));
    assert_eq!(redeem(&world, &other, &others_pin).await, (Redeemed, 0));
}

#[tokio::test]
async fn r3_a_repeated_request_does_not_count_as_a_try() {
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
async fn a_used_request_id_with_another_pin_is_refused() {
    let world = World::open().await;
    let (person, request_id) = (world.somebody().await, uuid());
    let pin = world.pin(&person).await;
    assert_eq!(redeem_again(&world, &person, &wrong(&pin), request_id).await, (WrongPin, 2));

    let refusal = world.redeem_again(person.reference(), &pin, request_id).await.unwrap_err();

    refusal.assert(Code::InvalidArgument, Reason::RequestIdReused);
    assert_eq!(refusal.fields(), ["request_id"]);
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 1), "the refused request was not a try");
}

#[tokio::test]
async fn r2_of_many_concurrent_redemptions_one_succeeds() {
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
async fn r3_of_many_concurrent_guesses_three_are_compared() {
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

/// Three PINs in a day with three tries each make nine wrong tries. The tenth is on the next day's PIN, while the tries of
/// the first day still count. Redis counts them, and so does Postgres if Redis has lost its data.
#[rstest]
#[case::redis_has_counted(false)]
#[case::redis_has_lost_its_data(true)]
#[tokio::test]
async fn r4_a_person_has_ten_wrong_tries_in_a_day_over_all_pins(#[case] wiped: bool) {
    let world = World::open().await;
    let person = world.somebody().await;
    let start = world.now().await;
    let mut last = None;
    for _ in 0..3 {
        let pin = world.pin(&person).await;
        world.advance(TimeDelta::minutes(9)).await;
        for _ in 0..3 {
            let (request_id, typed) = (uuid(), wrong(&pin));
            last = Some((redeem_again(&world, &person, &typed, request_id).await, request_id, typed));
        }
    }
    world.advance_to(start + TimeDelta::hours(24) + TimeDelta::minutes(1)).await;
    let pin = world.pin(&person).await;
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 2), "the tenth");
    if wiped {
        world.wipe_redis().await;
    }

    // The eleventh try is refused even though the PIN is right, and the PIN is revoked.
    assert_eq!(redeem(&world, &person, &pin).await, (BudgetExhausted, 0));
    assert_eq!(world.check("phone", person.reference()).await.unwrap().open_pin_request, None);
    assert_eq!(redeem(&world, &person, &pin).await, (BudgetExhausted, 0));
    let (first_answer, request_id, typed) = last.unwrap();
    assert_eq!(first_answer, (Revoked, 0));
    assert_eq!(redeem_again(&world, &person, &typed, request_id).await, first_answer, "a repeat gets the first answer");

    // There are tries left again when those of the first PIN do not count any more.
    world.advance_to(start + TimeDelta::hours(24) + TimeDelta::minutes(11)).await;
    let pin = world.pin(&person).await;
    assert_eq!(redeem(&world, &person, &pin).await, (Redeemed, 0));
}
