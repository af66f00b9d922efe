//! The hold in Redis (R6, R7).

use chrono::{DateTime, TimeDelta, Utc};
use temporary_pin::domain::hold::HoldState;
use temporary_pin::domain::reason::Reason;
use temporary_pin::guard::{Bucket, GuardDecision};

use crate::fixture::{GuardFixture, at, hold, limit, mobile, person, spend};

const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);

#[tokio::test]
async fn r6_a_missing_hold_allows_nothing_and_spends_nothing() {
    let mut fixture = GuardFixture::new().await;
    let person = person();
    let spends = [
        spend(Bucket::PersonPins(person), limit(3, 100), 1),
        spend(Bucket::MobilePins(mobile()), limit(5, 100), 1),
        spend(Bucket::ServicePins, limit(100, 100), 1),
    ];
    assert_eq!(fixture.guard.check_and_spend(Some(person), &spends, at(0)).await, Ok(GuardDecision::HoldMissing));
    assert_eq!(fixture.keys().await, [""; 0]);
}

#[tokio::test]
async fn r6_r7_a_hold_allows_from_its_eligible_time_until_it_expires() {
    let fixture = GuardFixture::new().await;
    let person = person();
    let hold = hold(at(0) + TimeDelta::microseconds(123_457));
    fixture.guard.remember_hold(person, &hold, at(1)).await.unwrap();

    let pins = Bucket::PersonPins(person);
    let order = async |number, now: DateTime<Utc>| {
        fixture.guard.check_and_spend(Some(person), &[spend(pins, limit(9, 1_000_000), number)], now).await.unwrap()
    };
    let not_passed = GuardDecision::HoldNotPassed(hold);
    assert_eq!(order(1, at(1)).await, not_passed, "Redis keeps the times to the microsecond");
    assert_eq!(order(2, hold.eligible_time - MICROSECOND).await, not_passed);
    assert_eq!(fixture.spent(pins, 1_000_000, hold.eligible_time).await, 0, "an order during the hold spends nothing");
    assert_eq!(order(3, hold.eligible_time).await, GuardDecision::Allowed);
    assert_eq!(order(4, hold.expire_time - MICROSECOND).await, GuardDecision::Allowed);
    assert_eq!(order(5, hold.expire_time).await, not_passed);
    assert_eq!(hold.state(hold.expire_time), HoldState::Expired, "the script and the rule agree");
    assert_eq!(fixture.spent(pins, 1_000_000, hold.expire_time).await, 2);
}

#[tokio::test]
async fn r6_a_hold_that_has_passed_does_not_lift_a_limit() {
    let fixture = GuardFixture::new().await;
    let person = person();
    let hold = hold(at(0));
    fixture.guard.remember_hold(person, &hold, at(0)).await.unwrap();
    let now = hold.eligible_time;
    let order = |number| [spend(Bucket::PersonPins(person), limit(1, 100), number)];
    assert_eq!(fixture.guard.check_and_spend(Some(person), &order(1), now).await, Ok(GuardDecision::Allowed));
    assert_eq!(
        fixture.guard.check_and_spend(Some(person), &order(2), now).await,
        Ok(GuardDecision::Limited { reason: Reason::PersonLimit, until: now + TimeDelta::seconds(100) })
    );
}

#[tokio::test]
async fn r6_a_running_hold_is_the_answer_even_if_a_limit_is_reached() {
    let fixture = GuardFixture::new().await;
    let person = person();
    let hold = hold(at(0));
    fixture.guard.remember_hold(person, &hold, at(0)).await.unwrap();
    let spends = [
        spend(Bucket::MobilePins(mobile()), limit(0, 1_000_000), 1),
        spend(Bucket::PersonPins(person), limit(0, 1_000_000), 1),
    ];
    assert_eq!(
        fixture.guard.check_and_spend(Some(person), &spends, at(1)).await,
        Ok(GuardDecision::HoldNotPassed(hold))
    );
}

#[tokio::test]
async fn r6_each_person_has_their_own_hold() {
    let fixture = GuardFixture::new().await;
    let (waiting, other) = (person(), person());
    fixture.guard.remember_hold(waiting, &hold(at(0)), at(0)).await.unwrap();
    assert_eq!(fixture.guard.check_and_spend(Some(other), &[], at(0)).await, Ok(GuardDecision::HoldMissing));
}

#[tokio::test]
async fn r7_a_hold_is_kept_until_it_expires() {
    let mut fixture = GuardFixture::new().await;
    let person = person();
    let hold = hold(at(0));
    fixture.guard.remember_hold(person, &hold, hold.expire_time - TimeDelta::seconds(90)).await.unwrap();
    let key = fixture.only_key().await;
    let left = fixture.expires_in(&key).await;
    assert!((80_000..=90_001).contains(&left), "{left}");
    // An expired hold is deleted.
    fixture.guard.remember_hold(person, &hold, hold.expire_time).await.unwrap();
    assert_eq!(fixture.keys().await, [""; 0]);
}

#[tokio::test]
async fn r9_a_forgotten_hold_is_missing() {
    let fixture = GuardFixture::new().await;
    let person = person();
    fixture.guard.remember_hold(person, &hold(at(0)), at(0)).await.unwrap();
    fixture.guard.forget_hold(person).await.unwrap();
    fixture.guard.forget_hold(person).await.unwrap();
    assert_eq!(fixture.guard.check_and_spend(Some(person), &[], at(0)).await, Ok(GuardDecision::HoldMissing));
}
