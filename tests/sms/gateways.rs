//! The gateways' clients, each ready to send one message to a fake server.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::sms::gateway::{Acceptance, Gateway as _, OutgoingSms, SendFailure};
use temporary_pin::sms::gateways::CallLimits;
use temporary_pin::sms::gateways::gateway_api::GatewayApi;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::fake_server::{FakeServer, Reply};

pub(crate) const NUMBER: &str = "+4520123456";
pub(crate) const TEXT: &str = "PIN-kode 1234 5678 æøå";

/// The kinds of gateway that speak HTTP.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    GatewayApi,
}

pub(crate) enum Client {
    GatewayApi(GatewayApi),
}

impl Kind {
    pub(crate) const ALL: [Self; 1] = [Self::GatewayApi];

    pub(crate) fn client(self, url: &str, idle_timeout: Duration) -> Client {
        let token = SecretString::from("the-token");
        let limits = CallLimits { timeout: Duration::from_secs(2), idle_timeout };
        let (url, sender) = (url.parse().unwrap(), "MitID".to_owned());
        match self {
            Self::GatewayApi => {
                Client::GatewayApi(GatewayApi::new(url, token, sender, Duration::from_secs(60), limits).unwrap())
            }
        }
    }
}

impl Client {
    pub(crate) async fn send_one(&self) -> Result<Acceptance, SendFailure> {
        let message = OutgoingSms {
            recipient: MobileNumber::parse(NUMBER).unwrap(),
            text: Zeroizing::new(TEXT.to_owned()),
            reference: "0190.1".to_owned(),
            validity: Duration::from_millis(599_900),
        };
        match self {
            Self::GatewayApi(client) => client.send(&message).await,
        }
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

#[tokio::test]
async fn gateway_api_gets_the_documented_request() {
    let server = FakeServer::start(Reply::status(200, r#"{"ids": [421332671]}"#)).await;
    let accepted = send_to(Kind::GatewayApi, &server.url()).await.unwrap();
    assert_eq!(accepted.gateway_reference.as_deref(), Some("421332671"));
    let [request] = &server.requests()[..] else { panic!("one request expected") };
    assert!(request.head.starts_with("POST /send HTTP/1.1"), "{}", request.head);
    // The token as user name with an empty password: base64 of "the-token:".
    assert!(request.head.contains("authorization: Basic dGhlLXRva2VuOg=="), "{}", request.head);
    let expected = json!({
        "sender": "MitID",
        "message": TEXT,
        "recipients": [{"msisdn": "4520123456"}],
        "userref": "0190.1",
        "validity_period": 599,
        "class": "secret",
    });
    assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), expected);
}
