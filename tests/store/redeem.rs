//! RedeemTemporaryPin, one try at a time.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use temporary_pin::domain::redemption::{MAX_TRY_DURATION, RedeemOutcome, RedemptionRules};
use temporary_pin::domain::rule_settings::{Limit, LimitRules};
use temporary_pin::store::redeeming::{RedemptionTry, TryStart, begin_try};
use temporary_pin::store::withdrawal::revoke_temporary_pin;
use test_support::store::*;

/// A try under other figures.
fn attempt_within(tries_per_pin: u32, times: u32, now: DateTime<Utc>) -> RedemptionTry<'static> {
    let rules = RedemptionRules { tries_per_pin, wrong_tries: Limit { times, per: DAY } };
    RedemptionTry { rules, ..attempt(PERSON, now) }
}

fn exhausted(until: DateTime<Utc>) -> RedeemOutcome {
    RedeemOutcome::BudgetExhausted { until: Some(until) }
}

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
    let at = |now| attempt_within(3, 4, now);
    // A right try is not a wrong try: one wrong, one right.
    issued(&pool, PERSON, t0()).await;
    assert_eq!(redeem(&pool, &at(t0()), false).await, RedeemOutcome::WrongPin { left: 2 });
    assert_eq!(redeem(&pool, &at(t0()), true).await, RedeemOutcome::Redeemed);
    // Two more on the next PIN. After these the person has one left, the PIN too.
    let second = issued(&pool, PERSON, t0() + seconds(100)).await;
    assert_eq!(redeem(&pool, &at(t0() + seconds(100)), false).await, RedeemOutcome::WrongPin { left: 2 });
    assert_eq!(redeem(&pool, &at(t0() + seconds(200)), false).await, RedeemOutcome::WrongPin { left: 1 });
    // One more on the third PIN makes four, and ends that PIN.
    let now = second.expire_time;
    issued(&pool, PERSON, now).await;
    assert_eq!(redeem(&pool, &at(now), false).await, exhausted(t0() + DAY));
    assert!(
        one::<bool>(
            &pool,
            "SELECT p.state = 'revoked' AND p.revoke_reason = 'wrong_try_budget' AND p.tries = 1
                AND o.sealed_body IS NULL
            FROM pin_requests p JOIN outbox o ON o.id = p.message_id ORDER BY p.create_time DESC LIMIT 1"
        )
        .await
    );
    assert_eq!(redeem(&pool, &at(now), true).await, exhausted(t0() + DAY), "even the right PIN");
    // The window rolls: each try leaves it exactly a day after it was made.
    let last_moment = t0() + DAY - seconds(1);
    assert_eq!(redeem(&pool, &at(last_moment), true).await, exhausted(t0() + DAY));
    issued(&pool, PERSON, t0() + DAY).await;
    assert_eq!(redeem(&pool, &at(t0() + DAY), false).await, exhausted(t0() + DAY + seconds(100)));
    assert_eq!(redeem(&pool, &at(t0() + DAY + seconds(100)), true).await, RedeemOutcome::Revoked);
}

#[sqlx::test]
async fn r4_the_person_may_have_less_tries_left_than_the_pin(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    assert_eq!(redeem(&pool, &attempt_within(3, 2, t0()), false).await, RedeemOutcome::WrongPin { left: 1 });
    assert_eq!(redeem(&pool, &attempt_within(3, 2, t0()), false).await, exhausted(t0() + DAY));
}

/// CheckEligibility goes by the same rows.
#[sqlx::test]
async fn r4_the_status_of_the_person_tells_until_when_the_budget_is_spent(pool: PgPool) {
    let limits = LimitRules { wrong_tries: Limit { times: 2, per: DAY }, ..LimitRules::default() };
    let until = async |now| standing(&pool, PERSON, &limits, now).await.wrong_tries_until;
    issued(&pool, PERSON, t0()).await;
    redeem(&pool, &attempt_within(3, 2, t0()), false).await;
    assert_eq!(until(t0()).await, None);
    let second = t0() + seconds(30);
    // It counts once it is known to be wrong, or cannot turn out to be right any more.
    let running = attempt_within(3, 2, second);
    assert!(matches!(begin_try(&pool, &running).await.unwrap(), TryStart::Counted(_)));
    assert_eq!(until(second).await, None);
    assert_eq!(until(second + MAX_TRY_DURATION).await, Some(t0() + DAY));
    assert_eq!(conclude(&pool, &running, false).await.unwrap(), exhausted(t0() + DAY));
    assert_eq!(until(second).await, Some(t0() + DAY));
    assert_eq!(until(t0() + DAY - seconds(1)).await, Some(t0() + DAY));
    assert_eq!(until(t0() + DAY).await, None);
}

/// What 0.1.0 writes: rows without a result, of which those that were answered `redeemed` were right.
#[sqlx::test]
async fn r4_tries_that_the_release_0_1_0_has_counted_count_by_their_times(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    for seconds_later in [10, 20] {
        redeem(&pool, &attempt(PERSON, t0() + seconds(seconds_later)), false).await;
    }
    redeem(&pool, &attempt(PERSON, t0() + seconds(30)), true).await;
    sqlx::query("UPDATE requests SET is_right = NULL").execute(&pool).await.unwrap();
    let now = t0() + seconds(60);
    issued(&pool, PERSON, now).await;
    assert_eq!(redeem(&pool, &attempt_within(3, 4, now), false).await, RedeemOutcome::WrongPin { left: 1 });
    assert_eq!(redeem(&pool, &attempt_within(3, 4, now), false).await, exhausted(t0() + seconds(10) + DAY));
}

#[sqlx::test]
async fn a_repeat_gets_the_first_answer_and_changes_nothing(pool: PgPool) {
    let none = attempt(PERSON, t0());
    assert_eq!(redeem(&pool, &none, true).await, RedeemOutcome::NoOpenPin);
    issued(&pool, PERSON, t0()).await;
    let wrong = attempt(PERSON, t0());
    assert_eq!(redeem(&pool, &wrong, false).await, RedeemOutcome::WrongPin { left: 2 });
    let before = dump_tables(&pool).await;
    for (first, outcome) in [(&none, RedeemOutcome::NoOpenPin), (&wrong, RedeemOutcome::WrongPin { left: 2 })] {
        assert_eq!(begin_try(&pool, first).await.unwrap(), TryStart::Replayed(outcome));
        let other_payload =
            RedemptionTry { payload_digest: [9; 32], request_id: first.request_id, ..attempt(PERSON, t0()) };
        assert_eq!(begin_try(&pool, &other_payload).await.unwrap(), TryStart::RequestIdReused);
    }
    assert_eq!(dump_tables(&pool).await, before);
}

#[sqlx::test]
async fn r3_an_interrupted_try_is_continued_and_counts_once(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    let attempt = attempt(PERSON, t0());
    let TryStart::Counted(first) = begin_try(&pool, &attempt).await.unwrap() else { panic!("not counted") };
    let TryStart::Counted(second) = begin_try(&pool, &attempt).await.unwrap() else { panic!("not continued") };
    assert_eq!(first, second);
    assert_eq!(one::<i16>(&pool, "SELECT tries FROM pin_requests").await, 1);

    let wrong = RedeemOutcome::WrongPin { left: 2 };
    assert_eq!(conclude(&pool, &attempt, false).await.unwrap(), wrong);
    let before = dump_tables(&pool).await;
    assert_eq!(conclude(&pool, &attempt, false).await.unwrap(), wrong, "as first concluded");
    assert_eq!(dump_tables(&pool).await, before);
}

/// As the release 0.1.0 leaves it: noted, but without a PIN and an answer.
#[sqlx::test]
async fn a_try_interrupted_without_an_open_pin_does_not_count_on_a_later_pin(pool: PgPool) {
    let attempt = attempt(PERSON, t0());
    assert_eq!(begin_try(&pool, &attempt).await.unwrap(), TryStart::Answered(RedeemOutcome::NoOpenPin));
    sqlx::query("UPDATE requests SET response = NULL").execute(&pool).await.unwrap();
    issued(&pool, PERSON, t0()).await;
    assert_eq!(redeem(&pool, &attempt, true).await, RedeemOutcome::NoOpenPin);
    assert_eq!(one::<i16>(&pool, "SELECT tries FROM pin_requests").await, 0);
    assert_eq!(begin_try(&pool, &attempt).await.unwrap(), TryStart::Replayed(RedeemOutcome::NoOpenPin));
}

/// A right try that comes too late costs nothing, a wrong one does.
#[sqlx::test]
async fn r4_a_counted_try_that_is_overtaken_says_so(pool: PgPool) {
    let outcome_after = |is_right: bool, is_revoked: bool| {
        let pool = pool.clone();
        async move {
            issued(&pool, PERSON, t0()).await;
            let slow = attempt(PERSON, t0());
            assert!(matches!(begin_try(&pool, &slow).await.unwrap(), TryStart::Counted(_)));
            if is_revoked {
                assert!(revoke_temporary_pin(&pool, &withdrawal(PERSON, t0())).await.unwrap());
            } else {
                assert_eq!(redeem(&pool, &attempt(PERSON, t0()), true).await, RedeemOutcome::Redeemed);
            }
            sqlx::query("UPDATE pin_requests SET create_time = create_time - interval '1 year'")
                .execute(&pool)
                .await
                .unwrap();
            conclude(&pool, &slow, is_right).await.unwrap()
        }
    };
    for is_right in [true, false] {
        assert_eq!(outcome_after(is_right, true).await, RedeemOutcome::Revoked);
        assert_eq!(outcome_after(is_right, false).await, RedeemOutcome::NoOpenPin);
    }
    let limits = LimitRules { wrong_tries: Limit { times: 2, per: DAY }, ..LimitRules::default() };
    assert_eq!(standing(&pool, PERSON, &limits, t0()).await.wrong_tries_until, Some(t0() + DAY), "two were wrong");
    let limits = LimitRules { wrong_tries: Limit { times: 3, per: DAY }, ..limits };
    assert_eq!(standing(&pool, PERSON, &limits, t0()).await.wrong_tries_until, None);
}

#[sqlx::test]
async fn r2_a_pin_that_expires_during_the_comparison_is_not_redeemed(pool: PgPool) {
    let view = issued(&pool, PERSON, t0()).await;
    let first = attempt(PERSON, t0());
    assert!(matches!(begin_try(&pool, &first).await.unwrap(), TryStart::Counted(_)));
    let late = RedemptionTry { request_id: first.request_id, ..attempt(PERSON, view.expire_time) };
    assert_eq!(conclude(&pool, &late, true).await.unwrap(), RedeemOutcome::NoOpenPin);
    assert_eq!(one::<String>(&pool, "SELECT state FROM pin_requests").await, "open");
}

/// Redis has no room, the rows have: other tries are running, and one of them may be right.
#[sqlx::test]
async fn r4_a_try_that_the_guard_refuses_is_busy_and_leaves_nothing(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    let before = dump_tables(&pool).await;
    let refused = RedemptionTry { is_allowed_by_guard: false, ..attempt(PERSON, t0()) };
    assert_eq!(begin_try(&pool, &refused).await.unwrap(), TryStart::Busy);
    assert_eq!(dump_tables(&pool).await, before);
    let repeat = RedemptionTry { request_id: refused.request_id, ..attempt(PERSON, t0()) };
    assert_eq!(redeem(&pool, &repeat, true).await, RedeemOutcome::Redeemed, "not kept under the request id");
}

/// Three tries of another instance are running. Until one has a result, it is unknown whether the PIN is spent.
#[sqlx::test]
async fn r3_a_try_beside_running_ones_is_busy_until_they_have_a_result(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    let running = [(); 3].map(|()| attempt(PERSON, t0()));
    for attempt in &running {
        assert!(matches!(begin_try(&pool, attempt).await.unwrap(), TryStart::Counted(_)));
    }
    let fourth = attempt(PERSON, t0());
    assert_eq!(begin_try(&pool, &fourth).await.unwrap(), TryStart::Busy);
    assert_eq!(conclude(&pool, &running[0], false).await.unwrap(), RedeemOutcome::WrongPin { left: 2 });
    assert_eq!(begin_try(&pool, &fourth).await.unwrap(), TryStart::Busy);
    assert_eq!(conclude(&pool, &running[1], true).await.unwrap(), RedeemOutcome::Redeemed);
    assert_eq!(redeem(&pool, &fourth, true).await, RedeemOutcome::NoOpenPin);
    assert_eq!(conclude(&pool, &running[2], true).await.unwrap(), RedeemOutcome::NoOpenPin);
}

/// A process that has stopped between the two transactions does not keep the person waiting.
#[sqlx::test]
async fn r3_tries_that_never_get_a_result_count_as_wrong(pool: PgPool) {
    issued(&pool, PERSON, t0()).await;
    for _ in 0..3 {
        begin_try(&pool, &attempt(PERSON, t0())).await.unwrap();
    }
    let later = t0() + MAX_TRY_DURATION;
    assert_eq!(redeem(&pool, &attempt(PERSON, later), true).await, RedeemOutcome::Revoked);
    assert_eq!(one::<String>(&pool, "SELECT state FROM pin_requests").await, "revoked");
}
