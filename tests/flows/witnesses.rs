//! Witnesses at the counter (R20).

use chrono::TimeDelta;
use futures_util::future::join_all;
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{Document, Reason, VerifyIdentityResponse, Witness};
use test_support::acts::{CLERK, reasons, witness};
use test_support::person::{Person, unknown_document};
use test_support::world::World;

/// The witness in `confirmation` vouches for the person in front of the clerk.
async fn vouch(world: &World, confirmation: Confirmation, person: &Person, clerk: &str) -> VerifyIdentityResponse {
    let mut visit = world.counter_evidence(person, confirmation).await;
    visit.agent_token = world.agent_token(clerk).await;
    world.visit_counter(visit).await.unwrap()
}

fn with_document(person: &Person, document: Document) -> Confirmation {
    Confirmation::Witness(Witness { person: Some(person.reference()), document: Some(document) })
}

#[tokio::test]
async fn r20_only_eligible_witnesses_may_vouch() {
    let world = World::start().await;
    for (id, refused) in [
        ("witness", None),
        ("witness-just-18", None),
        ("witness-mitid-31-days", None),
        ("witness-17", Some(Reason::WitnessNotAccepted)),
        ("witness-mitid-29-days", Some(Reason::WitnessNotAccepted)),
        ("witness-lost-passport", Some(Reason::WitnessNotAccepted)),
        ("dead", Some(Reason::WitnessNotAccepted)),
        ("mitid-blocked", Some(Reason::WitnessNotAccepted)),
    ] {
        let (person, witness_person) = (world.new_person().await, world.person(id).await);
        let answer = vouch(&world, witness(&witness_person), &person, CLERK).await;
        assert_eq!(reasons(&answer).first().copied(), refused, "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn r20_a_witness_shows_a_document_of_their_own() {
    let world = World::start().await;
    let (person, witness_person) = (world.new_person().await, world.person("witness").await);
    for document in [unknown_document(), person.document(), world.new_person().await.document()] {
        let rejected = vouch(&world, with_document(&witness_person, document), &person, CLERK).await;
        assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    }
}

#[tokio::test]
async fn r20_persons_may_not_vouch_for_themselves() {
    let world = World::start().await;
    let person = world.new_person().await;
    // Neither by CPR number nor by MitID UUID.
    for reference in person.references() {
        let themselves = Confirmation::Witness(Witness { person: Some(reference), document: Some(person.document()) });
        let rejected = vouch(&world, themselves, &person, CLERK).await;
        assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    }
}

#[tokio::test]
async fn r20_a_clerk_may_not_vouch_for_their_own_visitor() {
    let world = World::start().await;
    let clara = world.person("clara-clerk").await;
    for (clerk, refused) in [
        ("clara-clerk", Some(Reason::WitnessNotAccepted)),
        // The MitID of this clerk is not known; that is on record.
        ("support-1", None),
        ("klaus-clerk", None),
    ] {
        let answer = vouch(&world, witness(&clara), &world.new_person().await, clerk).await;
        assert_eq!(reasons(&answer).first().copied(), refused, "{clerk}: {answer:?}");
    }
}

#[tokio::test]
async fn r20_a_witness_may_vouch_three_times_in_120_days() {
    let world = World::start().await;
    let witness_person = world.person("witness").await;
    let first_use = world.now().await;
    for _ in 0..3 {
        let verified = vouch(&world, witness(&witness_person), &world.new_person().await, CLERK).await;
        assert_eq!(verified.state(), State::Verified);
    }
    for _ in 0..2 {
        let rejected = vouch(&world, witness(&witness_person), &world.new_person().await, CLERK).await;
        assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    }
    world.advance_to(first_use + TimeDelta::days(120) - TimeDelta::hours(1)).await;
    let rejected = vouch(&world, witness(&witness_person), &world.new_person().await, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);

    world.advance(TimeDelta::hours(2)).await;

    let verified = vouch(&world, witness(&witness_person), &world.new_person().await, CLERK).await;
    assert_eq!(verified.state(), State::Verified);
}

#[tokio::test]
async fn r20_concurrent_witness_runs_never_exceed_three_uses() {
    let world = World::start().await;
    let witness_person = world.person("witness").await;
    let mut visitors = Vec::new();
    for _ in 0..8 {
        visitors.push(world.new_person().await);
    }

    let answers = join_all(visitors.iter().map(|person| vouch(&world, witness(&witness_person), person, CLERK))).await;

    let (verified, rejected): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.state() == State::Verified);
    assert_eq!(verified.len(), 3);
    for rejected in rejected {
        assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    }
}
