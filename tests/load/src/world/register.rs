//! The identity register: knows every made-up person.

use temporary_pin::proto::identityregister::v1::document::{Permanence, State};
use temporary_pin::proto::identityregister::v1::identity_register_service_server::IdentityRegisterService;
use temporary_pin::proto::identityregister::v1::look_up_person_request::Reference;
use temporary_pin::proto::identityregister::v1::{
    Document, DocumentKind, LookUpDocumentRequest, LookUpDocumentResponse, LookUpPersonRequest, LookUpPersonResponse,
};
use tonic::{Request, Response, Status};

use crate::people::Person;

/// The register's service.
pub(super) struct Register;

#[tonic::async_trait]
impl IdentityRegisterService for Register {
    async fn look_up_person(
        &self,
        request: Request<LookUpPersonRequest>,
    ) -> Result<Response<LookUpPersonResponse>, Status> {
        let person = match request.into_inner().reference {
            None => None,
            Some(Reference::CprNumber(number)) => Person::by_cpr_number(&number),
            Some(Reference::MitidUuid(uuid)) => Person::by_mitid_uuid(&uuid),
        };
        Ok(Response::new(LookUpPersonResponse { person: person.map(Person::record) }))
    }

    async fn look_up_document(
        &self,
        request: Request<LookUpDocumentRequest>,
    ) -> Result<Response<LookUpDocumentResponse>, Status> {
        let request = request.into_inner();
        let holder = match request.kind() {
            DocumentKind::Passport => Person::by_passport(&request.number),
            _ => None,
        };
        let document = holder.map(|holder| Document {
            holder_cpr_number: holder.cpr_number(),
            holder_mitid_uuid: holder.mitid_uuid().to_string(),
            state: State::Valid.into(),
            expiry_date: "2999-12-31".to_owned(),
            permanence: Permanence::Ordinary.into(),
        });
        Ok(Response::new(LookUpDocumentResponse { document }))
    }
}
