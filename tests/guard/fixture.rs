//! A guard with its own key prefix, and random pseudonyms.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;
use redis::aio::MultiplexedConnection;
use temporary_pin::domain::hold::{Hold, HoldRules};
use temporary_pin::domain::person::{AgentKey, MobileKey, PersonKey};
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::guard::{Bucket, Guard, GuardDecision, Spend};
use temporary_pin::random;
use test_support::{redis_url, unique};
use uuid::Uuid;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// A guard, and a connection to the same Redis to look at its keys.
pub(crate) struct GuardFixture {
    pub(crate) guard: Guard,
    pub(crate) prefix: String,
    pub(crate) redis: MultiplexedConnection,
}

impl GuardFixture {
    pub(crate) async fn new() -> Self {
        Self::at(&redis_url()).await
    }

    pub(crate) async fn at(url: &str) -> Self {
        let prefix = unique("test");
        let guard = Guard::connect(url, &prefix, TIMEOUT).await.unwrap();
        let client = redis::Client::open(url).unwrap();
        let redis = client.get_multiplexed_async_connection().await.expect("the tests need a running Redis");
        Self { guard, prefix, redis }
    }

    /// All keys of this guard.
    pub(crate) async fn keys(&mut self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}:*", self.prefix)).arg("COUNT").arg(1000);
            let (next, found): (u64, Vec<String>) = scan.query_async(&mut self.redis).await.unwrap();
            keys.extend(found);
            cursor = next;
            if cursor == 0 {
                keys.sort();
                keys.dedup();
                return keys;
            }
        }
    }

    /// The only key of this guard.
    pub(crate) async fn only_key(&mut self) -> String {
        let keys = self.keys().await;
        assert_eq!(keys.len(), 1, "{keys:?}");
        keys[0].clone()
    }

    /// The milliseconds until the key expires.
    pub(crate) async fn expires_in(&mut self, key: &str) -> i64 {
        redis::cmd("PTTL").arg(key).query_async(&mut self.redis).await.unwrap()
    }

    pub(crate) async fn check_and_spend(&self, spends: &[Spend<'_>], now: DateTime<Utc>) -> GuardDecision {
        self.guard.check_and_spend(None, spends, now).await.unwrap()
    }

    /// How much is spent of a rolling window of `seconds`. Changes nothing.
    pub(crate) async fn spent(&self, bucket: Bucket<'_>, seconds: u64, now: DateTime<Utc>) -> u32 {
        let mut count = 0;
        // Raises the limit until there is room for one more.
        while self.guard.peek(&[spend(bucket, limit(count + 1, seconds), u128::MAX)], now).await.unwrap()
            != GuardDecision::Allowed
        {
            count += 1;
        }
        count
    }
}

/// The time `seconds` after a start that all tests share.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn limit(times: u32, seconds: u64) -> Limit {
    Limit { times, per: Duration::from_secs(seconds) }
}

pub(crate) fn spend(bucket: Bucket<'_>, limit: Limit, number: u128) -> Spend<'_> {
    Spend { bucket, limit, id: id(number) }
}

pub(crate) fn person() -> PersonKey {
    PersonKey(random::secure().random())
}

pub(crate) fn mobile() -> MobileKey {
    MobileKey(random::secure().random())
}

pub(crate) fn agent() -> AgentKey {
    AgentKey(random::secure().random())
}

/// A hold with the default times.
pub(crate) fn hold(request_time: DateTime<Utc>) -> Hold {
    Hold::start(request_time, &HoldRules::default())
}
