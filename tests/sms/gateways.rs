//! The gateways' clients, each ready to send one message to a fake server.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use secrecy::SecretString;
use serde_json::{Value, json};
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::sms::gateway::{Acceptance, Gateway as _, OutgoingSms, SendFailure};
use temporary_pin::sms::gateways::{Account, ApiDescription, CallLimits, Dialect, HttpGateway};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::fake_server::{FakeServer, Reply};

pub(crate) const NUMBER: &str = "+4520123456";
pub(crate) const TEXT: &str = "PIN-kode 1234 5678 æøå";

/// The kinds of gateway that speak HTTP.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    GatewayApi,
    GatewayApiLegacy,
    Kannel,
    Described,
}

pub(crate) struct Client(HttpGateway, Arc<ArcSwap<SecretString>>);

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::GatewayApi, Self::GatewayApiLegacy, Self::Kannel, Self::Described];

    pub(crate) fn client(self, url: &str, idle_timeout: Duration) -> Client {
        let token = Arc::new(ArcSwap::from_pointee(SecretString::from("the-token")));
        let limits = CallLimits { timeout: Duration::from_secs(2), idle_timeout };
        let account = Account { token: Arc::clone(&token), sender: "MitID".to_owned() };
        let dialect = match self {
            Self::GatewayApi => Dialect::GatewayApi,
            Self::GatewayApiLegacy => Dialect::GatewayApiLegacy,
            Self::Kannel => Dialect::Kannel { user: "me".to_owned() },
            Self::Described => Dialect::Described(describe("json")),
        };
        let least_validity = Duration::from_secs(60);
        Client(HttpGateway::new(dialect, url.parse().unwrap(), account, least_validity, limits).unwrap(), token)
    }
}

/// The interface of a made-up provider.
fn describe(encoding: &str) -> ApiDescription {
    let ttl = if encoding == "json" { ", \"ttl\": \"{validity_seconds}\"" } else { "" };
    let description: ApiDescription = toml::from_str(&format!(
        r#"encoding = "{encoding}"
        body = '{{"to": "{{number}}", "content": "{{text}}", "ref": "id {{reference}}"{ttl}}}'
        headers = {{ Authorization = "Bearer {{token}}" }}
        reference = "/messages/0/id"
        refused = [418]
        not_taken = [423]
        account = [451]"#
    ))
    .unwrap();
    description.check().unwrap();
    description
}

impl Client {
    pub(crate) async fn send_one(&self) -> Result<Acceptance, SendFailure> {
        let message = OutgoingSms {
            recipient: MobileNumber::parse(NUMBER).unwrap(),
            text: Zeroizing::new(TEXT.to_owned()),
            reference: "0190.1".to_owned(),
            validity: Duration::from_millis(599_900),
        };
        self.0.send(&message).await
    }
}

/// Sends one message to a server that answers in one way.
pub(crate) async fn send(kind: Kind, reply: Reply) -> Result<Acceptance, SendFailure> {
    send_to(kind, &FakeServer::start(reply).await.url()).await
}

pub(crate) async fn send_to(kind: Kind, url: &str) -> Result<Acceptance, SendFailure> {
    kind.client(url, Duration::from_secs(4)).send_one().await
}

/// A URL where nothing listens.
pub(crate) async fn unused_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/send", listener.local_addr().unwrap())
}

/// Sends one message, and returns the request and the gateway's id.
async fn request_of(kind: Kind, answer: Reply) -> (String, String, Option<String>) {
    let server = FakeServer::start(answer).await;
    let accepted = send_to(kind, &server.url()).await.unwrap();
    let [request] = &server.requests()[..] else { panic!("one request expected") };
    assert!(request.head.starts_with("POST /send HTTP/1.1"), "{}", request.head);
    (request.head.clone(), request.body.clone(), accepted.gateway_reference)
}

#[tokio::test]
async fn gateway_api_gets_the_documented_request() {
    let answer = r#"{"msg_id": "01JNN696A9E0WS89FPYGT15NBX", "recipient": 4520123456, "reference": "0190.1"}"#;
    let (head, body, reference) = request_of(Kind::GatewayApi, Reply::status(202, answer)).await;
    assert_eq!(reference.as_deref(), Some("01JNN696A9E0WS89FPYGT15NBX"));
    assert!(head.contains("authorization: Token the-token"), "{head}");
    let expected = json!({
        "sender": "MitID",
        "message": TEXT,
        "recipient": 4_520_123_456_u64,
        "reference": "0190.1",
        "expiration": "PT599S",
    });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
}

#[tokio::test]
async fn the_legacy_interface_of_gateway_api_gets_the_documented_request() {
    let (head, body, reference) =
        request_of(Kind::GatewayApiLegacy, Reply::status(200, r#"{"ids": [421332671]}"#)).await;
    assert_eq!(reference.as_deref(), Some("421332671"));
    // The token as user name with an empty password: base64 of "the-token:".
    assert!(head.contains("authorization: Basic dGhlLXRva2VuOg=="), "{head}");
    let expected = json!({
        "sender": "MitID",
        "message": TEXT,
        "recipients": [{"msisdn": "4520123456"}],
        "userref": "0190.1",
        "validity_period": 599,
        "class": "secret",
    });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
}

#[tokio::test]
async fn kannel_gets_the_text_in_the_body_and_nothing_in_the_url() {
    let (head, body, reference) = request_of(Kind::Kannel, Reply::status(202, "0: Accepted for delivery")).await;
    assert_eq!((body.as_str(), reference), (TEXT, None));
    for header in [
        "x-kannel-username: me",
        "x-kannel-password: the-token",
        "x-kannel-from: MitID",
        "x-kannel-to: +4520123456",
        "x-kannel-coding: 0",
        "x-kannel-validity: 9",
        "content-type: text/plain; charset=UTF-8",
    ] {
        assert!(head.contains(&format!("\r\n{header}")), "{header}: {head}");
    }
}

#[tokio::test]
async fn a_described_gateway_gets_what_the_configuration_says() {
    let answer = || Reply::status(201, r#"{"messages": [{"id": 17}]}"#);
    let (head, body, reference) = request_of(Kind::Described, answer()).await;
    assert_eq!(reference.as_deref(), Some("17"));
    assert!(head.contains("authorization: Bearer the-token"), "{head}");
    let expected = json!({ "to": NUMBER, "content": TEXT, "ref": "id 0190.1", "ttl": 599 });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
}

/// A token that was changed while the service runs.
#[tokio::test]
async fn the_next_message_uses_a_token_that_was_read_again() {
    let server = FakeServer::start(Reply::status(200, r#"{"msg_id": "1"}"#)).await;
    let client = Kind::GatewayApi.client(&server.url(), Duration::from_secs(4));
    client.send_one().await.unwrap();
    client.1.store(Arc::new(SecretString::from("the-new-token")));
    client.send_one().await.unwrap();
    let heads: Vec<String> = server.requests().into_iter().map(|request| request.head).collect();
    assert!(heads[0].contains("Token the-token") && heads[1].contains("Token the-new-token"), "{heads:?}");
}

#[test]
fn a_description_that_cannot_work_is_refused() {
    let check = |body: &str, more: &str| {
        let text = format!("body = '{body}'\nreference = '/id'\n{more}");
        toml::from_str::<ApiDescription>(&text).unwrap().check().map_err(|error| error.to_string())
    };
    let good = r#"{"to": "{msisdn}", "text": "{text}"}"#;
    assert_eq!(check(good, ""), Ok(()));
    assert_eq!(check(good, "encoding = 'form'"), Ok(()));
    for (body, more, problem) in [
        ("to={msisdn}", "", "must be JSON"),
        (r#"{"to": "{msisdn}"}"#, "", "{text}"),
        (r#"{"text": "{text}"}"#, "", "{number}"),
        (r#"{"to": "{msisdn}", "text": "{text} {txet}"}"#, "", "placeholders"),
        (good, "headers = { Authorization = '{tokn}' }", "placeholders"),
        (r#"{"to": ["{msisdn}"], "text": "{text}"}"#, "encoding = 'form'", "one object of texts"),
    ] {
        assert!(check(body, more).unwrap_err().contains(problem), "{body} {more}");
    }
}
