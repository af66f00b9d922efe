//! R16, R18, R20: verifications and their limits.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::domain::fact::FactKind;
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rule_settings::LimitRules;
use temporary_pin::store::verifying::verifications::{
    Method, NewVerification, RecordOutcome, VerificationState, count_witness_uses, list_unsuccessful_kinds, record,
};
use test_support::store::*;

const REJECTED: VerificationState = VerificationState::Rejected(Reason::IdentityNotConfirmed);
const VERIFIED: VerificationState = VerificationState::Verified(AssuranceLevel::High);
const WITNESS: PersonKey = PersonKey([9; 32]);

#[sqlx::test]
async fn a_verification_is_recorded_with_its_audit_event(pool: PgPool) {
    let run = NewVerification {
        question_kinds: &[FactKind::Birthplace, FactKind::WeddingYear],
        office_id: Some("office-1"),
        appointment_reference: Some("visit-1"),
        ..verification(PERSON, REJECTED, t0())
    };
    assert_eq!(record(&pool, &run, &LIMITS).await.unwrap(), RecordOutcome::Recorded);
    assert!(
        one::<bool>(
            &pool,
            "SELECT state = 'rejected' AND reason = 'IDENTITY_NOT_CONFIRMED' AND method = 'questions'
                AND question_kinds = '{birthplace,wedding_year}' AND case_reference = 'case-1'
                AND office_id = 'office-1' AND appointment_reference = 'visit-1' AND length(agent_key) = 32
            FROM verifications"
        )
        .await
    );
    assert!(
        one::<bool>(
            &pool,
            "SELECT e.action = 'identity_rejected' AND e.reason = v.reason AND e.verification_id = v.id
                AND e.channel = 'phone' AND e.caller = 'support' AND a.agent_key = v.agent_key
            FROM verifications v, audit_events e JOIN audit_agents a ON a.audit_event_id = e.id"
        )
        .await
    );
    record(&pool, &verification(OTHER, VERIFIED, t0()), &LIMITS).await.unwrap();
    assert!(one::<bool>(&pool, "SELECT count(*) = 1 FROM verifications WHERE assurance_level = 'High'").await);
}

#[sqlx::test]
async fn r18_failed_and_unanswered_verifications_are_limited_in_a_rolling_window(pool: PgPool) {
    for (state, after) in [(REJECTED, 0), (VerificationState::Pending, 1), (VERIFIED, 2), (REJECTED, 3)] {
        let run = verification(PERSON, state, t0() + hours(after));
        assert_eq!(record(&pool, &run, &LIMITS).await.unwrap(), RecordOutcome::Recorded);
    }
    let until = t0() + DAY;
    let before = everything(&pool).await;
    for state in [REJECTED, VerificationState::Pending, VERIFIED] {
        let run = verification(PERSON, state, until - seconds(1));
        assert_eq!(record(&pool, &run, &LIMITS).await.unwrap(), RecordOutcome::Limited { until });
    }
    assert_eq!(everything(&pool).await, before);
    let limits = LimitRules { failed_verifications: LIMITS.failed, ..LimitRules::default() };
    let failed_until = async |person, now| standing(&pool, person, &limits, now).await.failed_until;
    assert_eq!(failed_until(PERSON, until - seconds(1)).await, Some(until));
    assert_eq!(failed_until(PERSON, until).await, None);
    assert_eq!(failed_until(OTHER, t0()).await, None);
    assert_eq!(record(&pool, &verification(PERSON, REJECTED, until), &LIMITS).await.unwrap(), RecordOutcome::Recorded);
}

#[sqlx::test]
async fn r18_concurrent_failed_verifications_do_not_exceed_the_limit(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let outcomes = at_once(32, |number| {
        let pool = pool.clone();
        let state = if number % 2 == 0 { REJECTED } else { VerificationState::Pending };
        async move { record(&pool, &verification(PERSON, state, t0()), &LIMITS).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RecordOutcome::Recorded).count(), 3);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RecordOutcome::Limited { until: t0() + DAY }).count(), 29);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM verifications").await, 3);
}

#[sqlx::test]
async fn r23_a_login_can_be_used_once(pool: PgPool) {
    assert_eq!(record(&pool, &login(PERSON, 1, t0()), &LIMITS).await.unwrap(), RecordOutcome::Recorded);
    assert_eq!(record(&pool, &login(PERSON, 1, t0()), &LIMITS).await.unwrap(), RecordOutcome::NonceUsed);
    assert_eq!(record(&pool, &login(PERSON, 2, t0()), &LIMITS).await.unwrap(), RecordOutcome::Recorded);
}

fn witnessed(
    person: PersonKey,
    state: VerificationState,
    now: chrono::DateTime<chrono::Utc>,
) -> NewVerification<'static> {
    NewVerification { method: Method::Witness, witness: Some(WITNESS), ..verification(person, state, now) }
}

#[sqlx::test]
async fn r20_a_person_can_be_a_witness_three_times_in_the_window(pool: PgPool) {
    for number in 10..13 {
        let run = witnessed(PersonKey([number; 32]), VERIFIED, t0());
        assert_eq!(record(&pool, &run, &LIMITS).await.unwrap(), RecordOutcome::Recorded);
    }
    let window = LIMITS.witness.per;
    let last_moment = t0() + window - seconds(1);
    let refused = record(&pool, &witnessed(PERSON, VERIFIED, last_moment), &LIMITS).await.unwrap();
    assert_eq!(refused, RecordOutcome::WitnessUsed);
    assert_eq!(count_witness_uses(&pool, WITNESS, last_moment - window).await.unwrap(), 3);
    assert_eq!(count_witness_uses(&pool, PERSON, t0() - window).await.unwrap(), 0);
    assert_eq!(
        record(&pool, &witnessed(PERSON, VERIFIED, t0() + window), &LIMITS).await.unwrap(),
        RecordOutcome::Recorded
    );
}

#[sqlx::test]
async fn r20_concurrent_witness_verifications_do_not_exceed_the_limit(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let outcomes = at_once(32, |number| {
        let pool = pool.clone();
        let person = PersonKey([100 + number as u8; 32]);
        async move { record(&pool, &witnessed(person, VERIFIED, t0()), &LIMITS).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RecordOutcome::Recorded).count(), 3);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RecordOutcome::WitnessUsed).count(), 29);
}

#[sqlx::test]
async fn r20_persons_who_are_witnesses_for_each_other_do_not_deadlock(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let outcomes = at_once(32, |number| {
        let pool = pool.clone();
        let (person, witness) = if number % 2 == 0 { (PERSON, OTHER) } else { (OTHER, PERSON) };
        let run = NewVerification { witness: Some(witness), ..witnessed(person, VERIFIED, t0()) };
        async move { record(&pool, &run, &LIMITS).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RecordOutcome::Recorded).count(), 6);
}

#[sqlx::test]
async fn r16_questions_of_unsuccessful_verifications_are_remembered(pool: PgPool) {
    let run = |state, kinds, now| NewVerification { question_kinds: kinds, ..verification(PERSON, state, now) };
    for run in [
        run(REJECTED, &[FactKind::Birthplace, FactKind::WeddingYear], t0()),
        run(VerificationState::Pending, &[FactKind::WeddingYear, FactKind::PreviousSurname], t0()),
        run(VERIFIED, &[FactKind::MovedInYear], t0()),
        run(REJECTED, &[FactKind::ChildBirthDate], t0() - hours(48)),
    ] {
        record(&pool, &run, &LIMITS).await.unwrap();
    }
    let mut kinds = list_unsuccessful_kinds(&pool, PERSON, t0() - hours(24)).await.unwrap();
    kinds.sort_unstable();
    assert_eq!(kinds, [FactKind::Birthplace, FactKind::WeddingYear, FactKind::PreviousSurname]);
    assert_eq!(list_unsuccessful_kinds(&pool, OTHER, t0() - hours(24)).await.unwrap(), []);
}
