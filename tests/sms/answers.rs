//! R29: what each answer of each gateway means. The rows are those of docs/sms.md.

use std::time::Duration;

use rstest::rstest;
use temporary_pin::domain::dispatch::FailureKind;
use temporary_pin::sms::gateway::{Acceptance, SendFailure};

use crate::fake_server::{FakeServer, Reply};
use crate::gateways::{Kind, send, send_to, unused_url};

/// What the table says of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    NotTaken,
    Account,
    Message,
    Unknown,
}

use Verdict::{Accepted, Account, Message, NotTaken, Unknown};

fn verdict(result: &Result<Acceptance, SendFailure>) -> Verdict {
    match result {
        Ok(_) => Accepted,
        Err(failure) => match failure.kind {
            FailureKind::NotTaken => NotTaken,
            FailureKind::Account => Account,
            FailureKind::Message => Message,
            FailureKind::Unknown => Unknown,
        },
    }
}

const HTML: &str = "<html><title>Sign in</title></html>";

#[rstest]
#[case::accepted(200, r#"{"ids": [421332671], "usage": {"total_cost": 0.12, "currency": "DKK"}}"#, Accepted)]
#[case::refused_number(422, r#"{"code": "0x0301", "message": "no such number"}"#, Message)]
#[case::refused_request(400, r#"{"code": "0x0302", "message": "malformed"}"#, Message)]
#[case::refused_without_a_code(422, HTML, Unknown)]
#[case::no_id(200, r#"{"ids": []}"#, Unknown)]
#[case::error_with_success(200, r#"{"code": "0x0301", "message": "no such number"}"#, Unknown)]
#[tokio::test]
async fn r29_gateway_api_legacy(#[case] status: u16, #[case] body: &str, #[case] expected: Verdict) {
    let result = send(Kind::GatewayApiLegacy, Reply::status(status, body)).await;
    assert_eq!(verdict(&result), expected, "{result:?}");
}

#[rstest]
#[case::accepted(202, r#"{"msg_id": "01JNN696A9E0WS89FPYGT15NBX", "recipient": 4520123456}"#, Accepted)]
#[case::refused_number(422, r#"{"code": "0x0301", "message": "no such number"}"#, Message)]
#[case::refused_without_a_code(422, HTML, Unknown)]
#[case::no_id(202, r#"{"recipient": 4520123456}"#, Unknown)]
#[case::strange_id(202, r#"{"msg_id": "<script>"}"#, Unknown)]
#[tokio::test]
async fn r29_gateway_api(#[case] status: u16, #[case] body: &str, #[case] expected: Verdict) {
    let result = send(Kind::GatewayApi, Reply::status(status, body)).await;
    assert_eq!(verdict(&result), expected, "{result:?}");
}

#[rstest]
#[case::accepted(202, "0: Accepted for delivery", Accepted)]
#[case::queued(202, "3: Queued for later delivery\n", Accepted)]
#[case::other_text(202, "Sent.", Unknown)]
#[case::other_success(200, "0: Accepted for delivery", Unknown)]
#[case::wrong_password(403, "Authorization failed for sendsms", Account)]
#[case::refused(400, "Missing receiver(s) number(s), rejected", Unknown)]
#[case::temporal(503, "Temporal failure, try again later.", Unknown)]
#[tokio::test]
async fn r29_kannel(#[case] status: u16, #[case] body: &str, #[case] expected: Verdict) {
    let result = send(Kind::Kannel, Reply::status(status, body)).await;
    assert_eq!(verdict(&result), expected, "{result:?}");
}

#[rstest]
#[case::accepted(201, r#"{"messages": [{"id": "m-1"}]}"#, Accepted)]
#[case::no_id(201, r#"{"messages": []}"#, Unknown)]
#[case::refused(418, "", Message)]
#[case::not_taken(423, "", NotTaken)]
#[case::account(451, "", Account)]
#[tokio::test]
async fn r29_described(#[case] status: u16, #[case] body: &str, #[case] expected: Verdict) {
    let result = send(Kind::Described, Reply::status(status, body)).await;
    assert_eq!(verdict(&result), expected, "{result:?}");
}

/// Whatever the gateway is, these come from it or from something between us and it.
#[rstest]
#[case::login_page(200, HTML, Unknown)]
#[case::empty(200, "", Unknown)]
#[case::no_content(204, "", Unknown)]
#[case::empty_object(202, "{}", Unknown)]
#[case::moved(302, HTML, Unknown)]
#[case::see_other(303, HTML, Unknown)]
#[case::permanent_redirect(308, HTML, Unknown)]
#[case::bad_request(400, HTML, Unknown)]
#[case::not_authorized(401, "", Account)]
#[case::no_credit(402, "", Account)]
#[case::forbidden(403, HTML, Account)]
#[case::no_such_path(404, HTML, Account)]
#[case::time_out_of_the_request(408, "", Unknown)]
#[case::conflict(409, "", Unknown)]
#[case::too_many(429, "", NotTaken)]
#[case::client_closed(499, "", Unknown)]
#[case::internal_error(500, "", Unknown)]
#[case::bad_gateway(502, HTML, Unknown)]
#[case::unavailable(503, HTML, Unknown)]
#[case::gateway_time_out(504, HTML, Unknown)]
#[case::storage(507, HTML, Unknown)]
#[case::cdn_unknown(520, HTML, Unknown)]
#[case::cdn_time_out(524, HTML, Unknown)]
#[tokio::test]
async fn r29_any_gateway_with_a_status(#[case] status: u16, #[case] body: &str, #[case] expected: Verdict) {
    for kind in Kind::ALL {
        let result = send(kind, Reply::status(status, body)).await;
        assert_eq!(verdict(&result), expected, "{kind:?}: {result:?}");
    }
}

#[rstest]
#[case::reset_before_the_answer(Reply::Reset)]
#[case::closed_before_the_answer(Reply::Raw(""))]
#[case::half_a_header(Reply::Raw("HTTP/1.1 200 OK\r\ncontent-le"))]
#[case::half_a_body(Reply::Raw("HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"ids\": [421"))]
#[case::no_http(Reply::Raw("SSH-2.0-OpenSSH_9.2\r\n"))]
#[case::body_without_end(Reply::Endless)]
#[case::no_answer(Reply::Silent)]
#[tokio::test]
async fn r29_any_gateway_whose_answer_breaks(#[case] reply: Reply) {
    for kind in Kind::ALL {
        let result = send(kind, reply.clone()).await;
        assert_eq!(verdict(&result), Unknown, "{kind:?}: {result:?}");
    }
}

#[tokio::test]
async fn r29_a_refused_connection_is_not_taken() {
    for kind in Kind::ALL {
        let result = send_to(kind, &unused_url().await).await;
        assert_eq!(result, Err(SendFailure::new(FailureKind::NotTaken, "cannot connect")), "{kind:?}");
    }
}

/// The server speaks no TLS.
#[tokio::test]
async fn r29_a_failed_tls_handshake_is_not_taken() {
    let server = FakeServer::start(Reply::Raw("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    for kind in Kind::ALL {
        let result = send_to(kind, &server.url().replace("http://", "https://")).await;
        assert_eq!(verdict(&result), NotTaken, "{kind:?}: {result:?}");
    }
}

#[tokio::test]
async fn r29_retry_after_is_heeded() {
    for (status, body) in [(429, ""), (401, ""), (503, "")] {
        for kind in Kind::ALL {
            let failure = send(kind, Reply::status(status, body).with_header("retry-after: 7")).await.unwrap_err();
            assert_eq!(failure.retry_after, Some(Duration::from_secs(7)), "{kind:?} {status}");
        }
    }
}

/// The reason goes into the log and the database.
#[tokio::test]
async fn the_reason_contains_the_error_code_and_nothing_else_of_the_answer() {
    let body = r#"{"code": "0x0213", "message": "Cannot send to +4520123456", "variables": ["4520123456"]}"#;
    let failure = send(Kind::GatewayApi, Reply::status(403, body)).await.unwrap_err();
    assert_eq!(failure.reason, "status 403, code 0x0213");
    let failure = send(Kind::GatewayApi, Reply::status(403, r#"{"code": "0x0213 +4520123456"}"#)).await.unwrap_err();
    assert_eq!(failure.reason, "status 403");
}

/// The redirect leads to a server that would accept the message.
#[tokio::test]
async fn r29_a_redirect_is_not_followed() {
    let accepting = FakeServer::start(Reply::status(200, r#"{"msg_id": "1"}"#)).await;
    for kind in Kind::ALL {
        let location = format!("location: {}", accepting.url());
        assert_eq!(verdict(&send(kind, Reply::status(307, "").with_header(&location)).await), Unknown, "{kind:?}");
    }
    assert!(accepting.requests().is_empty());
}

/// A connection that has been idle for as long as the gateway keeps it is not used again: the gateway may be closing it.
#[tokio::test]
async fn an_idle_connection_is_not_used_again_after_its_time() {
    let server = FakeServer::start(Reply::status(200, r#"{"msg_id": "1"}"#).kept_alive()).await;
    let gateway = Kind::GatewayApi.client(&server.url(), Duration::from_millis(200));
    for expected in [1, 1] {
        gateway.send_one().await.unwrap();
        assert_eq!(server.connections(), expected, "used again at once");
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    gateway.send_one().await.unwrap();
    assert_eq!(server.connections(), 2);
}
