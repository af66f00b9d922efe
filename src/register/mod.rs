//! The identity register: client of `identityregister.v1`.
//!
//! The register is asked anew for each decision; nothing of it is kept. What it cannot answer, or answers doubtfully,
//! counts as no answer (R26): nobody gets a PIN on a guess.

mod document;
mod person;
mod settings;
mod trace_context;
mod wire;

use std::future::Future;
use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable as _};
use tokio::time::{Instant, timeout_at};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tracing::Span;
use tracing::field::Empty;

use crate::deadline;
use crate::domain::cpr::CprStatus;
use crate::domain::document::{Document, RegisteredDocument};
use crate::domain::person::{Person, PersonReference};
use crate::proto::identityregister::v1::identity_register_service_client::IdentityRegisterServiceClient;
use crate::proto::identityregister::v1::{LookUpDocumentRequest, LookUpPersonRequest};

use wire::Malformed;

pub use settings::{RegisterSettings, TlsFiles};

/// How many replaced CPR numbers are followed, one after another (R12).
const MAX_SUCCESSIONS: usize = 3;

/// The register cannot answer, or not clearly. The log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity register cannot answer")]
pub struct RegisterUnavailable;

type Client = IdentityRegisterServiceClient<Channel>;

/// The register's client. Clones share one connection.
#[derive(Clone)]
pub struct Register {
    client: Client,
    settings: Arc<RegisterSettings>,
}

impl Register {
    /// A client that connects when it is first used, and again whenever the connection is lost. Fails on settings that
    /// can never work.
    pub fn connect_lazy(settings: RegisterSettings) -> anyhow::Result<Self> {
        let client = Client::new(settings.endpoint()?.connect_lazy());
        Ok(Self { client, settings: Arc::new(settings) })
    }

    /// Looks a person up; `None`: the register knows nobody by that reference. Where a CPR number was replaced by
    /// another (status 60), the answer is the person under the new one (R12).
    #[tracing::instrument(name = "register.look_up_person", skip_all, fields(otel.kind = "client", otel.status_code = Empty))]
    pub async fn look_up_person(&self, reference: &PersonReference) -> Result<Option<Person>, RegisterUnavailable> {
        let end = Instant::now() + deadline::time_left(self.settings.deadline);
        let Some(mut person) = self.person(reference, end).await? else { return Ok(None) };
        let mut followed = 0;
        while person.cpr_status == Some(CprStatus::Changed)
            && let Some(successor) = person.successor_cpr_number.clone()
        {
            if followed == MAX_SUCCESSIONS {
                return Err(doubtful(Malformed("successor_cpr_number: a loop or a long chain")));
            }
            followed += 1;
            let next = self.person(&PersonReference::Cpr(successor), end).await?;
            let next = next.ok_or_else(|| doubtful(Malformed("successor_cpr_number: unknown")))?;
            person::check_successor(&person, &next).map_err(doubtful)?;
            person = next;
        }
        Ok(Some(person))
    }

    /// Looks a document up; `None`: the register knows no such document.
    #[tracing::instrument(name = "register.look_up_document", skip_all, fields(otel.kind = "client", otel.status_code = Empty))]
    pub async fn look_up_document(
        &self,
        document: &Document,
    ) -> Result<Option<RegisteredDocument>, RegisterUnavailable> {
        let end = Instant::now() + deadline::time_left(self.settings.deadline);
        let request: LookUpDocumentRequest = document::request(document);
        let answer = self
            .call(request, end, |mut client, request| async move { client.look_up_document(request).await })
            .await?;
        answer.document.map(document::convert).transpose().map_err(doubtful)
    }

    async fn person(&self, reference: &PersonReference, end: Instant) -> Result<Option<Person>, RegisterUnavailable> {
        let request: LookUpPersonRequest = person::request(reference);
        let answer =
            self.call(request, end, |mut client, request| async move { client.look_up_person(request).await }).await?;
        let Some(person) = answer.person else { return Ok(None) };
        let person = person::convert(person).map_err(doubtful)?;
        person::check_reference(&person, reference).map_err(doubtful)?;
        Ok(Some(person))
    }

    /// One question, asked again on `UNAVAILABLE` as often as the settings and the time left allow.
    async fn call<Q, A, F>(
        &self,
        question: Q,
        end: Instant,
        ask: impl Fn(Client, Request<Q>) -> F,
    ) -> Result<A, RegisterUnavailable>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let attempt = || {
            let mut request = Request::new(question.clone());
            request.set_timeout(end.saturating_duration_since(Instant::now()));
            trace_context::inject(request.metadata_mut());
            ask(self.client.clone(), request)
        };
        let retries = ExponentialBuilder::new()
            .with_min_delay(self.settings.backoff)
            .with_max_times(self.settings.attempts.saturating_sub(1) as usize)
            .with_jitter();
        let retried = attempt.retry(retries).when(|status| status.code() == Code::Unavailable);
        // The register's own words stay out of the log: they may name a person.
        let code = match timeout_at(end, retried).await {
            Ok(Ok(answer)) => return Ok(answer.into_inner()),
            Ok(Err(status)) => status.code(),
            Err(_) => Code::DeadlineExceeded,
        };
        Span::current().record("otel.status_code", "error");
        tracing::warn!(?code, "the identity register does not answer");
        Err(RegisterUnavailable)
    }
}

fn doubtful(Malformed(field): Malformed) -> RegisterUnavailable {
    Span::current().record("otel.status_code", "error");
    tracing::warn!(field, "the identity register's answer is doubtful");
    RegisterUnavailable
}
