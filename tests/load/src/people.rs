//! Made-up persons at any scale: everything about a person follows from their index, so nothing is kept in memory.

use chrono::{Months, NaiveDate};
use temporary_pin::proto::identityregister::v1::fact::{Certainty, Kind};
use temporary_pin::proto::identityregister::v1::mitid_account::State;
use temporary_pin::proto::identityregister::v1::{Fact, MitidAccount, Person as Record, Protection};
use uuid::Uuid;

/// As many persons as have CPR numbers of their own; one half witnesses for the other.
pub(crate) const MAX_PERSONS: u64 = 20_000_000;

/// Days in a month and years in a century that serve: no living person can hold a CPR number of these.
const DAYS: u64 = 28;
const MONTHS: u64 = 12;
const YEARS: u64 = 42;
const FIRST_YEAR: u64 = 58;

/// Marks our UUIDs, beside the version and variant bits of a UUID v4.
const UUID_BASE: u128 = 0x10ad_0000_0000_4000_8000_0000_0000_0000;

const FIRST_MOBILE_NUMBER: u64 = 20_000_000;
const FIRST_PASSPORT: u64 = 100_000_000;

const ROADS: [&str; 7] = ["Birkevej", "Søndergade", "Nørre Allé", "Ærøvej", "Kirkestræde", "Strandgade", "Åvej"];
const TOWNS: [&str; 5] = ["Aarhus", "Odense", "Vejle", "Sønderborg", "Rønne"];

/// One made-up person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person(pub(crate) u64);

impl Person {
    /// Whoever witnesses for this person, and for nobody else.
    pub(crate) const fn witness(self) -> Self {
        Self(self.0 + MAX_PERSONS)
    }

    pub(crate) fn mitid_uuid(self) -> Uuid {
        Uuid::from_u128(UUID_BASE | u128::from(self.0))
    }

    pub(crate) fn mobile_number(self) -> String {
        format!("+45{}", FIRST_MOBILE_NUMBER + self.0)
    }

    /// A Danish passport, of which the register knows no more than that it is this person's and valid.
    pub(crate) fn passport(self) -> String {
        (FIRST_PASSPORT + self.0).to_string()
    }

    /// Born 1858–1899 by the 7th digit (5–8) and the year, so nobody's.
    pub(crate) fn cpr_number(self) -> String {
        let (serial, rest) = (self.0 % 1000, self.0 / 1000);
        let (seventh, rest) = (5 + rest % 4, rest / 4);
        let (day, rest) = (1 + rest % DAYS, rest / DAYS);
        let (month, year) = (1 + rest % MONTHS, FIRST_YEAR + rest / MONTHS % YEARS);
        format!("{day:02}{month:02}{year:02}{seventh}{serial:03}")
    }

    pub(crate) fn by_mitid_uuid(uuid: &str) -> Option<Self> {
        let index = Uuid::parse_str(uuid).ok()?.as_u128() ^ UUID_BASE;
        u64::try_from(index).ok().and_then(Self::existing)
    }

    pub(crate) fn by_cpr_number(number: &str) -> Option<Self> {
        let part = |range| number.get(range).and_then(|digits: &str| digits.parse::<u64>().ok());
        let (day, month, year) = (part(0..2)?, part(2..4)?, part(4..6)?);
        let (seventh, serial) = (part(6..7)?, part(7..10)?);
        let date = ((year.checked_sub(FIRST_YEAR)? * MONTHS) + month.checked_sub(1)?) * DAYS + day.checked_sub(1)?;
        Self::existing((date * 4 + seventh.checked_sub(5)?) * 1000 + serial)
    }

    pub(crate) fn by_mobile_number(number: &str) -> Option<Self> {
        let digits = number.trim_start_matches('+').strip_prefix("45")?;
        digits.parse::<u64>().ok()?.checked_sub(FIRST_MOBILE_NUMBER).and_then(Self::existing)
    }

    pub(crate) fn by_passport(number: &str) -> Option<Self> {
        number.parse::<u64>().ok()?.checked_sub(FIRST_PASSPORT).and_then(Self::existing)
    }

    fn existing(index: u64) -> Option<Self> {
        (index < 2 * MAX_PERSONS).then_some(Self(index))
    }

    /// The value of a fact, as the register has it and as the person answers.
    pub(crate) fn fact(self, kind: Kind) -> String {
        let index = usize::try_from(self.0).unwrap_or_default();
        let date = |years: u32| (self.birth_date() + Months::new(12 * years)).to_string();
        match kind {
            Kind::PreviousRoad => ROADS[index % ROADS.len()].to_owned(),
            Kind::PreviousMunicipality | Kind::Birthplace => TOWNS[index % TOWNS.len()].to_owned(),
            Kind::MovedInYear => (2004 + self.0 % 19).to_string(),
            Kind::WeddingYear => (1990 + self.0 % 19).to_string(),
            Kind::ChildBirthDate => date(26),
            _ => date(1),
        }
    }

    fn birth_date(self) -> NaiveDate {
        let index = u32::try_from(self.0 % 10_000).unwrap_or_default();
        NaiveDate::default() + Months::new(index % 240)
    }

    /// What the identity register says: an ordinary person, whom every channel serves.
    pub(crate) fn record(self) -> Record {
        let kinds = [Kind::PreviousRoad, Kind::Birthplace, Kind::MovedInYear, Kind::WeddingYear, Kind::ChildBirthDate];
        let fact =
            |kind: Kind| Fact { kind: kind.into(), value: self.fact(kind), certainty: Certainty::Certain.into() };
        // Long before any rule that asks for an age of it.
        let long_ago = prost_types::Timestamp { seconds: 1_500_000_000, nanos: 0 };
        Record {
            cpr_number: self.cpr_number(),
            cpr_status: "01".to_owned(),
            successor_cpr_number: String::new(),
            birth_date: self.birth_date().to_string(),
            protection: Protection::None.into(),
            facts: kinds.map(fact).into(),
            mitid_account: Some(MitidAccount {
                mitid_uuid: self.mitid_uuid().to_string(),
                state: State::Active.into(),
                enrolment_time: Some(long_ago),
                language: "da".to_owned(),
                mobile_number: self.mobile_number(),
                mobile_number_change_time: Some(long_ago),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use temporary_pin::domain::cpr::CprNumber;
    use temporary_pin::domain::mobile::MobileNumber;

    use super::*;

    #[test]
    fn a_person_is_found_by_whatever_names_them() {
        for index in [0, 1, 999, 1000, 54_321, 9_999_999, MAX_PERSONS - 1, 2 * MAX_PERSONS - 1] {
            let person = Person(index);
            assert_eq!(Person::by_cpr_number(&person.cpr_number()), Some(person));
            assert_eq!(Person::by_mitid_uuid(&person.mitid_uuid().to_string()), Some(person));
            assert_eq!(Person::by_mobile_number(&person.mobile_number()), Some(person));
            assert_eq!(Person::by_passport(&person.passport()), Some(person));
            assert!(CprNumber::parse(&person.cpr_number()).is_ok());
            assert!(MobileNumber::parse(&person.mobile_number()).is_ok());
        }
        assert_eq!(Person::by_cpr_number(&Person(2 * MAX_PERSONS).cpr_number()), None);
    }
}
