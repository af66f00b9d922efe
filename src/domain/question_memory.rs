//! The memory of questions: kinds that earlier verifications asked about without success (R16).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::calendar::add_saturating;
use super::fact::FactKind;
use super::rule_settings::VerificationRules;

/// A verification that asked questions and did not confirm the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsuccessfulRun {
    pub ask_time: DateTime<Utc>,
    pub kinds: Vec<FactKind>,
    /// Whether at least one round was answered. If not, the run was broken off, or its questions are still open.
    pub was_answered: bool,
}

/// A kind that is not asked about before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberedKind {
    pub kind: FactKind,
    pub until: DateTime<Utc>,
}

/// How long ago a run can have been at most, to be remembered now.
#[must_use]
pub fn longest_memory(rules: &VerificationRules) -> Duration {
    rules.question_memory.max(rules.broken_off_memory)
}

/// R16: the kinds that must not be asked about now. Answered wrong, a question is remembered for long: the person who failed
/// knows it now. Broken off, it is remembered for a short time: otherwise a few calls that are dropped would leave nothing
/// to ask about.
#[must_use]
pub fn find_remembered_kinds(
    runs: &[UnsuccessfulRun],
    rules: &VerificationRules,
    now: DateTime<Utc>,
) -> Vec<RememberedKind> {
    let until = |run: &UnsuccessfulRun| {
        let memory = if run.was_answered { rules.question_memory } else { rules.broken_off_memory };
        add_saturating(run.ask_time, memory)
    };
    FactKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let asked = runs.iter().filter(|run| run.kinds.contains(&kind));
            Some(RememberedKind { kind, until: asked.map(until).max()? })
        })
        .filter(|remembered| remembered.until > now)
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::fact::FactKind::{Birthplace, MovedInYear, WeddingYear};
    use super::super::fixture::at;
    use super::*;

    fn run(ask_time: &str, kinds: &[FactKind], was_answered: bool) -> UnsuccessfulRun {
        UnsuccessfulRun { ask_time: at(ask_time), kinds: kinds.to_vec(), was_answered }
    }

    #[rstest]
    #[case::answered_wrong("2026-10-25T12:00:01Z", true, Some("2026-11-24T12:00:01Z"))]
    #[case::answered_wrong_30_days_ago("2026-10-25T12:00:00Z", true, None)]
    #[case::broken_off("2026-11-23T12:00:01Z", false, Some("2026-11-24T12:00:01Z"))]
    #[case::broken_off_a_day_ago("2026-11-23T12:00:00Z", false, None)]
    fn r16_a_broken_off_run_blocks_its_kinds_for_a_day_and_a_wrong_one_for_30_days(
        #[case] ask_time: &str,
        #[case] was_answered: bool,
        #[case] until: Option<&str>,
    ) {
        let runs = [run(ask_time, &[Birthplace], was_answered)];
        let remembered = find_remembered_kinds(&runs, &VerificationRules::default(), at("2026-11-24T12:00:00Z"));
        let expected = until.map(|until| RememberedKind { kind: Birthplace, until: at(until) });
        assert_eq!(remembered, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn r16_the_longest_memory_of_a_kind_counts() {
        let runs = [
            run("2026-11-24T11:00:00Z", &[Birthplace, WeddingYear], false),
            run("2026-11-20T12:00:00Z", &[WeddingYear, MovedInYear], true),
        ];
        let remembered = find_remembered_kinds(&runs, &VerificationRules::default(), at("2026-11-24T12:00:00Z"));
        let until = |kind, until: &str| RememberedKind { kind, until: at(until) };
        assert_eq!(
            remembered,
            [
                until(MovedInYear, "2026-12-20T12:00:00Z"),
                until(Birthplace, "2026-11-25T11:00:00Z"),
                until(WeddingYear, "2026-12-20T12:00:00Z"),
            ]
        );
    }
}
