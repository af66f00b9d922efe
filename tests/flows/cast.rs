//! Every person of the made-up register gets the answers that the register expects (R10–R16, R19, R20).

use chrono::{DateTime, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::access_hold;
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{CheckEligibilityResponse, VerifyIdentityResponse};
use test_support::acts::QUESTIONS;
use test_support::calls::{Answer, time};
use test_support::person::Person;
use test_support::world::World;
use tonic::Code;

const CHANNELS: [&str; 3] = ["web", "phone", "counter"];

async fn list_people(world: &World) -> Vec<Person> {
    let people = world.sandbox.get("/people").await.as_array().unwrap().clone();
    assert!(people.len() > 80, "{}", people.len());
    people.into_iter().map(Person).collect()
}

#[tokio::test]
async fn r10_to_r14_every_person_is_as_eligible_as_expected() {
    let world = World::start().await;
    for person in list_people(&world).await {
        for own_channel in CHANNELS {
            for reference in person.references() {
                let answer = world.check_eligibility(own_channel, reference).await.unwrap();
                assert_as_expected(&person, own_channel, &answer);
            }
        }
    }
}

fn assert_as_expected(person: &Person, own_channel: &str, answer: &CheckEligibilityResponse) {
    assert_eq!(answer.channels.len(), 3);
    for entry in &answer.channels {
        let channel = entry.channel().as_str_name().trim_start_matches("CHANNEL_").to_lowercase();
        let mut expected = person.0["expected"][&channel].clone();
        if channel != own_channel {
            expected = json!({ "status": expected["status"], "reasons": [] });
        }
        let mut actual = json!({
            "status": entry.status().as_str_name(),
            "reasons": entry.reasons().map(|reason| reason.as_str_name()).collect::<Vec<_>>(),
        });
        if entry.next_attempt_time.is_some() {
            actual["next_attempt_time"] = json!(time(entry.next_attempt_time));
            expected["next_attempt_time"] =
                json!(expected["next_attempt_time"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
        }
        assert_eq!(actual, expected, "{} in {channel}, checked by {own_channel}", person.id());
    }
    assert_eq!(answer.open_pin_request, None);
    let hold = answer.access_hold.map(|hold| hold.state());
    assert_eq!(hold, (own_channel == "web").then_some(access_hold::State::None), "{} {own_channel}", person.id());
}

const SITUATIONS: [&str; 6] =
    ["web", "phone", "counter", "counter_with_supporting_document", "counter_with_witness", "as_witness"];

/// Each situation has its own world, because a failure in one situation would count in the next situation (R16, R18).
#[rstest]
#[case::web(0)]
#[case::phone(1)]
#[case::counter(2)]
#[case::counter_with_supporting_document(3)]
#[case::counter_with_witness(4)]
#[case::as_witness(5)]
#[tokio::test]
async fn r11_to_r20_every_person_is_verified_as_expected(#[case] situation: usize) {
    let (world, situation) = (World::start().await, SITUATIONS[situation]);
    let mut witnesses = Vec::new();
    for id in ["witness", "witness-2", "witness-just-18", "witness-mitid-31-days"] {
        witnesses.push(world.person(id).await);
    }
    let mut played = 0;
    for person in list_people(&world).await {
        let expected = person.0["expected_verification"].as_object().unwrap();
        assert!(expected.keys().all(|situation| SITUATIONS.contains(&situation.as_str())), "{}", person.id());
        if let Some(expected) = expected.get(situation) {
            let answer = play(&world, &person, situation, &witnesses[played % 4]).await;
            assert_eq!(&outcome(answer), expected, "{} {situation}", person.id());
            played += 1;
        }
    }
    assert!(played > 0, "no person of the cast is for {situation}");
}

/// Plays the situation. Each person has a separate agent, so that no agent reaches a limit (R22).
async fn play(
    world: &World,
    person: &Person,
    situation: &str,
    witness_person: &Person,
) -> Answer<VerifyIdentityResponse> {
    let clerk = format!("clerk-of-{}", person.id());
    let confirmation = match situation {
        "web" => return world.try_log_in(person, json!({})).await,
        "phone" => {
            let evidence = world.phone_evidence(person.reference(), person.document(), &clerk).await;
            return world.verify("phone", evidence).await;
        }
        "counter" | "counter_with_supporting_document" => QUESTIONS,
        "counter_with_witness" => world.vouches(witness_person).await,
        "as_witness" => return vouch(world, person, &clerk).await,
        _ => panic!("unknown situation {situation}"),
    };
    let mut visit = world.counter_evidence(person, confirmation).await;
    visit.agent_token = world.agent_token(&clerk).await;
    visit.mrz_lines = person.mrz_lines();
    visit.supporting_document = match situation {
        "counter_with_supporting_document" => Some(person.supporting_document()),
        "counter_with_witness" => person.0["supporting_document"].is_string().then(|| person.supporting_document()),
        _ => None,
    };
    world.visit_counter(visit).await
}

/// The person vouches for an ordinary visitor.
async fn vouch(world: &World, person: &Person, clerk: &str) -> Answer<VerifyIdentityResponse> {
    let visitor = world.new_person().await;
    // A person who has no document shows that of the visitor.
    let has_document = !person.0["documents"].as_array().unwrap().is_empty();
    let document = if has_document { person.document() } else { visitor.document() };
    let confirmation = Confirmation::Witness(world.witness_with(person, document, json!({})).await);
    let mut visit = world.counter_evidence(&visitor, confirmation).await;
    visit.agent_token = world.agent_token(clerk).await;
    world.verify("counter", Evidence::CounterIdentification(visit)).await
}

/// The answer, in the form in which the register writes its expectations.
fn outcome(answer: Answer<VerifyIdentityResponse>) -> Value {
    match answer {
        Ok(answer) => json!({
            "state": answer.state().as_str_name(),
            "reasons": answer.reasons().map(|reason| reason.as_str_name()).collect::<Vec<_>>(),
        }),
        Err(refusal) => {
            let code = match refusal.code {
                Code::FailedPrecondition => "FAILED_PRECONDITION",
                Code::InvalidArgument => "INVALID_ARGUMENT",
                _ => panic!("{refusal:?}"),
            };
            json!({ "code": code, "reasons": [refusal.reason.as_str_name()] })
        }
    }
}
