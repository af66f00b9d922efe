//! The client of GatewayAPI against a fake server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use rstest::rstest;
use secrecy::SecretString;
use serde_json::{Value, json};
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::sms::gateway::{Acceptance, Gateway as _, GatewayError, OutgoingSms};
use temporary_pin::sms::gateways::gateway_api::GatewayApi;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

const NUMBER: &str = "+4520123456";
const TEXT: &str = "PIN-kode 1234 5678 æøå";

/// A fake GatewayAPI: its response, and the calls that it has received.
#[derive(Clone)]
struct Server {
    status: StatusCode,
    body: String,
    delay: Duration,
    calls: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Server {
    fn responding(status: u16, body: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        Self { status, body: body.into(), delay: Duration::ZERO, calls: Arc::default() }
    }

    /// Starts the server and sends one message to it.
    async fn send(&self) -> Result<Acceptance, GatewayError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/rest/mtsms", listener.local_addr().unwrap());
        let app = Router::new().route("/rest/mtsms", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        send_to(&url).await
    }
}

async fn take(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    server.calls.lock().unwrap().push((headers, body));
    tokio::time::sleep(server.delay).await;
    (server.status, [("content-type", "application/json")], server.body)
}

async fn send_to(url: &str) -> Result<Acceptance, GatewayError> {
    let token = SecretString::from("the-token");
    let timeout = Duration::from_secs(2);
    let gateway = GatewayApi::new(url.parse().unwrap(), token, "MitID".to_owned(), timeout).unwrap();
    let message = OutgoingSms {
        recipient: MobileNumber::parse(NUMBER).unwrap(),
        text: Zeroizing::new(TEXT.to_owned()),
        reference: "0190.1".to_owned(),
        validity: Duration::from_millis(599_900),
    };
    gateway.send(&message).await
}

#[tokio::test]
async fn the_request_has_the_documented_form() {
    let server = Server::responding(200, json!({"ids": [421_332_671], "usage": {"countries": {"DK": 1}}}).to_string());

    let accepted = server.send().await.unwrap();

    assert_eq!(accepted.gateway_reference.as_deref(), Some("421332671"));
    let calls = server.calls.lock().unwrap();
    let [(headers, body)] = calls.as_slice() else { panic!("one call expected") };
    // The token as user name with an empty password: base64 of "the-token:".
    assert_eq!(headers["authorization"], "Basic dGhlLXRva2VuOg==");
    let expected = json!({
        "sender": "MitID",
        "message": TEXT,
        "recipients": [{"msisdn": "4520123456"}],
        "userref": "0190.1",
        "validity_period": 599,
    });
    assert_eq!(*body, expected);
}

#[rstest]
#[case(202, "")]
#[case(201, "not JSON")]
#[case(200, "{}")]
#[tokio::test]
async fn any_2xx_is_accepted(#[case] status: u16, #[case] body: &str) {
    let server = Server::responding(status, body);
    assert_eq!(server.send().await, Ok(Acceptance { gateway_reference: None }));
}

#[rstest]
#[case(400)]
#[case(401)]
#[case(403)]
#[case(422)]
#[tokio::test]
async fn other_4xx_are_permanent(#[case] status: u16) {
    assert_eq!(Server::responding(status, "").send().await, Err(GatewayError::Permanent(format!("status {status}"))));
}

#[rstest]
#[case(302)]
#[case(408)]
#[case(429)]
#[case(503)]
#[tokio::test]
async fn overload_and_faults_are_temporary(#[case] status: u16) {
    assert_eq!(Server::responding(status, "").send().await, Err(GatewayError::Temporary(format!("status {status}"))));
}

#[tokio::test]
async fn the_reason_contains_the_error_code_and_nothing_else_of_the_response() {
    let response = json!({
        "code": "0x0213",
        "message": format!("Cannot send %1 to {NUMBER}"),
        "variables": [TEXT, "4520123456"],
    });
    let server = Server::responding(403, response.to_string());
    assert_eq!(server.send().await, Err(GatewayError::Permanent("status 403, code 0x0213".to_owned())));

    let server = Server::responding(403, json!({"code": format!("0x0213 {NUMBER}")}).to_string());
    assert_eq!(server.send().await, Err(GatewayError::Permanent("status 403".to_owned())));
}

#[tokio::test]
async fn the_outcome_of_a_time_out_is_unknown() {
    let server = Server { delay: Duration::from_secs(30), ..Server::responding(200, "{}") };
    assert!(matches!(server.send().await, Err(GatewayError::Unknown(_))));
    for status in [500, 502, 504] {
        assert!(matches!(Server::responding(status, "").send().await, Err(GatewayError::Unknown(_))), "{status}");
    }
}

#[tokio::test]
async fn the_outcome_of_a_broken_connection_is_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/rest/mtsms", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        drop(stream);
    });
    assert!(matches!(send_to(&url).await, Err(GatewayError::Unknown(_))));
}

#[tokio::test]
async fn a_refused_connection_is_temporary() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/rest/mtsms", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(send_to(&url).await, Err(GatewayError::Temporary("cannot connect".to_owned())));
}
