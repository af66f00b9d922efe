//! R9: revoking a PIN and cancelling an access request.

use sqlx::PgPool;
use temporary_pin::domain::reason::{Denial, Reason};
use temporary_pin::store::holds::access_requests::{AccessOutcome, find_open};
use temporary_pin::store::issuing::IssueOutcome;
use temporary_pin::store::withdrawal::{cancel_access_request, revoke_temporary_pin};
use test_support::store::*;

#[sqlx::test]
async fn r9_revoking_is_final_audited_and_withdraws_the_message(pool: PgPool) {
    let view = issued(&pool, PERSON, t0()).await;
    assert!(!revoke_temporary_pin(&pool, &withdrawal(OTHER, t0())).await.unwrap());
    assert!(!revoke_temporary_pin(&pool, &withdrawal(PERSON, view.expire_time)).await.unwrap());
    assert_eq!(actions(&pool).await.len(), 2, "nothing was revoked, so nothing is recorded");

    assert!(revoke_temporary_pin(&pool, &withdrawal(PERSON, t0() + seconds(1))).await.unwrap());
    assert!(!revoke_temporary_pin(&pool, &withdrawal(PERSON, t0() + seconds(1))).await.unwrap());
    assert!(
        one::<bool>(
            &pool,
            "SELECT p.state = 'revoked' AND p.revoke_reason = 'asked by the person'
                AND p.close_time = p.create_time + interval '1 s' AND o.state = 'cancelled' AND o.sealed_body IS NULL
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id"
        )
        .await
    );
    assert!(
        one::<bool>(
            &pool,
            "SELECT action = 'pin_revoked' AND caller = 'operator' AND reason = 'asked by the person'
                AND pin_request_id = (SELECT id FROM pin_requests)
            FROM audit_events ORDER BY id DESC LIMIT 1"
        )
        .await
    );
    assert_eq!(
        one::<String>(
            &pool,
            "SELECT operator FROM audit_operators JOIN audit_events ON audit_event_id = id WHERE action = 'pin_revoked'"
        )
        .await,
        "olga"
    );
}

#[sqlx::test]
async fn r9_a_message_already_accepted_stays_accepted_but_loses_its_text(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    sqlx::query("UPDATE outbox SET state = 'accepted'").execute(&pool).await.unwrap();
    assert!(revoke_temporary_pin(&pool, &withdrawal(PERSON, t0())).await.unwrap());
    assert!(one::<bool>(&pool, "SELECT state = 'accepted' AND sealed_body IS NULL FROM outbox").await);
}

#[sqlx::test]
async fn r9_cancelling_is_final_audited_and_withdraws_the_notices(pool: PgPool) {
    let (_, outcome) = log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    let AccessOutcome::Opened(hold) = outcome else { panic!("{outcome:?}") };
    sqlx::query("UPDATE outbox SET state = 'accepted', sealed_body = NULL WHERE kind = 'access_requested'")
        .execute(&pool)
        .await
        .unwrap();
    assert!(!cancel_access_request(&pool, &withdrawal(OTHER, t0())).await.unwrap());
    assert!(!cancel_access_request(&pool, &withdrawal(PERSON, hold.expire_time)).await.unwrap());

    assert!(cancel_access_request(&pool, &withdrawal(PERSON, t0() + seconds(1))).await.unwrap());
    assert!(!cancel_access_request(&pool, &withdrawal(PERSON, t0() + seconds(1))).await.unwrap());
    assert_eq!(find_open(&pool, PERSON).await.unwrap(), None);
    assert_eq!(
        one::<Vec<String>>(&pool, "SELECT array_agg(state ORDER BY kind) FROM outbox WHERE sealed_body IS NULL").await,
        ["accepted", "cancelled"]
    );
    assert!(
        one::<bool>(
            &pool,
            "SELECT action = 'access_cancelled' AND reason = 'asked by the person'
                AND access_request_id = (SELECT id FROM access_requests)
            FROM audit_events ORDER BY id DESC LIMIT 1"
        )
        .await
    );
    let later = login(PERSON, 2, hold.eligible_time);
    temporary_pin::store::verifying::verifications::record(&pool, &later, &LIMITS).await.unwrap();
    let outcome = issue(&pool, &web_order(PERSON, later.id, hold.eligible_time)).await.unwrap();
    assert_eq!(outcome, IssueOutcome::Refused(Denial::lasting(Reason::AccessNotRequested)));
}
