//! R16, R18, R20: verifications and their limits.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::domain::audit::Action;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::fact::FactKind;
use temporary_pin::domain::failed_verification::is_guess;
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::person_limit::PersonLimit;
use temporary_pin::domain::question_memory::{UnsuccessfulRun, find_remembered_kinds};
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rule_settings::{LimitRules, VerificationRules};
use temporary_pin::domain::witness::WitnessLimits;
use temporary_pin::store::audit::audit_events::{Actor, NewAuditEvent};
use temporary_pin::store::messages::{MessageKind, Notice};
use temporary_pin::store::operators::person_limits::reset_limit;
use temporary_pin::store::verifying::answer_rounds::{Conclusion, conclude_round};
use temporary_pin::store::verifying::history::list_unsuccessful_runs;
use temporary_pin::store::verifying::verifications::{
    Method, NewVerification, RecordOutcome, VerificationLimits, VerificationState, record,
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
    let before = dump_tables(&pool).await;
    for state in [REJECTED, VerificationState::Pending, VERIFIED] {
        let run = verification(PERSON, state, until - seconds(1));
        assert_eq!(record(&pool, &run, &LIMITS).await.unwrap(), RecordOutcome::Limited { until });
    }
    assert_eq!(dump_tables(&pool).await, before);
    let failed_until = async |person, now| standing(&pool, person, &limit_rules(), now).await.failed_phone_until;
    assert_eq!(failed_until(PERSON, until - seconds(1)).await, Some(until));
    assert_eq!(failed_until(PERSON, until).await, None);
    assert_eq!(failed_until(OTHER, t0()).await, None);
    assert_eq!(record(&pool, &verification(PERSON, REJECTED, until), &LIMITS).await.unwrap(), RecordOutcome::Recorded);
}

fn limit_rules() -> LimitRules {
    LimitRules { failed_verifications: LIMITS.failed.unwrap(), ..LimitRules::default() }
}

fn at_counter(state: VerificationState) -> NewVerification<'static> {
    NewVerification { channel: Channel::Counter, ..verification(PERSON, state, t0()) }
}

#[sqlx::test]
async fn r18_each_channel_counts_its_own(pool: PgPool) {
    let limited = RecordOutcome::Limited { until: t0() + DAY };
    for _ in 0..3 {
        record(&pool, &verification(PERSON, REJECTED, t0()), &LIMITS).await.unwrap();
    }
    for expected in [RecordOutcome::Recorded, RecordOutcome::Recorded, RecordOutcome::Recorded, limited] {
        assert_eq!(record(&pool, &at_counter(REJECTED), &LIMITS).await.unwrap(), expected);
        assert_eq!(record(&pool, &verification(PERSON, REJECTED, t0()), &LIMITS).await.unwrap(), limited);
    }
    let status = standing(&pool, PERSON, &limit_rules(), t0()).await;
    assert_eq!((status.failed_phone_until, status.failed_counter_until), (Some(t0() + DAY), Some(t0() + DAY)));
}

/// With a witness, verifications are recorded however many have failed.
#[sqlx::test]
async fn r18_without_a_limit_any_number_is_recorded_and_counts(pool: PgPool) {
    let limits = VerificationLimits { failed: None, ..LIMITS };
    for _ in 0..4 {
        assert_eq!(record(&pool, &at_counter(REJECTED), &limits).await.unwrap(), RecordOutcome::Recorded);
    }
    assert_eq!(record(&pool, &at_counter(VERIFIED), &limits).await.unwrap(), RecordOutcome::Recorded);
    let limited = RecordOutcome::Limited { until: t0() + DAY };
    assert_eq!(record(&pool, &at_counter(VERIFIED), &LIMITS).await.unwrap(), limited);
}

#[sqlx::test]
async fn r18_rejections_that_are_no_guesses_do_not_count(pool: PgPool) {
    let reasons = Reason::ALL.iter().copied().filter(|reason| !is_guess(*reason));
    for state in reasons.map(VerificationState::Rejected) {
        assert_eq!(record(&pool, &at_counter(state), &LIMITS).await.unwrap(), RecordOutcome::Recorded);
    }
    assert_eq!(standing(&pool, PERSON, &limit_rules(), t0()).await.failed_counter_until, None);
}

#[sqlx::test]
async fn r18_concurrent_failed_verifications_do_not_exceed_the_limit(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let outcomes = run_concurrently(32, |number| {
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
    let limits = LIMITS.witness.unwrap();
    let last_moment = t0() + limits.window - seconds(1);
    let fourth = witnessed(PERSON, VERIFIED, last_moment);
    let before = dump_tables(&pool).await;
    assert_eq!(record(&pool, &fourth, &LIMITS).await.unwrap(), RecordOutcome::WitnessRefused);
    assert_eq!(dump_tables(&pool).await, before);
    let professional = VerificationLimits { witness: Some(WitnessLimits { times: None, ..limits }), ..LIMITS };
    assert_eq!(record(&pool, &fourth, &professional).await.unwrap(), RecordOutcome::Recorded);
    let later = witnessed(OTHER, VERIFIED, t0() + limits.window);
    assert_eq!(record(&pool, &later, &LIMITS).await.unwrap(), RecordOutcome::Recorded);
}

#[sqlx::test]
async fn r20_nobody_vouches_for_who_vouched_for_them(pool: PgPool) {
    let vouch = |witness, person, now| {
        let run = NewVerification { witness: Some(witness), ..witnessed(person, VERIFIED, now) };
        let pool = pool.clone();
        async move { record(&pool, &run, &LIMITS).await.unwrap() }
    };
    assert_eq!(vouch(PERSON, OTHER, t0()).await, RecordOutcome::Recorded);
    let end = t0() + LIMITS.witness.unwrap().window;
    assert_eq!(vouch(OTHER, PERSON, end - seconds(1)).await, RecordOutcome::WitnessRefused);
    assert_eq!(vouch(PERSON, OTHER, end - seconds(1)).await, RecordOutcome::Recorded, "the same way round");
    assert_eq!(vouch(WITNESS, PERSON, end - seconds(1)).await, RecordOutcome::Recorded);
    assert_eq!(vouch(OTHER, PERSON, end + LIMITS.witness.unwrap().window).await, RecordOutcome::Recorded);
}

#[sqlx::test]
async fn r20_the_witness_is_told_and_has_the_event_on_record(pool: PgPool) {
    let notice = Notice {
        id: fresh_id(),
        kind: MessageKind::Witnessed,
        sealed_body: b"sealed notice".to_vec(),
        due_time: t0(),
        expire_time: t0() + DAY,
    };
    let run = NewVerification {
        witness_notice: Some(&notice),
        is_clerk_unknown: true,
        login_nonce_digest: Some([1; 32]),
        ..witnessed(PERSON, VERIFIED, t0())
    };
    assert_eq!(record(&pool, &run, &LIMITS).await.unwrap(), RecordOutcome::Recorded);
    assert_eq!(actions(&pool).await, ["identity_verified", "clerk_not_compared", "witnessed"]);
    let told = "SELECT count(*) = 1 FROM outbox o JOIN audit_events e USING (person_key) JOIN verifications v
            ON v.witness_key = o.person_key AND v.id = e.verification_id
        WHERE o.kind = 'hold_passed' AND o.notice = 'witnessed' AND e.action = 'witnessed'";
    assert!(one::<bool>(&pool, told).await, "version 0.1.0 knows the kind");
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM audit_agents").await, 3);

    let again = NewVerification { id: fresh_id(), ..run };
    assert_eq!(record(&pool, &again, &LIMITS).await.unwrap(), RecordOutcome::NonceUsed);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM outbox").await, 1);
}

#[sqlx::test]
async fn r20_concurrent_witness_verifications_do_not_exceed_the_limit(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let outcomes = run_concurrently(32, |number| {
        let pool = pool.clone();
        let person = PersonKey([100 + number as u8; 32]);
        async move { record(&pool, &witnessed(person, VERIFIED, t0()), &LIMITS).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RecordOutcome::Recorded).count(), 3);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RecordOutcome::WitnessRefused).count(), 29);
}

/// Of two who would vouch for each other, one is first.
#[sqlx::test]
async fn r20_concurrent_persons_who_vouch_for_each_other_do_not_deadlock(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = wide_pool(options);
    let outcomes = run_concurrently(32, |number| {
        let pool = pool.clone();
        let (person, witness) = if number % 2 == 0 { (PERSON, OTHER) } else { (OTHER, PERSON) };
        let run = NewVerification { witness: Some(witness), ..witnessed(person, VERIFIED, t0()) };
        async move { record(&pool, &run, &LIMITS).await.unwrap() }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RecordOutcome::Recorded).count(), 3);
    assert_eq!(one::<i64>(&pool, "SELECT count(DISTINCT witness_key) FROM verifications").await, 1);
}

#[sqlx::test]
async fn r16_unsuccessful_questions_are_listed_until_a_reset(pool: PgPool) {
    let run = |state, kinds, now| NewVerification { question_kinds: kinds, ..verification(PERSON, state, now) };
    let answered = run(VerificationState::Pending, &[FactKind::PreviousRoad], t0() + seconds(2));
    for run in [
        run(REJECTED, &[FactKind::Birthplace, FactKind::WeddingYear], t0()),
        run(VerificationState::Pending, &[FactKind::WeddingYear, FactKind::PreviousSurname], t0() + seconds(1)),
        run(VERIFIED, &[FactKind::MovedInYear], t0()),
        run(REJECTED, &[FactKind::ChildBirthDate], t0() - hours(48)),
        run(REJECTED, &[], t0()),
    ] {
        record(&pool, &run, &VerificationLimits::none()).await.unwrap();
    }
    record(&pool, &answered, &VerificationLimits::none()).await.unwrap();
    let one_more = Conclusion::OneMore { kind: FactKind::MotherBirthDate, right: 1 };
    assert!(conclude_round(&pool, answered.id, 0, one_more, AGENT, t0()).await.unwrap());

    let list = async |now| {
        let mut runs = list_unsuccessful_runs(&pool, PERSON, DAY, now).await.unwrap();
        runs.sort_by_key(|run| run.ask_time);
        runs
    };
    let run = |after, kinds: &[FactKind], was_answered| UnsuccessfulRun {
        ask_time: t0() + seconds(after),
        kinds: kinds.to_vec(),
        was_answered,
    };
    let now = t0() + seconds(60);
    let expected = [
        run(0, &[FactKind::Birthplace, FactKind::WeddingYear], true),
        run(1, &[FactKind::WeddingYear, FactKind::PreviousSurname], false),
        run(2, &[FactKind::PreviousRoad, FactKind::MotherBirthDate], true),
    ];
    assert_eq!(list(now).await, expected);
    // CheckEligibility reads one element per kind.
    let status = standing(&pool, PERSON, &LimitRules::default(), now).await;
    let rules = VerificationRules::default();
    let kinds = |runs: &[UnsuccessfulRun]| find_remembered_kinds(runs, &rules, now);
    assert_eq!(status.unsuccessful_runs.len(), 7, "also those of the last 30 days");
    assert_eq!(kinds(&expected).len(), 5);
    assert!(kinds(&expected).iter().all(|kind| kinds(&status.unsuccessful_runs).contains(kind)));
    assert_eq!(list_unsuccessful_runs(&pool, OTHER, DAY, now).await.unwrap(), []);

    let event = NewAuditEvent {
        now: t0() + seconds(1),
        person: PERSON,
        action: Action::LimitReset,
        actor: Actor::Operator("olga"),
        reason: "helped by phone",
        subject: None,
    };
    reset_limit(&pool, PersonLimit::FailedVerifications(Channel::Phone), PERSON.0, &event).await.unwrap();
    assert_eq!(list(now).await, expected[2..]);
    assert_eq!(standing(&pool, PERSON, &LimitRules::default(), now).await.unsuccessful_runs.len(), 2);
}
