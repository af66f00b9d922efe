//! SMS gateways that implement [`super::gateway::Gateway`]. Those that speak HTTP differ in their [`Dialect`]: one file each.

mod described;
mod gateway_api;
mod gateway_api_legacy;
mod http_client;
mod kannel;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use reqwest::{Method, RequestBuilder, Url};
use secrecy::SecretString;
use tracing::Span;
use tracing::field::Empty;

pub use described::{ApiDescription, Encoding};
pub use http_client::CallLimits;
use http_client::{Answer, HttpClient};

use super::gateway::{Acceptance, Gateway, OutgoingSms, SendFailure};

/// How an HTTP gateway wants messages, and what its answers mean.
pub enum Dialect {
    /// GatewayAPI, `POST /mobile/single`.
    GatewayApi,
    /// GatewayAPI, `POST /rest/mtsms`.
    GatewayApiLegacy,
    /// Kannel's `sendsms`, with this user name.
    Kannel { user: String },
    /// As the configuration describes.
    Described(ApiDescription),
}

/// An SMS gateway that speaks HTTP.
pub struct HttpGateway {
    client: HttpClient,
    dialect: Dialect,
    account: Account,
    least_validity: Duration,
}

/// As whom messages are sent.
pub struct Account {
    /// The token or password. Read again when its file changes.
    pub token: Arc<ArcSwap<SecretString>>,
    /// What phones show as the sender.
    pub sender: String,
}

impl HttpGateway {
    /// Fails if TLS cannot be set up.
    pub fn new(
        dialect: Dialect,
        url: Url,
        account: Account,
        least_validity: Duration,
        limits: CallLimits,
    ) -> anyhow::Result<Self> {
        Ok(Self { client: HttpClient::new(Method::POST, url, limits)?, dialect, account, least_validity })
    }

    fn prepare(&self, request: RequestBuilder, message: &OutgoingSms) -> RequestBuilder {
        match &self.dialect {
            Dialect::GatewayApi => gateway_api::prepare(request, &self.account, message),
            Dialect::GatewayApiLegacy => gateway_api_legacy::prepare(request, &self.account, message),
            Dialect::Kannel { user } => kannel::prepare(request, user, &self.account, message),
            Dialect::Described(description) => description.prepare(request, &self.account, message),
        }
    }

    fn read_answer(&self, answer: &Answer) -> Result<Acceptance, SendFailure> {
        match &self.dialect {
            Dialect::GatewayApi => gateway_api::read_answer(answer),
            Dialect::GatewayApiLegacy => gateway_api_legacy::read_answer(answer),
            Dialect::Kannel { .. } => kannel::read_answer(answer),
            Dialect::Described(description) => description.read_answer(answer),
        }
    }
}

impl Gateway for HttpGateway {
    fn timeout(&self) -> Duration {
        self.client.timeout
    }

    fn least_validity(&self) -> Duration {
        self.least_validity
    }

    #[tracing::instrument(name = "gateway.send", skip_all, fields(otel.kind = "client", otel.status_code = Empty))]
    async fn send(&self, message: &OutgoingSms) -> Result<Acceptance, SendFailure> {
        let answer = self.client.call(|request| self.prepare(request, message)).await;
        let result = answer.and_then(|answer| self.read_answer(&answer));
        if result.is_err() {
            Span::current().record("otel.status_code", "ERROR");
        }
        result
    }
}

/// Longest id of a gateway that is stored, in bytes.
const MAX_REFERENCE_LENGTH: usize = 64;

/// Whether the text looks like an id. Other texts are not stored: they could be anything.
fn is_reference(text: &str) -> bool {
    (1..=MAX_REFERENCE_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

/// The number without its `+`.
fn msisdn(message: &OutgoingSms) -> &str {
    let number = message.recipient.e164();
    number.strip_prefix('+').unwrap_or(number)
}
