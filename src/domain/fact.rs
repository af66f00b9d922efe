//! Facts about a person in the CPR register. Questions ask about them (R16), and answers are compared with them (R17).

use std::fmt;

/// A kind of fact that a question can ask about. Membership of the church is not among them, because it reveals a religious
/// belief (GDPR article 9). `Question.Kind` in the contract explains each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

    /// The name in database tables, and the `question_id` on the wire.
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

    /// The kind with that name; the reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether the fact concerns an address. Persons with name and address protection are not asked such questions.
    #[must_use]
    pub const fn is_address(self) -> bool {
        matches!(self, Self::PreviousRoad | Self::MovedInYear | Self::PreviousMunicipality)
    }
}

/// One fact about a person. A person can have several facts of one kind (two children); each of them is a right answer. The
/// values are left out of `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Fact {
    pub kind: FactKind,
    /// The value: a name, a year (YYYY) or a date (YYYY-MM-DD), depending on the kind. Further values are right answers, too:
    /// the town beside the parish of birth, the full name of a road beside its short one.
    pub values: Vec<String>,
    /// Whether the register marks the fact as certain. Questions ask about certain facts only.
    pub certain: bool,
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fact").field("kind", &self.kind).field("certain", &self.certain).finish_non_exhaustive()
    }
}
