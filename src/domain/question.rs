//! Questions from the CPR register (R16).

use std::fmt;

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
