//! The SMS gateway and the phones behind it.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::sandbox::Sandbox;

const TOKEN: &str = "sandbox-gateway-token";

fn sms(text: &str) -> Value {
    json!({
        "sender": "MitID", "message": text, "userref": "reference-1", "validity_period": 540,
        "recipients": [{ "msisdn": "4526000001" }],
    })
}

async fn inbox(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.get("/phones/+4526000001/messages").await.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_message_is_shown_on_its_phone_and_on_the_page() {
    let sandbox = Sandbox::start(&[]);
    assert_eq!(inbox(&sandbox).await, Vec::<Value>::new());
    assert_eq!(sandbox.send_sms(TOKEN, sms("Hej <b>Anna</b>")).await, StatusCode::OK);
    assert_eq!(sandbox.send_sms(TOKEN, sms("Hej igen")).await, StatusCode::OK);
    let messages = inbox(&sandbox).await;
    let texts: Vec<_> = messages.iter().map(|message| message["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Hej <b>Anna</b>", "Hej igen"]);
    assert_eq!(messages[0]["sender"], "MitID");
    assert_eq!(messages[0]["reference"], "reference-1");
    assert_eq!(messages[0]["validity_seconds"], 540);
    assert!(messages[0]["time"].is_string());
    let page = sandbox.text("/").await;
    assert!(page.contains("Hej &lt;b&gt;Anna&lt;/b&gt;") && page.contains("Anna Asmussen +4526000001"));
}

#[tokio::test]
async fn a_reader_can_wait_for_a_message() {
    let sandbox = Sandbox::start(&[]);
    let (expected, sent) = tokio::join!(sandbox.get("/phones/+4526000001/messages?expect=1"), async {
        // By now the reader most likely waits.
        tokio::time::sleep(Duration::from_millis(50)).await;
        sandbox.send_sms(TOKEN, sms("Hej")).await
    });
    assert_eq!((expected.as_array().unwrap().len(), sent), (1, StatusCode::OK));
    assert_eq!(sandbox.get("/phones/+4526000001/messages?expect=1").await, expected);
}

#[tokio::test]
async fn the_gateway_refuses_messages_that_the_real_one_refuses() {
    let sandbox = Sandbox::start(&[]);
    assert_eq!(sandbox.send_sms("another-token", sms("x")).await, StatusCode::UNAUTHORIZED);
    for (field, wrong) in [
        ("sender", json!("a sender of 20 chars")),
        ("message", json!("")),
        ("recipients", json!([])),
        ("recipients", json!([{ "msisdn": "+4526000001" }])),
    ] {
        let mut body = sms("x");
        body[field] = wrong;
        assert_eq!(sandbox.send_sms(TOKEN, body).await, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
    }
    assert_eq!(sandbox.send_sms(TOKEN, json!({ "sender": "MitID" })).await, StatusCode::BAD_REQUEST);
    assert_eq!(inbox(&sandbox).await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_gateway_misbehaves_on_demand() {
    let sandbox = Sandbox::start(&[]);
    let set = async |mode: Value| drop(sandbox.post("/gateway", mode).await);
    set(json!({ "mode": "reject" })).await;
    assert_eq!(sandbox.send_sms(TOKEN, sms("refused")).await, StatusCode::UNPROCESSABLE_ENTITY);
    set(json!({ "mode": "down" })).await;
    assert_eq!(sandbox.send_sms(TOKEN, sms("lost")).await, StatusCode::SERVICE_UNAVAILABLE);
    set(json!({ "mode": "slow", "seconds": 1 })).await;
    let start = Instant::now();
    assert_eq!(sandbox.send_sms(TOKEN, sms("late")).await, StatusCode::OK);
    assert!(start.elapsed() >= Duration::from_secs(1));
    set(json!({ "mode": "accept" })).await;
    assert_eq!(sandbox.send_sms(TOKEN, sms("taken")).await, StatusCode::OK);
    let texts: Vec<Value> = inbox(&sandbox).await.iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, ["late", "taken"]);
}

#[tokio::test]
async fn malformed_numbers_are_refused() {
    let sandbox = Sandbox::start(&[]);
    for number in ["26000001", "+45", "+45260x0001"] {
        assert!(sandbox.text(&format!("/phones/{number}/messages")).await.contains("\"field\":\"number\""), "{number}");
    }
}

#[tokio::test]
async fn the_gateway_answers_as_a_broken_proxy_on_demand() {
    let sandbox = Sandbox::start(&[]);
    let set = async |mode: Value| drop(sandbox.post("/gateway", mode).await);
    set(json!({ "mode": "answer", "status": 503, "takes": true })).await;
    assert_eq!(sandbox.send_sms(TOKEN, sms("taken all the same")).await, StatusCode::SERVICE_UNAVAILABLE);
    set(json!({ "mode": "answer", "status": 200, "body": "<html>", "retry_after": 5 })).await;
    assert_eq!(sandbox.send_sms(TOKEN, sms("not taken")).await, StatusCode::OK);
    set(json!({ "mode": "half", "takes": true })).await;
    assert_eq!(sandbox.send_sms(TOKEN, sms("taken with half an answer")).await, StatusCode::OK);
    let texts: Vec<Value> = inbox(&sandbox).await.iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, ["taken all the same", "taken with half an answer"]);
    for wrong in [json!({ "mode": "answer" }), json!({ "mode": "answer", "status": 100 })] {
        assert_eq!(sandbox.try_post("/gateway", wrong).await.json::<Value>().await.unwrap()["field"], "status");
    }
}
