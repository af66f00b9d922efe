//! ID tokens of the sandbox's two issuers.

use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::sandbox::Sandbox;

/// Returns the claims if a published key of the issuer signed the token.
async fn verify(sandbox: &Sandbox, issuer: &str, token: &Value) -> Option<Value> {
    let token = token.as_str().unwrap();
    let discovery = sandbox.get(&format!("/issuers/{issuer}/.well-known/openid-configuration")).await;
    assert_eq!(discovery["issuer"], format!("{}/issuers/{issuer}", sandbox.http_url));
    let jwks_path = discovery["jwks_uri"].as_str().unwrap().strip_prefix(&sandbox.http_url).unwrap();
    let keys: JwkSet = serde_json::from_value(sandbox.get(jwks_path).await).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&decode_header(token).unwrap().kid?)?).unwrap();
    let mut signature_only = Validation::new(Algorithm::ES256);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    Some(decode::<Value>(token, &key, &signature_only).unwrap().claims)
}

async fn now(sandbox: &Sandbox) -> i64 {
    let time = sandbox.get("/clock").await;
    time["time"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap().timestamp()
}

#[tokio::test]
async fn a_login_names_the_person_the_time_and_the_level_of_assurance() {
    let sandbox = Sandbox::start(&[]);
    sandbox.post("/clock/advance", json!({ "seconds": 5000 })).await;
    let before = now(&sandbox).await;
    let answer = sandbox.post("/login", json!({ "person": "anna", "nonce": "a-nonce-of-mine" })).await;
    let claims = verify(&sandbox, "web", &answer["id_token"]).await.unwrap();
    let anna = sandbox.get("/people/anna").await;
    assert_eq!(claims["mitid.uuid"], anna["mitid_uuid"]);
    assert_ne!(claims["sub"], anna["mitid_uuid"], "a subject is not the account's UUID");
    assert_eq!(claims["iss"], format!("{}/issuers/web", sandbox.http_url));
    assert_eq!(claims["aud"], "temporary-pin-web");
    assert_eq!(claims["nonce"], "a-nonce-of-mine");
    assert_eq!(claims["loa"], "https://data.gov.dk/concept/core/nsis/Substantial");
    let seconds = |claim: &str| claims[claim].as_i64().unwrap();
    assert!((before..=now(&sandbox).await).contains(&seconds("auth_time")));
    assert!(seconds("exp") > seconds("iat") && seconds("iat") == seconds("auth_time"));
}

#[tokio::test]
async fn options_make_every_kind_of_login_that_the_service_must_refuse() {
    let sandbox = Sandbox::start(&[]);
    let before = now(&sandbox).await;
    let options = json!({
        "person": "anna", "nonce": "n", "auth_age_seconds": 301, "assurance": "Low",
        "audience": "somebody-else", "issuer": "https://issuer.invalid", "expired": true,
    });
    let answer = sandbox.post("/login", options).await;
    let claims = verify(&sandbox, "web", &answer["id_token"]).await.unwrap();
    assert_eq!(claims["loa"], "https://data.gov.dk/concept/core/nsis/Low");
    assert_eq!(claims["aud"], "somebody-else");
    assert_eq!(claims["iss"], "https://issuer.invalid");
    assert!((before - 301..=before - 290).contains(&claims["auth_time"].as_i64().unwrap()));
    assert!(claims["exp"].as_i64().unwrap() < before - 60);
}

#[tokio::test]
async fn agents_log_in_with_the_workforce_issuer() {
    let sandbox = Sandbox::start(&[]);
    let login = async |agent: &str| {
        let answer = sandbox.post("/agent-login", json!({ "agent": agent })).await;
        assert_eq!(verify(&sandbox, "web", &answer["agent_token"]).await, None, "the issuers share no key");
        verify(&sandbox, "workforce", &answer["agent_token"]).await.unwrap()
    };
    let support = login("support-1").await;
    assert_eq!((&support["sub"], &support["aud"]), (&json!("support-1"), &json!("temporary-pin-workforce")));
    assert_eq!(support.get("mitid.uuid"), None);
    assert!(login("clerk-1").await["mitid.uuid"].is_string());
    assert_ne!(login("clerk-1").await["mitid.uuid"], login("clerk-2").await["mitid.uuid"]);
    let clara = sandbox.get("/people/clara-clerk").await;
    assert_eq!(login("clara-clerk").await["mitid.uuid"], clara["mitid_uuid"]);
}

#[tokio::test]
async fn a_malformed_body_is_refused_with_the_name_of_the_field() {
    let sandbox = Sandbox::start(&[]);
    for (path, body, field) in [
        ("/login", json!({ "nonce": "n" }), "person"),
        ("/login", json!({ "person": "nobody", "nonce": "n" }), "person"),
        ("/login", json!({ "person": "no-mitid", "nonce": "n" }), "person"),
        ("/login", json!({ "person": "anna" }), "nonce"),
        ("/login", json!({ "person": "anna", "nonce": 1 }), "nonce"),
        ("/login", json!({ "person": "anna", "nonce": "n", "assurance": "low" }), "assurance"),
        ("/login", json!({ "person": "anna", "nonce": "n", "auth_age_seconds": -1 }), "auth_age_seconds"),
        ("/login", json!({ "person": "anna", "nonce": "n", "expired": "yes" }), "expired"),
        ("/login", json!({ "person": "anna", "nonce": "n", "nonse": "n" }), "nonse"),
        ("/login", json!([]), ""),
        ("/agent-login", json!({}), "agent"),
        ("/agent-login", json!({ "agent": "Clerk 1" }), "agent"),
    ] {
        let refused = sandbox.try_post(path, &body).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{body}");
        let refused: Value = refused.json().await.unwrap();
        assert_eq!(refused["field"], field, "{body}");
        assert!(!refused["error"].as_str().unwrap().is_empty(), "{body}");
    }
    assert_eq!(sandbox.try_post("/login", "{").await.status(), StatusCode::BAD_REQUEST);
}
