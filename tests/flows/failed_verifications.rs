//! Each person has a limit of failed verifications, over all channels (R18).

use chrono::TimeDelta;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{Reason, channel_eligibility};
use test_support::acts::{CLERK, QUESTIONS, reasons, truth, witness};
use test_support::calls::time;
use test_support::person::{no_document, nobody};
use test_support::world::World;
use tonic::Code;

const DAY: TimeDelta = TimeDelta::hours(24);

#[tokio::test]
async fn r18_after_three_failures_every_channel_refuses_for_a_day() {
    let world = World::open().await;
    let (person, witness_person) = (world.somebody().await, world.person("witness").await);
    let before_failures = world.now().await;
    // One failure in each channel.
    world.fail(&person).await;
    let mut visit = world.visit(&person, QUESTIONS).await;
    visit.document = Some(no_document());
    assert_eq!(reasons(&world.visits(visit).await.unwrap()), [Reason::IdentityNotConfirmed]);
    let after_two_failures = world.now().await;
    let too_old = world.try_log_in(&person, json!({ "auth_age_seconds": 1000 })).await.unwrap();
    assert_eq!(reasons(&too_old), [Reason::LoginTooOld]);

    // The limit also holds when Redis has lost its data, because Postgres counts, too.
    for redis_lost_its_data in [false, true] {
        if redis_lost_its_data {
            world.wipe_redis().await;
        }
        // Every channel refuses good evidence.
        let visit = world.visit(&person, witness(&witness_person)).await;
        for answer in [world.try_log_in(&person, json!({})).await, world.call(&person).await, world.visits(visit).await]
        {
            let refusal = answer.unwrap_err();
            let until = refusal.assert_limit(Reason::VerificationLimit);
            assert!(
                before_failures + DAY <= until && until <= after_two_failures + DAY,
                "{until}: a day after the first failure"
            );
            let wait = until - world.now().await;
            let delay = TimeDelta::from_std(refusal.retry_delay()).unwrap();
            assert!((wait..wait + TimeDelta::seconds(10)).contains(&delay), "{delay}");
        }
        for channel in ["web", "phone", "counter"] {
            let answer = world.check(channel, person.reference()).await.unwrap();
            // Only the entry of the caller's own channel has reasons.
            let own = answer.channels.iter().find(|entry| entry.reasons().count() > 0).unwrap();
            assert!(own.reasons().any(|reason| reason == Reason::VerificationLimit), "{channel}: {answer:?}");
            assert_eq!(own.status(), channel_eligibility::Status::NotYet);
            let until = time(own.next_attempt_time);
            assert!(before_failures + DAY <= until && until <= after_two_failures + DAY, "{until}");
        }
    }

    world.advance_to(after_two_failures + DAY).await;
    world.identify(&person).await;
}

#[tokio::test]
async fn r18_a_verification_that_succeeds_does_not_count() {
    let world = World::open().await;
    let person = world.somebody().await;
    world.fail(&person).await;
    world.fail(&person).await;
    for _ in 0..5 {
        world.identify(&person).await;
    }
    world.fail(&person).await;
    world.call(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);
}

#[tokio::test]
async fn r18_breaking_off_before_the_answers_counts_as_a_failure() {
    let world = World::open().await;
    let person = world.somebody().await;
    for _ in 0..3 {
        world.begin_questions(&person).await;
    }
    world.call(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);
}

/// If the limit did not apply to unknown persons, it would reveal who is in the register.
#[tokio::test]
async fn r16_r18_unknown_persons_have_the_same_limit() {
    let world = World::open().await;
    for _ in 0..3 {
        let rejected = world.call_with(nobody(), no_document()).await.unwrap();
        assert_eq!(reasons(&rejected), [Reason::IdentityNotConfirmed]);
    }
    let refusal = world.call_with(nobody(), no_document()).await.unwrap_err();
    refusal.assert_limit(Reason::VerificationLimit);
}

/// While the register is down, every call gets UNAVAILABLE (R26), and none counts.
#[tokio::test]
async fn r18_r26_an_outage_does_not_count_as_a_failure() {
    let world = World::open().await;
    let (person, person_with_questions) = (world.somebody().await, world.somebody().await);
    let pending = world.begin_questions(&person_with_questions).await;
    let verification = world.identify(&person).await;
    world.sandbox.post("/register", json!({ "mode": "down" })).await;

    for _ in 0..4 {
        let evidence = world.phone_evidence(person.reference(), person.document(), CLERK).await;
        world.verify("phone", evidence).await.unwrap_err().assert(Code::Unavailable, Reason::Unavailable);
        world.try_log_in(&person, json!({})).await.unwrap_err().assert(Code::Unavailable, Reason::Unavailable);
    }
    let answers = world.answers(&pending, |_, question| truth(&person_with_questions, question)).await;
    let refusal = world.verify("phone", Evidence::QuestionAnswers(answers.clone())).await.unwrap_err();
    refusal.assert(Code::Unavailable, Reason::Unavailable);
    let refusal = world.issue("phone", &verification).await.unwrap_err();
    refusal.assert(Code::Unavailable, Reason::Unavailable);
    let refusal = world.redeem(person.reference(), "00000000").await.unwrap_err();
    refusal.assert(Code::Unavailable, Reason::Unavailable);
    let refusal = world.check("phone", person.reference()).await.unwrap_err();
    refusal.assert(Code::Unavailable, Reason::Unavailable);

    world.sandbox.post("/register", json!({ "mode": "up" })).await;
    world.identify(&person).await;
    world.verify("phone", Evidence::QuestionAnswers(answers)).await.unwrap();
    world.issue("phone", &verification).await.unwrap();
}
