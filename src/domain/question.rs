//! Questions from the CPR register (R16).

use rand::Rng;
use rand::seq::{IndexedRandom as _, index};

use super::answer;
use super::fact::{Fact, FactKind};

/// Right answers that a person needs.
const RIGHT_ANSWERS: usize = 2;
/// Questions asked at first; one more may follow.
const FIRST_QUESTIONS: usize = 3;

/// Fewer than three kinds can be asked about: the person goes to the counter, with a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register holds too few certain facts to ask about")]
pub struct InsufficientData;

/// Draws the first three questions, each set of three equally likely. `asked_before` are the kinds of failed runs.
pub fn draw_questions(
    facts: &[Fact],
    protected: bool,
    asked_before: &[FactKind],
    rng: &mut impl Rng,
) -> Result<[FactKind; FIRST_QUESTIONS], InsufficientData> {
    let kinds = askable(facts, protected, asked_before);
    let drawn = index::sample_array(rng, kinds.len()).ok_or(InsufficientData)?;
    Ok(drawn.map(|index: usize| kinds[index]))
}

/// Draws the extra question. `asked_before` also names the three of this run.
pub fn draw_extra_question(
    facts: &[Fact],
    protected: bool,
    asked_before: &[FactKind],
    rng: &mut impl Rng,
) -> Option<FactKind> {
    askable(facts, protected, asked_before).choose(rng).copied()
}

/// The kinds that can be asked about, in their own order.
fn askable(facts: &[Fact], protected: bool, asked_before: &[FactKind]) -> Vec<FactKind> {
    FactKind::ALL
        .into_iter()
        .filter(|kind| !protected || !kind.is_address())
        .filter(|kind| !asked_before.contains(kind))
        .filter(|kind| facts.iter().any(|fact| fact.kind == *kind && answer::can_be_asked(fact)))
        .collect()
}

/// Where a run of questions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Two answers were right.
    Passed,
    /// Two of three were wrong: one more question decides.
    OneMore,
    /// The identity is not confirmed.
    Failed,
}

/// Judges a run: `right` of `answered` answers were right. `extra_possible`: a fourth question can be drawn.
#[must_use]
pub const fn judge_progress(right: usize, answered: usize, extra_possible: bool) -> Progress {
    if right >= RIGHT_ANSWERS {
        Progress::Passed
    } else if answered == FIRST_QUESTIONS && right + 1 == RIGHT_ANSWERS && extra_possible {
        Progress::OneMore
    } else {
        Progress::Failed
    }
}

#[cfg(test)]
mod tests;
