//! The two Lua scripts: their arguments and answers.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script, ScriptInvocation};

use super::bucket::{CountingMethod, Spend};
use super::decision::{GuardDecision, ScriptAnswer};
use super::error::{GuardError, report_unexpected_answer};
use super::hold_times::read_hold;
use super::keys::{HOLD, name_key, person_tag};
use crate::domain::person::PersonKey;

static WINDOW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("window.lua")));
static RATE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("rate.lua")));

/// Loads the scripts into Redis, which runs them by their hash.
pub(super) async fn load_scripts(redis: &mut MultiplexedConnection) -> RedisResult<()> {
    for script in [&*WINDOW, &*RATE] {
        script.load_async(redis).await?;
    }
    Ok(())
}

/// What a script does with the buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ScriptMode {
    Peek,
    Spend,
    Refund,
}

impl ScriptMode {
    /// The name in the scripts and in traces.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Peek => "peek",
            Self::Spend => "spend",
            Self::Refund => "refund",
        }
    }
}

/// One decision of one script.
pub(super) enum ScriptCall<'a> {
    /// All windows with this hash tag and, `with_hold`, that person's hold. The script spends all or nothing.
    Windows {
        tag: String,
        with_hold: bool,
        spends: Vec<Spend<'a>>,
    },
    Rate(Spend<'a>),
}

/// A script call as the batcher sends it to Redis.
pub(super) enum Command {
    Windows(ScriptInvocation<'static>),
    /// With the time of the decision, in microseconds.
    Rate(RateCommand, i64),
}

/// A decision on a rate, without its time. Equal commands of one batch run as one script call with several times.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RateCommand {
    key: String,
    mode: ScriptMode,
    times: u32,
    /// The time in which the rate regains one unit, in microseconds.
    interval: u64,
}

impl<'a> ScriptCall<'a> {
    /// One call per hash tag of windows, and one per rate.
    pub(super) fn group(hold_of: Option<PersonKey>, spends: &[Spend<'a>]) -> Vec<Self> {
        let windows = |tag, with_hold| Self::Windows { tag, with_hold, spends: Vec::new() };
        let mut calls: Vec<Self> = hold_of.map(|person| windows(person_tag(person), true)).into_iter().collect();
        for spend in spends {
            if spend.bucket.counting_method() == CountingMethod::Rate {
                calls.push(Self::Rate(*spend));
                continue;
            }
            let bucket_tag = spend.bucket.tag();
            let has_same_tag = |call: &Self| matches!(call, Self::Windows { tag, .. } if *tag == bucket_tag);
            let index = calls.iter().position(has_same_tag).unwrap_or_else(|| {
                calls.push(windows(bucket_tag, false));
                calls.len() - 1
            });
            if let Self::Windows { spends, .. } = &mut calls[index] {
                spends.push(*spend);
            }
        }
        calls
    }

    pub(super) fn to_command(&self, prefix: &str, mode: ScriptMode, now: DateTime<Utc>) -> Command {
        let now = now.timestamp_micros();
        match self {
            Self::Windows { tag, with_hold, spends } => {
                let mut script = WINDOW.prepare_invoke();
                script.arg(mode.as_str()).arg(now);
                for Spend { bucket, limit, id } in spends {
                    script.key(name_key(prefix, tag, bucket.name()));
                    script.arg(limit.times).arg(to_micros(limit.per)).arg(id.to_string());
                }
                if *with_hold {
                    script.key(name_key(prefix, tag, HOLD));
                }
                Command::Windows(script)
            }
            Self::Rate(Spend { bucket, limit, .. }) => {
                let interval = to_micros(limit.per).div_ceil(u64::from(limit.times.max(1)));
                Command::Rate(RateCommand { key: bucket.key(prefix), mode, times: limit.times, interval }, now)
            }
        }
    }

    /// Reads the numbers that the script returned. The Lua files document them. Anything else is a failure (R26).
    pub(super) fn read_answer(&self, numbers: &[i64]) -> Result<ScriptAnswer<'a>, GuardError> {
        let limited = |spend: Spend<'_>, until| {
            let until = DateTime::from_timestamp_micros(until)?;
            Some(ScriptAnswer::Refused(GuardDecision::Limited { reason: spend.bucket.reason(), until }))
        };
        let answer = match (self, numbers) {
            (Self::Rate(spend), [0]) => Some(ScriptAnswer::Allowed(vec![*spend])),
            (Self::Rate(spend), [until]) => limited(*spend, *until),
            (Self::Windows { spends, .. }, [0, spent @ ..]) => {
                spent.iter().map(|index| find_spend(spends, *index)).collect::<Option<_>>().map(ScriptAnswer::Allowed)
            }
            (Self::Windows { .. }, [1]) => Some(ScriptAnswer::Refused(GuardDecision::HoldMissing)),
            (Self::Windows { .. }, [2, times @ ..]) => {
                read_hold(times).map(|hold| ScriptAnswer::Refused(GuardDecision::HoldNotPassed(hold)))
            }
            (Self::Windows { spends, .. }, [3, index, until]) => {
                find_spend(spends, *index).and_then(|spend| limited(spend, *until))
            }
            _ => None,
        };
        answer.ok_or_else(report_unexpected_answer)
    }
}

/// The spend at an index that counts from one, as Lua does.
fn find_spend<'a>(spends: &[Spend<'a>], index: i64) -> Option<Spend<'a>> {
    spends.get(usize::try_from(index - 1).ok()?).copied()
}

impl RateCommand {
    /// One call that decides for each of the times, in microseconds.
    pub(super) fn to_script(&self, times: &[i64]) -> ScriptInvocation<'static> {
        let mut script = RATE.key(&self.key);
        script.arg(self.mode.as_str()).arg(self.times).arg(self.interval).arg(times);
        script
    }
}

fn to_micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
