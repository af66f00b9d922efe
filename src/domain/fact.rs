//! Facts about a person in the CPR register: what questions ask about (R16).

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
