//! Witnesses at the counter (R20), and level High (R28).

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::audit_event::Action;
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::document::CprNumberShown;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{AssuranceLevel, Document, Reason, VerifyIdentityResponse, Witness};
use test_support::acts::{CLERK, reasons};
use test_support::person::{Person, unknown_document};
use test_support::sandbox::Sandbox;
use test_support::world::World;
use tonic::Code;

/// The witness in `confirmation` vouches for the person in front of the clerk.
async fn vouch(world: &World, confirmation: Confirmation, person: &Person, clerk: &str) -> VerifyIdentityResponse {
    let mut visit = world.counter_evidence(person, confirmation).await;
    visit.agent_token = world.agent_token(clerk).await;
    world.visit_counter(visit).await.unwrap()
}

/// The witness logs in and shows this document.
async fn with_document(world: &World, witness: &Person, document: Document) -> Confirmation {
    Confirmation::Witness(world.witness_with(witness, document, json!({})).await)
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
        ("witness-without-number", Some(Reason::WitnessNotAccepted)),
        ("dead", Some(Reason::WitnessNotAccepted)),
        ("mitid-blocked", Some(Reason::WitnessNotAccepted)),
    ] {
        let (person, witness_person) = (world.new_person().await, world.person(id).await);
        let answer = vouch(&world, world.vouches(&witness_person).await, &person, CLERK).await;
        assert_eq!(reasons(&answer).first().copied(), refused, "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn r20_a_witness_shows_a_document_of_their_own() {
    let world = World::start().await;
    let (person, witness_person) = (world.new_person().await, world.person("witness").await);
    for document in [unknown_document(), person.document(), world.new_person().await.document()] {
        let rejected = vouch(&world, with_document(&world, &witness_person, document).await, &person, CLERK).await;
        assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    }
}

#[tokio::test]
async fn r20_persons_may_not_vouch_for_themselves() {
    let world = World::start().await;
    let person = world.new_person().await;
    // Neither by CPR number nor by MitID UUID.
    for reference in person.references() {
        let witness = world.witness_with(&person, person.document(), json!({})).await;
        let themselves = Confirmation::Witness(Witness { person: Some(reference), ..witness });
        let rejected = vouch(&world, themselves, &person, CLERK).await;
        assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    }
}

#[tokio::test]
async fn r20_a_witness_proves_themselves_by_a_login_of_their_own() {
    let world = World::start().await;
    let (person, witness_person) = (world.new_person().await, world.person("witness").await);
    for options in [
        json!({ "auth_age_seconds": 1000 }),
        json!({ "assurance": "Low" }),
        json!({ "expired": true }),
        json!({ "audience": "somebody-else" }),
    ] {
        let witness = world.witness_with(&witness_person, witness_person.document(), options.clone()).await;
        let rejected = vouch(&world, Confirmation::Witness(witness), &person, CLERK).await;
        assert_eq!(reasons(&rejected), [Reason::WitnessLoginNotAccepted], "{options}");
    }
    let other_nonce = Witness {
        nonce: "another-nonce".into(),
        ..world.witness_with(&witness_person, witness_person.document(), json!({})).await
    };
    let rejected = vouch(&world, Confirmation::Witness(other_nonce), &person, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessLoginNotAccepted]);
    // None of these is a guess.
    let limits = world.list_limits(person.reference()).await.unwrap().limits;
    assert!(limits.iter().all(|limit| limit.spent == 0), "{limits:?}");

    // The login of another person is one.
    let stranger = world.new_person().await;
    let of_a_stranger = Witness {
        person: Some(witness_person.reference()),
        document: Some(witness_person.document()),
        ..world.witness_with(&stranger, stranger.document(), json!({})).await
    };
    let rejected = vouch(&world, Confirmation::Witness(of_a_stranger), &person, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    assert_eq!(world.list_limits(person.reference()).await.unwrap().limits[2].spent, 1);
}

/// What the login is answered must not tell whether the document is the person's.
#[tokio::test]
async fn r19_r20_the_witness_login_is_judged_before_the_document() {
    let world = World::start().await;
    let (person, witness_person) = (world.new_person().await, world.person("witness").await);
    for document in [person.document(), unknown_document()] {
        let witness =
            world.witness_with(&witness_person, witness_person.document(), json!({ "assurance": "Low" })).await;
        let mut visit = world.counter_evidence(&person, Confirmation::Witness(witness)).await;
        visit.document = Some(document);
        assert_eq!(reasons(&world.visit_counter(visit).await.unwrap()), [Reason::WitnessLoginNotAccepted]);
    }
}

#[tokio::test]
async fn r20_r23_a_login_serves_one_visit() {
    let world = World::start().await;
    let witness_person = world.person("witness").await;
    let confirmation = world.vouches(&witness_person).await;
    let verified = vouch(&world, confirmation.clone(), &world.new_person().await, CLERK).await;
    assert_eq!(verified.state(), State::Verified);
    let rejected = vouch(&world, confirmation.clone(), &world.new_person().await, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessLoginNotAccepted]);
    // Nor can it request access on the web.
    let Confirmation::Witness(Witness { login_token, nonce, .. }) = confirmation else { panic!("a witness") };
    let rejected = world.log_in_with(login_token, nonce).await.unwrap();
    assert_eq!(reasons(&rejected), [Reason::LoginNotAccepted]);
}

/// As clients of version 0.1.0 send a witness. A setting can allow it.
#[tokio::test]
async fn r20_a_witness_without_a_login_is_refused_by_field() {
    let world = World::start().await;
    let (person, witness_person) = (world.new_person().await, world.person("witness").await);
    let witness = Witness {
        person: Some(witness_person.reference()),
        document: Some(witness_person.document()),
        ..Witness::default()
    };
    let visit = world.counter_evidence(&person, Confirmation::Witness(witness)).await;
    let refusal = world.visit_counter(visit).await.unwrap_err();
    refusal.assert(Code::InvalidArgument, Reason::InvalidField);
    let fields = ["counter_identification.witness.login_token", "counter_identification.witness.nonce"];
    assert_eq!(refusal.fields(), fields);
}

/// Clients of version 0.1.0 keep working where the setting allows it. All other rules hold.
#[tokio::test]
async fn r20_a_setting_allows_witnesses_without_a_login() {
    let world = World::with_sandbox(Sandbox::start(&["--people", "8", "--witness-login-optional"])).await;
    let without_login = |witness: &Person| {
        Confirmation::Witness(Witness {
            person: Some(witness.reference()),
            document: Some(witness.document()),
            ..Witness::default()
        })
    };
    let witness_person = world.person("witness").await;
    let verified = vouch(&world, without_login(&witness_person), &world.new_person().await, CLERK).await;
    assert_eq!(verified.state(), State::Verified);
    assert_eq!(world.texts(&witness_person).await.len(), 1);
    let young = without_login(&world.person("witness-17").await);
    let rejected = vouch(&world, young, &world.new_person().await, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
}

#[tokio::test]
async fn r20_a_blocked_person_may_not_vouch() {
    let world = World::start().await;
    let witness_person = world.new_person().await;
    world.block_person(witness_person.reference()).await.unwrap();
    let rejected = vouch(&world, world.vouches(&witness_person).await, &world.new_person().await, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
}

#[tokio::test]
async fn r20_the_witness_is_told_by_sms_and_has_it_on_record() {
    let world = World::start().await;
    let (person, witness_person) = (world.new_person().await, world.person("witness").await);
    let verified = vouch(&world, world.vouches(&witness_person).await, &person, CLERK).await;
    assert_eq!(verified.state(), State::Verified);
    let texts = world.texts(&witness_person).await;
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains("vidne for en anden person i Borgerservice"), "{texts:?}");
    assert!(world.texts(&person).await.is_empty());
    assert_eq!(world.actions(&witness_person).await[1..], [Action::Witnessed]);
    assert_eq!(world.actions(&person).await[1..], [Action::IdentityVerified]);

    // A witness who is refused has vouched for nobody.
    world.block_person(witness_person.reference()).await.unwrap();
    vouch(&world, world.vouches(&witness_person).await, &world.new_person().await, CLERK).await;
    assert_eq!(world.texts(&witness_person).await.len(), 1);
}

#[tokio::test]
async fn r20_two_persons_do_not_vouch_for_each_other() {
    let world = World::start().await;
    let (one, other) = (world.new_person().await, world.new_person().await);
    let verified = vouch(&world, world.vouches(&one).await, &other, CLERK).await;
    assert_eq!(verified.state(), State::Verified);
    let rejected = vouch(&world, world.vouches(&other).await, &one, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    world.advance(TimeDelta::days(120)).await;
    let verified = vouch(&world, world.vouches(&other).await, &one, CLERK).await;
    assert_eq!(verified.state(), State::Verified);
}

#[tokio::test]
async fn r20_a_clerk_may_not_vouch_for_their_own_visitor() {
    let world = World::start().await;
    let clara = world.person("clara-clerk").await;
    for (clerk, refused) in [("clara-clerk", Some(Reason::WitnessNotAccepted)), ("klaus-clerk", None)] {
        let person = world.new_person().await;
        let answer = vouch(&world, world.vouches(&clara).await, &person, clerk).await;
        assert_eq!(reasons(&answer).first().copied(), refused, "{clerk}: {answer:?}");
        assert!(!world.actions(&person).await.contains(&Action::ClerkNotCompared));
    }
}

/// Few workforce tokens name the clerk's own MitID account.
#[tokio::test]
async fn r20_a_clerk_whose_mitid_is_not_known_is_on_record() {
    let world = World::start().await;
    let (person, witness_person) = (world.new_person().await, world.person("witness").await);
    let verified = vouch(&world, world.vouches(&witness_person).await, &person, "support-1").await;
    assert_eq!(verified.state(), State::Verified);
    assert_eq!(world.actions(&person).await[1..], [Action::ClerkNotCompared, Action::IdentityVerified]);
}

#[tokio::test]
async fn r20_a_witness_may_vouch_three_times_in_120_days() {
    let world = World::start().await;
    let witness_person = world.person("witness").await;
    let first_use = world.now().await;
    for _ in 0..3 {
        let verified = vouch(&world, world.vouches(&witness_person).await, &world.new_person().await, CLERK).await;
        assert_eq!(verified.state(), State::Verified);
    }
    for _ in 0..2 {
        let rejected = vouch(&world, world.vouches(&witness_person).await, &world.new_person().await, CLERK).await;
        assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    }
    world.advance_to(first_use + TimeDelta::days(120) - TimeDelta::hours(1)).await;
    let rejected = vouch(&world, world.vouches(&witness_person).await, &world.new_person().await, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);

    world.advance(TimeDelta::hours(2)).await;

    let verified = vouch(&world, world.vouches(&witness_person).await, &world.new_person().await, CLERK).await;
    assert_eq!(verified.state(), State::Verified);
}

#[tokio::test]
async fn r20_a_professional_witness_vouches_as_often_as_needed() {
    let world = World::start().await;
    let witness_person = world.person("professional-witness").await;
    for _ in 0..4 {
        let witness = world.professional_witness(&witness_person, "professional-witness").await;
        let verified = vouch(&world, Confirmation::Witness(witness), &world.new_person().await, CLERK).await;
        assert_eq!(verified.state(), State::Verified);
    }
    // The same person without the role has vouched often enough.
    let rejected = vouch(&world, world.vouches(&witness_person).await, &world.new_person().await, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);

    let other_nonce = Witness {
        nonce: "another-nonce".into(),
        ..world.professional_witness(&witness_person, "professional-witness").await
    };
    let rejected = vouch(&world, Confirmation::Witness(other_nonce), &world.new_person().await, CLERK).await;
    assert_eq!(reasons(&rejected), [Reason::WitnessLoginNotAccepted]);

    let another = world.new_person().await;
    for (witness, agent, clerk, refused) in [
        // A workforce token that names no person.
        (&another, "professional-2", CLERK, None),
        // One that names another person.
        (&another, "professional-witness", CLERK, Some(Reason::WitnessNotAccepted)),
        // The clerk.
        (&another, "professional-3", "professional-3", Some(Reason::WitnessNotAccepted)),
        // An agent without the role.
        (&another, "support-1", CLERK, Some(Reason::WitnessLoginNotAccepted)),
    ] {
        let evidence = world.professional_witness(witness, agent).await;
        let answer = vouch(&world, Confirmation::Witness(evidence), &world.new_person().await, clerk).await;
        assert_eq!(reasons(&answer).first().copied(), refused, "{agent} before {clerk}: {answer:?}");
    }
}

#[tokio::test]
async fn r20_concurrent_witness_runs_never_exceed_three_uses() {
    let world = World::start().await;
    let witness_person = world.person("witness").await;
    let mut visitors = Vec::new();
    for _ in 0..8 {
        visitors.push(world.new_person().await);
    }

    let answers = join_all(visitors.iter().map(async |person| {
        let confirmation = world.vouches(&witness_person).await;
        vouch(&world, confirmation, person, CLERK).await
    }))
    .await;

    let (verified, rejected): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.state() == State::Verified);
    assert_eq!(verified.len(), 3);
    for rejected in rejected {
        assert_eq!(reasons(&rejected), [Reason::WitnessNotAccepted]);
    }
}

/// Sixteen visits in turn meet no limit, so sixteen at once meet none.
#[tokio::test]
async fn r18_sixteen_visits_of_one_person_at_once_are_all_verified() {
    let world = World::start().await;
    let person = world.new_person().await;
    let mut witnesses = Vec::new();
    for _ in 0..16 {
        witnesses.push(world.new_person().await);
    }
    let answers = join_all(witnesses.iter().map(async |witness| {
        let confirmation = world.vouches(witness).await;
        vouch(&world, confirmation, &person, CLERK).await
    }))
    .await;
    assert!(answers.iter().all(|answer| answer.state() == State::Verified), "{answers:?}");
}

/// A passport with CPR number, an office that offers it, and a clerk who is logged in at High.
#[tokio::test]
async fn r28_high_needs_passport_office_and_clerk() {
    let world = World::start().await;
    let at_high = json!({ "agent": CLERK, "assurance": "High" });
    for (shown, office, clerk, level) in [
        (CprNumberShown::Yes, "OFFICE-HIGH", at_high.clone(), AssuranceLevel::High),
        (CprNumberShown::No, "OFFICE-HIGH", at_high.clone(), AssuranceLevel::Substantial),
        (CprNumberShown::Unspecified, "OFFICE-HIGH", at_high.clone(), AssuranceLevel::Substantial),
        (CprNumberShown::Yes, "NOWHERE-9", at_high, AssuranceLevel::Substantial),
        (CprNumberShown::Yes, "OFFICE-HIGH", json!({ "agent": CLERK }), AssuranceLevel::Substantial),
    ] {
        let (person, witness_person) = (world.new_person().await, world.new_person().await);
        let mut visit = world.counter_evidence(&person, world.vouches(&witness_person).await).await;
        visit.document.as_mut().unwrap().cpr_number_shown = shown.into();
        // A passport without CPR number needs it (R19).
        visit.supporting_document = Some(person.supporting_document());
        visit.office_id = office.into();
        let login = world.sandbox.post("/agent-login", clerk).await;
        visit.agent_token = login["agent_token"].as_str().unwrap().to_owned();
        let verified = world.visit_counter(visit).await.unwrap();
        assert_eq!((verified.state(), verified.assurance_level()), (State::Verified, level), "{office}");
    }
}
