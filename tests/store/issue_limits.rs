//! R25, as counted from rows.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use temporary_pin::domain::order::OrderRules;
use temporary_pin::domain::person::{MobileKey, PersonKey};
use temporary_pin::domain::reason::{Denial, Reason};
use temporary_pin::domain::rule_settings::{Limit, LimitRules};
use temporary_pin::store::eligibility::PersonStatus;
use temporary_pin::store::issuing::{DispatchState, IssueOutcome, PinOrder};
use test_support::store::*;

const TWO_A_DAY: Limit = Limit { times: 2, per: DAY };
const MANY: Limit = Limit { times: 100, per: DAY };

fn person_limit(until: DateTime<Utc>) -> IssueOutcome {
    IssueOutcome::Limited(Denial::until(Reason::PersonLimit, until))
}

#[sqlx::test]
async fn r25_a_persons_pins_are_limited_in_a_rolling_window(pool: PgPool) {
    let at = |now| {
        let pool = pool.clone();
        async move {
            let verification = verified(&pool, PERSON, now).await;
            let rules = OrderRules { person_pins: TWO_A_DAY, ..ORDER_RULES };
            issue_with_rules(&pool, &order(PERSON, verification, now), rules).await.unwrap()
        }
    };
    assert!(matches!(at(t0()).await, IssueOutcome::Issued(_)));
    assert!(matches!(at(t0() + hours(1)).await, IssueOutcome::Issued(_)));
    let until = t0() + DAY;
    for now in [t0() + hours(2), until - seconds(1)] {
        assert_eq!(at(now).await, person_limit(until));
        let limits = LimitRules { person_pins: TWO_A_DAY, mobile_pins: MANY, ..LimitRules::default() };
        let standing = standing(&pool, PERSON, &limits, now).await;
        assert_eq!((standing.person_until, standing.mobile_until), (Some(until), None));
    }
    assert!(matches!(at(until).await, IssueOutcome::Issued(_)));
    // Now the second PIN is the one that must leave the window.
    assert_eq!(at(until + seconds(600)).await, person_limit(t0() + hours(1) + DAY));
}

#[sqlx::test]
async fn r25_pins_to_a_mobile_number_are_limited_over_all_persons(pool: PgPool) {
    let mobile = MobileKey([8; 32]);
    let now = t0() + seconds(1);
    for (number, is_issued) in [(1, true), (2, true), (3, false)] {
        let person = PersonKey([number; 32]);
        let verification = verified(&pool, person, now).await;
        let order = PinOrder { mobile, ..order(person, verification, now) };
        let rules = OrderRules { mobile_pins: TWO_A_DAY, ..ORDER_RULES };
        let outcome = issue_with_rules(&pool, &order, rules).await.unwrap();
        assert_eq!(matches!(outcome, IssueOutcome::Issued(_)), is_issued, "{outcome:?}");
        if !is_issued {
            assert_eq!(outcome, IssueOutcome::Limited(Denial::until(Reason::MobileLimit, now + DAY)));
        }
    }
    let limits = LimitRules { person_pins: MANY, mobile_pins: TWO_A_DAY, ..LimitRules::default() };
    // `standing` uses the person's pseudonym for the mobile number as well.
    let standing = standing(&pool, PersonKey(mobile.0), &limits, now).await;
    assert_eq!(standing, PersonStatus { mobile_until: Some(now + DAY), ..PersonStatus::default() });
}

#[sqlx::test]
async fn r25_when_none_may_be_issued_an_open_pin_is_still_returned_or_sent_again(pool: PgPool) {
    let verification = verified(&pool, PERSON, t0()).await;
    let refused = PinOrder { new_pin: None, ..order(PERSON, verification, t0()) };
    let before = dump_tables(&pool).await;
    assert_eq!(issue(&pool, &refused).await.unwrap(), IssueOutcome::NotIssued);
    assert_eq!(dump_tables(&pool).await, before);

    issue(&pool, &order(PERSON, verification, t0())).await.unwrap();
    let later = |after| PinOrder { new_pin: None, ..order(PERSON, verification, t0() + seconds(after)) };
    assert!(matches!(issue(&pool, &later(1)).await.unwrap(), IssueOutcome::AlreadyOpen(_)));
    assert!(matches!(issue(&pool, &later(60)).await.unwrap(), IssueOutcome::Resent(_)));
}

#[sqlx::test]
async fn r25_a_resend_does_not_count_as_a_pin(pool: PgPool) {
    let verification = verified(&pool, PERSON, t0()).await;
    let one_a_day = Limit { times: 1, per: DAY };
    let rules = OrderRules { person_pins: one_a_day, ..ORDER_RULES };
    let at = |after| order(PERSON, verification, t0() + seconds(after));
    assert!(matches!(issue_with_rules(&pool, &at(0), rules).await.unwrap(), IssueOutcome::Issued(_)));
    assert!(matches!(issue_with_rules(&pool, &at(60), rules).await.unwrap(), IssueOutcome::Resent(_)));
}

#[sqlx::test]
async fn the_open_pin_is_shown_until_it_ends(pool: PgPool) {
    let limits = LimitRules::default();
    let view = issued(&pool, PERSON, t0()).await;
    let open_pin = async |person, now| standing(&pool, person, &limits, now).await.open_pin_request;
    assert_eq!(open_pin(PERSON, t0()).await, Some(view.clone()));
    assert_eq!(open_pin(OTHER, t0()).await, None);
    assert_eq!(open_pin(PERSON, view.expire_time).await, None);

    sqlx::query("UPDATE outbox SET state = 'failed', sealed_body = NULL").execute(&pool).await.unwrap();
    let failed = open_pin(PERSON, t0()).await.unwrap();
    assert_eq!((failed.dispatch_state, failed.next_send_time), (DispatchState::Failed, None));

    redeem(&pool, &attempt(PERSON, t0()), true).await;
    assert_eq!(open_pin(PERSON, t0()).await, None);
}

/// No PIN is sent that cannot be redeemed.
#[sqlx::test]
async fn r4_without_a_wrong_try_left_no_pin_is_issued_sent_again_or_returned(pool: PgPool) {
    let rules = OrderRules { wrong_tries: TWO_A_DAY, ..ORDER_RULES };
    let at = |now| {
        let pool = pool.clone();
        async move {
            let verification = verified(&pool, PERSON, now).await;
            issue_with_rules(&pool, &order(PERSON, verification, now), rules).await.unwrap()
        }
    };
    let (first_try, second_try) = (t0() + seconds(1), t0() + seconds(2));
    assert!(matches!(at(t0()).await, IssueOutcome::Issued(_)));
    redeem(&pool, &attempt(PERSON, first_try), false).await;
    assert!(matches!(at(first_try).await, IssueOutcome::AlreadyOpen(_)));
    redeem(&pool, &attempt(PERSON, second_try), false).await;

    let until = first_try + DAY;
    let limited = IssueOutcome::Limited(Denial::until(Reason::WrongTryLimit, until));
    // The PIN is open and could be sent again; then it has expired.
    for now in [t0() + seconds(61), t0() + hours(1)] {
        assert_eq!(at(now).await, limited, "{now}");
    }
    // No PIN holds the person's open place: now only the statement's own condition is against a new one.
    sqlx::query("UPDATE pin_requests SET state = 'expired', close_time = expire_time").execute(&pool).await.unwrap();
    for now in [t0() + hours(1), until - seconds(1)] {
        assert_eq!(at(now).await, limited, "{now}");
    }
    assert!(one::<bool>(&pool, "SELECT count(*) = 1 AND max(sends) = 1 FROM pin_requests").await);
    assert!(matches!(at(until).await, IssueOutcome::Issued(_)));
}
