//! The eligibility rules, and the check of answers.

use std::hint::black_box;

use chrono::{DateTime, NaiveDate};
use criterion::Criterion;
use temporary_pin::domain::answer;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::cpr::{CprNumber, CprStatus};
use temporary_pin::domain::eligibility::find_all_denials;
use temporary_pin::domain::fact::{Fact, FactKind};
use temporary_pin::domain::hold::Hold;
use temporary_pin::domain::language::Language;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::domain::person::{MitidAccount, MitidUuid, Person, RegisteredMobile};
use temporary_pin::domain::rule_settings::Rules;
use uuid::Uuid;

pub(crate) fn measure(criterion: &mut Criterion) {
    criterion.bench_function("CPR number: parse", |bencher| {
        bencher.iter(|| CprNumber::parse(black_box("010180-1234")).unwrap());
    });

    let (person, rules) = (person(), Rules::default());
    let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
    let hold = Hold::start(now - rules.hold.wait, &rules.hold);
    for channel in Channel::ALL {
        let name = format!("eligibility: {}", channel.as_str());
        criterion.bench_function(&name, |bencher| {
            bencher.iter(|| find_all_denials(black_box(&person), channel, Some(&hold), &rules.eligibility, now));
        });
    }

    for (name, kind, text) in [
        ("date", FactKind::SpouseBirthDate, "den 1. februar 1980"),
        ("municipality", FactKind::PreviousMunicipality, "Københavns Kommune"),
    ] {
        criterion.bench_function(&format!("answer: {name}"), |bencher| {
            bencher.iter(|| assert!(answer::is_right(kind, black_box(text), &person.facts)));
        });
    }
}

/// An eligible person with an ordinary number of facts.
fn person() -> Person {
    let fact = |kind, value: &str| Fact { kind, values: vec![value.to_owned()], certain: true };
    let long_ago = DateTime::from_timestamp(1_650_000_000, 0).unwrap();
    Person {
        cpr_number: Some(CprNumber::parse("0101801234").unwrap()),
        cpr_status: Some(CprStatus::ActiveDenmark),
        successor_cpr_number: None,
        birth_date: NaiveDate::from_ymd_opt(1980, 1, 1).unwrap().into(),
        protected: false,
        credit_warning: false,
        facts: vec![
            fact(FactKind::PreviousRoad, "Østergade"),
            fact(FactKind::MovedInYear, "2011"),
            fact(FactKind::PreviousMunicipality, "København"),
            fact(FactKind::Birthplace, "Ærøskøbing"),
            fact(FactKind::SpouseBirthDate, "1980-02-01"),
            fact(FactKind::ChildBirthDate, "2009-06-05"),
            fact(FactKind::MotherBirthDate, "1955-12-24"),
        ],
        mitid_account: Some(MitidAccount {
            mitid_uuid: MitidUuid(Uuid::from_u128(1)),
            active: true,
            enrolment_time: Some(long_ago),
            language: Language::Da,
            mobile: Some(RegisteredMobile {
                number: MobileNumber::parse("+4520123456").unwrap(),
                change_time: Some(long_ago),
            }),
        }),
    }
}
