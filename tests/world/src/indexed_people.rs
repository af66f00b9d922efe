//! Persons in any number for the load: everything about a person is computed from an index, so nothing is stored.

use chrono::{Months, NaiveDate};
use temporary_pin::proto::identityregister::v1::document::{Permanence, State as DocumentState};
use temporary_pin::proto::identityregister::v1::fact::{Certainty, Kind};
use temporary_pin::proto::identityregister::v1::mitid_account::State;
use temporary_pin::proto::identityregister::v1::{
    Document, DocumentKind, Fact, MitidAccount, Person as PersonRecord, Protection,
};
use uuid::Uuid;

use crate::register::Population;

/// The number of persons for the load: as many as there are different CPR numbers. The same number of persons are their
/// witnesses.
pub const MAX_PERSONS: u64 = 20_000_000;

/// Birth dates that no living person has: 1858–1899, by the year and a seventh digit of 5 to 8.
const DAYS: u64 = 28;
const MONTHS: u64 = 12;
const YEARS: u64 = 42;
const FIRST_YEAR: u64 = 58;
const FIRST_SEVENTH_DIGIT: u64 = 5;
const SEVENTH_DIGITS: u64 = 4;
const SERIAL_NUMBERS: u64 = 1000;

/// Marks the UUIDs of these persons. Includes the version and variant bits of a UUID v4.
const UUID_BASE: u128 = 0x10ad_0000_0000_4000_8000_0000_0000_0000;

const FIRST_MOBILE_NUMBER: u64 = 20_000_000;
const FIRST_PASSPORT: u64 = 100_000_000;

/// When the account was opened and the mobile number registered: 2017, longer ago than any rule requires.
const ENROLMENT_SECONDS: i64 = 1_500_000_000;

const ROADS: [&str; 7] = ["Birkevej", "Søndergade", "Nørre Allé", "Ærøvej", "Kirkestræde", "Strandgade", "Åvej"];
const TOWNS: [&str; 5] = ["Aarhus", "Odense", "Vejle", "Sønderborg", "Rønne"];

/// The kinds of facts that the register has of each person.
const FACT_KINDS: [Kind; 5] =
    [Kind::PreviousRoad, Kind::Birthplace, Kind::MovedInYear, Kind::WeddingYear, Kind::ChildBirthDate];

/// A person, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedPerson(pub u64);

/// All indexed persons, as a register knows them.
pub struct IndexedPopulation;

impl IndexedPerson {
    /// The witness of this person. No other person has the same witness.
    #[must_use]
    pub const fn witness(self) -> Self {
        Self(self.0 + MAX_PERSONS)
    }

    #[must_use]
    pub fn mitid_uuid(self) -> Uuid {
        Uuid::from_u128(UUID_BASE | u128::from(self.0))
    }

    /// In E.164 form.
    #[must_use]
    pub fn mobile_number(self) -> String {
        format!("+45{}", FIRST_MOBILE_NUMBER + self.0)
    }

    /// The number of a valid Danish passport.
    #[must_use]
    pub fn passport(self) -> String {
        (FIRST_PASSPORT + self.0).to_string()
    }

    #[must_use]
    pub fn cpr_number(self) -> String {
        let (serial, rest) = (self.0 % SERIAL_NUMBERS, self.0 / SERIAL_NUMBERS);
        let (seventh, rest) = (FIRST_SEVENTH_DIGIT + rest % SEVENTH_DIGITS, rest / SEVENTH_DIGITS);
        let (day, rest) = (1 + rest % DAYS, rest / DAYS);
        let (month, year) = (1 + rest % MONTHS, FIRST_YEAR + rest / MONTHS % YEARS);
        format!("{day:02}{month:02}{year:02}{seventh}{serial:03}")
    }

    #[must_use]
    pub fn by_mitid_uuid(uuid: Uuid) -> Option<Self> {
        let index = uuid.as_u128() ^ UUID_BASE;
        u64::try_from(index).ok().and_then(Self::existing)
    }

    #[must_use]
    pub fn by_cpr_number(number: &str) -> Option<Self> {
        let part = |range| number.get(range).and_then(|digits: &str| digits.parse::<u64>().ok());
        let (day, month, year) = (part(0..2)?, part(2..4)?, part(4..6)?);
        let (seventh, serial) = (part(6..7)?, part(7..10)?);
        let date = ((year.checked_sub(FIRST_YEAR)? * MONTHS) + month.checked_sub(1)?) * DAYS + day.checked_sub(1)?;
        let seventh = seventh.checked_sub(FIRST_SEVENTH_DIGIT)?;
        Self::existing((date * SEVENTH_DIGITS + seventh) * SERIAL_NUMBERS + serial)
    }

    /// `number` is in E.164 form.
    #[must_use]
    pub fn by_mobile_number(number: &str) -> Option<Self> {
        let digits = number.strip_prefix("+45")?;
        digits.parse::<u64>().ok()?.checked_sub(FIRST_MOBILE_NUMBER).and_then(Self::existing)
    }

    #[must_use]
    pub fn by_passport(number: &str) -> Option<Self> {
        number.parse::<u64>().ok()?.checked_sub(FIRST_PASSPORT).and_then(Self::existing)
    }

    fn existing(index: u64) -> Option<Self> {
        (index < 2 * MAX_PERSONS).then_some(Self(index))
    }

    /// The value of a fact: what the register has, and what the person answers.
    #[must_use]
    pub fn fact(self, kind: Kind) -> String {
        let index = usize::try_from(self.0).unwrap_or_default();
        let years_after_birth = |years: u32| (self.birth_date() + Months::new(12 * years)).to_string();
        match kind {
            Kind::PreviousRoad => ROADS[index % ROADS.len()].to_owned(),
            Kind::PreviousMunicipality | Kind::Birthplace => TOWNS[index % TOWNS.len()].to_owned(),
            Kind::MovedInYear => (2004 + self.0 % 19).to_string(),
            Kind::WeddingYear => (1990 + self.0 % 19).to_string(),
            Kind::ChildBirthDate => years_after_birth(26),
            _ => years_after_birth(1),
        }
    }

    /// A month from 1970 to 1989.
    fn birth_date(self) -> NaiveDate {
        let index = u32::try_from(self.0 % 10_000).unwrap_or_default();
        NaiveDate::default() + Months::new(index % 240)
    }

    /// An ordinary person, whom every channel serves.
    fn record(self) -> PersonRecord {
        let fact = |kind: Kind| Fact {
            kind: kind.into(),
            value: self.fact(kind),
            certainty: Certainty::Certain.into(),
            ..Fact::default()
        };
        let long_ago = prost_types::Timestamp { seconds: ENROLMENT_SECONDS, nanos: 0 };
        PersonRecord {
            cpr_number: self.cpr_number(),
            cpr_status: "01".to_owned(),
            successor_cpr_number: String::new(),
            birth_date: self.birth_date().to_string(),
            protection: Protection::None.into(),
            facts: FACT_KINDS.map(fact).into(),
            mitid_account: Some(MitidAccount {
                mitid_uuid: self.mitid_uuid().to_string(),
                state: State::Active.into(),
                enrolment_time: Some(long_ago),
                language: "da".to_owned(),
                mobile_number: self.mobile_number(),
                mobile_number_change_time: Some(long_ago),
                ..MitidAccount::default()
            }),
            ..PersonRecord::default()
        }
    }
}

impl Population for IndexedPopulation {
    fn person_by_cpr_number(&self, number: &str) -> Option<PersonRecord> {
        IndexedPerson::by_cpr_number(number).map(IndexedPerson::record)
    }

    fn person_by_mitid_uuid(&self, uuid: Uuid) -> Option<PersonRecord> {
        IndexedPerson::by_mitid_uuid(uuid).map(IndexedPerson::record)
    }

    fn document(&self, kind: DocumentKind, _issuer: &str, number: &str) -> Option<Document> {
        let holder = IndexedPerson::by_passport(number).filter(|_| kind == DocumentKind::Passport)?;
        Some(Document {
            holder_cpr_number: holder.cpr_number(),
            holder_mitid_uuid: holder.mitid_uuid().to_string(),
            state: DocumentState::Valid.into(),
            expiry_date: "2999-12-31".to_owned(),
            permanence: Permanence::Ordinary.into(),
            ..Document::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use temporary_pin::domain::cpr::CprNumber;
    use temporary_pin::domain::mobile::MobileNumber;

    use super::*;

    #[test]
    fn a_person_is_found_by_each_number_and_uuid() {
        for index in [0, 1, 999, 1000, 54_321, 9_999_999, MAX_PERSONS - 1, 2 * MAX_PERSONS - 1] {
            let person = IndexedPerson(index);
            assert_eq!(IndexedPerson::by_cpr_number(&person.cpr_number()), Some(person));
            assert_eq!(IndexedPerson::by_mitid_uuid(person.mitid_uuid()), Some(person));
            assert_eq!(IndexedPerson::by_mobile_number(&person.mobile_number()), Some(person));
            assert_eq!(IndexedPerson::by_passport(&person.passport()), Some(person));
            assert!(CprNumber::parse(&person.cpr_number()).is_ok());
            assert!(MobileNumber::parse(&person.mobile_number()).is_ok());
        }
        assert_eq!(IndexedPerson::by_cpr_number(&IndexedPerson(2 * MAX_PERSONS).cpr_number()), None);
    }
}
