//! The identity register: a real gRPC server of `identityregister.v1` that knows the cast, and can fail on demand.

#![allow(clippy::disallowed_methods, reason = "not the service: its errors need no details")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use temporary_pin::proto::identityregister::v1::identity_register_service_server::IdentityRegisterService;
use temporary_pin::proto::identityregister::v1::look_up_person_request::Reference;
use temporary_pin::proto::identityregister::v1::{
    Document as DocumentRecord, DocumentKind, Fact, LookUpDocumentRequest, LookUpDocumentResponse, LookUpPersonRequest,
    LookUpPersonResponse, MitidAccount, Person as PersonRecord, Protection,
};
use temporary_pin::proto::temporarypin::v1::document::Kind;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::mode::Switch;
use crate::people::{Account, Document, People, Person};

/// How the register behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterMode {
    Up,
    Down,
    /// Answers, but late.
    Slow(Duration),
}

/// The register's service.
pub struct Register {
    pub people: Arc<People>,
    pub mode: Switch<RegisterMode>,
}

impl Register {
    async fn behave(&self) -> Result<(), Status> {
        match self.mode.get() {
            RegisterMode::Up => Ok(()),
            RegisterMode::Down => Err(Status::unavailable("the sandbox's register is switched to down")),
            RegisterMode::Slow(delay) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
        }
    }
}

#[tonic::async_trait]
impl IdentityRegisterService for Register {
    async fn look_up_person(
        &self,
        request: Request<LookUpPersonRequest>,
    ) -> Result<Response<LookUpPersonResponse>, Status> {
        self.behave().await?;
        let person = match request.into_inner().reference {
            None => return Err(Status::invalid_argument("reference: is required")),
            Some(Reference::CprNumber(number)) => {
                self.people.by_cpr_number(&number).map(|person| record_under(&number, person))
            }
            Some(Reference::MitidUuid(uuid)) => {
                let uuid = Uuid::parse_str(&uuid).map_err(|_| Status::invalid_argument("mitid_uuid: is no UUID"))?;
                self.people.by_mitid_uuid(uuid).map(record)
            }
        };
        Ok(Response::new(LookUpPersonResponse { person }))
    }

    async fn look_up_document(
        &self,
        request: Request<LookUpDocumentRequest>,
    ) -> Result<Response<LookUpDocumentResponse>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let kind = match request.kind() {
            DocumentKind::Unspecified => return Err(Status::invalid_argument("kind: is required")),
            DocumentKind::Passport => Kind::Passport,
            DocumentKind::DrivingLicence => Kind::DrivingLicence,
            DocumentKind::IdentityCard => Kind::IdentityCard,
            DocumentKind::ResidencePermit => Kind::ResidencePermit,
        };
        let found = self.people.document(kind, &request.issuer, &request.number);
        let document = found.map(|(person, document)| document_record(person, document));
        Ok(Response::new(LookUpDocumentResponse { document }))
    }
}

/// What the register answers under this CPR number: of a replaced one, little more than its successor.
fn record_under(number: &str, person: &Person) -> PersonRecord {
    let mut record = record(person);
    if record.cpr_number != number {
        record.successor_cpr_number = std::mem::replace(&mut record.cpr_number, number.to_owned());
        record.cpr_status = "60".to_owned();
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
    });
    let protection = if person.protected { Protection::NameAndAddress } else { Protection::None };
    PersonRecord {
        cpr_number: person.successor_cpr_number.clone().or_else(|| person.cpr_number.clone()).unwrap_or_default(),
        cpr_status: person.cpr_status.to_owned(),
        successor_cpr_number: String::new(),
        birth_date: person.birth_date.to_string(),
        protection: protection.into(),
        facts: facts.collect(),
        mitid_account: person.account.as_ref().map(account_record),
    }
}

fn account_record(account: &Account) -> MitidAccount {
    MitidAccount {
        mitid_uuid: account.mitid_uuid.to_string(),
        state: account.state.into(),
        enrolment_time: Some(SystemTime::from(account.enrolment_time).into()),
        language: account.language.to_owned(),
        mobile_number: account.mobile_number.clone().unwrap_or_default(),
        mobile_number_change_time: account.mobile_number_change_time.map(|time| SystemTime::from(time).into()),
    }
}

/// Names the holder by CPR number, or by MitID UUID where the CPR number is missing or was replaced after the document
/// was issued.
fn document_record(person: &Person, document: &Document) -> DocumentRecord {
    let cpr_number = person.cpr_number.clone().filter(|_| person.successor_cpr_number.is_none());
    let account = person.account.as_ref().filter(|_| cpr_number.is_none());
    DocumentRecord {
        holder_cpr_number: cpr_number.unwrap_or_default(),
        holder_mitid_uuid: account.map(|account| account.mitid_uuid.to_string()).unwrap_or_default(),
        state: document.state.into(),
        expiry_date: document.expiry_date.to_string(),
        permanence: document.permanence.into(),
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::people::Opening;

    fn register(mode: RegisterMode) -> Register {
        let opening = Opening::at("2026-11-23T12:00:00Z".parse().unwrap());
        Register { people: Arc::new(People::assemble(opening, 0, 1)), mode: Switch::new(mode) }
    }

    async fn look_up(register: &Register, reference: Reference) -> Option<PersonRecord> {
        let request = LookUpPersonRequest { reference: Some(reference) };
        register.look_up_person(Request::new(request)).await.unwrap().into_inner().person
    }

    async fn document(register: &Register, kind: DocumentKind, issuer: &str, number: &str) -> Option<DocumentRecord> {
        let request = LookUpDocumentRequest { kind: kind.into(), issuer: issuer.to_owned(), number: number.to_owned() };
        register.look_up_document(Request::new(request)).await.unwrap().into_inner().document
    }

    #[tokio::test]
    async fn a_replaced_number_names_its_successor_and_little_else() {
        let register = register(RegisterMode::Up);
        let person = register.people.by_id("renumbered").unwrap();
        let (old, new) = (person.cpr_number.clone().unwrap(), person.successor_cpr_number.clone().unwrap());
        let replaced = look_up(&register, Reference::CprNumber(old.clone())).await.unwrap();
        assert_eq!((replaced.cpr_number, replaced.cpr_status.as_str()), (old, "60"));
        assert_eq!(replaced.successor_cpr_number, new);
        assert!(replaced.mitid_account.is_none() && replaced.facts.is_empty());
        let current = look_up(&register, Reference::CprNumber(new.clone())).await.unwrap();
        assert_eq!((current.cpr_number, current.cpr_status.as_str()), (new, "01"));
        let uuid = current.mitid_account.unwrap().mitid_uuid;
        let by_uuid = look_up(&register, Reference::MitidUuid(uuid.clone())).await.unwrap();
        assert_eq!(by_uuid.mitid_account.unwrap().mitid_uuid, uuid);
        let passport = document(&register, DocumentKind::Passport, "DNK", "200000037").await.unwrap();
        assert_eq!((passport.holder_cpr_number.as_str(), passport.holder_mitid_uuid), ("", uuid));
    }

    #[tokio::test]
    async fn the_unknown_is_an_answer() {
        let register = register(RegisterMode::Up);
        assert!(look_up(&register, Reference::CprNumber("0101585999".into())).await.is_none());
        assert!(look_up(&register, Reference::MitidUuid(Uuid::nil().to_string())).await.is_none());
        assert!(document(&register, DocumentKind::Passport, "DNK", "999999999").await.is_none());
        // Anna's passport, but not as a Greenlandic one and not as a licence.
        assert!(document(&register, DocumentKind::Passport, "DNK", "200000001").await.is_some());
        assert!(document(&register, DocumentKind::Passport, "GRL", "200000001").await.is_none());
        assert!(document(&register, DocumentKind::DrivingLicence, "DNK", "200000001").await.is_none());
        // Sven's passport is real, but no register here knows it.
        assert!(document(&register, DocumentKind::Passport, "SWE", "SE1000080").await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_register_misbehaves_on_demand() {
        let request =
            || Request::new(LookUpPersonRequest { reference: Some(Reference::CprNumber("0101585999".into())) });
        let down = register(RegisterMode::Down).look_up_person(request()).await;
        assert_eq!(down.err().unwrap().code(), Code::Unavailable);
        let start = tokio::time::Instant::now();
        register(RegisterMode::Slow(Duration::from_secs(5))).look_up_person(request()).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(5));
    }
}
