//! Several buckets in one decision, and many concurrent decisions (R4, R18, R22, R25).

use chrono::TimeDelta;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::reason::Reason;
use temporary_pin::guard::{Bucket, Guard, GuardDecision, Spend};
use test_support::redis_url;
use tokio::task::JoinSet;

use crate::fixture::{GuardFixture, TIMEOUT, agent, at, limit, mobile, person, spend};

/// The cost of a PIN, with a bucket of each kind. The limit of the bucket at `exhausted` is zero.
fn pin_costs(exhausted: usize) -> Vec<Spend<'static>> {
    let buckets = [
        Bucket::PersonPins(person()),
        Bucket::MobilePins(mobile()),
        Bucket::AgentPins(agent()),
        Bucket::ServicePins,
        Bucket::CallerCalls("phone"),
    ];
    let times = |index| if index == exhausted { 0 } else { 3 };
    buckets.into_iter().enumerate().map(|(index, bucket)| spend(bucket, limit(times(index), 1000), 1)).collect()
}

#[tokio::test]
async fn r25_one_exhausted_bucket_leaves_the_others_unspent() {
    for exhausted in 0..5 {
        let mut fixture = GuardFixture::new().await;
        let reason =
            [Reason::PersonLimit, Reason::MobileLimit, Reason::AgentLimit, Reason::ServiceLimit, Reason::CallerLimit]
                [exhausted];
        let until = at(1000);
        assert_eq!(
            fixture.check_and_spend(&pin_costs(exhausted), at(0)).await,
            GuardDecision::Limited { reason, until }
        );
        assert_eq!(fixture.keys().await, [""; 0], "{exhausted}");
    }
}

#[tokio::test]
async fn r25_an_allowed_order_spends_in_every_bucket() {
    let mut fixture = GuardFixture::new().await;
    let spends = pin_costs(usize::MAX);
    assert_eq!(fixture.check_and_spend(&spends, at(0)).await, GuardDecision::Allowed);
    assert_eq!(fixture.keys().await.len(), 5);
    fixture.guard.refund(&spends, at(0)).await.unwrap();
    assert_eq!(fixture.keys().await, [""; 0]);
}

#[tokio::test]
async fn r18_one_exhausted_bucket_of_a_person_leaves_the_others_unspent() {
    let mut fixture = GuardFixture::new().await;
    let person = person();
    let spends = [
        spend(Bucket::PersonPins(person), limit(3, 100), 1),
        spend(Bucket::FailedVerifications(person, Channel::Phone), limit(0, 50), 1),
        spend(Bucket::WrongTries(person), limit(10, 100), 1),
    ];
    let limited = GuardDecision::Limited { reason: Reason::VerificationLimit, until: at(50) };
    assert_eq!(fixture.check_and_spend(&spends, at(0)).await, limited);
    assert_eq!(fixture.keys().await, [""; 0]);
}

#[tokio::test]
async fn r25_of_several_exhausted_buckets_the_one_that_lasts_longest_answers() {
    let fixture = GuardFixture::new().await;
    let person = person();
    let spends = |mobile_seconds| {
        [
            spend(Bucket::PersonPins(person), limit(0, 100), 1),
            spend(Bucket::FailedVerifications(person, Channel::Phone), limit(0, 200), 1),
            spend(Bucket::MobilePins(mobile()), limit(0, mobile_seconds), 1),
        ]
    };
    for (mobile_seconds, reason, until) in
        [(150, Reason::VerificationLimit, at(200)), (250, Reason::MobileLimit, at(250))]
    {
        let spends = spends(mobile_seconds);
        assert_eq!(fixture.check_and_spend(&spends, at(0)).await, GuardDecision::Limited { reason, until });
        assert_eq!(fixture.guard.peek(&spends, at(0)).await, Ok(GuardDecision::Limited { reason, until }));
    }
}

#[tokio::test]
async fn r25_a_repeat_that_another_bucket_refuses_does_not_refund_the_first_call() {
    let fixture = GuardFixture::new().await;
    let pins = Bucket::PersonPins(person());
    let of_person = spend(pins, limit(3, 100), 1);
    assert_eq!(fixture.check_and_spend(&[of_person], at(0)).await, GuardDecision::Allowed);
    let refused = fixture.check_and_spend(&[of_person, spend(Bucket::ServicePins, limit(0, 100), 1)], at(1)).await;
    assert_eq!(refused, GuardDecision::Limited { reason: Reason::ServiceLimit, until: at(101) });
    assert_eq!(fixture.spent(pins, 100, at(1)).await, 1);
}

/// Spends all `orders` concurrently, over four connections. Returns how many were allowed.
async fn spend_concurrently(fixture: &GuardFixture, orders: Vec<Vec<Spend<'static>>>) -> usize {
    let mut guards = Vec::new();
    for _ in 0..4 {
        guards.push(Guard::connect(&redis_url(), &fixture.prefix, TIMEOUT).await.unwrap());
    }
    let mut tasks = JoinSet::new();
    for (number, order) in orders.into_iter().enumerate() {
        let guard = guards[number % guards.len()].clone();
        tasks.spawn(async move { guard.check_and_spend(None, &order, at(0)).await.unwrap() });
    }
    tasks.join_all().await.into_iter().filter(|decision| *decision == GuardDecision::Allowed).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r4_64_concurrent_tries_never_exceed_the_limit() {
    let fixture = GuardFixture::new().await;
    let tries = Bucket::WrongTries(person());
    let orders = (0..64).map(|number| vec![spend(tries, limit(10, 1000), number)]).collect();
    assert_eq!(spend_concurrently(&fixture, orders).await, 10);
    assert_eq!(fixture.spent(tries, 1000, at(0)).await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r22_64_concurrent_orders_never_exceed_the_rate() {
    let fixture = GuardFixture::new().await;
    let agent = agent();
    let orders = (0..64).map(|number| vec![spend(Bucket::AgentPins(agent), limit(20, 3600), number)]).collect();
    assert_eq!(spend_concurrently(&fixture, orders).await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r25_64_concurrent_orders_with_one_id_spend_once() {
    let fixture = GuardFixture::new().await;
    let pins = Bucket::PersonPins(person());
    assert_eq!(spend_concurrently(&fixture, (0..64).map(|_| vec![spend(pins, limit(1, 1000), 1)]).collect()).await, 64);
    assert_eq!(fixture.spent(pins, 1000, at(0)).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r25_64_concurrent_orders_to_one_mobile_number_refund_the_refused_persons() {
    let fixture = GuardFixture::new().await;
    let mobile = Bucket::MobilePins(mobile());
    let people: Vec<_> = (0..64).map(|_| Bucket::PersonPins(person())).collect();
    let orders = (0_u128..)
        .zip(&people)
        .map(|(number, person)| vec![spend(*person, limit(3, 1000), number), spend(mobile, limit(5, 1000), number)])
        .collect();
    assert_eq!(spend_concurrently(&fixture, orders).await, 5);
    let mut spent = 0;
    for person in people {
        spent += fixture.spent(person, 1000, at(0) + TimeDelta::seconds(1)).await;
    }
    assert_eq!(spent, 5, "refused persons got their spend back");
}
