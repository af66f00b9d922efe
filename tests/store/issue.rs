//! IssueTemporaryPin, one call at a time: repeats, verifications, resends, the hold.

use sqlx::PgPool;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::hold::{Hold, HoldRules};
use temporary_pin::domain::person::MobileKey;
use temporary_pin::domain::reason::{Denial, Reason};
use temporary_pin::store::issuing::{DispatchState, IssueOutcome, NewPin, PinOrder, PinState, find_replay};
use temporary_pin::store::verifying::verifications::{NewVerification, VerificationState, record};
use test_support::store::*;
use uuid::Uuid;

fn refused(reason: Reason) -> IssueOutcome {
    IssueOutcome::Refused(Denial::lasting(reason))
}

#[sqlx::test]
async fn a_new_pin_is_stored_with_its_message_its_answer_and_its_audit_event(pool: PgPool) {
    let verification = verified(&pool, PERSON, t0()).await;
    let order = order(PERSON, verification, t0());
    let IssueOutcome::Issued(view) = issue(&pool, &order).await.unwrap() else { panic!("no PIN") };

    assert_eq!(view.id, order.new_pin.unwrap().pin_request_id);
    assert_eq!(
        (view.state, view.channel, view.dispatch_state),
        (PinState::Open, Channel::Phone, DispatchState::Queued)
    );
    assert_eq!((view.create_time, view.expire_time), (t0(), t0() + seconds(600)));
    assert_eq!(view.masked_mobile_number, "+45 ** ** ** 78");
    assert_eq!(view.next_send_time, Some(t0() + seconds(60)));
    assert!(
        one::<bool>(
            &pool,
            "SELECT o.kind = 'pin' AND o.state = 'queued' AND o.sends = 1 AND o.sealed_body = 'sealed PIN'
                AND o.expire_time = p.expire_time AND o.next_attempt_time = p.create_time
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id"
        )
        .await
    );
    assert_eq!(one::<Uuid>(&pool, "SELECT pin_request_id FROM verifications").await, view.id);
    assert_eq!(actions(&pool).await, ["identity_verified", "pin_issued"]);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM audit_agents").await, 2);
}

#[sqlx::test]
async fn a_repeat_gets_the_first_answer_and_changes_nothing(pool: PgPool) {
    let first = order(PERSON, verified(&pool, PERSON, t0()).await, t0());
    let IssueOutcome::Issued(view) = issue(&pool, &first).await.unwrap() else { panic!("no PIN") };
    redeem(&pool, &attempt(PERSON, t0()), true).await;
    let before = dump_tables(&pool).await;

    let later = t0() + hours(2);
    let repeat = PinOrder { request_id: first.request_id, ..order(PERSON, first.verification_id, later) };
    assert_eq!(issue(&pool, &repeat).await.unwrap(), IssueOutcome::Replayed(view.clone()));
    let other_payload = PinOrder { payload_digest: [9; 32], ..repeat };
    assert_eq!(issue(&pool, &other_payload).await.unwrap(), IssueOutcome::RequestIdReused);

    let replayed = |digest| find_replay(&pool, "support", first.request_id, digest);
    assert_eq!(replayed([3; 32]).await.unwrap(), Some(IssueOutcome::Replayed(view)));
    assert_eq!(replayed([9; 32]).await.unwrap(), Some(IssueOutcome::RequestIdReused));
    assert_eq!(find_replay(&pool, "other", first.request_id, [3; 32]).await.unwrap(), None);
    assert_eq!(dump_tables(&pool).await, before);
}

#[sqlx::test]
async fn r21_a_verification_allows_orders_of_its_person_caller_and_channel_until_it_expires(pool: PgPool) {
    let verification_id = verified(&pool, PERSON, t0()).await;
    let pending = verification(OTHER, VerificationState::Pending, t0());
    let rejected = verification(OTHER, VerificationState::Rejected(Reason::IdentityNotConfirmed), t0());
    for verification in [&pending, &rejected] {
        record(&pool, verification, &LIMITS).await.unwrap();
    }
    let before = dump_tables(&pool).await;

    let order_of = |verification_id| order(PERSON, verification_id, t0());
    for (order, reason) in [
        (order_of(fresh_id()), Reason::VerificationUnknown),
        (PinOrder { caller: "another".into(), ..order_of(verification_id) }, Reason::VerificationUnknown),
        (PinOrder { channel: Channel::Counter, ..order_of(verification_id) }, Reason::VerificationUnknown),
        (order(OTHER, verification_id, t0()), Reason::VerificationUnknown),
        (order(OTHER, pending.id, t0()), Reason::VerificationNotConfirmed),
        (order(OTHER, rejected.id, t0()), Reason::VerificationNotConfirmed),
        (order(PERSON, verification_id, t0() + seconds(900)), Reason::VerificationExpired),
    ] {
        assert_eq!(issue(&pool, &order).await.unwrap(), refused(reason));
    }
    assert_eq!(dump_tables(&pool).await, before);
    let last_moment = order(PERSON, verification_id, t0() + seconds(899));
    assert!(matches!(issue(&pool, &last_moment).await.unwrap(), IssueOutcome::Issued(_)));
}

#[sqlx::test]
async fn r21_a_verification_allows_one_pin_request_and_its_resends(pool: PgPool) {
    let verification = verified(&pool, PERSON, t0()).await;
    let again = |after| order(PERSON, verification, t0() + seconds(after));
    assert!(matches!(issue(&pool, &again(0)).await.unwrap(), IssueOutcome::Issued(_)));
    assert!(matches!(issue(&pool, &again(1)).await.unwrap(), IssueOutcome::AlreadyOpen(_)));
    assert!(matches!(issue(&pool, &again(60)).await.unwrap(), IssueOutcome::Resent(_)));
    redeem(&pool, &attempt(PERSON, t0() + seconds(90)), true).await;
    let used = refused(Reason::VerificationUsed);
    assert_eq!(issue(&pool, &again(91)).await.unwrap(), used);

    // A second verification, whose order returned the open PIN, is used up by that PIN as well.
    let person = OTHER;
    issued(&pool, person, t0()).await;
    let second = verified(&pool, person, t0()).await;
    assert!(matches!(issue(&pool, &order(person, second, t0())).await.unwrap(), IssueOutcome::AlreadyOpen(_)));
    redeem(&pool, &attempt(person, t0()), true).await;
    assert_eq!(issue(&pool, &order(person, second, t0())).await.unwrap(), used);
}

#[sqlx::test]
async fn r5_the_same_message_is_sent_again_after_the_interval_until_no_sends_remain(pool: PgPool) {
    let first = issued(&pool, PERSON, t0()).await;
    let verification = verified(&pool, PERSON, t0()).await;
    let again = |after| {
        let order = order(PERSON, verification, t0() + seconds(after));
        let pool = pool.clone();
        async move { issue(&pool, &order).await.unwrap() }
    };
    sqlx::query(
        "UPDATE outbox SET state = 'accepted', attempts = 2, lease_token = id, lease_expire_time = expire_time,
            handover_time = create_time",
    )
    .execute(&pool)
    .await
    .unwrap();

    let IssueOutcome::AlreadyOpen(view) = again(59).await else { panic!("sent too early") };
    assert_eq!((view.id, view.dispatch_state), (first.id, DispatchState::Accepted));
    assert_eq!(view.next_send_time, Some(t0() + seconds(60)));

    let IssueOutcome::Resent(view) = again(60).await else { panic!("not sent again") };
    assert_eq!((view.id, view.dispatch_state), (first.id, DispatchState::Queued));
    assert_eq!((view.expire_time, view.next_send_time), (first.expire_time, Some(t0() + seconds(120))));
    assert!(
        one::<bool>(
            &pool,
            "SELECT state = 'queued' AND sends = 2 AND attempts = 0 AND lease_token IS NULL
                AND lease_expire_time IS NULL AND handover_time IS NULL AND NOT last_send
                AND next_attempt_time = create_time + interval '60 s' AND sealed_body = 'sealed PIN' FROM outbox"
        )
        .await
    );

    let IssueOutcome::Resent(view) = again(120).await else { panic!("not sent a third time") };
    assert_eq!(view.next_send_time, None);
    assert!(one::<bool>(&pool, "SELECT sends = 3 AND last_send FROM outbox").await);
    let IssueOutcome::AlreadyOpen(view) = again(300).await else { panic!("sent a fourth time") };
    assert_eq!(view.next_send_time, None);
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests").await, 1);
    assert_eq!(
        actions(&pool).await[2..],
        ["identity_verified", "pin_already_open", "pin_resent", "pin_resent", "pin_already_open"][..]
    );
}

#[sqlx::test]
async fn r5_a_message_whose_text_is_erased_is_not_sent_again(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    sqlx::query("UPDATE outbox SET state = 'failed', sealed_body = NULL").execute(&pool).await.unwrap();
    let order = order(PERSON, verified(&pool, PERSON, t0()).await, t0() + seconds(60));
    let IssueOutcome::AlreadyOpen(view) = issue(&pool, &order).await.unwrap() else { panic!("sent an erased text") };
    assert_eq!((view.dispatch_state, view.next_send_time), (DispatchState::Failed, None));
}

#[sqlx::test]
async fn r5_no_send_is_offered_after_the_pin_expires(pool: PgPool) {
    let verification = verified(&pool, PERSON, t0()).await;
    let short = NewPin { expire_time: t0() + seconds(60), ..new_pin(t0()) };
    let short = PinOrder { new_pin: Some(short), ..order(PERSON, verification, t0()) };
    let IssueOutcome::Issued(view) = issue(&pool, &short).await.unwrap() else { panic!("no PIN") };
    assert_eq!(view.next_send_time, None);
}

#[sqlx::test]
async fn r2_an_expired_pin_is_replaced_and_its_text_erased(pool: PgPool) {
    let first = issued(&pool, PERSON, t0()).await;
    let second = issued(&pool, PERSON, first.expire_time).await;
    assert_ne!(first.id, second.id);
    assert!(
        one::<bool>(
            &pool,
            "SELECT p.state = 'expired' AND p.close_time = p.expire_time AND o.state = 'expired' AND o.sealed_body IS NULL
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id ORDER BY p.create_time LIMIT 1"
        )
        .await
    );
}

#[sqlx::test]
async fn r6_r7_the_web_needs_a_passed_hold_and_a_login_after_it(pool: PgPool) {
    let hold = Hold::start(t0(), &HoldRules::default());
    let without = login(PERSON, 0, t0());
    record(&pool, &without, &LIMITS).await.unwrap();
    let outcome = issue(&pool, &web_order(PERSON, without.id, t0())).await.unwrap();
    assert_eq!(outcome, refused(Reason::AccessNotRequested));

    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    let long = |nonce, now| NewVerification { expire_time: hold.expire_time + hours(1), ..login(PERSON, nonce, now) };
    let before = long(2, hold.eligible_time - seconds(1));
    let after = long(3, hold.eligible_time);
    for login in [&before, &after] {
        record(&pool, login, &LIMITS).await.unwrap();
    }
    for (login, now, denial) in [
        (&before, hold.eligible_time - seconds(1), Denial::until(Reason::HoldRunning, hold.eligible_time)),
        (&before, hold.eligible_time, Denial::lasting(Reason::LoginAgain)),
        (&after, hold.expire_time, Denial::lasting(Reason::AccessExpired)),
    ] {
        let outcome = issue(&pool, &web_order(PERSON, login.id, now)).await.unwrap();
        assert_eq!(outcome, IssueOutcome::Refused(denial));
    }
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests").await, 0);

    let outcome = issue(&pool, &web_order(PERSON, after.id, hold.eligible_time)).await.unwrap();
    assert!(matches!(outcome, IssueOutcome::Issued(_)));
    assert!(
        one::<bool>(
            &pool,
            "SELECT state = 'used' AND close_time = eligible_time
                AND (SELECT count(*) = 2 FROM outbox WHERE kind <> 'pin' AND state = 'cancelled' AND sealed_body IS NULL)
            FROM access_requests"
        )
        .await
    );
}

#[sqlx::test]
async fn r6_orders_on_other_channels_do_not_use_the_hold(pool: PgPool) {
    log_in_and_request_access(&pool, PERSON, 1, t0()).await;
    issued(&pool, PERSON, t0()).await;
    assert_eq!(one::<String>(&pool, "SELECT state FROM access_requests").await, "open");
}

/// R5: nothing more is sent to the old number, and the new number gets a new PIN.
#[sqlx::test]
async fn r5_a_pin_sent_to_another_number_is_revoked_and_not_sent_again(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    let now = t0() + seconds(120);
    let verification = verified(&pool, PERSON, now).await;
    let order = PinOrder { mobile: MobileKey([9; 32]), ..order(PERSON, verification, now) };
    assert!(matches!(issue(&pool, &order).await.unwrap(), IssueOutcome::Issued(_)));
    assert!(
        one::<bool>(
            &pool,
            "SELECT p.state = 'revoked' AND p.revoke_reason = 'mobile_number_changed' AND o.sealed_body IS NULL
                AND o.state = 'cancelled' AND p.sends = 1
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id ORDER BY p.create_time LIMIT 1"
        )
        .await
    );
    assert_eq!(one::<i64>(&pool, "SELECT count(*) FROM pin_requests WHERE state = 'open'").await, 1);
    assert!(actions(&pool).await.contains(&"pin_revoked".to_owned()));
}
