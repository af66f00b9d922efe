//! Converts persons to and from the messages of the register.

use crate::domain::cpr::CprStatus;
use crate::domain::fact::{Fact, FactKind};
use crate::domain::language::Language;
use crate::domain::mobile::MobileNumber;
use crate::domain::person::{MitidAccount, Person, PersonReference, RegisteredMobile};
use crate::proto::identityregister::v1::{self as proto, BirthDateCertainty, ProtectionType};

use super::wire::{self, Malformed, birth_date, date, mitid_uuid, timestamp};

/// Most values of a fact besides the first.
pub(super) const MAX_FURTHER_VALUES: usize = 20;

/// The request for a person.
pub(super) fn make_request(reference: &PersonReference) -> proto::LookUpPersonRequest {
    use proto::look_up_person_request::Reference;
    let reference = match reference {
        PersonReference::Cpr(number) => Reference::CprNumber(number.digits().to_owned()),
        PersonReference::Mitid(uuid) => Reference::MitidUuid(uuid.0.to_string()),
    };
    proto::LookUpPersonRequest { reference: Some(reference) }
}

/// Converts a response. An unknown enum value counts as the stricter one, as the contract says.
pub(super) fn convert(person: proto::Person) -> Result<Person, Malformed> {
    let cpr_number = wire::cpr_number(&person.cpr_number, "cpr_number")?;
    let cpr_status = match (&cpr_number, person.cpr_status.as_str()) {
        (None, "") => None,
        (Some(_), "") => return Err(Malformed("cpr_status")),
        (Some(_), code) => Some(convert_status(code)?),
        (None, _) => return Err(Malformed("cpr_status: without a number")),
    };
    let successor_cpr_number = wire::cpr_number(&person.successor_cpr_number, "successor_cpr_number")?;
    if successor_cpr_number.is_some() && !cpr_status.is_some_and(CprStatus::may_have_successor) {
        return Err(Malformed("successor_cpr_number: without status 50 or 60"));
    }
    let certainty = BirthDateCertainty::try_from(person.birth_date_certainty).unwrap_or(BirthDateCertainty::Uncertain);
    let protection_types: Vec<_> =
        person.protection_types.iter().map(|kind| ProtectionType::try_from(*kind).unwrap_or_default()).collect();
    let is_protected = person.protection() != proto::Protection::None
        || protection_types
            .iter()
            .any(|kind| matches!(kind, ProtectionType::NameAndAddress | ProtectionType::Unspecified));
    Ok(Person {
        cpr_number,
        cpr_status,
        successor_cpr_number,
        birth_date: birth_date(&person.birth_date, certainty != BirthDateCertainty::Uncertain)?,
        protected: is_protected,
        credit_warning: protection_types.contains(&ProtectionType::CreditWarning),
        facts: person.facts.iter().filter_map(|fact| convert_fact(fact).transpose()).collect::<Result<_, _>>()?,
        mitid_account: person.mitid_account.map(convert_account).transpose()?,
    })
}

/// The status. A code that is not known must not make the person's answers unavailable for ever (R12). A text of another form
/// is no code: `90` with a blank is not a person whom the counter may serve.
fn convert_status(code: &str) -> Result<CprStatus, Malformed> {
    if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed("cpr_status"));
    }
    let status = CprStatus::from_code(code);
    if status == CprStatus::Other {
        tracing::warn!(field = "cpr_status", "the identity register has a CPR status that this service does not know");
    }
    Ok(status)
}

/// Refuses a response about another person than the one asked for.
pub(super) fn check_reference(person: &Person, reference: &PersonReference) -> Result<(), Malformed> {
    let is_same_person = match reference {
        PersonReference::Cpr(number) => person.cpr_number.as_ref() == Some(number),
        PersonReference::Mitid(uuid) => {
            person.mitid_account.as_ref().is_some_and(|account| account.mitid_uuid == *uuid)
        }
    };
    if is_same_person { Ok(()) } else { Err(Malformed("person: not the one asked for")) }
}

/// Refuses a successor with another MitID account than the person: the UUID of an account never changes.
pub(super) fn check_successor(person: &Person, successor: &Person) -> Result<(), Malformed> {
    let Some(account) = &person.mitid_account else { return Ok(()) };
    match &successor.mitid_account {
        Some(successors) if successors.mitid_uuid == account.mitid_uuid => Ok(()),
        _ => Err(Malformed("successor_cpr_number: another MitID account")),
    }
}

/// Converts a fact; `None` if no question is asked about its kind. Only the values of a certain fact are checked, because
/// questions ask about certain facts only: CPR has uncertain dates such as 1950-00-00.
fn convert_fact(fact: &proto::Fact) -> Result<Option<Fact>, Malformed> {
    use proto::fact::{Certainty, Kind};
    let kind = match fact.kind() {
        // The previous version does not know the newer kinds, and would fail a verification that asked about them.
        Kind::Unspecified
        | Kind::FormerSpouseBirthDate
        | Kind::PartnerBirthDate
        | Kind::PartnershipYear
        | Kind::DivorceYear
        | Kind::CountryMovedFrom
        | Kind::ImmigrationYear => return Ok(None),
        Kind::PreviousRoad => FactKind::PreviousRoad,
        Kind::MovedInYear => FactKind::MovedInYear,
        Kind::PreviousMunicipality => FactKind::PreviousMunicipality,
        Kind::Birthplace => FactKind::Birthplace,
        Kind::SpouseBirthDate => FactKind::SpouseBirthDate,
        Kind::WeddingYear => FactKind::WeddingYear,
        Kind::ChildBirthDate => FactKind::ChildBirthDate,
        Kind::MotherBirthDate => FactKind::MotherBirthDate,
        Kind::FatherBirthDate => FactKind::FatherBirthDate,
        Kind::PreviousSurname => FactKind::PreviousSurname,
    };
    let certain = fact.certainty() == Certainty::Certain;
    if certain {
        check_values(fact)?;
    }
    Ok(Some(Fact { kind, values: accepted_values(fact).cloned().collect(), certain }))
}

/// Every value that is a right answer.
pub(super) fn accepted_values(fact: &proto::Fact) -> impl Iterator<Item = &String> {
    std::iter::once(&fact.value).chain(&fact.further_values)
}

/// Refuses a certain fact of which a value is in a form that no right answer has.
pub(super) fn check_values(fact: &proto::Fact) -> Result<(), Malformed> {
    if fact.further_values.len() > MAX_FURTHER_VALUES {
        return Err(Malformed("facts.further_values: too many"));
    }
    accepted_values(fact).try_for_each(|value| check_value(fact.kind(), value))
}

fn check_value(kind: proto::fact::Kind, value: &str) -> Result<(), Malformed> {
    use proto::fact::Kind;
    match kind {
        Kind::MovedInYear | Kind::WeddingYear | Kind::PartnershipYear | Kind::DivorceYear | Kind::ImmigrationYear => {
            let is_year = value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit());
            if is_year { Ok(()) } else { Err(Malformed("facts.value: no year")) }
        }
        Kind::SpouseBirthDate
        | Kind::ChildBirthDate
        | Kind::MotherBirthDate
        | Kind::FatherBirthDate
        | Kind::FormerSpouseBirthDate
        | Kind::PartnerBirthDate => date(value, "facts.value: no date").map(drop),
        Kind::Unspecified
        | Kind::PreviousRoad
        | Kind::PreviousMunicipality
        | Kind::Birthplace
        | Kind::PreviousSurname
        | Kind::CountryMovedFrom => {
            if value.trim().is_empty() {
                Err(Malformed("facts.value: empty"))
            } else {
                Ok(())
            }
        }
    }
}

/// Converts a MitID account.
fn convert_account(account: proto::MitidAccount) -> Result<MitidAccount, Malformed> {
    let change_time = timestamp(account.mobile_number_change_time, "mitid_account.mobile_number_change_time")?;
    Ok(MitidAccount {
        mitid_uuid: mitid_uuid(&account.mitid_uuid, "mitid_account.mitid_uuid")?,
        active: account.state() == proto::mitid_account::State::Active,
        enrolment_time: timestamp(account.enrolment_time, "mitid_account.enrolment_time")?,
        language: Language::from_code(&account.language).unwrap_or_default(),
        mobile: convert_mobile(&account.mobile_number).map(|number| RegisteredMobile { number, change_time }),
    })
}

/// Converts a mobile number; `None` if there is none or it is not a phone number. A malformed number is not an error: the
/// person is told that no number is registered and can correct it. An error would only say that the service is not available.
fn convert_mobile(text: &str) -> Option<MobileNumber> {
    if text.is_empty() {
        return None;
    }
    let number = MobileNumber::parse_registered(text).ok();
    if number.is_none() {
        tracing::warn!(field = "mitid_account.mobile_number", "the identity register has an impossible mobile number");
    }
    number
}
