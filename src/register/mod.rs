//! The client of the identity register, `identityregister.v1`.
//!
//! Each decision asks the register; nothing is cached. A malformed or contradictory response counts as no response (R26), so
//! that a PIN is never issued on doubtful data.

pub mod conformance;
mod connection;
mod document;
mod person;
mod settings;
mod trace_context;
mod wire;

use std::future::Future;
use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable as _};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Request, Response, Status};
use tracing::Span;
use tracing::field::Empty;

use crate::deadline;
use crate::domain::cpr::CprStatus;
use crate::domain::document::{Document, RegisteredDocument};
use crate::domain::person::{Person, PersonReference};
use crate::io_error::find_io_error;
use crate::proto::identityregister::v1::{LookUpDocumentRequest, LookUpPersonRequest};

use connection::{Client, Connection};
use wire::Malformed;

pub use settings::{RegisterSettings, TlsFiles};

/// How many times in a row a look-up follows a replaced CPR number to its successor (R12).
const MAX_SUCCESSORS: usize = 3;

/// The register gives no response, or a doubtful one. The log contains the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity register cannot answer")]
pub struct RegisterUnavailable;

/// A client of the register. Clones share one connection.
#[derive(Clone)]
pub struct Register {
    connection: Arc<Connection>,
    settings: Arc<RegisterSettings>,
}

impl Register {
    /// A client that connects when it is first used, and again when the connection is lost. Fails if the settings can never
    /// work.
    pub fn connect_lazy(settings: RegisterSettings) -> anyhow::Result<Self> {
        // So that a look-up on a dead connection has time for another one.
        let connection = Arc::new(Connection::new(settings.endpoint()?, settings.deadline / 2));
        Ok(Self { connection, settings: Arc::new(settings) })
    }

    /// Looks up a person; `None` if the register does not know the reference. If the person has another CPR number now (status
    /// 50 or 60 with a successor), the result is the person under that number (R12).
    #[tracing::instrument(name = "register.look_up_person", skip_all, fields(otel.kind = "client", otel.status_code = Empty))]
    pub async fn look_up_person(&self, reference: &PersonReference) -> Result<Option<Person>, RegisterUnavailable> {
        let end = Instant::now() + deadline::time_left(self.settings.deadline);
        let Some(mut person) = self.fetch_person(reference, end).await? else { return Ok(None) };
        let mut followed_successors = 0;
        while person.cpr_status.is_some_and(CprStatus::may_have_successor)
            && let Some(successor) = person.successor_cpr_number.clone()
        {
            if followed_successors == MAX_SUCCESSORS {
                return Err(log_doubtful(Malformed("successor_cpr_number: a loop or a long chain")));
            }
            followed_successors += 1;
            let next = self.fetch_person(&PersonReference::Cpr(successor), end).await?;
            let next = next.ok_or_else(|| log_doubtful(Malformed("successor_cpr_number: unknown")))?;
            person::check_successor(&person, &next).map_err(log_doubtful)?;
            person = next;
        }
        Ok(Some(person))
    }

    /// Looks up a document; `None` if the register does not know it.
    #[tracing::instrument(name = "register.look_up_document", skip_all, fields(otel.kind = "client", otel.status_code = Empty))]
    pub async fn look_up_document(
        &self,
        document: &Document,
    ) -> Result<Option<RegisteredDocument>, RegisterUnavailable> {
        let end = Instant::now() + deadline::time_left(self.settings.deadline);
        let request: LookUpDocumentRequest = document::make_request(document);
        let response = self
            .call(request, end, |mut client, request| async move { client.look_up_document(request).await })
            .await?;
        response.document.map(document::convert).transpose().map_err(log_doubtful)
    }

    /// The person as the register answers for this reference, without following a successor.
    async fn fetch_person(
        &self,
        reference: &PersonReference,
        end: Instant,
    ) -> Result<Option<Person>, RegisterUnavailable> {
        let request: LookUpPersonRequest = person::make_request(reference);
        let response =
            self.call(request, end, |mut client, request| async move { client.look_up_person(request).await }).await?;
        let Some(person) = response.person else { return Ok(None) };
        let person = person::convert(person).map_err(log_doubtful)?;
        person::check_reference(&person, reference).map_err(log_doubtful)?;
        Ok(Some(person))
    }

    /// Calls the register. Repeats the call on `UNAVAILABLE`, as often as the settings and the time until `end` allow.
    async fn call<Q, A, F>(
        &self,
        message: Q,
        end: Instant,
        send: impl Fn(Client, Request<Q>) -> F,
    ) -> Result<A, RegisterUnavailable>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let attempt = || {
            self.connection.call(|client| {
                let mut request = Request::new(message.clone());
                request.set_timeout(end.saturating_duration_since(Instant::now()));
                trace_context::inject_trace_context(request.metadata_mut());
                send(client, request)
            })
        };
        let retries = ExponentialBuilder::new()
            .with_min_delay(self.settings.backoff)
            .with_max_times(self.settings.attempts.saturating_sub(1) as usize)
            .with_jitter();
        let retried = attempt.retry(retries).when(|status| status.code() == Code::Unavailable);
        // The log does not contain the message of the register, because it could name a person.
        let (code, cause) = match timeout_at(end, retried).await {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(status)) => (status.code(), find_io_error(&status)),
            Err(_) => (Code::DeadlineExceeded, None),
        };
        Span::current().record("otel.status_code", "error");
        tracing::warn!(?code, cause, "the identity register does not answer");
        Err(RegisterUnavailable)
    }
}

/// Logs a doubtful response by the field that makes it doubtful.
fn log_doubtful(Malformed(field): Malformed) -> RegisterUnavailable {
    Span::current().record("otel.status_code", "error");
    tracing::warn!(field, "the identity register's answer is doubtful");
    RegisterUnavailable
}
