//! Failed verifications: what counts, and what they close (R18).

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{
    ChannelEligibility, CounterIdentification, Reason, VerifyIdentityResponse, channel_eligibility,
};
use test_support::acts::{CLERK, QUESTIONS, reasons, right_answer};
use test_support::calls::time;
use test_support::person::{Person, unknown_document, unknown_person};
use test_support::sandbox::Sandbox;
use test_support::world::World;
use tonic::Code;

const DAY: TimeDelta = TimeDelta::hours(24);

/// The entry of the caller's own channel.
async fn check_own(world: &World, channel: &str, person: &Person) -> ChannelEligibility {
    let answer = world.check_eligibility(channel, person.reference()).await.unwrap();
    let own = ["web", "phone", "counter"].iter().position(|name| *name == channel).unwrap();
    answer.channels[own].clone()
}

/// A visit with questions and a document that the register does not know.
async fn fail_at_counter(world: &World, person: &Person) {
    let mut visit = world.counter_evidence(person, QUESTIONS).await;
    visit.document = Some(unknown_document());
    assert_eq!(reasons(&world.visit_counter(visit).await.unwrap()), [Reason::IdentityNotConfirmed]);
}

#[tokio::test]
async fn r18_three_failures_close_the_phone_for_a_day_and_nothing_else() {
    let world = World::start().await;
    let person = world.new_person().await;
    let before = world.now().await;
    for _ in 0..3 {
        world.fail_verification(&person).await;
    }
    let after = world.now().await;

    // The limit also holds when Redis has lost its data, because Postgres counts, too.
    for redis_lost_its_data in [false, true] {
        if redis_lost_its_data {
            world.wipe_redis().await;
        }
        let refusal = world.call_support(&person).await.unwrap_err();
        let until = refusal.assert_limit(Reason::VerificationLimit);
        assert!(before + DAY <= until && until <= after + DAY, "{until}: a day after the first failure");
        let wait = until - world.now().await;
        let delay = TimeDelta::from_std(refusal.retry_delay()).unwrap();
        assert!((wait..wait + TimeDelta::seconds(10)).contains(&delay), "{delay}");

        let by_phone = check_own(&world, "phone", &person).await;
        assert_eq!(by_phone.reasons().collect::<Vec<_>>(), [Reason::VerificationLimit]);
        assert_eq!(by_phone.status(), channel_eligibility::Status::NotYet);
        assert_eq!(time(by_phone.next_attempt_time), until);

        let at_counter = check_own(&world, "counter", &person).await;
        assert_eq!(at_counter.status(), channel_eligibility::Status::Eligible);
        assert_eq!(at_counter.question_reasons().count(), 0);
        assert_eq!(check_own(&world, "web", &person).await.status(), channel_eligibility::Status::NotYet);
        world.log_in(&person).await;
        let asked = world.visit_counter(world.counter_evidence(&person, QUESTIONS).await).await.unwrap();
        assert_eq!(world.answer_right("counter", &person, &asked, 3).await.state(), State::Verified);
    }

    world.advance_to(after + DAY).await;
    world.identify(&person).await;
}

#[tokio::test]
async fn r18_three_failures_at_the_counter_close_its_questions_and_a_witness_helps() {
    let world = World::start().await;
    let (person, witness_person) = (world.new_person().await, world.person("witness").await);
    for _ in 0..3 {
        fail_at_counter(&world, &person).await;
    }

    for redis_lost_its_data in [false, true] {
        if redis_lost_its_data {
            world.wipe_redis().await;
        }
        let visit = world.counter_evidence(&person, QUESTIONS).await;
        let until = world.visit_counter(visit).await.unwrap_err().assert_limit(Reason::VerificationLimit);

        let at_counter = check_own(&world, "counter", &person).await;
        assert_eq!(at_counter.status(), channel_eligibility::Status::Eligible);
        assert_eq!(at_counter.question_reasons().collect::<Vec<_>>(), [Reason::VerificationLimit]);
        assert_eq!(time(at_counter.next_question_time), until);

        let visit = world.counter_evidence(&person, world.vouches(&witness_person).await).await;
        assert_eq!(world.visit_counter(visit).await.unwrap().state(), State::Verified);
        world.identify(&person).await;
    }
}

#[tokio::test]
async fn r18_logins_that_do_not_serve_close_nothing() {
    let world = World::start().await;
    let person = world.new_person().await;
    for (options, reason) in [
        (json!({ "auth_age_seconds": 1000 }), Reason::LoginTooOld),
        (json!({ "assurance": "Low" }), Reason::AssuranceTooLow),
        (json!({ "expired": true }), Reason::LoginNotAccepted),
        (json!({ "audience": "another-service" }), Reason::LoginNotAccepted),
    ] {
        for _ in 0..4 {
            assert_eq!(reasons(&world.try_log_in(&person, options.clone()).await.unwrap()), [reason], "{options}");
        }
    }
    world.log_in(&person).await;
    world.identify(&person).await;
    let limits = world.list_limits(person.reference()).await.unwrap().limits;
    assert!(limits.iter().all(|limit| limit.spent == 0), "{limits:?}");
}

/// What an attacker can do who knows a person's CPR number and the number of a valid document, and perhaps three facts.
#[derive(Clone, Copy, Debug)]
enum Act {
    HangUpAfterTheQuestions,
    AnswerWrong,
    AnswerOneRightAndHangUp,
    GiveAnotherDocument,
    PassByPhone,
    LeaveTheCounterAfterTheQuestions,
    AnswerWrongAtTheCounter,
    ShowAnotherDocument,
    BringARefusedWitness,
    ScanAnotherDocument,
    LogInAsThemselves,
}

impl Act {
    const ALL: [Self; 11] = [
        Self::HangUpAfterTheQuestions,
        Self::AnswerWrong,
        Self::AnswerOneRightAndHangUp,
        Self::GiveAnotherDocument,
        Self::PassByPhone,
        Self::LeaveTheCounterAfterTheQuestions,
        Self::AnswerWrongAtTheCounter,
        Self::ShowAnotherDocument,
        Self::BringARefusedWitness,
        Self::ScanAnotherDocument,
        Self::LogInAsThemselves,
    ];

    /// Acts once. What the service answers does not matter here. Each act has an agent of its own, so that no limit of an agent
    /// ends the attack (R22).
    async fn act(self, world: &World, person: &Person, attacker: &Person, agent: &str) {
        let by_phone = async |document| {
            let evidence = world.phone_evidence(person.reference(), document, agent).await;
            world.verify("phone", evidence).await.ok()
        };
        let at_counter = async |change: &dyn Fn(&mut CounterIdentification), confirmation| {
            let mut visit = world.counter_evidence(person, confirmation).await;
            visit.agent_token = world.agent_token(agent).await;
            change(&mut visit);
            world.visit_counter(visit).await.ok()
        };
        let answer = async |caller, asked: Option<VerifyIdentityResponse>, right: usize| {
            if let Some(asked) = asked.filter(|asked| asked.state() == State::QuestionsPending) {
                world.answer_right(caller, person, &asked, right).await;
            }
        };
        match self {
            Self::HangUpAfterTheQuestions => drop(by_phone(person.document()).await),
            Self::AnswerWrong => answer("phone", by_phone(person.document()).await, 0).await,
            Self::AnswerOneRightAndHangUp => answer("phone", by_phone(person.document()).await, 1).await,
            Self::GiveAnotherDocument => drop(by_phone(attacker.document()).await),
            Self::PassByPhone => answer("phone", by_phone(person.document()).await, 3).await,
            Self::LeaveTheCounterAfterTheQuestions => drop(at_counter(&|_| {}, QUESTIONS).await),
            Self::AnswerWrongAtTheCounter => answer("counter", at_counter(&|_| {}, QUESTIONS).await, 0).await,
            Self::ShowAnotherDocument => {
                drop(at_counter(&|visit| visit.document = Some(attacker.document()), QUESTIONS).await);
            }
            Self::BringARefusedWitness => {
                let young = world.vouches(&world.person("witness-17").await).await;
                drop(at_counter(&|_| {}, young).await);
            }
            Self::ScanAnotherDocument => {
                drop(at_counter(&|visit| visit.mrz_lines = attacker.mrz_lines(), QUESTIONS).await);
            }
            Self::LogInAsThemselves => drop(world.try_log_in(attacker, json!({ "auth_age_seconds": 1000 })).await),
        }
    }
}

/// Each act four times, each after each other one, and all of them in a row.
fn sequences() -> Vec<Vec<Act>> {
    let repeated = Act::ALL.iter().map(|act| vec![*act; 4]);
    let in_pairs = Act::ALL.iter().map(|first| Act::ALL.iter().flat_map(|second| [*first, *second]).collect());
    let all = [Act::ALL.to_vec(), Act::ALL.iter().rev().copied().collect()];
    repeated.chain(in_pairs).chain(all).collect()
}

#[tokio::test]
async fn r18_nobody_who_knows_a_person_closes_the_web_or_the_counter_with_a_witness() {
    let world = World::with_sandbox(Sandbox::start(&["--people", "80"])).await;
    let attacker = world.person("anna").await;
    let sequences = sequences();
    join_all((0..).zip(&sequences).map(async |(number, sequence)| {
        let person = world.new_person().await;
        for (step, act) in sequence.iter().enumerate() {
            act.act(&world, &person, &attacker, &format!("agent-{number}-{}", step / 10)).await;
        }
        let web = check_own(&world, "web", &person).await;
        assert_eq!(web.reasons().collect::<Vec<_>>(), [Reason::AccessNotRequested], "{sequence:?}");
        assert_eq!(check_own(&world, "counter", &person).await.status(), channel_eligibility::Status::Eligible);
        world.log_in(&person).await;
        // Each person has a separate witness, because a witness may vouch only three times.
        let visit = world.counter_evidence(&person, world.vouches(&world.new_person().await).await).await;
        let agent_token = world.agent_token(&format!("agent-of-{number}")).await;
        let verified = world.visit_counter(CounterIdentification { agent_token, ..visit }).await.unwrap();
        assert_eq!(verified.state(), State::Verified, "{sequence:?}");
        world.issue("counter", &verified.verification_id).await.unwrap();
    }))
    .await;
}

#[tokio::test]
async fn r18_a_verification_that_succeeds_does_not_count() {
    let world = World::start().await;
    let person = world.new_person().await;
    world.fail_verification(&person).await;
    world.fail_verification(&person).await;
    for _ in 0..5 {
        world.identify(&person).await;
    }
    world.fail_verification(&person).await;
    world.call_support(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);
}

#[tokio::test]
async fn r18_breaking_off_before_the_answers_counts_as_a_failure() {
    let world = World::start().await;
    let person = world.new_person().await;
    for _ in 0..3 {
        world.begin_questions(&person).await;
    }
    world.call_support(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);
}

/// If the limit did not apply to unknown persons, it would reveal who is in the register.
#[tokio::test]
async fn r16_r18_unknown_persons_have_the_same_limit() {
    let world = World::start().await;
    for _ in 0..3 {
        let rejected = world.call_support_with(unknown_person(), unknown_document()).await.unwrap();
        assert_eq!(reasons(&rejected), [Reason::IdentityNotConfirmed]);
    }
    let refusal = world.call_support_with(unknown_person(), unknown_document()).await.unwrap_err();
    refusal.assert_limit(Reason::VerificationLimit);
}

/// While the register is down, every call gets UNAVAILABLE (R26), and none counts.
#[tokio::test]
async fn r18_r26_an_outage_does_not_count_as_a_failure() {
    let world = World::start().await;
    let (person, person_with_questions) = (world.new_person().await, world.new_person().await);
    let pending = world.begin_questions(&person_with_questions).await;
    let verification = world.identify(&person).await;
    world.sandbox.post("/register", json!({ "mode": "down" })).await;

    for _ in 0..4 {
        let evidence = world.phone_evidence(person.reference(), person.document(), CLERK).await;
        world.verify("phone", evidence).await.unwrap_err().assert(Code::Unavailable, Reason::Unavailable);
        world.try_log_in(&person, json!({})).await.unwrap_err().assert(Code::Unavailable, Reason::Unavailable);
    }
    let answers = world.answers(&pending, |_, question| right_answer(&person_with_questions, question)).await;
    let refusal = world.verify("phone", Evidence::QuestionAnswers(answers.clone())).await.unwrap_err();
    refusal.assert(Code::Unavailable, Reason::Unavailable);
    let refusal = world.issue("phone", &verification).await.unwrap_err();
    refusal.assert(Code::Unavailable, Reason::Unavailable);
    let refusal = world.redeem(person.reference(), "00000000").await.unwrap_err();
    refusal.assert(Code::Unavailable, Reason::Unavailable);
    let refusal = world.check_eligibility("phone", person.reference()).await.unwrap_err();
    refusal.assert(Code::Unavailable, Reason::Unavailable);

    world.sandbox.post("/register", json!({ "mode": "up" })).await;
    world.identify(&person).await;
    world.verify("phone", Evidence::QuestionAnswers(answers)).await.unwrap();
    world.issue("phone", &verification).await.unwrap();
}
