//! Redis: counts the limits and checks the hold. Each decision is one atomic script.
//!
//! Postgres holds the truth: a hold that Redis has lost is rebuilt from there ([`Guard::remember_hold`]). If Redis fails,
//! the answer is [`GuardError::Unavailable`], never `Allowed` (R26).

mod bucket;
mod command_batcher;
mod connection;
mod decision;
mod error;
mod hold;
mod hold_times;
mod keys;
mod script;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;

use self::bucket::CountingMethod;
pub use self::bucket::{Bucket, Spend};
use self::command_batcher::CommandBatcher;
use self::connection::RedisConnection;
pub use self::decision::GuardDecision;
use self::decision::{ScriptAnswer, combine_answers};
pub use self::error::GuardError;
use self::error::report_unexpected_answer;
use self::script::{ScriptCall, ScriptMode};
use crate::deadline;
use crate::domain::person::PersonKey;
use crate::domain::person_limit::LimitUsage;
use crate::domain::rule_settings::Limit;

/// How long the key that the health check writes and deletes may stay.
const HEALTH_KEY_LIFETIME_MILLIS: u32 = 10_000;

/// The client of Redis. Cheap to clone. All clones share one connection.
#[derive(Clone)]
pub struct Guard {
    connection: Arc<RedisConnection>,
    prefix: Arc<str>,
    batcher: CommandBatcher,
}

impl Guard {
    /// Connects to the Redis at `url`. All keys start with `prefix`. No round trip takes longer than `timeout`.
    ///
    /// It is no error if Redis is down: the guard connects again whenever it needs a connection.
    pub async fn connect(url: &str, prefix: &str, timeout: Duration) -> Result<Self, GuardError> {
        let connection = Arc::new(RedisConnection::new(url, timeout)?);
        let batcher = CommandBatcher::new(Arc::clone(&connection), timeout);
        let guard = Self { connection, prefix: Arc::from(prefix), batcher };
        // Connects now, so that the first call need not wait for it. A failure is logged.
        let _ = guard.check_health().await;
        Ok(guard)
    }

    /// Succeeds if Redis runs scripts that write: not if it is a replica, is full, or misses the replicas that it must have.
    pub async fn check_health(&self) -> Result<(), GuardError> {
        let mut write = redis::cmd("EVAL");
        write.arg("redis.call('SET', KEYS[1], '', 'PX', ARGV[1]) return redis.call('DEL', KEYS[1])").arg(1);
        write.arg(keys::health_key(&self.prefix)).arg(HEALTH_KEY_LIFETIME_MILLIS);
        let write = async |mut connection| write.exec_async(&mut connection).await;
        self.connection.run_for_call("health", write).await
    }

    /// Spends all of `spends` or nothing. With `hold_of`, checks that person's hold first: unless it has passed, nothing is
    /// spent.
    ///
    /// The buckets are on several Redis nodes, so several scripts run. If one of them refuses, this gives back what the
    /// others have spent before it returns, which takes a second round trip. After an error, a script may have spent
    /// although it failed. In a rolling window, the same id then spends no more.
    pub async fn check_and_spend(
        &self,
        hold_of: Option<PersonKey>,
        spends: &[Spend<'_>],
        now: DateTime<Utc>,
    ) -> Result<GuardDecision, GuardError> {
        let answers = self.run_scripts(&ScriptCall::group(hold_of, spends), ScriptMode::Spend, now).await;
        let spent: Vec<Spend<'_>> = answers
            .iter()
            .filter_map(|answer| match answer {
                Ok(ScriptAnswer::Allowed(spent)) => Some(spent.as_slice()),
                _ => None,
            })
            .flatten()
            .copied()
            .collect();
        let decision = combine_answers(answers);
        if decision != Ok(GuardDecision::Allowed) {
            self.refund(&spent, now).await?;
        }
        decision
    }

    /// What [`Guard::check_and_spend`] would decide. Spends nothing.
    pub async fn peek(&self, spends: &[Spend<'_>], now: DateTime<Utc>) -> Result<GuardDecision, GuardError> {
        combine_answers(self.run_scripts(&ScriptCall::group(None, spends), ScriptMode::Peek, now).await)
    }

    /// Gives back what [`Guard::check_and_spend`] spent at `spent_at`. Ignores the call's deadline, so that unused spends
    /// are always given back.
    ///
    /// A rolling window gives back only once, and never what an earlier call spent under the same id. A rate gives back one
    /// each time this is called.
    pub async fn refund(&self, spends: &[Spend<'_>], spent_at: DateTime<Utc>) -> Result<(), GuardError> {
        let calls = ScriptCall::group(None, spends);
        let answers = deadline::without_deadline(self.run_scripts(&calls, ScriptMode::Refund, spent_at)).await;
        combine_answers(answers).map(|_| ())
    }

    /// What is spent of a rolling window, and when there is room again. Spends nothing.
    pub async fn spent(&self, bucket: Bucket<'_>, limit: Limit, now: DateTime<Utc>) -> Result<LimitUsage, GuardError> {
        let mut log = redis::cmd("ZREVRANGEBYSCORE");
        let start = (now - limit.per).timestamp_micros();
        log.arg(bucket.key(&self.prefix)).arg("+inf").arg(format!("({start}")).arg("WITHSCORES");
        let read = async |mut connection| log.query_async(&mut connection).await;
        let spends: Vec<(String, i64)> = self.connection.run_for_call("spent", read).await?;
        let time = |(_, micros)| DateTime::from_timestamp_micros(micros).ok_or_else(report_unexpected_answer);
        let times: Vec<DateTime<Utc>> = spends.into_iter().map(time).collect::<Result<_, _>>()?;
        Ok(LimitUsage::count(times.into_iter().map(|time| (time, 1)), limit))
    }

    /// Removes from the records of `spends` what was spent before `time`, whatever it was spent for. Only limits of rolling
    /// windows have such records.
    pub async fn forget_spends_before(&self, spends: &[Spend<'_>], time: DateTime<Utc>) -> Result<(), GuardError> {
        for spend in spends.iter().filter(|spend| spend.bucket.counting_method() == CountingMethod::Window) {
            let mut remove = redis::cmd("ZREMRANGEBYSCORE");
            remove.arg(spend.bucket.key(&self.prefix)).arg("-inf").arg(format!("({}", time.timestamp_micros()));
            let remove = async |mut connection| remove.exec_async(&mut connection).await;
            self.connection.run_for_call("forget_spends", remove).await?;
        }
        Ok(())
    }

    /// Empties a bucket's record, so that nothing of its limit is spent.
    pub async fn reset(&self, bucket: Bucket<'_>) -> Result<(), GuardError> {
        self.delete_key("reset", bucket.key(&self.prefix)).await
    }

    async fn delete_key(&self, operation: &'static str, key: String) -> Result<(), GuardError> {
        let delete = async |mut connection| redis::cmd("DEL").arg(key).exec_async(&mut connection).await;
        self.connection.run_for_call(operation, delete).await
    }

    /// Runs the scripts concurrently, in one round trip.
    async fn run_scripts<'a>(
        &self,
        calls: &[ScriptCall<'a>],
        mode: ScriptMode,
        now: DateTime<Utc>,
    ) -> Vec<Result<ScriptAnswer<'a>, GuardError>> {
        join_all(calls.iter().map(async |call| {
            let numbers = self.batcher.submit(mode, call.to_command(&self.prefix, mode, now)).await?;
            call.read_answer(&numbers)
        }))
        .await
    }
}
