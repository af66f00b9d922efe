//! The guard's decision, combined from the answers of several scripts.

use chrono::{DateTime, Utc};

use super::bucket::Spend;
use super::error::GuardError;
use crate::domain::hold::Hold;
use crate::domain::reason::Reason;

/// The guard's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum GuardDecision {
    /// All that was asked for has been spent.
    Allowed,
    /// Redis has no hold of the person. Rebuild it from Postgres and try again. Nothing was spent.
    HoldMissing,
    /// The hold is still running, or has expired. Nothing was spent.
    HoldNotPassed(Hold),
    /// A limit is reached. Nothing was spent.
    Limited {
        /// The limit. If several are reached, the one that lasts longest.
        reason: Reason,
        /// From when on the bucket has room again.
        until: DateTime<Utc>,
    },
}

/// The answer of a script.
pub(super) enum ScriptAnswer<'a> {
    /// Allowed. Holds what was spent now, without what an earlier call had spent under the same id.
    Allowed(Vec<Spend<'a>>),
    Refused(GuardDecision),
}

/// The worst answer: a failure is worse than a hold, a hold is worse than a limit. Of several limits, the one that lasts
/// longest is the worst.
pub(super) fn combine_answers(answers: Vec<Result<ScriptAnswer<'_>, GuardError>>) -> Result<GuardDecision, GuardError> {
    let mut worst = GuardDecision::Allowed;
    for answer in answers {
        if let ScriptAnswer::Refused(decision) = answer?
            && severity(&decision) > severity(&worst)
        {
            worst = decision;
        }
    }
    Ok(worst)
}

const fn severity(decision: &GuardDecision) -> (u8, Option<DateTime<Utc>>) {
    match decision {
        GuardDecision::Allowed => (0, None),
        GuardDecision::Limited { until, .. } => (1, Some(*until)),
        GuardDecision::HoldMissing | GuardDecision::HoldNotPassed(_) => (2, None),
    }
}
