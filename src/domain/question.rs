//! Questions about facts in the CPR register (R16).

use chrono::{DateTime, Utc};
use rand::Rng;
use rand::seq::{IndexedRandom as _, index};

use super::answer;
use super::fact::{Fact, FactKind};
use super::question_memory::RememberedKind;
use super::reason::{Denial, Reason};

/// How many right answers a person needs to pass.
const REQUIRED_RIGHT_ANSWERS: usize = 2;
/// How many questions are asked at first. One extra question may follow.
pub(crate) const FIRST_QUESTIONS: usize = 3;

/// Questions can ask about fewer than three kinds of fact. The person has to go to the counter with a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register holds too few certain facts to ask about")]
pub struct InsufficientData;

/// Draws the kinds of the first three questions. Every set of three kinds is equally likely.
///
/// `protected`: the person has name and address protection. `asked_before`: kinds that earlier failed runs of questions asked
/// about; they are not drawn again.
pub fn draw_questions(
    facts: &[Fact],
    protected: bool,
    asked_before: &[FactKind],
    rng: &mut impl Rng,
) -> Result<[FactKind; FIRST_QUESTIONS], InsufficientData> {
    let kinds = askable_kinds(facts, protected, asked_before);
    let drawn = index::sample_array(rng, kinds.len()).ok_or(InsufficientData)?;
    Ok(drawn.map(|index: usize| kinds[index]))
}

/// Draws the kind of the extra question; `None` if no kind is left. `asked_before` must also contain the three kinds of this
/// run.
pub fn draw_extra_question(
    facts: &[Fact],
    protected: bool,
    asked_before: &[FactKind],
    rng: &mut impl Rng,
) -> Option<FactKind> {
    askable_kinds(facts, protected, asked_before).choose(rng).copied()
}

/// The kinds that a question can ask about, in the order of [`FactKind::ALL`].
fn askable_kinds(facts: &[Fact], protected: bool, asked_before: &[FactKind]) -> Vec<FactKind> {
    FactKind::ALL
        .into_iter()
        .filter(|kind| !protected || !kind.is_address())
        .filter(|kind| !asked_before.contains(kind))
        .filter(|kind| facts.iter().any(|fact| fact.kind == *kind && answer::can_be_asked(fact)))
        .collect()
}

/// The denial of questions: the register holds too few certain facts, or too few whose kinds are not remembered. The latter
/// ends when enough kinds are forgotten.
#[must_use]
pub fn find_question_denial(facts: &[Fact], protected: bool, remembered: &[RememberedKind]) -> Option<Denial> {
    let askable = askable_kinds(facts, protected, &[]);
    let Some(spare) = askable.len().checked_sub(FIRST_QUESTIONS) else {
        return Some(Denial::lasting(Reason::InsufficientData));
    };
    let is_askable = |remembered: &&RememberedKind| askable.contains(&remembered.kind);
    let mut times: Vec<DateTime<Utc>> =
        remembered.iter().filter(is_askable).map(|remembered| remembered.until).collect();
    times.sort_unstable();
    // As many kinds as there are to spare may still be remembered.
    let forgotten_last = times.len().checked_sub(spare + 1)?;
    Some(Denial::until(Reason::InsufficientData, times[forgotten_last]))
}

/// How a run of questions continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Passed: two answers were right.
    Passed,
    /// One of three answers was right: an extra question decides.
    ExtraQuestion,
    /// Failed: the identity is not confirmed.
    Failed,
}

/// Judges a run of questions in which `right` of `answered` answers were right. `extra_possible`: an extra question can be
/// drawn.
#[must_use]
pub const fn judge_progress(right: usize, answered: usize, extra_possible: bool) -> Progress {
    if right >= REQUIRED_RIGHT_ANSWERS {
        Progress::Passed
    } else if answered == FIRST_QUESTIONS && right + 1 == REQUIRED_RIGHT_ANSWERS && extra_possible {
        Progress::ExtraQuestion
    } else {
        Progress::Failed
    }
}

#[cfg(test)]
mod tests;
