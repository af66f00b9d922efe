//! Rates: a burst, then one per interval (R22, R25).

use chrono::TimeDelta;
use rstest::rstest;
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rule_settings::{Limit, LimitRules};
use temporary_pin::guard::{Bucket, GuardDecision};

use crate::fixture::{GuardFixture, agent, at, limit, spend};

const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);

/// A burst of `times`, then one each `interval` microseconds.
#[rstest]
#[case::r22_agent_verifications(
    Bucket::AgentVerifications(agent()),
    LimitRules::default().agent_verifications,
    30,
    120_000_000,
    Reason::AgentLimit
)]
#[case::r22_agent_pins(
    Bucket::AgentPins(agent()),
    LimitRules::default().agent_pins,
    20,
    180_000_000,
    Reason::AgentLimit
)]
#[case::r25_service_pins(Bucket::ServicePins, LimitRules::default().service_pins, 100, 10_000, Reason::ServiceLimit)]
#[case::caller_calls(Bucket::CallerCalls("web"), LimitRules::default().caller_calls, 500, 2_000, Reason::CallerLimit)]
#[tokio::test]
async fn a_rate_allows_a_burst_and_then_one_per_interval(
    #[case] bucket: Bucket<'static>,
    #[case] limit: Limit,
    #[case] times: u128,
    #[case] interval: i64,
    #[case] reason: Reason,
) {
    let fixture = GuardFixture::new().await;
    // Redis deletes keys by its own clock. With a longer span, the burst is over before that on a slow machine too.
    let limit = Limit { per: limit.per * 1000, ..limit };
    // A rate ignores the id: each call spends.
    for _ in 0..times {
        assert_eq!(fixture.check_and_spend(&[spend(bucket, limit, 1)], at(0)).await, GuardDecision::Allowed);
    }
    let until = at(0) + TimeDelta::milliseconds(interval);
    let limited = GuardDecision::Limited { reason, until };
    assert_eq!(fixture.check_and_spend(&[spend(bucket, limit, 2)], at(0)).await, limited);
    assert_eq!(fixture.check_and_spend(&[spend(bucket, limit, 2)], until - MICROSECOND).await, limited);
    assert_eq!(fixture.check_and_spend(&[spend(bucket, limit, 2)], until).await, GuardDecision::Allowed);
    let until = until + TimeDelta::milliseconds(interval);
    assert_eq!(
        fixture.check_and_spend(&[spend(bucket, limit, 2)], until - MICROSECOND).await,
        GuardDecision::Limited { reason, until }
    );
}

#[tokio::test]
async fn r22_a_refund_gives_back_one_and_never_more_than_a_full_bucket() {
    let mut fixture = GuardFixture::new().await;
    let pins = Bucket::AgentPins(agent());
    let limit = limit(3, 3000);
    let one = [spend(pins, limit, 1)];
    for _ in 0..3 {
        let _ = fixture.check_and_spend(&one, at(0)).await;
    }
    fixture.guard.refund(&one, at(0)).await.unwrap();
    assert_eq!(fixture.check_and_spend(&one, at(0)).await, GuardDecision::Allowed);
    assert_ne!(fixture.check_and_spend(&one, at(0)).await, GuardDecision::Allowed);
    for _ in 0..10 {
        fixture.guard.refund(&one, at(0)).await.unwrap();
    }
    assert_eq!(fixture.keys().await, [""; 0], "a full bucket needs no key");
    for _ in 0..3 {
        assert_eq!(fixture.check_and_spend(&one, at(0)).await, GuardDecision::Allowed);
    }
    assert_ne!(fixture.check_and_spend(&one, at(0)).await, GuardDecision::Allowed);
}

#[tokio::test]
async fn r22_a_peek_spends_nothing() {
    let mut fixture = GuardFixture::new().await;
    let peek = [spend(Bucket::AgentVerifications(agent()), limit(1, 100), 1)];
    for _ in 0..3 {
        assert_eq!(fixture.guard.peek(&peek, at(0)).await, Ok(GuardDecision::Allowed));
    }
    assert_eq!(fixture.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_limit_of_zero_allows_nothing() {
    let fixture = GuardFixture::new().await;
    let limited = GuardDecision::Limited { reason: Reason::AgentLimit, until: at(107) };
    assert_eq!(fixture.check_and_spend(&[spend(Bucket::AgentPins(agent()), limit(0, 100), 1)], at(7)).await, limited);
}

#[tokio::test]
async fn keys_expire_when_the_bucket_is_full_again() {
    let mut fixture = GuardFixture::new().await;
    let pins = Bucket::AgentPins(agent());
    for spent in 1..=3 {
        let _ = fixture.check_and_spend(&[spend(pins, limit(4, 400), 1)], at(0)).await;
        let key = fixture.only_key().await;
        let left = fixture.expires_in(&key).await;
        assert!((spent * 100_000 - 10_000..=spent * 100_000).contains(&left), "{spent}: {left}");
    }
}
