//! R16: rounds of answers.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::domain::fact::FactKind;
use temporary_pin::domain::reason::Reason;
use temporary_pin::store::verifying::answer_rounds::{Conclusion, PendingVerification, conclude_round, find_pending};
use temporary_pin::store::verifying::verifications::{NewVerification, VerificationState, record};
use test_support::store::*;
use uuid::Uuid;

const KINDS: [FactKind; 3] = [FactKind::Birthplace, FactKind::WeddingYear, FactKind::PreviousSurname];

async fn ask_questions(pool: &PgPool) -> Uuid {
    let run = NewVerification { question_kinds: &KINDS, ..verification(PERSON, VerificationState::Pending, t0()) };
    record(pool, &run, &LIMITS).await.unwrap();
    run.id
}

#[sqlx::test]
async fn r16_two_wrong_answers_lead_to_one_more_question_and_then_to_a_conclusion(pool: PgPool) {
    let id = ask_questions(&pool).await;
    let first = find_pending(&pool, id).await.unwrap().unwrap();
    let expected = PendingVerification {
        question_kinds: KINDS.to_vec(),
        answer_rounds: 0,
        right_answers: 0,
        expire_time: t0() + seconds(900),
    };
    assert_eq!(first, expected);

    let one_more = Conclusion::OneMore { kind: FactKind::ChildBirthDate, right: 1 };
    assert!(conclude_round(&pool, id, 0, one_more, AGENT, t0()).await.unwrap());
    let second = find_pending(&pool, id).await.unwrap().unwrap();
    assert_eq!((second.answer_rounds, second.right_answers), (1, 1));
    assert_eq!(second.question_kinds, [&KINDS[..], &[FactKind::ChildBirthDate]].concat());

    let verified = Conclusion::Verified(AssuranceLevel::Substantial);
    assert!(!conclude_round(&pool, id, 0, verified, AGENT, t0()).await.unwrap(), "the first round is over");
    assert!(conclude_round(&pool, id, 1, verified, AGENT, t0()).await.unwrap());
    assert_eq!(find_pending(&pool, id).await.unwrap(), None);
    assert!(
        one::<bool>(
            &pool,
            "SELECT state = 'verified' AND assurance_level = 'Substantial' AND right_answers = 1 FROM verifications"
        )
        .await
    );
    assert_eq!(actions(&pool).await, ["questions_asked", "questions_asked", "identity_verified"]);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM audit_agents").await, 3);
}

#[sqlx::test]
async fn r16_a_rejection_is_final(pool: PgPool) {
    let id = ask_questions(&pool).await;
    let rejected = Conclusion::Rejected(Reason::IdentityNotConfirmed);
    assert!(conclude_round(&pool, id, 0, rejected, AGENT, t0()).await.unwrap());
    let before = dump_tables(&pool).await;
    let verified = Conclusion::Verified(AssuranceLevel::High);
    assert!(!conclude_round(&pool, id, 1, verified, AGENT, t0()).await.unwrap());
    assert!(!conclude_round(&pool, fresh_id(), 0, rejected, AGENT, t0()).await.unwrap());
    assert_eq!(dump_tables(&pool).await, before);
    assert_eq!(actions(&pool).await, ["questions_asked", "identity_rejected"]);
}

#[sqlx::test]
async fn r21_answers_after_the_verification_expired_conclude_nothing(pool: PgPool) {
    let id = ask_questions(&pool).await;
    let verified = Conclusion::Verified(AssuranceLevel::Substantial);
    assert!(!conclude_round(&pool, id, 0, verified, AGENT, t0() + seconds(900)).await.unwrap());
    assert!(conclude_round(&pool, id, 0, verified, AGENT, t0() + seconds(899)).await.unwrap());
}

#[sqlx::test]
async fn r16_of_concurrent_answers_one_concludes_the_round(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let id = ask_questions(&pool).await;
    let concluded = run_concurrently(32, |_| {
        let pool = pool.clone();
        let one_more = Conclusion::OneMore { kind: FactKind::ChildBirthDate, right: 1 };
        async move { conclude_round(&pool, id, 0, one_more, AGENT, t0()).await.unwrap() }
    })
    .await;
    assert_eq!(concluded.iter().filter(|concluded| **concluded).count(), 1);
}
