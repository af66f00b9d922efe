//! The calls of the scripts and their answers.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script, ScriptInvocation};

use super::bucket::{Counting, Spend, key, person_tag};
use super::{GuardDecision, GuardError};
use crate::domain::hold::Hold;
use crate::domain::person::PersonKey;

static WINDOW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("window.lua")));
static RATE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("rate.lua")));

/// Tells Redis the scripts.
pub(super) async fn load(redis: &mut MultiplexedConnection) -> RedisResult<()> {
    for script in [&*WINDOW, &*RATE] {
        script.load_async(redis).await?;
    }
    Ok(())
}

/// What a script shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Peek,
    Spend,
    Refund,
}

impl Mode {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Peek => "peek",
            Self::Spend => "spend",
            Self::Refund => "refund",
        }
    }
}

/// One decision.
pub(super) enum ScriptCall<'a> {
    /// The windows that share a hash tag and, if asked about, that person's hold: all or nothing.
    Windows {
        tag: String,
        with_hold: bool,
        spends: Vec<Spend<'a>>,
    },
    Rate(Spend<'a>),
}

/// A decision as it goes to Redis.
pub(super) enum Command {
    Windows(ScriptInvocation<'static>),
    /// At a time in microseconds.
    Rate(Rate, i64),
}

/// What is asked of a rate, but for when.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rate {
    key: String,
    mode: Mode,
    times: u32,
    /// The time in which it admits one more, in microseconds.
    interval: u64,
}

/// A script's answer.
pub(super) enum ScriptAnswer<'a> {
    /// Admitted, and what was spent for it: not what had been spent before under the same id.
    Admitted(Vec<Spend<'a>>),
    Refused(GuardDecision),
}

impl<'a> ScriptCall<'a> {
    /// One call per hash tag of windows, and one per rate.
    pub(super) fn group(hold_of: Option<PersonKey>, spends: &[Spend<'a>]) -> Vec<Self> {
        let windows = |tag, with_hold| Self::Windows { tag, with_hold, spends: Vec::new() };
        let mut calls: Vec<Self> = hold_of.map(|person| windows(person_tag(person), true)).into_iter().collect();
        for spend in spends {
            if spend.bucket.counting() == Counting::Rate {
                calls.push(Self::Rate(*spend));
                continue;
            }
            let of = spend.bucket.tag();
            let is_theirs = |call: &Self| matches!(call, Self::Windows { tag, .. } if *tag == of);
            let index = calls.iter().position(is_theirs).unwrap_or_else(|| {
                calls.push(windows(of, false));
                calls.len() - 1
            });
            if let Self::Windows { spends, .. } = &mut calls[index] {
                spends.push(*spend);
            }
        }
        calls
    }

    /// The call as it goes to Redis.
    pub(super) fn command(&self, prefix: &str, mode: Mode, now: DateTime<Utc>) -> Command {
        let now = now.timestamp_micros();
        match self {
            Self::Windows { tag, with_hold, spends } => {
                let mut script = WINDOW.prepare_invoke();
                script.arg(mode.as_str()).arg(now);
                for Spend { bucket, limit, id } in spends {
                    script.key(key(prefix, tag, bucket.name()));
                    script.arg(limit.times).arg(micros(limit.per)).arg(id.to_string());
                }
                if *with_hold {
                    script.key(key(prefix, tag, HOLD));
                }
                Command::Windows(script)
            }
            Self::Rate(Spend { bucket, limit, .. }) => {
                let interval = micros(limit.per).div_ceil(u64::from(limit.times.max(1)));
                Command::Rate(Rate { key: bucket.key(prefix), mode, times: limit.times, interval }, now)
            }
        }
    }

    /// Reads the answer of the script.
    pub(super) fn read_answer(&self, answer: &[i64]) -> Result<ScriptAnswer<'a>, GuardError> {
        let limited = |spend: Spend<'_>, until| {
            let until = DateTime::from_timestamp_micros(until)?;
            Some(ScriptAnswer::Refused(GuardDecision::Limited { reason: spend.bucket.reason(), until }))
        };
        let verdict = match (self, answer) {
            (Self::Rate(spend), [0]) => Some(ScriptAnswer::Admitted(vec![*spend])),
            (Self::Rate(spend), [until]) => limited(*spend, *until),
            (Self::Windows { spends, .. }, [0, spent @ ..]) => {
                spent.iter().map(|index| nth(spends, *index)).collect::<Option<_>>().map(ScriptAnswer::Admitted)
            }
            (Self::Windows { .. }, [1]) => Some(ScriptAnswer::Refused(GuardDecision::HoldMissing)),
            (Self::Windows { .. }, [2, times @ ..]) => {
                hold_from_micros(times).map(|hold| ScriptAnswer::Refused(GuardDecision::HoldNotPassed(hold)))
            }
            (Self::Windows { spends, .. }, [3, index, until]) => {
                nth(spends, *index).and_then(|spend| limited(spend, *until))
            }
            _ => None,
        };
        verdict.ok_or(GuardError::Unavailable)
    }
}

/// Counted from one, as Lua does.
fn nth<'a>(spends: &[Spend<'a>], index: i64) -> Option<Spend<'a>> {
    spends.get(usize::try_from(index - 1).ok()?).copied()
}

impl Rate {
    /// Asked at those times, in microseconds.
    pub(super) fn at(&self, times: &[i64]) -> ScriptInvocation<'static> {
        let mut script = RATE.key(&self.key);
        script.arg(self.mode.as_str()).arg(self.times).arg(self.interval).arg(times);
        script
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// The name of the hold's key.
pub(super) const HOLD: &str = "hold";

/// The hold as its key keeps it: three times in microseconds, in order.
pub(super) fn hold_to_text(hold: &Hold) -> String {
    let [request, eligible, expire] =
        [hold.request_time, hold.eligible_time, hold.expire_time].map(|time| time.timestamp_micros());
    format!("{request} {eligible} {expire}")
}

fn hold_from_micros(times: &[i64]) -> Option<Hold> {
    let &[request, eligible, expire] = times else { return None };
    Some(Hold {
        request_time: DateTime::from_timestamp_micros(request)?,
        eligible_time: DateTime::from_timestamp_micros(eligible)?,
        expire_time: DateTime::from_timestamp_micros(expire)?,
    })
}
