//! Every change about a person is recorded in the audit, in the same transaction. A new transaction needs a line here.

use sqlx::PgPool;
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::domain::audit::Action;
use temporary_pin::domain::fact::FactKind;
use temporary_pin::domain::person_limit::PersonLimit;
use temporary_pin::domain::reason::Reason;
use temporary_pin::store::audit::audit_events::{Actor, NewAuditEvent};
use temporary_pin::store::operators::person_blocks::{BlockNotices, BlockOrder, block_person, unblock_person};
use temporary_pin::store::operators::person_limits::reset_limit;
use temporary_pin::store::verifying::answer_rounds::{Conclusion, conclude_round};
use temporary_pin::store::verifying::verifications::{VerificationState, record};
use temporary_pin::store::withdrawal::{cancel_access_request, revoke_temporary_pin};
use test_support::store::*;

/// The events since the previous call, each with its agent or operator, if it has one.
async fn new_events(pool: &PgPool, last: &mut i64) -> Vec<String> {
    let events = sqlx::query_as::<_, (i64, String)>(
        "SELECT id, concat_ws(' ', action, CASE WHEN agent_key IS NOT NULL THEN 'by agent' END, 'by ' || operator)
        FROM audit_events LEFT JOIN audit_agents a ON a.audit_event_id = id LEFT JOIN audit_operators o ON o.audit_event_id = id
        WHERE id > $1 ORDER BY id",
    );
    let events = events.bind(*last).fetch_all(pool).await.unwrap();
    *last = events.last().map_or(*last, |event| event.0);
    events.into_iter().map(|event| event.1).collect()
}

#[sqlx::test]
async fn every_change_has_its_event(pool: PgPool) {
    let mut last = 0;
    let now = t0();

    // Verifications.
    for (state, event) in [
        (VerificationState::Verified(AssuranceLevel::Substantial), "identity_verified by agent"),
        (VerificationState::Rejected(Reason::IdentityNotConfirmed), "identity_rejected by agent"),
    ] {
        record(&pool, &verification(PERSON, state, now), &LIMITS).await.unwrap();
        assert_eq!(new_events(&pool, &mut last).await, [event]);
    }
    let pending = verification(PERSON, VerificationState::Pending, now);
    record(&pool, &pending, &LIMITS).await.unwrap();
    assert_eq!(new_events(&pool, &mut last).await, ["questions_asked by agent"]);
    let one_more = Conclusion::OneMore { kind: FactKind::Birthplace, right: 1 };
    let verified_now = Conclusion::Verified(AssuranceLevel::Substantial);
    for (round, conclusion, event) in
        [(0, one_more, "questions_asked by agent"), (1, verified_now, "identity_verified by agent")]
    {
        assert!(conclude_round(&pool, pending.id, round, conclusion, AGENT, now).await.unwrap());
        assert_eq!(new_events(&pool, &mut last).await, [event]);
    }

    // Access.
    log_in_and_request_access(&pool, OTHER, 1, now).await;
    assert_eq!(new_events(&pool, &mut last).await, ["identity_verified", "access_requested"]);
    assert!(cancel_access_request(&pool, &withdrawal(OTHER, now)).await.unwrap());
    assert_eq!(new_events(&pool, &mut last).await, ["access_cancelled by olga"]);

    // PINs.
    let order = order(PERSON, pending.id, now);
    issue(&pool, &order).await.unwrap();
    assert_eq!(new_events(&pool, &mut last).await, ["pin_issued by agent"]);
    for (after, event) in [(1, "pin_already_open by agent"), (61, "pin_resent by agent")] {
        let again = test_support::store::order(PERSON, pending.id, now + seconds(after));
        issue(&pool, &again).await.unwrap();
        assert_eq!(new_events(&pool, &mut last).await, [event]);
    }
    for (right, event) in [(false, "pin_refused"), (true, "pin_redeemed"), (true, "pin_refused")] {
        redeem(&pool, &attempt(PERSON, now + seconds(62)), right).await;
        assert_eq!(new_events(&pool, &mut last).await, [event]);
    }
    issued(&pool, OTHER, now).await;
    new_events(&pool, &mut last).await;
    for event in ["pin_refused", "pin_refused", "pin_revoked"] {
        redeem(&pool, &attempt(OTHER, now), false).await;
        assert_eq!(new_events(&pool, &mut last).await, [event]);
    }
    issued(&pool, OTHER, now + seconds(1)).await;
    new_events(&pool, &mut last).await;
    assert!(revoke_temporary_pin(&pool, &withdrawal(OTHER, now + seconds(2))).await.unwrap());
    assert_eq!(new_events(&pool, &mut last).await, ["pin_revoked by olga"]);

    // Blocks and limits.
    issued(&pool, OTHER, now + seconds(3)).await;
    log_in_and_request_access(&pool, OTHER, 2, now + seconds(3)).await;
    new_events(&pool, &mut last).await;
    let order = BlockOrder { keys: &[OTHER], operator: "olga", reason: "stolen phone", now: now + seconds(4) };
    block_person(&pool, &order, BlockNotices::default()).await.unwrap();
    let mut events = new_events(&pool, &mut last).await;
    events.sort_unstable();
    assert_eq!(events, ["access_cancelled by olga", "person_blocked by olga", "pin_revoked by olga"]);
    assert!(unblock_person(&pool, &order).await.unwrap());
    assert_eq!(new_events(&pool, &mut last).await, ["person_unblocked by olga"]);
    let event = NewAuditEvent {
        now,
        person: OTHER,
        action: Action::LimitReset,
        actor: Actor::Operator("olga"),
        reason: "asked by the person",
        subject: None,
    };
    reset_limit(&pool, PersonLimit::WrongTries, OTHER.0, &event).await.unwrap();
    assert_eq!(new_events(&pool, &mut last).await, ["limit_reset by olga"]);
}
