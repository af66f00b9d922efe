//! The persons in the form in which the identity register returns them.

use std::time::SystemTime;

use temporary_pin::proto::identityregister::v1::{
    Document as DocumentRecord, DocumentKind, Fact, MitidAccount, Person as PersonRecord, Protection,
};
use temporary_pin::proto::temporarypin::v1::document::Kind;
use uuid::Uuid;

use super::{Account, Document, People, Person};
use crate::register::Population;

impl Population for People {
    fn person_by_cpr_number(&self, number: &str) -> Option<PersonRecord> {
        self.by_cpr_number(number).and_then(|person| Some(record_under(number, self.record(person)?, person)))
    }

    fn person_by_mitid_uuid(&self, uuid: Uuid) -> Option<PersonRecord> {
        self.by_mitid_uuid(uuid).and_then(|person| self.record(person))
    }

    fn document(&self, kind: DocumentKind, issuer: &str, number: &str) -> Option<DocumentRecord> {
        let kind = match kind {
            DocumentKind::Unspecified => return None,
            DocumentKind::Passport => Kind::Passport,
            DocumentKind::DrivingLicence => Kind::DrivingLicence,
            DocumentKind::IdentityCard => Kind::IdentityCard,
            DocumentKind::ResidencePermit => Kind::ResidencePermit,
            DocumentKind::ForeignMinistryCard => Kind::ForeignMinistryCard,
            DocumentKind::MunicipalIdentityCard => Kind::MunicipalIdentityCard,
        };
        self.find_document(kind, issuer, number).map(|(person, document)| document_record(person, document))
    }
}

impl People {
    /// The person as the register knows them now.
    fn record(&self, person: &Person) -> Option<PersonRecord> {
        self.changes_of(person).apply(record(person))
    }
}

/// The register's answer to a CPR number. For a replaced number it contains little more than the successor.
fn record_under(number: &str, mut record: PersonRecord, person: &Person) -> PersonRecord {
    if record.cpr_number != number {
        record.successor_cpr_number = std::mem::replace(&mut record.cpr_number, number.to_owned());
        record.cpr_status = person.replaced_status.to_owned();
        record.facts.clear();
        record.mitid_account = None;
    }
    record
}

fn record(person: &Person) -> PersonRecord {
    let facts = person.facts.iter().map(|fact| Fact {
        kind: fact.kind.into(),
        value: fact.value.clone(),
        certainty: fact.certainty.into(),
        further_values: fact.further_values.iter().map(ToString::to_string).collect(),
    });
    let protection = if person.protected { Protection::NameAndAddress } else { Protection::None };
    PersonRecord {
        cpr_number: person.successor_cpr_number.clone().or_else(|| person.cpr_number.clone()).unwrap_or_default(),
        cpr_status: person.cpr_status.to_owned(),
        successor_cpr_number: String::new(),
        birth_date: person.registered_birth_date.clone().unwrap_or_else(|| person.birth_date.to_string()),
        protection: protection.into(),
        facts: facts.collect(),
        mitid_account: person.account.as_ref().map(account_record),
        birth_date_certainty: person.birth_date_certainty.into(),
        protection_types: person.protection_types.iter().map(|kind| (*kind).into()).collect(),
    }
}

fn account_record(account: &Account) -> MitidAccount {
    let registered_number =
        account.registered_mobile_number.map(str::to_owned).or_else(|| account.mobile_number.clone());
    MitidAccount {
        mitid_uuid: account.mitid_uuid.to_string(),
        state: account.state.into(),
        enrolment_time: Some(SystemTime::from(account.enrolment_time).into()),
        language: account.language.to_owned(),
        mobile_number: registered_number.unwrap_or_default(),
        mobile_number_change_time: account.mobile_number_change_time.map(|time| SystemTime::from(time).into()),
        ..MitidAccount::default()
    }
}

/// Names the holder by CPR number. Where the CPR number is missing, or was replaced after the document was issued, the MitID
/// UUID names the holder.
fn document_record(person: &Person, document: &Document) -> DocumentRecord {
    let cpr_number = person.cpr_number.clone().filter(|_| person.successor_cpr_number.is_none());
    let account = person.account.as_ref().filter(|_| cpr_number.is_none());
    DocumentRecord {
        holder_cpr_number: cpr_number.unwrap_or_default(),
        holder_mitid_uuid: account.map(|account| account.mitid_uuid.to_string()).unwrap_or_default(),
        state: document.state.into(),
        expiry_date: document.expiry_date.to_string(),
        permanence: document.permanence.into(),
        printed_expiry_date: document.printed_expiry_date.map(|date| date.to_string()).unwrap_or_default(),
        ..DocumentRecord::default()
    }
}
