//! Transactions are atomic: if any write of one fails, nothing of it remains.

use sqlx::PgPool;
use temporary_pin::domain::audit::Action;
use temporary_pin::domain::hold::{Hold, HoldRules};
use temporary_pin::domain::person::PersonKey;
use temporary_pin::domain::person_limit::PersonLimit;
use temporary_pin::store::StoreError;
use temporary_pin::store::audit::audit_events::{Actor, NewAuditEvent};
use temporary_pin::store::holds::access_requests::{AccessRequest, request_access};
use temporary_pin::store::issuing::IssueOutcome;
use temporary_pin::store::messages::{MessageKind, Notice};
use temporary_pin::store::operators::person_blocks::{BlockNotices, BlockOrder, block_person, unblock_person};
use temporary_pin::store::operators::person_limits::reset_limit;
use temporary_pin::store::redeeming::{TryStart, begin_try};
use temporary_pin::store::verifying::verifications::{NewVerification, record};
use temporary_pin::store::withdrawal::{cancel_access_request, revoke_temporary_pin};
use test_support::store::*;

/// Makes every write to the table fail, runs the call, and checks that it fails and changes nothing.
async fn fails_without_trace<T>(pool: &PgPool, table: &str, call: impl Future<Output = Result<T, StoreError>>) {
    let run = |sql: String| async move { sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(pool).await.unwrap() };
    let before = dump_tables(pool).await;
    run(format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full of bytes'; END $$;
        CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION fail()"
    ))
    .await;
    let error = call.await.err();
    run(format!("DROP TRIGGER fail ON {table}; DROP FUNCTION fail()")).await;
    assert!(matches!(error, Some(StoreError::Internal(_))), "{table}: {error:?}");
    assert_eq!(dump_tables(pool).await, before, "{table}");
}

#[sqlx::test]
async fn issuing(pool: PgPool) {
    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    let login = login(PERSON, 2, t0() + DAY);
    record(&pool, &login, &LIMITS).await.unwrap();
    let order = web_order(PERSON, login.id, t0() + DAY);
    for table in ["verifications", "access_requests", "pin_requests", "outbox", "requests", "audit_events"] {
        fails_without_trace(&pool, table, issue(&pool, &order)).await;
    }
    assert!(matches!(issue(&pool, &order).await.unwrap(), IssueOutcome::Issued(_)));

    let by_agent = test_support::store::order(OTHER, verified(&pool, OTHER, t0()).await, t0());
    fails_without_trace(&pool, "audit_agents", issue(&pool, &by_agent)).await;
}

#[sqlx::test]
async fn redeeming(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    let attempt = attempt(PERSON, t0());
    for table in ["pin_requests", "requests"] {
        fails_without_trace(&pool, table, begin_try(&pool, &attempt)).await;
    }
    assert!(matches!(begin_try(&pool, &attempt).await.unwrap(), TryStart::Counted(_)));
    for table in ["pin_requests", "outbox", "requests", "audit_events"] {
        fails_without_trace(&pool, table, conclude(&pool, &attempt, true)).await;
    }
}

#[sqlx::test]
async fn revoking_and_cancelling(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    let withdrawal = withdrawal(PERSON, t0());
    for table in ["pin_requests", "outbox", "audit_events", "audit_operators"] {
        fails_without_trace(&pool, table, revoke_temporary_pin(&pool, &withdrawal)).await;
    }
    for table in ["access_requests", "outbox", "audit_events", "audit_operators"] {
        fails_without_trace(&pool, table, cancel_access_request(&pool, &withdrawal)).await;
    }
}

#[sqlx::test]
async fn blocking_unblocking_and_resetting(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    let order = BlockOrder { keys: &[PERSON], operator: "olga", reason: "fraud", now: t0() };
    let hold = Hold::start(t0(), &HoldRules::default());
    let [pin, access] = notices(&hold).map(|notice| Notice { kind: MessageKind::PinRevoked, ..notice });
    let told = BlockNotices { pin_revoked: Some(&pin), access_cancelled: Some(&access) };
    for table in ["person_blocks", "pin_requests", "access_requests", "outbox", "audit_events", "audit_operators"] {
        fails_without_trace(&pool, table, block_person(&pool, &order, told)).await;
    }
    block_person(&pool, &order, told).await.unwrap();
    for table in ["audit_events", "audit_operators"] {
        fails_without_trace(&pool, table, unblock_person(&pool, &order)).await;
    }
    let event = NewAuditEvent {
        now: t0(),
        person: PERSON,
        action: Action::LimitReset,
        actor: Actor::Operator("olga"),
        reason: "helped",
        subject: None,
    };
    for table in ["limit_resets", "audit_events", "audit_operators"] {
        fails_without_trace(&pool, table, reset_limit(&pool, PersonLimit::PersonPins, PERSON.0, &event)).await;
    }
}

#[sqlx::test]
async fn asking_for_access(pool: PgPool) {
    let hold = Hold::start(t0(), &HoldRules::default());
    let notices = notices(&hold);
    let person = PersonKey([5; 32]);
    let verification = NewVerification { agent: Some(AGENT), ..login(person, 1, t0()) };
    let request = AccessRequest { id: fresh_id(), hold, verification, notices: &notices };
    for table in ["verifications", "access_requests", "outbox", "audit_events", "audit_agents"] {
        fails_without_trace(&pool, table, request_access(&pool, &request)).await;
    }
}

#[sqlx::test]
async fn audit_rows_are_never_changed(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    for change in [
        "UPDATE audit_events SET action = 'nothing'",
        "UPDATE audit_agents SET audit_event_id = 1",
        "UPDATE audit_operators SET operator = 'nobody'",
    ] {
        let refused = sqlx::query(change).execute(&pool).await.unwrap_err();
        assert!(refused.to_string().contains("never changed"), "{refused}");
    }
}
