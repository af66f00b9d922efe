//! Answers of the identity register.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use chrono::{DateTime, Datelike as _, Utc};
use prost::Message as _;
use temporary_pin::domain::cpr::CprNumber;
use temporary_pin::domain::document::{Document, DocumentKind};
use temporary_pin::domain::person::PersonReference;
use temporary_pin::proto::identityregister::v1::identity_register_service_server::{
    IdentityRegisterService, IdentityRegisterServiceServer,
};
use temporary_pin::proto::identityregister::v1::{
    LookUpDocumentRequest, LookUpDocumentResponse, LookUpPersonRequest, LookUpPersonResponse,
};
use temporary_pin::register::{Register, RegisterSettings};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The person that the service looks up.
const CPR_NUMBER: &str = "0101585999";

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<(LookUpPersonResponse, LookUpDocumentResponse)>>);

#[tonic::async_trait]
impl IdentityRegisterService for Fake {
    async fn look_up_person(&self, _: Request<LookUpPersonRequest>) -> Result<Response<LookUpPersonResponse>, Status> {
        Ok(Response::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()))
    }

    async fn look_up_document(
        &self,
        _: Request<LookUpDocumentRequest>,
    ) -> Result<Response<LookUpDocumentResponse>, Status> {
        Ok(Response::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()))
    }
}

struct World {
    runtime: Runtime,
    register: Register,
    fake: Fake,
}

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let fake = Fake::default();
    let register = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("the port"));
        let service = IdentityRegisterServiceServer::new(fake.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)));
        Register::connect_lazy(RegisterSettings { url, ..RegisterSettings::default() }).expect("settings")
    });
    Mutex::new(World { runtime, register, fake })
});

/// Input: a byte that chooses, then an encoded person or document. An accepted answer is complete and about the requested
/// person. Any other answer counts as an outage.
pub fn register_answer(data: &[u8]) -> bool {
    let Some((which, message)) = data.split_first() else { return false };
    let world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    if which % 2 == 0 {
        let Ok(answer) = LookUpPersonResponse::decode(message) else { return false };
        world.fake.0.lock().unwrap_or_else(PoisonError::into_inner).0 = answer.clone();
        let number = CprNumber::parse(CPR_NUMBER).expect("a CPR number");
        let reference = PersonReference::Cpr(number.clone());
        let Ok(person) = world.runtime.block_on(world.register.look_up_person(&reference)) else { return false };
        let (Some(person), Some(wire)) = (person, answer.person) else { return false };
        assert!(person.cpr_number == Some(number) && person.cpr_status.is_some());
        // The answer is always the same, so the successor of a replaced number is never found.
        assert!(person.successor_cpr_number.is_none());
        // Unknown parts are the end of the month or of the year.
        let latest = person.birth_date.latest().to_string();
        assert!(latest.bytes().zip(wire.birth_date.bytes()).all(|(read, sent)| read == sent || sent == b'0'));
        assert!(!person.birth_date.is_certain() || latest == wire.birth_date);
        let is_readable = |time: DateTime<Utc>| (1800..=2999).contains(&time.year());
        let account = person.mitid_account.iter();
        assert!(account.clone().filter_map(|account| account.enrolment_time).all(is_readable));
        assert!(account.filter_map(|account| account.mobile.as_ref()?.change_time).all(is_readable));
        assert_eq!(person.mitid_account.is_some(), wire.mitid_account.is_some());
        assert!(person.facts.len() <= wire.facts.len());
        assert!(
            person.facts.iter().all(|fact| !fact.certain || fact.values.iter().all(|value| !value.trim().is_empty()))
        );
        assert!(!format!("{person:?}").contains(CPR_NUMBER));
        true
    } else {
        let Ok(answer) = LookUpDocumentResponse::decode(message) else { return false };
        world.fake.0.lock().unwrap_or_else(PoisonError::into_inner).1 = answer.clone();
        let asked = Document::parse(DocumentKind::Passport, "DNK", "200000001").expect("a document");
        let Ok(document) = world.runtime.block_on(world.register.look_up_document(&asked)) else { return false };
        let (Some(document), Some(wire)) = (document, answer.document) else { return false };
        assert_eq!(document.expiry_date.to_string(), wire.expiry_date);
        assert_eq!(document.holder_cpr_number.is_some(), !wire.holder_cpr_number.is_empty());
        assert_eq!(document.holder_mitid_uuid.is_some(), !wire.holder_mitid_uuid.is_empty());
        true
    }
}
