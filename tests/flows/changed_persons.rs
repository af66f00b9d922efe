//! The register changes in the middle of a story: the mobile number, a block, a death, and a person who is unknown for a moment.

use chrono::TimeDelta;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::Reason;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome::{
    NoOpenPin, Redeemed, Revoked, WrongPin,
};
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use test_support::acts::{pin_in, wrong};
use test_support::calls::uuid;
use test_support::person::Person;
use test_support::world::World;
use tonic::Code;

const NEW_NUMBER: &str = "+4526999999";

/// Changes the person. Returns the person as they are now.
async fn change(world: &World, person: &Person, changes: serde_json::Value) -> Person {
    Person(world.sandbox.post(&format!("/people/{}", person.id()), changes).await)
}

#[tokio::test]
async fn r10_a_number_that_changes_after_the_verification_gets_no_pin() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;

    let moved = change(&world, &person, json!({ "mobile_number": NEW_NUMBER })).await;

    assert_eq!(moved.mobile_number(), NEW_NUMBER);
    world.issue("phone", &verification).await.unwrap_err().assert_precondition(Reason::MobileNumberChangedRecently);
    world.call_support(&person).await.unwrap_err().assert_precondition(Reason::MobileNumberChangedRecently);
    assert!(world.texts(&person).await.is_empty() && world.texts(&moved).await.is_empty());

    // Long enough ago: the old verification has expired, and a new one sends to the new number.
    world.advance(TimeDelta::hours(121)).await;
    world.issue("phone", &verification).await.unwrap_err().assert_precondition(Reason::VerificationExpired);
    let pin = world.order_pin(&moved).await;
    assert!(world.texts(&person).await.is_empty(), "nothing goes to the old number");
    assert_eq!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Redeemed);
}

/// At the counter a changed number does not wait, but the verification was made for the old one.
#[tokio::test]
async fn r21_a_verification_serves_the_number_that_was_registered_then() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    change(&world, &person, json!({ "mobile_number": NEW_NUMBER, "mobile_change_age_seconds": 500_000 })).await;
    world.issue("phone", &verification).await.unwrap_err().assert_precondition(Reason::VerificationExpired);
}

#[tokio::test]
async fn r12_a_person_who_dies_midway_gets_and_redeems_nothing() {
    let world = World::start().await;
    let (before_order, before_redemption) = (world.new_person().await, world.new_person().await);
    let verification = world.identify(&before_order).await;
    let pin = world.order_pin(&before_redemption).await;

    for person in [&before_order, &before_redemption] {
        change(&world, person, json!({ "cpr_status": "90" })).await;
    }

    world.issue("phone", &verification).await.unwrap_err().assert_precondition(Reason::PersonDead);
    assert_eq!(world.redeem(before_redemption.reference(), &pin).await.unwrap().outcome(), Revoked);
    // A correction in the register does not bring the PIN back.
    change(&world, &before_redemption, json!({ "cpr_status": "01" })).await;
    assert_eq!(world.redeem(before_redemption.reference(), &pin).await.unwrap().outcome(), Revoked);
}

#[tokio::test]
async fn r12_a_mitid_account_that_is_blocked_midway_gets_no_pin() {
    let world = World::start().await;
    let person = world.new_person().await;
    let asked = world.begin_questions(&person).await;
    change(&world, &person, json!({ "mitid_state": "blocked" })).await;

    let verified = world.answer_right("phone", &person, &asked, 3).await;

    assert_eq!(verified.state(), State::Verified, "the answers were right");
    world.issue("phone", &verified.verification_id).await.unwrap_err().assert_precondition(Reason::MitidNotActive);
    change(&world, &person, json!({ "mitid_state": "active" })).await;
    world.issue("phone", &verified.verification_id).await.unwrap();
}

/// A status that is not known any more does not take the PIN from a person who has got it.
#[tokio::test]
async fn r12_a_pin_is_redeemed_though_the_status_has_become_unclear() {
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;
    change(&world, &person, json!({ "cpr_status": "99" })).await;
    assert_eq!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), Redeemed);
}

#[tokio::test]
async fn r12_a_person_who_is_unknown_for_a_moment_loses_neither_pin_nor_tries() {
    let world = World::start().await;
    let person = world.new_person().await;
    let pin = world.order_pin(&person).await;
    let by_uuid = || person.references().pop().unwrap();
    let request_id = uuid();
    assert_eq!(world.redeem(by_uuid(), &wrong(&pin)).await.unwrap().outcome(), WrongPin);

    change(&world, &person, json!({ "known": false })).await;

    for typed in [&pin, &wrong(&pin), &pin, &pin] {
        let refusal = world.redeem_with_request_id(by_uuid(), typed, request_id).await.unwrap_err();
        refusal.assert(Code::Unavailable, Reason::Unavailable);
    }
    // By CPR number the service cannot even tell whose PIN it would be.
    assert_eq!(world.redeem(person.reference(), &pin).await.unwrap().outcome(), NoOpenPin);

    change(&world, &person, json!({ "known": true })).await;
    let wrong_again = world.redeem(by_uuid(), &wrong(&pin)).await.unwrap();
    assert_eq!((wrong_again.outcome(), wrong_again.attempts_left), (WrongPin, 1), "only the two wrong tries counted");
    assert_eq!(world.redeem_with_request_id(by_uuid(), &pin, request_id).await.unwrap().outcome(), Redeemed);

    // A repeat gets its answer even now.
    change(&world, &person, json!({ "known": false })).await;
    assert_eq!(world.redeem_with_request_id(by_uuid(), &pin, request_id).await.unwrap().outcome(), Redeemed);
    assert_eq!(pin_in(&world.sandbox.text(&format!("/phones/{}/messages", person.mobile_number())).await), pin);
}
