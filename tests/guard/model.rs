//! Compares the guard with simple models of the same rules, over random histories (R4, R18, R22, R25).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::reason::Reason;
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::guard::{Bucket, GuardDecision, Spend};
use uuid::Uuid;

use crate::fixture::{GuardFixture, agent, at, id, mobile, person};

/// Windows last minutes. A history is played much faster, so Redis deletes no key by its own clock.
const MICROS_PER_SECOND: u64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
enum Act {
    Spend,
    Peek,
    Refund,
}

/// An act on some of the buckets, `after` microseconds after the step before.
#[derive(Clone, Debug)]
struct Step {
    after: i64,
    act: Act,
    buckets: Vec<usize>,
    id: u128,
}

fn steps(buckets: usize) -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![5 => Just(Act::Spend), 2 => Just(Act::Peek), 1 => Just(Act::Refund)];
    // Many steps have the same time, or come at the edge of a window.
    let after = prop_oneof![Just(0), Just(60_000_000), Just(1), 0..90_000_000_i64];
    let step = (after, act, prop::sample::subsequence((0..buckets).collect::<Vec<_>>(), 1..=buckets), 0..8_u128)
        .prop_map(|(after, act, buckets, id)| Step { after, act, buckets, id });
    prop::collection::vec(step, 1..40)
}

fn limits(count: usize) -> impl Strategy<Value = Vec<Limit>> {
    let per = prop_oneof![Just(60 * MICROS_PER_SECOND), 30 * MICROS_PER_SECOND..120 * MICROS_PER_SECOND]
        .prop_map(Duration::from_micros);
    prop::collection::vec((0..6_u32, per).prop_map(|(times, per)| Limit { times, per }), count)
}

/// A simple model of one bucket.
trait Model {
    /// `Err`: until when there is no room.
    fn peek(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), DateTime<Utc>>;
    fn spend(&mut self, id: Uuid, now: DateTime<Utc>);
    fn refund(&mut self, id: Uuid, now: DateTime<Utc>);
}

/// A rolling window that remembers every spend for ever.
struct WindowModel {
    limit: Limit,
    spent: Vec<(Uuid, DateTime<Utc>)>,
}

impl WindowModel {
    fn holds(&self, id: Uuid, now: DateTime<Utc>) -> bool {
        self.spent.iter().any(|(other, time)| *other == id && *time + self.limit.per > now)
    }

    fn has_room(&self, now: DateTime<Utc>) -> bool {
        let count = self.spent.iter().filter(|(_, time)| *time + self.limit.per > now).count();
        count < usize::try_from(self.limit.times).unwrap()
    }
}

impl Model for WindowModel {
    fn peek(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        if self.holds(id, now) || self.has_room(now) {
            return Ok(());
        }
        // There can only be room again when a spend leaves the window.
        let leaving = self.spent.iter().map(|(_, time)| *time + self.limit.per).filter(|leaves| *leaves > now);
        Err(leaving.filter(|leaves| self.has_room(*leaves)).min().unwrap_or(now + self.limit.per))
    }

    fn spend(&mut self, id: Uuid, now: DateTime<Utc>) {
        if !self.holds(id, now) {
            self.spent.push((id, now));
        }
    }

    fn refund(&mut self, id: Uuid, now: DateTime<Utc>) {
        self.spent.retain(|spent| *spent != (id, now));
    }
}

/// A leaky bucket: each spend adds one interval to the level, and time takes it out again.
struct LeakyBucketModel {
    limit: Limit,
    level: u64,
    last: DateTime<Utc>,
}

impl LeakyBucketModel {
    fn interval(&self) -> u64 {
        u64::try_from(self.limit.per.as_micros()).unwrap().div_ceil(u64::from(self.limit.times.max(1)))
    }

    fn level(&self, now: DateTime<Utc>) -> u64 {
        self.level.saturating_sub(u64::try_from((now - self.last).num_microseconds().unwrap()).unwrap())
    }
}

impl Model for LeakyBucketModel {
    fn peek(&self, _id: Uuid, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        let over = (self.level(now) + self.interval()).saturating_sub(self.interval() * u64::from(self.limit.times));
        if over == 0 { Ok(()) } else { Err(now + TimeDelta::microseconds(i64::try_from(over).unwrap())) }
    }

    fn spend(&mut self, _id: Uuid, now: DateTime<Utc>) {
        (self.level, self.last) = (self.level(now) + self.interval(), now);
    }

    fn refund(&mut self, _id: Uuid, now: DateTime<Utc>) {
        (self.level, self.last) = (self.level(now).saturating_sub(self.interval()), now);
    }
}

/// Until when the models refuse. `None`: they allow the step.
fn expected_refusal(models: &[Box<dyn Model>], step: &Step, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    step.buckets.iter().filter_map(|bucket| models[*bucket].peek(id(step.id), now).err()).max()
}

/// Plays the steps on the guard and on the models, and compares the decisions.
fn play(buckets: &[Bucket<'_>], limits: &[Limit], mut models: Vec<Box<dyn Model>>, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let fixture = GuardFixture::new().await;
        let mut now = at(0);
        for (number, step) in steps.iter().enumerate() {
            now += TimeDelta::microseconds(step.after);
            let spends: Vec<Spend<'_>> = step
                .buckets
                .iter()
                .map(|bucket| Spend { bucket: buckets[*bucket], limit: limits[*bucket], id: id(step.id) })
                .collect();
            let expected = expected_refusal(&models, step, now);
            let answer = match step.act {
                Act::Spend => fixture.guard.check_and_spend(None, &spends, now).await.unwrap(),
                Act::Peek => fixture.guard.peek(&spends, now).await.unwrap(),
                Act::Refund => {
                    fixture.guard.refund(&spends, now).await.unwrap();
                    step.buckets.iter().for_each(|bucket| models[*bucket].refund(id(step.id), now));
                    continue;
                }
            };
            match (answer, expected) {
                (GuardDecision::Allowed, None) => {
                    if matches!(step.act, Act::Spend) {
                        step.buckets.iter().for_each(|bucket| models[*bucket].spend(id(step.id), now));
                    }
                }
                (GuardDecision::Limited { until, reason }, Some(expected)) => {
                    assert_eq!(until, expected, "step {number}");
                    assert_ne!(reason, Reason::Internal);
                }
                other => panic!("step {number} {step:?} at {now}: {other:?}"),
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn r4_r18_r25_windows_decide_as_a_full_history_would(limits in limits(4), steps in steps(4)) {
        let person = person();
        let buckets = [
            Bucket::WrongTries(person),
            Bucket::FailedVerifications(person, Channel::Phone),
            Bucket::PersonPins(person),
            Bucket::MobilePins(mobile()),
        ];
        let models =
            limits.iter().map(|limit| Box::new(WindowModel { limit: *limit, spent: Vec::new() }) as Box<dyn Model>).collect();
        play(&buckets, &limits, models, &steps);
    }

    #[test]
    fn r22_r25_rates_decide_as_a_leaky_bucket_would(limits in limits(4), steps in steps(4)) {
        let agent = agent();
        let buckets = [
            Bucket::AgentVerifications(agent),
            Bucket::AgentPins(agent),
            Bucket::ServicePins,
            Bucket::CallerCalls("phone"),
        ];
        let models = limits
            .iter()
            .map(|limit| Box::new(LeakyBucketModel { limit: *limit, level: 0, last: at(0) }) as Box<dyn Model>)
            .collect();
        play(&buckets, &limits, models, &steps);
    }
}
