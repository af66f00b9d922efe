//! Questions from the CPR register (R16).

use std::fmt;

use rand::Rng;
use rand::seq::{IndexedRandom as _, index};

use super::answer;

/// Right answers that a person needs.
const RIGHT_ANSWERS: usize = 2;
/// Questions asked at first; one more may follow.
const FIRST_QUESTIONS: usize = 3;

/// Kinds of fact that a question can be about. No church facts (GDPR article 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is documented in the published contract")]
pub enum FactKind {
    PreviousRoad,
    MovedInYear,
    PreviousMunicipality,
    Birthplace,
    SpouseBirthDate,
    WeddingYear,
    ChildBirthDate,
    MotherBirthDate,
    FatherBirthDate,
    PreviousSurname,
}

impl FactKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::PreviousRoad,
        Self::MovedInYear,
        Self::PreviousMunicipality,
        Self::Birthplace,
        Self::SpouseBirthDate,
        Self::WeddingYear,
        Self::ChildBirthDate,
        Self::MotherBirthDate,
        Self::FatherBirthDate,
        Self::PreviousSurname,
    ];

    /// The name used in tables and as `question_id`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreviousRoad => "previous_road",
            Self::MovedInYear => "moved_in_year",
            Self::PreviousMunicipality => "previous_municipality",
            Self::Birthplace => "birthplace",
            Self::SpouseBirthDate => "spouse_birth_date",
            Self::WeddingYear => "wedding_year",
            Self::ChildBirthDate => "child_birth_date",
            Self::MotherBirthDate => "mother_birth_date",
            Self::FatherBirthDate => "father_birth_date",
            Self::PreviousSurname => "previous_surname",
        }
    }

    /// The kind of that name, the reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it tells of an address, which nobody is asked about who has name and address protection.
    #[must_use]
    pub const fn is_address(self) -> bool {
        matches!(self, Self::PreviousRoad | Self::MovedInYear | Self::PreviousMunicipality)
    }
}

/// One fact. Several of one kind may be true (two children): each is a right answer. The value is masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub kind: FactKind,
    /// The fact: a name, a year (YYYY) or a date (YYYY-MM-DD).
    pub value: String,
    /// Whether the register marks it certain; only certain facts are asked about.
    pub certain: bool,
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fact").field("kind", &self.kind).field("certain", &self.certain).finish_non_exhaustive()
    }
}

/// Fewer than three kinds can be asked about: the person goes to the counter, with a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register holds too few certain facts to ask about")]
pub struct InsufficientData;

/// Draws the first three questions, each set of three equally likely. `asked_before` are the kinds of failed runs.
pub fn draw(
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
pub fn draw_extra(facts: &[Fact], protected: bool, asked_before: &[FactKind], rng: &mut impl Rng) -> Option<FactKind> {
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
pub const fn progress(right: usize, answered: usize, extra_possible: bool) -> Progress {
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
