//! The facts that CPR has of a person, for questions.

use chrono::{Datelike as _, Months, NaiveDate};
use temporary_pin::proto::identityregister::v1::fact::{Certainty, Kind};

pub struct Fact {
    pub kind: Kind,
    pub value: String,
    /// Other right answers.
    pub further_values: Vec<&'static str>,
    pub certainty: Certainty,
}

impl Fact {
    /// A fact that the register marks as certain.
    pub fn certain(kind: Kind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into(), further_values: Vec::new(), certainty: Certainty::Certain }
    }

    /// A certain fact of which several values are right.
    pub fn with_values(kind: Kind, value: impl Into<String>, further_values: &[&'static str]) -> Self {
        Self { further_values: further_values.to_vec(), ..Self::certain(kind, value) }
    }

    /// A fact that the register marks as uncertain, so that it must not be asked about.
    pub fn uncertain(kind: Kind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into(), further_values: Vec::new(), certainty: Certainty::Uncertain }
    }
}

const ROADS: [&str; 9] = [
    "Birkevej",
    "Søndergade",
    "Åboulevarden",
    "Nørre Allé",
    "Ærøvej",
    "Kirkestræde",
    "Mølleparken",
    "Strandgade",
    "Ved Skoven",
];
const MUNICIPALITIES: [&str; 8] =
    ["Aarhus", "Odense", "Ærø", "Fanø", "Høje-Taastrup", "Lyngby-Taarbæk", "Sønderborg", "Vejle"];
const BIRTHPLACES: [&str; 7] = ["Aalborg", "Rønne", "Esbjerg", "Køge", "Næstved", "Hjørring", "Svendborg"];
const SURNAMES: [&str; 5] = ["Bæk", "Kjær", "Østergaard", "Lund", "Åkjær"];

/// One certain fact of every kind, and two children. They differ from person to person.
pub fn plenty(number: u32, birth_date: NaiveDate) -> Vec<Fact> {
    let pick = |from: &[&'static str]| from[number as usize % from.len()];
    let born = |years: u32, days: u32| {
        let date = birth_date + Months::new(12 * years) + Months::new(number % 7);
        date.with_day(1 + (number + days) % 28).unwrap_or(date).to_string()
    };
    let parent = |years: u32, days: u32| {
        let date = birth_date - Months::new(12 * years + number % 7);
        date.with_day(1 + (number + days) % 28).unwrap_or(date).to_string()
    };
    vec![
        Fact::certain(Kind::PreviousRoad, pick(&ROADS)),
        Fact::certain(Kind::MovedInYear, (2004 + number % 19).to_string()),
        Fact::certain(Kind::PreviousMunicipality, pick(&MUNICIPALITIES)),
        Fact::certain(Kind::Birthplace, pick(&BIRTHPLACES)),
        Fact::certain(Kind::SpouseBirthDate, born(1, 11)),
        Fact::certain(Kind::WeddingYear, (birth_date.year() + 25).to_string()),
        Fact::certain(Kind::ChildBirthDate, born(26, 3)),
        Fact::certain(Kind::ChildBirthDate, born(28, 17)),
        Fact::certain(Kind::MotherBirthDate, parent(24, 5)),
        Fact::certain(Kind::FatherBirthDate, parent(27, 9)),
        Fact::certain(Kind::PreviousSurname, pick(&SURNAMES)),
    ]
}
