//! RedeemTemporaryPin, one try at a time.

use sqlx::PgPool;
use temporary_pin::domain::rules::Limit;
use temporary_pin::store::redeeming::{
    RedeemOutcome, RedemptionTry, TryRefusal, TryResult, TryStart, begin_try, finish_try,
};
use temporary_pin::store::withdrawal::revoke_temporary_pin;
use test_support::store::*;

#[sqlx::test]
async fn r2_the_right_pin_is_redeemed_once_and_its_text_erased(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    assert_eq!(redeem(&pool, &attempt(PERSON, t0()), true).await, RedeemOutcome::Redeemed);
    assert!(
        one::<bool>(
            &pool,
            "SELECT p.state = 'redeemed' AND p.close_time = p.create_time AND p.tries = 1
                AND o.state = 'cancelled' AND o.sealed_body IS NULL
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id"
        )
        .await
    );
    assert_eq!(actions(&pool).await[2..], ["pin_redeemed"]);
    assert_eq!(redeem(&pool, &attempt(PERSON, t0()), true).await, RedeemOutcome::NoOpenPin);
}

#[sqlx::test]
async fn r3_wrong_tries_count_down_and_the_last_revokes(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    for left in [2, 1] {
        assert_eq!(redeem(&pool, &attempt(PERSON, t0()), false).await, RedeemOutcome::WrongPin { left });
    }
    assert_eq!(one::<String>(&pool, "SELECT state FROM pin_requests").await, "open");
    assert_eq!(redeem(&pool, &attempt(PERSON, t0()), false).await, RedeemOutcome::Revoked);
    assert!(
        one::<bool>(
            &pool,
            "SELECT p.state = 'revoked' AND p.revoke_reason = 'wrong_tries' AND o.sealed_body IS NULL
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id"
        )
        .await
    );
    assert_eq!(redeem(&pool, &attempt(PERSON, t0()), true).await, RedeemOutcome::Revoked, "even the right PIN");
    assert_eq!(actions(&pool).await[2..], ["pin_refused", "pin_refused", "pin_revoked", "pin_refused"]);
}

#[sqlx::test]
async fn without_an_open_pin_the_answer_is_none_or_revoked(pool: PgPool) {
    assert_eq!(redeem(&pool, &attempt(PERSON, t0()), true).await, RedeemOutcome::NoOpenPin);
    let view = issued(&pool, PERSON, t0()).await;
    assert_eq!(redeem(&pool, &attempt(PERSON, view.expire_time), true).await, RedeemOutcome::NoOpenPin);
    let last_moment = view.expire_time - seconds(1);
    assert!(revoke_temporary_pin(&pool, &withdrawal(PERSON, t0())).await.unwrap());
    assert_eq!(redeem(&pool, &attempt(PERSON, last_moment), true).await, RedeemOutcome::Revoked);
    assert_eq!(redeem(&pool, &attempt(PERSON, view.expire_time), true).await, RedeemOutcome::NoOpenPin);
    assert_eq!(redeem(&pool, &attempt(OTHER, t0()), true).await, RedeemOutcome::NoOpenPin);
}

#[sqlx::test]
async fn r2_a_pin_can_be_redeemed_until_it_expires(pool: PgPool) {
    let view = issued(&pool, PERSON, t0()).await;
    let last_moment = attempt(PERSON, view.expire_time - seconds(1));
    assert_eq!(redeem(&pool, &last_moment, true).await, RedeemOutcome::Redeemed);
}

#[sqlx::test]
async fn r4_wrong_tries_over_all_pins_are_limited_and_a_new_pin_does_not_reset_them(pool: PgPool) {
    let wrong_tries = Limit { times: 4, per: DAY };
    let at = |now| RedemptionTry { wrong_tries, ..attempt(PERSON, now) };
    // One wrong try. The right one does not count.
    issued(&pool, PERSON, t0()).await;
    assert_eq!(redeem(&pool, &at(t0()), false).await, RedeemOutcome::WrongPin { left: 2 });
    assert_eq!(redeem(&pool, &at(t0()), true).await, RedeemOutcome::Redeemed);
    // Two more wrong tries on the next PIN.
    let second = issued(&pool, PERSON, t0()).await;
    for left in [2, 1] {
        assert_eq!(redeem(&pool, &at(t0()), false).await, RedeemOutcome::WrongPin { left });
    }
    // One more on the third PIN makes four.
    let now = second.expire_time;
    issued(&pool, PERSON, now).await;
    assert_eq!(redeem(&pool, &at(now), false).await, RedeemOutcome::WrongPin { left: 2 });
    assert_eq!(redeem(&pool, &at(now), true).await, RedeemOutcome::BudgetExhausted, "even the right PIN");
    assert!(
        one::<bool>(
            &pool,
            "SELECT p.state = 'revoked' AND p.revoke_reason = 'wrong_try_budget' AND p.tries = 1
                AND o.sealed_body IS NULL
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id ORDER BY p.create_time DESC LIMIT 1"
        )
        .await
    );
    // The window is rolling. The first PIN ended ten minutes after it was issued.
    assert_eq!(redeem(&pool, &at(t0() + DAY), true).await, RedeemOutcome::BudgetExhausted);
    assert_eq!(redeem(&pool, &at(second.expire_time + DAY), true).await, RedeemOutcome::NoOpenPin);
}

#[sqlx::test]
async fn a_repeat_gets_the_first_answer_and_changes_nothing(pool: PgPool) {
    let none = attempt(PERSON, t0());
    assert_eq!(redeem(&pool, &none, true).await, RedeemOutcome::NoOpenPin);
    issued(&pool, PERSON, t0()).await;
    let wrong = attempt(PERSON, t0());
    assert_eq!(redeem(&pool, &wrong, false).await, RedeemOutcome::WrongPin { left: 2 });
    let before = everything(&pool).await;
    for (first, outcome) in [(&none, RedeemOutcome::NoOpenPin), (&wrong, RedeemOutcome::WrongPin { left: 2 })] {
        assert_eq!(begin_try(&pool, first).await.unwrap(), TryStart::Replayed(outcome));
        let other_payload =
            RedemptionTry { payload_digest: [9; 32], request_id: first.request_id, ..attempt(PERSON, t0()) };
        assert_eq!(begin_try(&pool, &other_payload).await.unwrap(), TryStart::RequestIdReused);
    }
    assert_eq!(everything(&pool).await, before);
}

#[sqlx::test]
async fn r3_an_interrupted_try_is_continued_and_counts_once(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    let attempt = attempt(PERSON, t0());
    let TryStart::Counted(first) = begin_try(&pool, &attempt).await.unwrap() else { panic!("not counted") };
    let TryStart::Counted(second) = begin_try(&pool, &attempt).await.unwrap() else { panic!("not continued") };
    assert_eq!((first.tries, &first), (1, &second));
    assert_eq!(one::<i16>(&pool, "SELECT tries FROM pin_requests").await, 1);

    let wrong = RedeemOutcome::WrongPin { left: 2 };
    assert_eq!(finish_try(&pool, &attempt, TryResult::Wrong(&first)).await.unwrap(), wrong);
    let before = everything(&pool).await;
    assert_eq!(finish_try(&pool, &attempt, TryResult::Wrong(&second)).await.unwrap(), wrong, "the first result");
    assert_eq!(everything(&pool).await, before);
}

#[sqlx::test]
async fn a_try_interrupted_without_an_open_pin_does_not_count_on_a_later_pin(pool: PgPool) {
    let attempt = attempt(PERSON, t0());
    assert_eq!(begin_try(&pool, &attempt).await.unwrap(), TryStart::Refused(TryRefusal::NoOpenPin));
    issued(&pool, PERSON, t0()).await;
    assert_eq!(redeem(&pool, &attempt, true).await, RedeemOutcome::NoOpenPin);
    assert_eq!(one::<i16>(&pool, "SELECT tries FROM pin_requests").await, 0);
}

#[sqlx::test]
async fn a_counted_try_whose_pin_ends_meanwhile_is_told_so(pool: PgPool) {
    let outcome_after = |right: bool, revoked: bool| {
        let pool = pool.clone();
        async move {
            issued(&pool, PERSON, t0()).await;
            let slow = attempt(PERSON, t0());
            let TryStart::Counted(counted) = begin_try(&pool, &slow).await.unwrap() else { panic!("not counted") };
            if revoked {
                assert!(revoke_temporary_pin(&pool, &withdrawal(PERSON, t0())).await.unwrap());
            } else {
                assert_eq!(redeem(&pool, &attempt(PERSON, t0()), true).await, RedeemOutcome::Redeemed);
            }
            sqlx::query("UPDATE pin_requests SET create_time = create_time - interval '1 year'")
                .execute(&pool)
                .await
                .unwrap();
            let result = if right { TryResult::Right(&counted) } else { TryResult::Wrong(&counted) };
            finish_try(&pool, &slow, result).await.unwrap()
        }
    };
    for right in [true, false] {
        assert_eq!(outcome_after(right, true).await, RedeemOutcome::Revoked);
        assert_eq!(outcome_after(right, false).await, RedeemOutcome::NoOpenPin);
    }
}

#[sqlx::test]
async fn r2_a_pin_that_expires_during_the_comparison_is_not_redeemed(pool: PgPool) {
    let view = issued(&pool, PERSON, t0()).await;
    let first = attempt(PERSON, t0());
    let TryStart::Counted(counted) = begin_try(&pool, &first).await.unwrap() else { panic!("not counted") };
    let late = RedemptionTry { request_id: first.request_id, ..attempt(PERSON, view.expire_time) };
    assert_eq!(finish_try(&pool, &late, TryResult::Right(&counted)).await.unwrap(), RedeemOutcome::NoOpenPin);
    assert_eq!(one::<String>(&pool, "SELECT state FROM pin_requests").await, "open");
}

/// Other tries may be running, and one of them may be right.
#[sqlx::test]
async fn r4_a_try_that_the_guard_refuses_revokes_nothing(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    let attempt = RedemptionTry { may_count: false, ..attempt(PERSON, t0()) };
    let TryStart::Refused(refusal) = begin_try(&pool, &attempt).await.unwrap() else { panic!("counted") };
    assert_eq!(refusal, TryRefusal::Limited);
    let outcome = finish_try(&pool, &attempt, TryResult::Refused(refusal)).await.unwrap();
    assert_eq!(outcome, RedeemOutcome::BudgetExhausted);
    assert!(one::<bool>(&pool, "SELECT state = 'open' AND tries = 0 FROM pin_requests").await);
    assert_eq!(begin_try(&pool, &attempt).await.unwrap(), TryStart::Replayed(outcome));
}
