//! What a check of Postgres and Redis means for the health of the service.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::clock;
use crate::store::Readiness;

/// After how many failed checks in a row the service does not serve any more. So one slow answer does not take it out.
const MAX_FAILURES: u32 = 3;

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ready,
    /// A dependency did not answer, or not as it should. That may be over in a moment.
    Failing(Cow<'static, str>),
    /// The service cannot work, for a reason that does not pass by itself.
    NotReady(Cow<'static, str>),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Failing(cause) | Self::NotReady(cause) => f.write_str(cause),
        }
    }
}

/// Judges an answer of Postgres. `asked` and `answered`: the clock of this machine before and after.
pub(super) fn judge_postgres(readiness: &Readiness, asked: DateTime<Utc>, answered: DateTime<Utc>) -> Verdict {
    if !readiness.schema_is_current {
        Verdict::NotReady("the schema is not current: run `temporary-pin migrate`".into())
    } else if readiness.is_read_only {
        Verdict::NotReady("Postgres cannot be written to".into())
    } else if !clock::agrees(readiness.time, asked, answered) {
        let difference = (answered - readiness.time).num_seconds();
        Verdict::NotReady(format!("the clock of this machine is {difference} s ahead of that of Postgres").into())
    } else {
        Verdict::Ready
    }
}

/// The health of the service: not serving at first.
#[derive(Debug, Default)]
pub(super) struct Health {
    is_serving: bool,
    failures: u32,
}

impl Health {
    pub(super) const fn is_serving(&self) -> bool {
        self.is_serving
    }

    /// Takes a verdict into account. Returns the new health if it changes.
    pub(super) fn record_verdict(&mut self, verdict: &Verdict) -> Option<bool> {
        let is_serving = match verdict {
            Verdict::Ready => {
                self.failures = 0;
                true
            }
            Verdict::Failing(_) => {
                self.failures = self.failures.saturating_add(1);
                self.is_serving && self.failures < MAX_FAILURES
            }
            Verdict::NotReady(_) => false,
        };
        let changes = is_serving != self.is_serving;
        self.is_serving = is_serving;
        changes.then_some(is_serving)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const READY: Verdict = Verdict::Ready;
    const FAILING: Verdict = Verdict::Failing(Cow::Borrowed("slow"));
    const NOT_READY: Verdict = Verdict::NotReady(Cow::Borrowed("read-only"));

    #[test]
    fn r26_one_slow_answer_does_not_take_the_service_out_and_three_do() {
        let mut health = Health::default();
        let verdicts = [FAILING, READY, FAILING, FAILING, READY, FAILING, FAILING, FAILING, FAILING, READY];
        let changes = verdicts.map(|verdict| health.record_verdict(&verdict));
        let (up, down) = (Some(true), Some(false));
        assert_eq!(changes, [None, up, None, None, None, None, None, down, None, up]);
    }

    #[test]
    fn r26_what_does_not_pass_takes_the_service_out_at_once() {
        let mut health = Health::default();
        assert_eq!(
            [NOT_READY, READY, NOT_READY].map(|verdict| health.record_verdict(&verdict)),
            [None, Some(true), Some(false)]
        );
    }

    #[test]
    fn r26_a_read_only_or_old_database_or_another_clock_is_not_ready() {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let ready = Readiness { schema_is_current: true, is_read_only: false, foreign_keys: Vec::new(), time: now };
        let at = |seconds| Readiness { time: now + TimeDelta::seconds(seconds), ..ready.clone() };
        let after = now + TimeDelta::seconds(2);
        for (readiness, is_ready) in [
            (ready.clone(), true),
            (Readiness { schema_is_current: false, ..ready.clone() }, false),
            (Readiness { is_read_only: true, ..ready.clone() }, false),
            (at(-60), true),
            (at(-61), false),
            (at(62), true),
            (at(63), false),
        ] {
            let verdict = judge_postgres(&readiness, now, after);
            assert_eq!(verdict == Verdict::Ready, is_ready, "{readiness:?}: {verdict}");
        }
    }
}
