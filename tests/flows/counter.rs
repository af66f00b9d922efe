//! The counter channel: documents in the clerk's hand and their machine readable zones (R19).

use temporary_pin::proto::temporarypin::v1::document::CprNumberShown;
use temporary_pin::proto::temporarypin::v1::person_reference::Reference;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{
    AssuranceLevel, Channel, CounterIdentification, Document, PersonReference, Reason, VerifyIdentityResponse, document,
};
use test_support::acts::{QUESTIONS, pin_in, reasons};
use test_support::calls::Answer;
use test_support::person::{Person, unknown_document};
use test_support::world::World;
use tonic::Code;

/// The person visits the counter, with questions. `change` changes the evidence.
async fn visit(
    world: &World,
    person: &Person,
    change: impl FnOnce(&mut CounterIdentification),
) -> Answer<VerifyIdentityResponse> {
    let mut visit = world.counter_evidence(person, QUESTIONS).await;
    change(&mut visit);
    world.visit_counter(visit).await
}

#[tokio::test]
async fn r19_a_passport_and_right_answers_verify() {
    let world = World::start().await;
    let person = world.new_person().await;

    let response = visit(&world, &person, |visit| visit.mrz_lines = person.mrz_lines()).await.unwrap();

    assert_eq!((response.state(), response.questions.len()), (State::QuestionsPending, 3));
    let verified = world.answer_right("counter", &person, &response, 2).await;
    assert_eq!(verified.state(), State::Verified);
    let issued = world.issue("counter", &verified.verification_id).await.unwrap();
    assert_eq!(issued.channel(), Channel::Counter);
    pin_in(&world.texts(&person).await[0]);
}

#[tokio::test]
async fn r19_a_passport_and_a_witness_verify() {
    let world = World::start().await;
    let person = world.new_person().await;
    let mut visit = world.counter_evidence(&person, world.vouches(&world.person("witness").await).await).await;
    visit.mrz_lines = person.mrz_lines();

    let verified = world.visit_counter(visit).await.unwrap();

    assert_eq!((verified.state(), verified.assurance_level()), (State::Verified, AssuranceLevel::Substantial));
    world.issue("counter", &verified.verification_id).await.unwrap();
    pin_in(&world.texts(&person).await[0]);
}

#[tokio::test]
async fn r19_a_scanned_zone_agrees_with_its_document() {
    let world = World::start().await;
    for id in [
        "bjarne",
        "expires-today",
        "greenlandic-passport",
        "residence-permit",
        "foreign-ministry-card",
        "extended-passport",
    ] {
        let person = world.person(id).await;
        let response = visit(&world, &person, |visit| visit.mrz_lines = person.mrz_lines()).await.unwrap();
        assert_eq!(response.state(), State::QuestionsPending, "{id}");
    }
}

#[tokio::test]
async fn r19_a_misread_zone_is_malformed() {
    let world = World::start().await;
    let person = world.new_person().await;
    let correct_lines = person.mrz_lines();
    let misread_digit = |index: usize| {
        let mut lines = correct_lines.clone();
        let digit = lines[1].as_bytes()[index];
        let misread = if digit == b'9' { "8" } else { "9" };
        lines[1].replace_range(index..=index, misread);
        lines
    };
    let short_line = vec![correct_lines[0].clone(), correct_lines[1][..43].to_owned()];
    // The check digits of the number, of the birth date and of all fields; a digit of the number; a line that is too short; one
    // line instead of two.
    for lines in [
        misread_digit(9),
        misread_digit(19),
        misread_digit(43),
        misread_digit(3),
        short_line,
        correct_lines[..1].to_vec(),
    ] {
        let refusal = visit(&world, &person, |visit| visit.mrz_lines = lines.clone()).await.unwrap_err();
        refusal.assert(Code::InvalidArgument, Reason::InvalidField);
        assert_eq!(refusal.fields(), ["counter_identification.mrz_lines"], "{lines:?}");
    }
    // A misread zone is not a failed verification: the clerk scans again.
    let response = visit(&world, &person, |visit| visit.mrz_lines = correct_lines).await.unwrap();
    assert_eq!(response.state(), State::QuestionsPending);
}

#[tokio::test]
async fn r19_the_zone_of_another_document_is_refused() {
    let world = World::start().await;
    let (person, other) = (world.new_person().await, world.new_person().await);
    let licence = Document {
        kind: document::Kind::DrivingLicence.into(),
        issuer: "DNK".into(),
        number: person.0["documents"][1]["number"].as_str().unwrap().into(),
        ..Document::default()
    };

    let of_another_person = visit(&world, &person, |visit| visit.mrz_lines = other.mrz_lines()).await.unwrap();
    let on_a_licence = visit(&world, &person, |visit| {
        visit.mrz_lines = person.mrz_lines();
        visit.document = Some(licence);
    })
    .await
    .unwrap();

    for rejected in [of_another_person, on_a_licence] {
        assert_eq!(reasons(&rejected), [Reason::IdentityNotConfirmed]);
    }
}

#[tokio::test]
async fn r19_a_foreign_document_needs_a_supporting_document() {
    let world = World::start().await;
    // A person may vouch three times (R20).
    let witnesses = [world.person("witness").await, world.person("witness-2").await];
    for (turn, (id, assurance)) in [
        ("swedish-passport", AssuranceLevel::Substantial),
        ("german-identity-card", AssuranceLevel::Substantial),
        ("french-card", AssuranceLevel::Substantial),
        ("belgian-card", AssuranceLevel::Substantial),
        ("municipal-identity-card", AssuranceLevel::Substantial),
        ("permit-without-cpr-number", AssuranceLevel::Substantial),
    ]
    .into_iter()
    .enumerate()
    {
        let person = world.person(id).await;
        let alone = visit(&world, &person, |visit| visit.mrz_lines = person.mrz_lines()).await.unwrap();
        assert_eq!(reasons(&alone), [Reason::DocumentNotAccepted], "{id}");

        let mut visit = world.counter_evidence(&person, world.vouches(&witnesses[turn % 2]).await).await;
        visit.mrz_lines = person.mrz_lines();
        visit.supporting_document = Some(person.supporting_document());
        let verified = world.visit_counter(visit).await.unwrap();

        assert_eq!((verified.state(), verified.assurance_level()), (State::Verified, assurance), "{id}");
        world.issue("counter", &verified.verification_id).await.unwrap();
        pin_in(&world.texts(&person).await[0]);
    }
}

#[tokio::test]
async fn r19_the_answer_does_not_reveal_whose_document_it_is() {
    let world = World::start().await;
    let (person, other) = (world.new_person().await, world.new_person().await);
    for document in [other.document(), unknown_document()] {
        let rejected = visit(&world, &person, |visit| visit.document = Some(document)).await.unwrap();
        assert_eq!(reasons(&rejected), [Reason::IdentityNotConfirmed]);
    }
}

#[tokio::test]
async fn r19_a_faroese_passport_with_cpr_number_suffices() {
    let world = World::start().await;
    let person = world.person("faroese-passport").await;
    let asked = visit(&world, &person, |visit| visit.mrz_lines = person.mrz_lines()).await.unwrap();
    assert_eq!(asked.state(), State::QuestionsPending);
}

#[tokio::test]
async fn r19_an_expired_foreign_passport_is_refused_with_a_witness_and_a_health_card() {
    let world = World::start().await;
    let person = world.person("expired-swedish-passport").await;
    // Without a zone, the clerk states the expiry. With one, the zone tells it.
    for mrz_lines in [Vec::new(), person.mrz_lines()] {
        let mut visit = world.counter_evidence(&person, world.vouches(&world.person("witness").await).await).await;
        visit.mrz_lines = mrz_lines;
        visit.supporting_document = Some(person.supporting_document());
        let rejected = world.visit_counter(visit).await.unwrap();
        assert_eq!(reasons(&rejected), [Reason::DocumentNotAccepted]);
    }
}

#[tokio::test]
async fn r19_the_expiry_is_required_where_nothing_else_tells_it() {
    let world = World::start().await;
    let person = world.person("swedish-passport").await;
    let evidence = |visit: &mut CounterIdentification| {
        visit.document.as_mut().unwrap().expiry_date.clear();
        visit.supporting_document = Some(person.supporting_document());
    };
    // Four times: a malformed request is no failed verification (R18).
    for _ in 0..4 {
        let refusal = visit(&world, &person, evidence).await.unwrap_err();
        refusal.assert(Code::InvalidArgument, Reason::InvalidField);
        assert_eq!(refusal.fields(), ["counter_identification.document.expiry_date"]);
    }
    // The same for a person whom the register does not know.
    let unknown = visit(&world, &person, |visit| {
        evidence(visit);
        let reference = Reference::CprNumber("3112588999".into());
        visit.person = Some(PersonReference { reference: Some(reference) });
    });
    assert_eq!(unknown.await.unwrap_err().fields(), ["counter_identification.document.expiry_date"]);

    let asked = visit(&world, &person, |visit| {
        evidence(visit);
        visit.mrz_lines = person.mrz_lines();
    });
    assert_eq!(asked.await.unwrap().state(), State::QuestionsPending);
}

#[tokio::test]
async fn r19_a_passport_without_cpr_number_needs_a_further_document() {
    let world = World::start().await;
    let person = world.person("passport-without-cpr-number").await;
    let shown = |shown: CprNumberShown| {
        move |visit: &mut CounterIdentification| {
            visit.document.as_mut().unwrap().cpr_number_shown = shown.into();
        }
    };
    let alone = visit(&world, &person, shown(CprNumberShown::No)).await.unwrap();
    assert_eq!(reasons(&alone), [Reason::DocumentNotAccepted]);
    // A client of 0.1.0 does not state it.
    let unstated = visit(&world, &person, shown(CprNumberShown::Unspecified)).await.unwrap();
    assert_eq!(unstated.state(), State::QuestionsPending);
    let person = world.new_person().await;
    let supported = visit(&world, &person, |visit| {
        shown(CprNumberShown::No)(visit);
        visit.supporting_document = Some(person.supporting_document());
    });
    assert_eq!(supported.await.unwrap().state(), State::QuestionsPending);
}

#[tokio::test]
async fn r19_a_passport_whose_zone_shows_another_persons_cpr_number_is_refused() {
    let world = World::start().await;
    let person = world.person("passport-with-another-cpr-number").await;
    let rejected = visit(&world, &person, |visit| visit.mrz_lines = person.mrz_lines()).await.unwrap();
    assert_eq!(reasons(&rejected), [Reason::IdentityNotConfirmed]);
    // The zone of a person whose number was replaced since shows the old one.
    let renumbered = world.person("renumbered").await;
    let asked = visit(&world, &renumbered, |visit| visit.mrz_lines = renumbered.mrz_lines()).await.unwrap();
    assert_eq!(asked.state(), State::QuestionsPending);
}
