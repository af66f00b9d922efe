//! A fake identity register on a free port. Tests set its responses, and read the calls that it has received.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use temporary_pin::proto::identityregister::v1::identity_register_service_server::{
    IdentityRegisterService, IdentityRegisterServiceServer,
};
use temporary_pin::proto::identityregister::v1::look_up_person_request::Reference;
use temporary_pin::proto::identityregister::v1::{
    Document, LookUpDocumentRequest, LookUpDocumentResponse, LookUpPersonRequest, LookUpPersonResponse, Person,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What the register knows, and how it misbehaves.
#[derive(Default)]
pub(crate) struct State {
    /// Persons by CPR number or MitID UUID, whichever the request names.
    pub(crate) people: HashMap<String, Person>,
    /// Documents by number.
    pub(crate) documents: HashMap<String, Document>,
    /// Errors for the next calls, one each.
    pub(crate) failures: VecDeque<Status>,
    /// How long each response takes.
    pub(crate) delay: Duration,
    /// The metadata of each call.
    pub(crate) calls: Vec<MetadataMap>,
    /// The last request for a document.
    pub(crate) requested_document: Option<LookUpDocumentRequest>,
}

#[derive(Clone, Default)]
pub(crate) struct FakeRegister(Arc<Mutex<State>>);

impl FakeRegister {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn calls(&self) -> usize {
        self.state().calls.len()
    }

    /// Serves until the result is stopped or dropped.
    pub(crate) fn serve(&self, listener: TcpListener) -> Serving {
        self.serve_by(Server::builder(), listener)
    }

    pub(crate) fn serve_by(&self, mut server: Server, listener: TcpListener) -> Serving {
        let (stop, stopped) = oneshot::channel();
        let router = server.add_service(IdentityRegisterServiceServer::new(self.clone()));
        let incoming = TcpListenerStream::new(listener);
        let task = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            router.serve_with_incoming_shutdown(incoming, stopped).await.unwrap();
        });
        Serving { stop, task }
    }

    /// Records a call; returns the next error, or waits for the delay.
    async fn take_call<Q>(&self, request: &Request<Q>) -> Result<(), Status> {
        let delay = {
            let mut state = self.state();
            state.calls.push(request.metadata().clone());
            if let Some(failure) = state.failures.pop_front() {
                return Err(failure);
            }
            state.delay
        };
        tokio::time::sleep(delay).await;
        Ok(())
    }
}

/// A running server.
pub(crate) struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Stops the server and closes its connections.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

#[tonic::async_trait]
impl IdentityRegisterService for FakeRegister {
    async fn look_up_person(
        &self,
        request: Request<LookUpPersonRequest>,
    ) -> Result<Response<LookUpPersonResponse>, Status> {
        self.take_call(&request).await?;
        let (Reference::CprNumber(key) | Reference::MitidUuid(key)) = request.into_inner().reference.unwrap();
        Ok(Response::new(LookUpPersonResponse { person: self.state().people.get(&key).cloned() }))
    }

    async fn look_up_document(
        &self,
        request: Request<LookUpDocumentRequest>,
    ) -> Result<Response<LookUpDocumentResponse>, Status> {
        self.take_call(&request).await?;
        let mut state = self.state();
        let document = state.documents.get(&request.get_ref().number).cloned();
        state.requested_document = Some(request.into_inner());
        Ok(Response::new(LookUpDocumentResponse { document }))
    }
}
