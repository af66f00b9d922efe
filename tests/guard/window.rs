//! Rolling windows, which are exact (R4, R18, R25).

use chrono::TimeDelta;
use rstest::rstest;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::person_limit::LimitUsage;
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rule_settings::{Limit, LimitRules};
use temporary_pin::guard::{Bucket, GuardDecision};

use crate::fixture::{GuardFixture, at, id, limit, mobile, person, spend};

const DAY: i64 = 24 * 3600;
const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);

#[rstest]
#[case::r4_wrong_tries(Bucket::WrongTries(person()), LimitRules::default().wrong_tries, 10, Reason::WrongTryLimit)]
#[case::r18_failed_verifications(
    Bucket::FailedVerifications(person(), Channel::Phone),
    LimitRules::default().failed_verifications,
    3,
    Reason::VerificationLimit
)]
#[case::r25_pins_of_a_person(Bucket::PersonPins(person()), LimitRules::default().person_pins, 3, Reason::PersonLimit)]
#[case::r25_pins_to_a_mobile(Bucket::MobilePins(mobile()), LimitRules::default().mobile_pins, 5, Reason::MobileLimit)]
#[tokio::test]
async fn a_window_allows_its_limit_in_any_24_hours(
    #[case] bucket: Bucket<'static>,
    #[case] limit: Limit,
    #[case] times: i64,
    #[case] reason: Reason,
) {
    let fixture = GuardFixture::new().await;
    let refused = |seconds| GuardDecision::Limited { reason, until: at(seconds) };
    // Spends one each hour until the limit is reached.
    for hour in 0..times {
        let number = u128::try_from(hour).unwrap();
        assert_eq!(
            fixture.check_and_spend(&[spend(bucket, limit, number)], at(hour * 3600)).await,
            GuardDecision::Allowed,
            "{hour}"
        );
    }
    let next = [spend(bucket, limit, 100)];
    assert_eq!(fixture.check_and_spend(&next, at(times * 3600)).await, refused(DAY));
    assert_eq!(fixture.check_and_spend(&next, at(DAY) - MICROSECOND).await, refused(DAY));
    // The first spend has left the window. The second leaves an hour later.
    assert_eq!(fixture.check_and_spend(&next, at(DAY)).await, GuardDecision::Allowed);
    assert_eq!(fixture.check_and_spend(&[spend(bucket, limit, 101)], at(DAY)).await, refused(DAY + 3600));
}

#[tokio::test]
async fn r25_the_same_id_spends_once_and_keeps_its_time() {
    let fixture = GuardFixture::new().await;
    let pins = Bucket::PersonPins(person());
    let limit = limit(2, 100);
    for seconds in [0, 10, 20] {
        assert_eq!(fixture.check_and_spend(&[spend(pins, limit, 1)], at(seconds)).await, GuardDecision::Allowed);
    }
    assert_eq!(fixture.spent(pins, 100, at(20)).await, 1);
    let _ = fixture.check_and_spend(&[spend(pins, limit, 2)], at(30)).await;
    // An id that is in the window is allowed even if the limit is reached, and it keeps its first time.
    assert_eq!(fixture.check_and_spend(&[spend(pins, limit, 1)], at(40)).await, GuardDecision::Allowed);
    let until = at(100);
    assert_eq!(
        fixture.check_and_spend(&[spend(pins, limit, 3)], at(40)).await,
        GuardDecision::Limited { reason: Reason::PersonLimit, until }
    );
    // After the id has left the window, it is spent again.
    assert_eq!(fixture.check_and_spend(&[spend(pins, limit, 1)], until).await, GuardDecision::Allowed);
    assert_eq!(fixture.spent(pins, 100, until).await, 2);
}

/// Of calls that have ended, Postgres has the rows that count.
#[tokio::test]
async fn r4_spends_from_before_a_time_can_be_forgotten() {
    let fixture = GuardFixture::new().await;
    let (tries, calls) = (Bucket::WrongTries(person()), Bucket::CallerCalls("core"));
    let spends = |number| [spend(tries, limit(3, 100), number), spend(calls, limit(3, 100), number)];
    for (number, seconds) in [(1, 0), (2, 10), (3, 20)] {
        assert_eq!(fixture.check_and_spend(&spends(number), at(seconds)).await, GuardDecision::Allowed);
    }
    fixture.guard.forget_spends_before(&spends(4), at(20)).await.unwrap();
    assert_eq!(fixture.spent(tries, 100, at(20)).await, 1, "what was spent at that time stays");
    let rate = [spend(calls, limit(3, 100), 4)];
    assert!(matches!(fixture.check_and_spend(&rate, at(20)).await, GuardDecision::Limited { .. }), "a rate stays");
}

#[tokio::test]
async fn r18_a_refund_gives_back_what_was_spent_under_the_id_and_is_idempotent() {
    let fixture = GuardFixture::new().await;
    let failures = Bucket::FailedVerifications(person(), Channel::Phone);
    let limit = limit(3, 100);
    for number in 0..3 {
        let _ = fixture.check_and_spend(&[spend(failures, limit, number)], at(0)).await;
    }
    for _ in 0..3 {
        fixture.guard.refund(&[spend(failures, limit, 1)], at(0)).await.unwrap();
        assert_eq!(fixture.spent(failures, 100, at(1)).await, 2);
    }
    fixture.guard.refund(&[spend(failures, limit, 77)], at(0)).await.unwrap();
    assert_eq!(fixture.spent(failures, 100, at(1)).await, 2, "a refund of an id that was not spent changes nothing");
    assert_eq!(fixture.check_and_spend(&[spend(failures, limit, 9)], at(1)).await, GuardDecision::Allowed);
}

#[tokio::test]
async fn r25_the_refund_of_a_repeat_does_not_refund_the_first_call() {
    let fixture = GuardFixture::new().await;
    let pins = Bucket::PersonPins(person());
    let order = [spend(pins, limit(3, 100), 1)];
    let _ = fixture.check_and_spend(&order, at(0)).await;
    let repeated = at(0) + MICROSECOND;
    assert_eq!(fixture.check_and_spend(&order, repeated).await, GuardDecision::Allowed);
    fixture.guard.refund(&order, repeated).await.unwrap();
    assert_eq!(fixture.spent(pins, 100, repeated).await, 1);
    fixture.guard.refund(&order, at(0)).await.unwrap();
    assert_eq!(fixture.spent(pins, 100, repeated).await, 0);
}

#[tokio::test]
async fn r18_a_peek_spends_nothing() {
    let mut fixture = GuardFixture::new().await;
    let peek = [spend(Bucket::FailedVerifications(person(), Channel::Phone), limit(1, 100), 1)];
    for _ in 0..3 {
        assert_eq!(fixture.guard.peek(&peek, at(0)).await, Ok(GuardDecision::Allowed));
    }
    assert_eq!(fixture.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_lowered_limit_refuses_until_enough_spends_have_left_the_window() {
    let fixture = GuardFixture::new().await;
    let pins = Bucket::PersonPins(person());
    for number in 0..5 {
        let _ =
            fixture.check_and_spend(&[spend(pins, limit(5, 100), number)], at(i64::try_from(number).unwrap())).await;
    }
    // Of the five spends at 0, 1, 2, 3 and 4 seconds, all but one must leave.
    assert_eq!(
        fixture.check_and_spend(&[spend(pins, limit(2, 100), 9)], at(10)).await,
        GuardDecision::Limited { reason: Reason::PersonLimit, until: at(103) }
    );
}

#[tokio::test]
async fn a_limit_of_zero_allows_nothing() {
    let fixture = GuardFixture::new().await;
    let limited = GuardDecision::Limited { reason: Reason::PersonLimit, until: at(107) };
    assert_eq!(fixture.check_and_spend(&[spend(Bucket::PersonPins(person()), limit(0, 100), 1)], at(7)).await, limited);
}

#[tokio::test]
async fn keys_expire_when_the_window_is_empty() {
    let mut fixture = GuardFixture::new().await;
    let pins = Bucket::PersonPins(person());
    let limit = limit(3, 100);
    let _ = fixture.check_and_spend(&[spend(pins, limit, 1)], at(50)).await;
    let key = fixture.only_key().await;
    let left = fixture.expires_in(&key).await;
    assert!((90_000..=100_000).contains(&left), "{left}");
    // A spend of an instance whose clock is 30 seconds behind does not let the key expire earlier.
    let _ = fixture.check_and_spend(&[spend(pins, limit, 2)], at(20)).await;
    let left = fixture.expires_in(&key).await;
    assert!((120_000..=130_000).contains(&left), "{left}");
}

#[tokio::test]
async fn spends_that_have_left_the_window_are_deleted() {
    let mut fixture = GuardFixture::new().await;
    let pins = Bucket::PersonPins(person());
    for number in 0..20 {
        let now = at(i64::try_from(number).unwrap() * 100);
        assert_eq!(fixture.check_and_spend(&[spend(pins, limit(1, 100), number)], now).await, GuardDecision::Allowed);
    }
    let key = fixture.only_key().await;
    let kept: Vec<String> = redis::cmd("ZRANGE").arg(key).arg(0).arg(-1).query_async(&mut fixture.redis).await.unwrap();
    assert_eq!(kept, [id(19).to_string()]);
}

/// As an operator reads and resets a limit (R9).
#[tokio::test]
async fn r9_a_window_reports_what_is_spent_and_can_be_reset() {
    let mut fixture = GuardFixture::new().await;
    let (tries, other) = (Bucket::WrongTries(person()), Bucket::WrongTries(person()));
    let limit = limit(2, 100);
    let usage = async |fixture: &GuardFixture, seconds| fixture.guard.spent(tries, limit, at(seconds)).await.unwrap();
    assert_eq!(usage(&fixture, 0).await, LimitUsage::default());
    for (number, seconds) in [(1, 0), (2, 10)] {
        let _ = fixture.check_and_spend(&[spend(tries, limit, number), spend(other, limit, number)], at(seconds)).await;
    }
    assert_eq!(usage(&fixture, 20).await, LimitUsage { times: 2, full_until: Some(at(100)) });
    assert_eq!(usage(&fixture, 100).await, LimitUsage { times: 1, full_until: None });

    fixture.guard.reset(tries).await.unwrap();

    assert_eq!(usage(&fixture, 20).await, LimitUsage::default());
    assert_eq!(fixture.spent(other, 100, at(20)).await, 2, "the limit of another person stays");
    assert_eq!(fixture.keys().await.len(), 1);
}
