//! `Debug` output contains no secrets and no personal data, because such output can get into a log.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod messages;

use std::fmt::Debug;

use chrono::{DateTime, NaiveDate};
use temporary_pin::domain::cpr::{CprNumber, CprStatus};
use temporary_pin::domain::document::{CprNumberShown, Document, DocumentKind, RegisteredDocument};
use temporary_pin::domain::fact::{Fact, FactKind};
use temporary_pin::domain::language::Language;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::domain::person::{MitidAccount, MitidUuid, Person, PersonReference, RegisteredMobile};
use temporary_pin::domain::pin::Pin;
use uuid::Uuid;

const CPR_NUMBER: &str = "0101701234";
const SUCCESSOR: &str = "0201705678";
const MITID_UUID: &str = "a1b2c3d4-0000-4000-8000-00000000abcd";
const MOBILE: &str = "+4520123456";
const DOCUMENT: &str = "AB1234567";
const PIN: &str = "98761234";
const FACT: &str = "Kirsebærvej";
/// The end of [`FACT`] in ASCII letters only: [`assert_masked`] removes all other characters from the output.
const ASCII_END_OF_FACT: &str = "rsebrvej";

/// Asserts that the `Debug` output contains no secret, nor the first or last four characters of a secret. Separators in the
/// output do not matter.
#[track_caller]
fn assert_masked(value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        let plain: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
        for secret in
            [CPR_NUMBER, SUCCESSOR, &MITID_UUID.replace('-', ""), &MOBILE[1..], DOCUMENT, PIN, ASCII_END_OF_FACT]
        {
            for part in [secret, &secret[..4], &secret[secret.len() - 4..]] {
                assert!(!plain.contains(part), "{part} in {shown}");
            }
        }
        assert!(!shown.contains(FACT), "{shown}");
    }
}

fn cpr_number() -> CprNumber {
    CprNumber::parse(CPR_NUMBER).unwrap()
}

fn mitid_uuid() -> MitidUuid {
    MitidUuid(Uuid::parse_str(MITID_UUID).unwrap())
}

#[test]
fn types_that_are_secrets_mask_them() {
    assert_masked(&cpr_number());
    assert_masked(&PersonReference::Cpr(cpr_number()));
    assert_masked(&PersonReference::Mitid(mitid_uuid()));
    assert_masked(&MobileNumber::parse(MOBILE).unwrap());
    assert_masked(&Pin::parse(PIN).unwrap());
    assert_masked(&Document::parse(DocumentKind::Passport, "DNK", DOCUMENT).unwrap());
    assert_masked(&Fact { kind: FactKind::PreviousRoad, values: vec![FACT.into()], certain: true });
}

#[test]
fn types_that_contain_secrets_mask_them() {
    assert_masked(&Person {
        cpr_number: Some(cpr_number()),
        cpr_status: Some(CprStatus::Changed),
        successor_cpr_number: Some(CprNumber::parse(SUCCESSOR).unwrap()),
        birth_date: NaiveDate::from_ymd_opt(1990, 12, 31).unwrap().into(),
        protected: false,
        credit_warning: false,
        facts: vec![Fact { kind: FactKind::PreviousRoad, values: vec![FACT.into()], certain: true }],
        mitid_account: Some(MitidAccount {
            mitid_uuid: mitid_uuid(),
            active: true,
            enrolment_time: Some(DateTime::from_timestamp(1_000_000_000, 0).unwrap()),
            language: Language::Kl,
            mobile: Some(RegisteredMobile {
                number: MobileNumber::parse(MOBILE).unwrap(),
                change_time: Some(DateTime::from_timestamp(1_000_000_000, 0).unwrap()),
            }),
        }),
    });
    assert_masked(&RegisteredDocument {
        holder_cpr_number: Some(cpr_number()),
        holder_mitid_uuid: Some(mitid_uuid()),
        good_standing: true,
        expiry_date: NaiveDate::from_ymd_opt(2030, 12, 31).unwrap(),
        printed_expiry_date: None,
        provisional: false,
        cpr_number_shown: CprNumberShown::Yes,
    });
}
