//! The calls of the scripts and their answers.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::{Script, ScriptInvocation};

use super::bucket::{Counting, Spend, key, person_tag};
use super::{Admission, GuardError};
use crate::domain::hold::Hold;
use crate::domain::person::PersonKey;
use crate::domain::rules::Limit;

static WINDOW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("window.lua")));
pub(super) static RATE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("rate.lua")));

/// What a script shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One call: the spends that share a hash tag and, if asked about, that person's hold.
pub(super) struct Call<'a> {
    tag: String,
    counting: Counting,
    with_hold: bool,
    spends: Vec<Spend<'a>>,
}

/// A script's answer.
pub(super) enum Verdict<'a> {
    /// Admitted, and what was spent for it: not what had been spent before under the same id.
    Admitted(Vec<Spend<'a>>),
    Refused(Admission),
}

impl<'a> Call<'a> {
    /// One call per hash tag.
    pub(super) fn group(hold_of: Option<PersonKey>, spends: &[Spend<'a>]) -> Vec<Self> {
        let new = |tag, counting, with_hold| Self { tag, counting, with_hold, spends: Vec::new() };
        let mut calls: Vec<Self> =
            hold_of.map(|person| new(person_tag(person), Counting::Window, true)).into_iter().collect();
        for spend in spends {
            let tag = spend.bucket.tag();
            let index = calls.iter().position(|call| call.tag == tag).unwrap_or_else(|| {
                calls.push(new(tag, spend.bucket.counting(), false));
                calls.len() - 1
            });
            calls[index].spends.push(*spend);
        }
        calls
    }

    /// The call as it goes to Redis.
    pub(super) fn invocation(&self, prefix: &str, mode: Mode, now: DateTime<Utc>) -> ScriptInvocation<'static> {
        let script: &'static Script = match self.counting {
            Counting::Window => &WINDOW,
            Counting::Rate => &RATE,
        };
        let mut invocation = script.prepare_invoke();
        invocation.arg(mode.as_str()).arg(now.timestamp_micros());
        for Spend { bucket, limit, id } in &self.spends {
            let span = match self.counting {
                Counting::Window => micros(limit.per),
                Counting::Rate => rate_interval(*limit),
            };
            invocation.key(key(prefix, &self.tag, bucket.name()));
            invocation.arg(limit.times).arg(span).arg(id.to_string());
        }
        if self.with_hold {
            invocation.key(key(prefix, &self.tag, HOLD));
        }
        invocation
    }

    /// Reads the answer of the script.
    pub(super) fn verdict(&self, answer: &[i64]) -> Result<Verdict<'a>, GuardError> {
        let spend =
            |index: &i64| usize::try_from(index - 1).ok().and_then(|index| self.spends.get(index)).copied().ok_or(());
        let verdict = match answer {
            [0, spent @ ..] => spent.iter().map(spend).collect::<Result<_, _>>().map(Verdict::Admitted),
            [1] => Ok(Verdict::Refused(Admission::HoldMissing)),
            [2, times @ ..] => {
                hold_from_micros(times).map(|hold| Verdict::Refused(Admission::HoldNotPassed(hold))).ok_or(())
            }
            [3, index, until] => spend(index).and_then(|spend| {
                let until = DateTime::from_timestamp_micros(*until).ok_or(())?;
                Ok(Verdict::Refused(Admission::Limited { reason: spend.bucket.reason(), until }))
            }),
            _ => Err(()),
        };
        verdict.map_err(|()| GuardError::Unavailable)
    }
}

/// The time in which a rate admits one more, in microseconds.
pub(super) fn rate_interval(limit: Limit) -> u64 {
    micros(limit.per).div_ceil(u64::from(limit.times.max(1)))
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
