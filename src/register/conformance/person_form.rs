//! The form of a person in an answer, as the contract demands it.

use crate::domain::birth_date::BirthDate;
use crate::domain::cpr::CprNumber;
use crate::domain::language::Language;
use crate::domain::mobile::MobileNumber;
use crate::proto::identityregister::v1 as proto;

use super::super::person::{MAX_FURTHER_VALUES, check_values};
use super::super::wire::timestamp;
use super::report::Report;

const MAX_NOTICE_ADDRESSES: usize = 10;

/// Checks each field. `subject` names the person and how it was asked for.
pub(super) fn check(report: &mut Report, subject: &str, person: &proto::Person) {
    let mut expect = |demand: &str, is_met: bool, problem: &str| report.expect(subject, demand, is_met, problem);
    let number = person.cpr_number.as_str();
    let is_number = |text: &str| text.len() == 10 && CprNumber::parse(text).is_ok();
    expect("cpr_number is ten digits", number.is_empty() || is_number(number), "it has another form");
    let status = person.cpr_status.as_str();
    let is_status = status.len() == 2 && status.bytes().all(|byte| byte.is_ascii_digit());
    expect(
        "cpr_status is two digits, and there exactly if cpr_number is there",
        if number.is_empty() { status.is_empty() } else { is_status },
        "it is missing, superfluous or has another form",
    );
    let successor = person.successor_cpr_number.as_str();
    expect("successor_cpr_number is ten digits", successor.is_empty() || is_number(successor), "it has another form");
    expect(
        "successor_cpr_number is there with status 50 and 60 only",
        successor.is_empty() || matches!(status, "50" | "60"),
        "the status is another one",
    );
    expect(
        "birth_date is a date like 1950-06-30, with 00 for an unknown month or day, of the years 1800 to 2999",
        BirthDate::parse(&person.birth_date, true).is_some(),
        "it is missing, no date, or has another form",
    );
    expect(
        "birth_date_certainty is a value of the contract",
        proto::BirthDateCertainty::try_from(person.birth_date_certainty).is_ok(),
        "it is another number",
    );
    expect("protection is set", is_set::<proto::Protection>(person.protection), "it is not set, or another number");
    expect(
        "protection_types are values of the contract",
        person.protection_types.iter().all(|kind| is_set::<proto::ProtectionType>(*kind)),
        "one is not set, or another number",
    );
    let facts = &person.facts;
    let is_fact = |fact: &proto::Fact| is_set::<proto::fact::Kind>(fact.kind);
    expect("each fact has a kind of the contract", facts.iter().all(is_fact), "one has not");
    let is_marked = |fact: &proto::Fact| is_set::<proto::fact::Certainty>(fact.certainty);
    expect("each fact is marked certain or uncertain", facts.iter().all(is_marked), "one has no mark");
    expect(
        "the values of certain facts have the form of their kind",
        facts
            .iter()
            .filter(|fact| fact.certainty() == proto::fact::Certainty::Certain)
            .all(|fact| check_values(fact).is_ok()),
        "one is empty, no year or no date",
    );
    let has_few = |fact: &proto::Fact| fact.further_values.len() <= MAX_FURTHER_VALUES;
    expect("a fact has at most 20 further values", facts.iter().all(has_few), "one has more");
    if let Some(account) = &person.mitid_account {
        check_account(report, subject, account);
    }
}

fn check_account(report: &mut Report, subject: &str, account: &proto::MitidAccount) {
    let mut expect = |demand: &str, is_met: bool, problem: &str| report.expect(subject, demand, is_met, problem);
    let uuid = uuid::Uuid::try_parse(&account.mitid_uuid);
    expect("mitid_uuid is a UUID with hyphens", uuid.is_ok() && account.mitid_uuid.len() == 36, "it has another form");
    expect("the state of the account is set", is_set::<proto::mitid_account::State>(account.state), "it is not set");
    let is_language = account.language.is_empty() || Language::from_code(&account.language).is_some();
    expect("language is da, en or kl, or left out", is_language, "it is another one, and counts as da");
    let number = account.mobile_number.as_str();
    expect(
        "mobile_number is understood",
        number.is_empty() || MobileNumber::parse_registered(number).is_ok(),
        "it is not, so the person counts as having none",
    );
    expect(
        "mobile_number_change_time is there with a number",
        number.is_empty() || account.mobile_number_change_time.is_some(),
        "it is missing, so the number counts as changed just now",
    );
    let times = [account.enrolment_time, account.mobile_number_change_time];
    expect(
        "times are of the years 1800 to 2999",
        times.into_iter().all(|time| timestamp(time, "").is_ok()),
        "one is out of range",
    );
    expect(
        "there are at most 10 addresses for notices",
        account.notice_addresses.len() <= MAX_NOTICE_ADDRESSES,
        "there are more",
    );
    expect(
        "addresses for notices are e-mail addresses or mobile numbers",
        account.notice_addresses.iter().all(is_notice_address),
        "one has another form",
    );
}

fn is_notice_address(address: &proto::NoticeAddress) -> bool {
    use proto::notice_address::Address;
    match &address.address {
        Some(Address::EmailAddress(text)) => {
            text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
                && !text.contains(char::is_whitespace)
        }
        Some(Address::MobileNumber(text)) => MobileNumber::parse_registered(text).is_ok(),
        None => false,
    }
}

/// Whether the number is a value of the enum other than its zero, which means that it is not set.
pub(super) fn is_set<E: TryFrom<i32>>(number: i32) -> bool {
    number != 0 && E::try_from(number).is_ok()
}
