//! Redemption: once, within three tries, and at most ten wrong tries a day (R2, R3, R4).

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::guard::Bucket;
use temporary_pin::proto::temporarypin::v1::pin_request::State;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome::{
    self, BudgetExhausted, NoOpenPin, Redeemed, Revoked, WrongPin,
};
use temporary_pin::proto::temporarypin::v1::{PersonLimit, Reason, channel_eligibility};
use test_support::acts::wrong;
use test_support::calls::{time, uuid};
use test_support::person::{Person, unknown_person};
use test_support::world::World;
use tonic::Code;
use uuid::Uuid;

/// Makes one try. Returns the outcome and the tries that are left.
async fn redeem(world: &World, person: &Person, pin: &str) -> (Outcome, i32) {
    redeem_with_request_id(world, person, pin, uuid()).await
}

async fn redeem_with_request_id(world: &World, person: &Person, pin: &str, request_id: Uuid) -> (Outcome, i32) {
    let answer = world.redeem_with_request_id(person.reference(), pin, request_id).await.unwrap();
    (answer.outcome(), answer.attempts_left)
}

#[tokio::test]
async fn r2_a_pin_is_redeemed_once() {
    let world = World::start().await;
    let person = world.new_person().await;
    assert_eq!(redeem(&world, &person, "12345678").await, (NoOpenPin, 0));
    let pin = world.order_pin(&person).await;

    // With the space that the PIN has in the SMS, and with the person's other identifier.
    let typed_pin = format!("{} {}", &pin[..4], &pin[4..]);
    let by_uuid = person.references().pop().unwrap();
    assert_eq!(world.redeem(by_uuid, &typed_pin).await.unwrap().outcome(), Redeemed);

    assert_eq!(redeem(&world, &person, &pin).await, (NoOpenPin, 0));
    assert_eq!(world.check_eligibility("phone", person.reference()).await.unwrap().open_pin_request, None);
    assert_eq!(world.redeem(unknown_person(), &pin).await.unwrap().outcome(), NoOpenPin);
}

#[tokio::test]
async fn r2_a_pin_is_valid_for_ten_minutes() {
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;
    world.advance(TimeDelta::minutes(9)).await;
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 2));

    world.advance(TimeDelta::minutes(1)).await;

    assert_eq!(redeem(&world, &person, &pin).await, (NoOpenPin, 0));
}

#[tokio::test]
async fn r3_the_third_wrong_try_revokes_the_pin() {
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;

    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 2));
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 1));
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (Revoked, 0));

    assert_eq!(redeem(&world, &person, &pin).await, (Revoked, 0), "the right PIN does not help any more");
    assert_eq!(world.check_eligibility("phone", person.reference()).await.unwrap().open_pin_request, None);
    let fresh = world.order_pin(&person).await;
    assert_eq!(redeem(&world, &person, &fresh).await, (Redeemed, 0));
}

#[tokio::test]
async fn r3_the_pin_of_another_person_is_wrong() {
    let world = World::start().await;
    let (person, other) = (world.new_person().await, world.new_person().await);
    let (_, others_pin) = (world.order_pin(&person).await, world.order_pin(&other).await);
    assert_eq!(redeem(&world, &person, &others_pin).await, (WrongPin, 2));
    assert_eq!(redeem(&world, &other, &others_pin).await, (Redeemed, 0));
}

#[tokio::test]
async fn r3_a_repeated_request_does_not_count_as_a_try() {
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;
    let (wrong_request_id, right_request_id) = (uuid(), uuid());
    for redis_is_wiped in [false, false, true] {
        if redis_is_wiped {
            world.wipe_redis().await;
        }
        assert_eq!(redeem_with_request_id(&world, &person, &wrong(&pin), wrong_request_id).await, (WrongPin, 2));
    }
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 1));
    for _ in 0..3 {
        assert_eq!(redeem_with_request_id(&world, &person, &pin, right_request_id).await, (Redeemed, 0));
    }
    assert_eq!(redeem_with_request_id(&world, &person, &wrong(&pin), wrong_request_id).await, (WrongPin, 2));
}

#[tokio::test]
async fn a_used_request_id_with_another_pin_is_refused() {
    let world = World::start().await;
    let (person, request_id) = (world.new_person().await, uuid());
    let pin = world.order_pin(&person).await;
    assert_eq!(redeem_with_request_id(&world, &person, &wrong(&pin), request_id).await, (WrongPin, 2));

    let refusal = world.redeem_with_request_id(person.reference(), &pin, request_id).await.unwrap_err();

    refusal.assert(Code::InvalidArgument, Reason::RequestIdReused);
    assert_eq!(refusal.fields(), ["request_id"]);
    assert_eq!(redeem(&world, &person, &wrong(&pin)).await, (WrongPin, 1), "the refused request was not a try");
}

/// A right PIN spends no limit, however often it is sent.
#[tokio::test]
async fn r2_r4_of_many_concurrent_redemptions_one_succeeds_and_none_meets_a_limit() {
    let world = World::start().await;
    for _ in 0..4 {
        let person = world.new_person().await;
        let pin = world.order_pin(&person).await;

        let outcomes = join_all((0..32).map(|_| redeem(&world, &person, &pin))).await;

        let count = |wanted| outcomes.iter().filter(|(outcome, _)| *outcome == wanted).count();
        assert_eq!((count(Redeemed), count(NoOpenPin)), (1, 31), "{outcomes:?}");
        assert_eq!(world.list_limits(person.reference()).await.unwrap().limits[0].spent, 0);
    }
}

#[tokio::test]
async fn r3_of_many_concurrent_guesses_only_three_are_compared() {
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;
    let guess = wrong(&pin);

    let outcomes = join_all((0..32).map(|_| redeem(&world, &person, &guess))).await;

    let mut left: Vec<i32> =
        outcomes.iter().filter(|(outcome, _)| *outcome == WrongPin).map(|(_, left)| *left).collect();
    left.sort_unstable();
    assert!(left.len() <= 2 && left.iter().all(|left| [1, 2].contains(left)), "{outcomes:?}");
    assert!(outcomes.iter().all(|(outcome, _)| *outcome != Redeemed));
    assert_ne!(redeem(&world, &person, &pin).await.0, Redeemed);
}

/// Ten wrong tries over four PINs: three PINs with three tries each, and a fourth PIN after an operator's reset. Both if Redis has
/// counted the tries and if only Postgres has.
#[rstest]
#[case::redis_has_counted(false)]
#[case::redis_has_lost_its_data(true)]
#[tokio::test]
async fn r4_a_person_has_ten_wrong_tries_in_a_day_over_all_pins(#[case] redis_is_wiped: bool) {
    let world = World::start().await;
    let person = world.new_person().await;
    let start = world.now().await;
    let mut last = None;
    for _ in 0..3 {
        let pin = world.order_pin(&person).await;
        world.advance(TimeDelta::minutes(9)).await;
        for expected in [(WrongPin, 2), (WrongPin, 1), (Revoked, 0)] {
            let (request_id, typed_pin) = (uuid(), wrong(&pin));
            assert_eq!(redeem_with_request_id(&world, &person, &typed_pin, request_id).await, expected);
            last = Some((request_id, typed_pin));
        }
    }
    world.reset_limit(&person, PersonLimit::PersonPins).await;
    let pin = world.order_pin(&person).await;
    let verification = world.identify(&person).await;
    if redis_is_wiped {
        world.wipe_redis().await;
    }

    // The tenth try is the person's last, although this PIN was tried only once. It ends the PIN, and the answer has a time.
    let tenth = world.redeem(person.reference(), &wrong(&pin)).await.unwrap();
    assert_eq!((tenth.outcome(), tenth.attempts_left), (BudgetExhausted, 0));
    let until = time(tenth.next_attempt_time);
    let first_try = until - TimeDelta::hours(24);
    assert!(start + TimeDelta::minutes(9) <= first_try && first_try <= start + TimeDelta::minutes(10), "{until}");

    // Even the right PIN is refused, with the same time. A repeat of an earlier try gets its first answer.
    let eleventh = world.redeem(person.reference(), &pin).await.unwrap();
    assert_eq!((eleventh.outcome(), time(eleventh.next_attempt_time)), (BudgetExhausted, until));
    let (request_id, typed_pin) = last.unwrap();
    assert_eq!(redeem_with_request_id(&world, &person, &typed_pin, request_id).await, (Revoked, 0));

    // A PIN that cannot be redeemed is not sent, and does not count for the limits of PINs (R25).
    let check = world.check_eligibility("phone", person.reference()).await.unwrap();
    assert_eq!(check.open_pin_request, None);
    assert_eq!(check.channels[1].status(), channel_eligibility::Status::NotYet);
    assert_eq!(check.channels[1].reasons().collect::<Vec<_>>(), [Reason::WrongTryLimit]);
    assert_eq!(time(check.channels[1].next_attempt_time), until);
    let texts = world.texts(&person).await.len();
    let refusal = world.issue("phone", &verification).await.unwrap_err();
    assert_eq!(refusal.assert_limit(Reason::WrongTryLimit), until);
    assert_eq!(world.texts(&person).await.len(), texts);
    let limits = world.list_limits(person.reference()).await.unwrap().limits;
    assert_eq!((limits[0].spent, time(limits[0].next_attempt_time)), (10, until));
    assert_eq!(limits[3].spent, 1, "only the fourth PIN counts");

    // The limit ends exactly a day after the first try, and not before.
    world.advance(until - world.now().await - TimeDelta::seconds(30)).await;
    let verification = world.identify(&person).await;
    world.issue("phone", &verification).await.unwrap_err().assert_limit(Reason::WrongTryLimit);
    assert_eq!(redeem(&world, &person, &pin).await, (BudgetExhausted, 0));
    world.advance_to(until).await;
    let pin = world.order_pin(&person).await;
    assert_eq!(redeem(&world, &person, &pin).await, (Redeemed, 0));
}

/// Only decided tries count for the limit. While tries run in another instance, the answer is "busy".
#[tokio::test]
async fn r4_spends_of_another_instance_are_busy_and_not_a_limit() {
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;
    let bucket = Bucket::WrongTries(world.person_key(&person));
    let limit = Limit { times: 10, per: Duration::from_secs(24 * 3600) };
    world.spend(bucket, limit, 10).await;
    let request_id = uuid();

    let refusal = world.redeem_with_request_id(person.reference(), &pin, request_id).await.unwrap_err();

    refusal.assert_busy();
    assert_eq!(
        world.check_eligibility("phone", person.reference()).await.unwrap().open_pin_request.map(|pin| pin.state()),
        Some(State::Open)
    );
    // A process that has stopped refunds nothing. Its spends are forgotten after a minute.
    world.advance(TimeDelta::seconds(61)).await;
    world.redeem_with_request_id(person.reference(), &pin, request_id).await.unwrap_err().assert_busy();
    assert_eq!(
        redeem_with_request_id(&world, &person, &pin, request_id).await,
        (Redeemed, 0),
        "the answer BUSY is not stored under the request id"
    );
}
