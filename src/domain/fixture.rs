//! Fixtures for the tests of the rules: a person who may have a PIN in every channel.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::cpr::{CprNumber, CprStatus};
use super::fact::{Fact, FactKind};
use super::language::Language;
use super::mobile::MobileNumber;
use super::person::{MitidAccount, MitidUuid, Person, RegisteredMobile};

/// Born on 1 January 1980, with MitID and mobile number since 2022. May have a PIN in every channel.
pub(crate) fn person() -> Person {
    Person {
        cpr_number: Some(CprNumber::parse("0101801234").unwrap()),
        cpr_status: Some(CprStatus::ActiveDenmark),
        successor_cpr_number: None,
        birth_date: day("1980-01-01").into(),
        protected: false,
        credit_warning: false,
        facts: Vec::new(),
        mitid_account: Some(MitidAccount {
            mitid_uuid: MitidUuid(Uuid::from_u128(1)),
            active: true,
            enrolment_time: Some(at("2022-01-01T00:00:00Z")),
            language: Language::Da,
            mobile: Some(RegisteredMobile {
                number: MobileNumber::parse("+4520123456").unwrap(),
                change_time: Some(at("2022-01-01T00:00:00Z")),
            }),
        }),
    }
}

/// Another person with the same properties as [`person`].
pub(crate) fn another_person() -> Person {
    let mut other = person();
    other.cpr_number = Some(CprNumber::parse("0101805678").unwrap());
    account(&mut other).mitid_uuid = MitidUuid(Uuid::from_u128(2));
    other
}

pub(crate) fn account(person: &mut Person) -> &mut MitidAccount {
    person.mitid_account.as_mut().unwrap()
}

pub(crate) fn certain(kind: FactKind, value: &str) -> Fact {
    Fact { kind, values: vec![value.to_owned()], certain: true }
}

pub(crate) fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

pub(crate) fn day(date: &str) -> NaiveDate {
    date.parse().unwrap()
}
