//! The identity register: a gRPC server of `identityregister.v1` that can fail on demand.

#![allow(clippy::disallowed_methods, reason = "not the service: its errors need no details")]

use std::sync::Arc;
use std::time::Duration;

use temporary_pin::proto::identityregister::v1::identity_register_service_server::{
    IdentityRegisterService, IdentityRegisterServiceServer,
};
use temporary_pin::proto::identityregister::v1::look_up_person_request::Reference;
use temporary_pin::proto::identityregister::v1::{
    Document as DocumentRecord, DocumentKind, LookUpDocumentRequest, LookUpDocumentResponse, LookUpPersonRequest,
    LookUpPersonResponse, Person as PersonRecord,
};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::switch::Switch;

/// The persons and documents that a register knows.
pub trait Population: Send + Sync + 'static {
    fn person_by_cpr_number(&self, number: &str) -> Option<PersonRecord>;

    fn person_by_mitid_uuid(&self, uuid: Uuid) -> Option<PersonRecord>;

    fn document(&self, kind: DocumentKind, issuer: &str, number: &str) -> Option<DocumentRecord>;
}

/// How the register behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterMode {
    Up,
    Down,
    /// Answers after a delay.
    Slow(Duration),
}

pub struct Register<P> {
    pub population: Arc<P>,
    pub mode: Switch<RegisterMode>,
}

impl<P: Population> Register<P> {
    /// Serves the register until `stop` is ready.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<(), tonic::transport::Error> {
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let service = IdentityRegisterServiceServer::new(self);
        Server::builder().add_service(service).serve_with_incoming_shutdown(incoming, stop).await
    }

    async fn apply_mode(&self) -> Result<(), Status> {
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
impl<P: Population> IdentityRegisterService for Register<P> {
    async fn look_up_person(
        &self,
        request: Request<LookUpPersonRequest>,
    ) -> Result<Response<LookUpPersonResponse>, Status> {
        self.apply_mode().await?;
        let person = match request.into_inner().reference {
            None => return Err(Status::invalid_argument("reference: is required")),
            Some(Reference::CprNumber(number)) => self.population.person_by_cpr_number(&number),
            Some(Reference::MitidUuid(uuid)) => {
                let uuid = Uuid::parse_str(&uuid).map_err(|_| Status::invalid_argument("mitid_uuid: is no UUID"))?;
                self.population.person_by_mitid_uuid(uuid)
            }
        };
        Ok(Response::new(LookUpPersonResponse { person }))
    }

    async fn look_up_document(
        &self,
        request: Request<LookUpDocumentRequest>,
    ) -> Result<Response<LookUpDocumentResponse>, Status> {
        self.apply_mode().await?;
        let request = request.into_inner();
        let kind = request.kind();
        if kind == DocumentKind::Unspecified {
            return Err(Status::invalid_argument("kind: is required"));
        }
        let document = self.population.document(kind, &request.issuer, &request.number);
        Ok(Response::new(LookUpDocumentResponse { document }))
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::people::{Opening, People};

    fn register(mode: RegisterMode) -> Register<People> {
        let opening = Opening::at("2026-11-23T12:00:00Z".parse().unwrap());
        Register { population: Arc::new(People::assemble(opening, 0, 1)), mode: Switch::new(mode) }
    }

    async fn look_up(register: &Register<People>, reference: Reference) -> Option<PersonRecord> {
        let request = LookUpPersonRequest { reference: Some(reference) };
        register.look_up_person(Request::new(request)).await.unwrap().into_inner().person
    }

    async fn document(
        register: &Register<People>,
        kind: DocumentKind,
        issuer: &str,
        number: &str,
    ) -> Option<DocumentRecord> {
        let request = LookUpDocumentRequest { kind: kind.into(), issuer: issuer.to_owned(), number: number.to_owned() };
        register.look_up_document(Request::new(request)).await.unwrap().into_inner().document
    }

    #[tokio::test]
    async fn a_replaced_number_names_its_successor_and_little_else() {
        let register = register(RegisterMode::Up);
        let person = register.population.by_id("renumbered").unwrap();
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
    async fn an_unknown_person_or_document_is_an_empty_answer() {
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
