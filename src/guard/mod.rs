//! Redis: the fast guard. Limits and holds, each decision one atomic script.
//!
//! Postgres is the truth: a hold that is missing here is rebuilt from there ([`Guard::remember_hold`]). Every failure of
//! Redis is [`GuardError::Unavailable`], never a yes (R26).

mod bucket;
mod command_batcher;
mod connection;
mod script;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;

pub use self::bucket::{Bucket, Spend};
use self::bucket::{key, person_tag};
use self::command_batcher::CommandBatcher;
use self::connection::Connection;
use self::script::{HOLD, Mode, ScriptAnswer, ScriptCall, hold_to_text};
use crate::deadline;
use crate::domain::hold::{Hold, HoldState};
use crate::domain::person::PersonKey;
use crate::domain::person_limit::LimitUsage;
use crate::domain::reason::Reason;
use crate::domain::rules::Limit;

/// Asks Redis. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct Guard {
    connection: Arc<Connection>,
    prefix: Arc<str>,
    command_batcher: CommandBatcher,
}

/// The guard's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum GuardDecision {
    /// Yes, and everything asked for has been spent.
    Allowed,
    /// No hold is known here: rebuild it from Postgres and ask again. Nothing was spent.
    HoldMissing,
    /// The hold runs still, or has expired. Nothing was spent.
    HoldNotPassed(Hold),
    /// A limit is reached. Nothing was spent.
    Limited {
        /// Which limit; of several, the one that lasts longest.
        reason: Reason,
        /// From when on the bucket admits again.
        until: DateTime<Utc>,
    },
}

/// Why the guard has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Redis failed or did not answer in time (R26). The cause is in the log.
    #[error("Redis is unavailable")]
    Unavailable,
    /// The URL is none of Redis. Only [`Guard::connect`] answers this.
    #[error("must be a Redis URL such as redis://host:6379 or rediss://user:password@host:6379/0")]
    InvalidUrl,
}

impl Guard {
    /// Connects to the Redis at `url`; all keys start with `prefix`. No round trip takes longer than `timeout`.
    ///
    /// A Redis that is down is no error here: the connection is made again whenever it is needed.
    pub async fn connect(url: &str, prefix: &str, timeout: Duration) -> Result<Self, GuardError> {
        let (connection, prefix) = (Arc::new(Connection::new(url, timeout)?), Arc::from(prefix));
        let command_batcher = CommandBatcher::new(Arc::clone(&connection), timeout);
        let guard = Self { connection, prefix, command_batcher };
        // So that the first request need not wait for it. A failure is in the log.
        let _ = guard.ping().await;
        Ok(guard)
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), GuardError> {
        self.connection.run("ping", async |mut connection| redis::cmd("PING").exec_async(&mut connection).await).await
    }

    /// Spends all or nothing. With `hold_of`, that person's hold comes first: unless it has passed, nothing is spent.
    ///
    /// After any answer but [`GuardDecision::Allowed`] what had been spent beside it is given back before this returns, which
    /// is a second round trip. After an error a failed script may have spent; in a window the same id then spends no more.
    pub async fn check_and_spend(
        &self,
        hold_of: Option<PersonKey>,
        spends: &[Spend<'_>],
        now: DateTime<Utc>,
    ) -> Result<GuardDecision, GuardError> {
        let calls = ScriptCall::group(hold_of, spends);
        let verdicts = self.run_all(&calls, Mode::Spend, now).await;
        let spent: Vec<Spend<'_>> = verdicts
            .iter()
            .filter_map(|verdict| match verdict {
                Ok(ScriptAnswer::Admitted(spent)) => Some(spent.as_slice()),
                _ => None,
            })
            .flatten()
            .copied()
            .collect();
        let outcome = combine(verdicts);
        if outcome != Ok(GuardDecision::Allowed) {
            self.refund(&spent, now).await?;
        }
        outcome
    }

    /// What [`Guard::check_and_spend`] would answer, without spending.
    pub async fn peek(&self, spends: &[Spend<'_>], now: DateTime<Utc>) -> Result<GuardDecision, GuardError> {
        combine(self.run_all(&ScriptCall::group(None, spends), Mode::Peek, now).await)
    }

    /// Gives back what [`Guard::check_and_spend`] spent when it was asked at `spent_at`. From a rolling window once and no more: what
    /// an earlier call spent under the same id stays spent. Into a rate one, each time this is called. The call's deadline
    /// does not count here: what was not used is given back.
    pub async fn refund(&self, spends: &[Spend<'_>], spent_at: DateTime<Utc>) -> Result<(), GuardError> {
        let calls = ScriptCall::group(None, spends);
        combine(deadline::without_deadline(self.run_all(&calls, Mode::Refund, spent_at)).await).map(|_| ())
    }

    /// What is spent of a rolling window, and from when there is room again. Spends nothing.
    pub async fn spent(&self, bucket: Bucket<'_>, limit: Limit, now: DateTime<Utc>) -> Result<LimitUsage, GuardError> {
        let mut log = redis::cmd("ZREVRANGEBYSCORE");
        let start = (now - limit.per).timestamp_micros();
        log.arg(bucket.key(&self.prefix)).arg("+inf").arg(format!("({start}")).arg("WITHSCORES");
        let spends: Vec<(String, i64)> =
            self.connection.run("spent", async |mut connection| log.query_async(&mut connection).await).await?;
        let time = |(_, micros)| DateTime::from_timestamp_micros(micros).ok_or(GuardError::Unavailable);
        let times: Vec<DateTime<Utc>> = spends.into_iter().map(time).collect::<Result<_, _>>()?;
        Ok(LimitUsage::count(times.into_iter().map(|time| (time, 1)), limit))
    }

    /// Lets a bucket start afresh.
    pub async fn reset(&self, bucket: Bucket<'_>) -> Result<(), GuardError> {
        self.forget("reset", bucket.key(&self.prefix)).await
    }

    /// Keeps the hold until it expires, in place of any other of that person.
    pub async fn remember_hold(&self, person: PersonKey, hold: &Hold, now: DateTime<Utc>) -> Result<(), GuardError> {
        if hold.state(now) == HoldState::Expired {
            return self.forget_hold(person).await;
        }
        // One more, for the part of a millisecond that is cut off.
        let left = (hold.expire_time - now).num_milliseconds() + 1;
        let mut set = redis::cmd("SET");
        set.arg(self.hold_key(person)).arg(hold_to_text(hold)).arg("PX").arg(left);
        self.connection.run("remember_hold", async |mut connection| set.exec_async(&mut connection).await).await
    }

    /// Forgets the hold: it was cancelled, or used up.
    pub async fn forget_hold(&self, person: PersonKey) -> Result<(), GuardError> {
        self.forget("forget_hold", self.hold_key(person)).await
    }

    async fn forget(&self, operation: &'static str, key: String) -> Result<(), GuardError> {
        self.connection
            .run(operation, async |mut connection| redis::cmd("DEL").arg(key).exec_async(&mut connection).await)
            .await
    }

    /// Runs the calls at the same time.
    async fn run_all<'a>(
        &self,
        calls: &[ScriptCall<'a>],
        mode: Mode,
        now: DateTime<Utc>,
    ) -> Vec<Result<ScriptAnswer<'a>, GuardError>> {
        join_all(calls.iter().map(async |call| {
            let answer = self.command_batcher.submit(mode, call.command(&self.prefix, mode, now)).await?;
            call.read_answer(&answer)
        }))
        .await
    }

    fn hold_key(&self, person: PersonKey) -> String {
        key(&self.prefix, &person_tag(person), HOLD)
    }
}

/// One answer out of those of all calls: a failure before a hold before a limit; of limits, the one that lasts longest.
fn combine(verdicts: Vec<Result<ScriptAnswer<'_>, GuardError>>) -> Result<GuardDecision, GuardError> {
    let mut worst = GuardDecision::Allowed;
    for verdict in verdicts {
        if let ScriptAnswer::Refused(refusal) = verdict?
            && weight(&refusal) > weight(&worst)
        {
            worst = refusal;
        }
    }
    Ok(worst)
}

const fn weight(admission: &GuardDecision) -> (u8, Option<DateTime<Utc>>) {
    match admission {
        GuardDecision::Allowed => (0, None),
        GuardDecision::Limited { until, .. } => (1, Some(*until)),
        GuardDecision::HoldMissing | GuardDecision::HoldNotPassed(_) => (2, None),
    }
}
