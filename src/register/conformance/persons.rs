//! Known persons: the form of each answer, the expected values, both references, successors.

use uuid::Uuid;

use super::known::KnownPerson;
use super::{Candidate, describe, person_form};
use crate::domain::cpr::CprNumber;
use crate::domain::mobile::MobileNumber;
use crate::domain::person::{MitidUuid, PersonReference};
use crate::proto::identityregister::v1 as proto;
use crate::proto::identityregister::v1::look_up_person_request::Reference;

use super::super::person::accepted_values;

const DIFFERS: &str = "it differs from the file";

pub(super) async fn check(candidate: &mut Candidate, known: &KnownPerson) {
    let mut answers = Vec::new();
    if let Some(number) = &known.cpr_number {
        let subject = format!("{}, by CPR number", known.name);
        let person = look_up(candidate, &subject, Reference::CprNumber(number.clone())).await;
        if let Some(person) = &person {
            let is_asked_for = person.cpr_number == *number;
            candidate.report.expect(&subject, "cpr_number is the one asked for", is_asked_for, "it is another one");
        }
        let reference = CprNumber::parse(number).map(PersonReference::Cpr).ok();
        check_reading(candidate, &subject, reference).await;
        answers.extend(person.map(|person| (subject, person)));
    }
    if let Some(uuid) = &known.mitid_uuid {
        let subject = format!("{}, by MitID UUID", known.name);
        let person = look_up(candidate, &subject, Reference::MitidUuid(uuid.clone())).await;
        let parsed = Uuid::try_parse(uuid).ok();
        if let Some(person) = &person {
            let account = person.mitid_account.as_ref();
            let is_asked_for = account.is_some_and(|account| Uuid::try_parse(&account.mitid_uuid).ok() == parsed);
            candidate.report.expect(
                &subject,
                "mitid_uuid is the one asked for",
                is_asked_for,
                "it is another one, or none",
            );
        }
        let reference = parsed.map(|uuid| PersonReference::Mitid(MitidUuid(uuid)));
        check_reading(candidate, &subject, reference).await;
        answers.extend(person.map(|person| (subject, person)));
    }
    if let [(_, by_number), (_, by_uuid)] = &answers[..]
        && by_number.successor_cpr_number.is_empty()
    {
        let demand = "both references get the same person";
        candidate.report.expect(&known.name, demand, by_number == by_uuid, "the answers differ");
    }
    // The file describes the person under the first reference.
    if let Some((subject, person)) = answers.first() {
        compare(candidate, subject, known, person);
    }
}

async fn look_up(candidate: &mut Candidate, subject: &str, reference: Reference) -> Option<proto::Person> {
    let (person, problem) = match candidate.look_up_person(reference).await {
        Ok(Some(person)) => (Some(person), None),
        Ok(None) => (None, Some("the register does not know the person".to_owned())),
        Err(status) => (None, Some(describe(&status))),
    };
    candidate.report.record(subject, "the person is known", problem);
    if let Some(person) = &person {
        person_form::check(&mut candidate.report, subject, person);
    }
    person
}

/// Lets the service read the person. It follows successors, and refuses what contradicts itself.
async fn check_reading(candidate: &mut Candidate, subject: &str, reference: Option<PersonReference>) {
    let demand = "the service understands the answer, and that of each successor";
    let problem = match reference {
        None => Some("the reference in the file is none".to_owned()),
        Some(reference) => match candidate.register.look_up_person(&reference).await {
            Ok(Some(_)) => None,
            Ok(None) => Some("the register does not know the person".to_owned()),
            Err(_) => Some("it does not; the warning on stderr names the field".to_owned()),
        },
    };
    candidate.report.record(subject, demand, problem);
}

/// Compares what the file says.
fn compare(candidate: &mut Candidate, subject: &str, known: &KnownPerson, person: &proto::Person) {
    let mut expect = |field: &str, expected: Option<bool>| {
        if let Some(is_met) = expected {
            candidate.report.expect(subject, format!("{field} is as in the file"), is_met, DIFFERS);
        }
    };
    let account = person.mitid_account.as_ref();
    let is = |expected: &Option<String>, value: &str| expected.as_ref().map(|expected| expected == value);
    expect("cpr_status", is(&known.cpr_status, &person.cpr_status));
    expect("successor_cpr_number", is(&known.successor_cpr_number, &person.successor_cpr_number));
    expect("birth_date", is(&known.birth_date, &person.birth_date));
    let is_certain =
        person.birth_date_certainty() != proto::BirthDateCertainty::Uncertain && !person.birth_date.ends_with("-00");
    expect("birth_date_certain", known.birth_date_certain.map(|certain| certain == is_certain));
    let has_protection = |kind| person.protection_types.contains(&i32::from(kind));
    let is_protected =
        person.protection() != proto::Protection::None || has_protection(proto::ProtectionType::NameAndAddress);
    expect("protected", known.protected.map(|protected| protected == is_protected));
    let has_warning = has_protection(proto::ProtectionType::CreditWarning);
    expect("credit_warning", known.credit_warning.map(|warning| warning == has_warning));
    expect("has_mitid", known.has_mitid.map(|has| has == account.is_some()));
    let is_active = account.is_some_and(|account| account.state() == proto::mitid_account::State::Active);
    expect("mitid_active", known.mitid_active.map(|active| active == is_active));
    expect("language", is(&known.language, account.map_or("", |account| &account.language)));
    let number = account.map_or("", |account| &account.mobile_number);
    let is_same_number =
        |expected: &String| match (MobileNumber::parse_registered(expected), MobileNumber::parse_registered(number)) {
            (Ok(expected), Ok(number)) => expected == number,
            _ => expected == number,
        };
    expect("mobile_number", known.mobile_number.as_ref().map(is_same_number));
    for fact in &known.facts {
        let has_fact = person.facts.iter().any(|registered| {
            Some(registered.kind()) == fact.kind()
                && (registered.certainty() == proto::fact::Certainty::Certain) == fact.certain
                && accepted_values(registered).any(|value| *value == fact.value)
        });
        expect(&format!("a fact of kind {}", fact.kind), Some(has_fact));
    }
}
