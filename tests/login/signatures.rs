//! The signature of a token, and the algorithms that are accepted.

use aws_lc_rs::hmac;
use rstest::rstest;
use serde_json::{Value, json};
use temporary_pin::login::LoginError;

use crate::issuer::{SigningKey, base64, unsigned};
use crate::{World, not_genuine};

#[rstest]
#[case::es256(SigningKey::ec(), Some("ES256"), "ES256")]
#[case::es256_by_type(SigningKey::ec(), None, "ES256")]
#[case::rs256(SigningKey::Rsa, Some("RS256"), "RS256")]
#[case::rs256_by_type(SigningKey::Rsa, None, "RS256")]
#[case::ps256(SigningKey::Rsa, Some("PS256"), "PS256")]
#[tokio::test]
async fn the_algorithm_of_the_key_is_accepted(
    #[case] key: SigningKey,
    #[case] of_key: Option<&str>,
    #[case] of_token: &str,
) {
    let world = World::new().await;
    world.issuer.behaviour().keys = vec![key.jwk("k2", of_key)];
    let token = key.sign(&json!({"alg": of_token, "kid": "k2"}), &world.claims(json!({})));
    world.web(&token).await.unwrap();
}

/// Some issuers publish one id for several algorithms. Whichever comes last must not hide the others.
#[rstest]
#[case::rs256_before_ps256("RS256", &["RS256", "PS256"])]
#[case::rs256_after_ps256("RS256", &["PS256", "RS256"])]
#[case::ps256_before_rs256("PS256", &["PS256", "RS256"])]
#[case::rs256_before_es256("RS256", &["RS256", "ES256"])]
#[case::es256_before_rs256("ES256", &["ES256", "RS256"])]
#[tokio::test]
async fn several_keys_may_have_one_id(#[case] of_token: &str, #[case] of_keys: &[&str]) {
    let world = World::new().await;
    let ec = SigningKey::ec();
    let key = |algorithm: &str| if algorithm == "ES256" { &ec } else { &SigningKey::Rsa };
    world.issuer.behaviour().keys = of_keys.iter().map(|alg| key(alg).jwk("k2", Some(alg))).collect();
    let token = key(of_token).sign(&json!({"alg": of_token, "kid": "k2"}), &world.claims(json!({})));
    world.web(&token).await.unwrap();
    let forged = SigningKey::ec().sign(&json!({"alg": "ES256", "kid": "k2"}), &world.claims(json!({})));
    assert_eq!(world.web(&forged).await.unwrap_err(), not_genuine());
}

#[rstest]
#[case::pss_key(SigningKey::Rsa, json!({"alg": "PS256"}), "RS256")]
#[case::rs512(SigningKey::Rsa, json!({"alg": "RS512"}), "RS512")]
#[case::encryption_key(SigningKey::ec(), json!({"use": "enc"}), "ES256")]
#[case::key_that_may_only_sign(SigningKey::ec(), json!({"key_ops": ["sign"]}), "ES256")]
#[tokio::test]
async fn a_key_for_another_use_is_refused(#[case] key: SigningKey, #[case] patch: Value, #[case] of_token: &str) {
    let world = World::new().await;
    let mut jwk = key.jwk("k2", None);
    for (name, value) in patch.as_object().unwrap().clone() {
        jwk[name] = value;
    }
    world.issuer.behaviour().keys.push(jwk);
    let token = key.sign(&json!({"alg": of_token, "kid": "k2"}), &world.claims(json!({})));
    assert_eq!(world.web(&token).await.unwrap_err(), not_genuine());
}

#[rstest]
#[case::no_key_id(json!({"alg": "ES256"}))]
#[case::unknown_key_id(json!({"alg": "ES256", "kid": "k9"}))]
#[case::access_token(json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}))]
#[case::unknown_extension(json!({"alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false}))]
#[case::another_algorithm_in_the_header(json!({"alg": "ES384", "kid": "k1"}))]
#[case::another_kind_of_algorithm_in_the_header(json!({"alg": "RS256", "kid": "k1"}))]
#[tokio::test]
async fn a_header_with_a_wrong_or_unknown_value_is_refused(#[case] header: Value) {
    let world = World::new().await;
    let token = world.key.sign(&header, &world.claims(json!({})));
    assert_eq!(world.web(&token).await.unwrap_err(), not_genuine());
}

#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let world = World::new().await;
    let message = unsigned(&json!({"alg": "none", "kid": "k1"}), &world.claims(json!({})));
    let signature = world.token(json!({})).rsplit_once('.').unwrap().1.to_owned();
    for token in [format!("{message}."), format!("{message}.{signature}"), message] {
        assert_eq!(world.web(&token).await.unwrap_err(), not_genuine());
    }
}

#[tokio::test]
async fn an_hmac_with_the_public_key_as_secret_is_refused() {
    let world = World::new().await;
    let message = unsigned(&json!({"alg": "HS256", "kid": "k1"}), &world.claims(json!({})));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &world.key.public_bytes());
    let token = format!("{message}.{}", base64(hmac::sign(&secret, message.as_bytes()).as_ref()));
    assert_eq!(world.web(&token).await.unwrap_err(), not_genuine());
}

#[tokio::test]
async fn a_signature_by_another_key_or_of_other_claims_is_refused() {
    let world = World::new().await;
    let header = json!({"alg": "ES256", "kid": "k1", "typ": "JWT"});
    let forged = SigningKey::ec().sign(&header, &world.claims(json!({})));
    assert_eq!(world.web(&forged).await.unwrap_err(), not_genuine());

    let signature = world.token(json!({})).rsplit_once('.').unwrap().1.to_owned();
    let altered = format!("{}.{signature}", unsigned(&header, &world.claims(json!({"loa": "High"}))));
    assert_eq!(world.web(&altered).await.unwrap_err(), not_genuine());
}

#[rstest]
#[case::empty("")]
#[case::words("not a token")]
#[case::dots("..")]
#[case::encrypted("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d")]
#[tokio::test]
async fn a_text_that_is_not_a_token_is_refused(#[case] token: &str) {
    let world = World::new().await;
    assert_eq!(world.web(token).await.unwrap_err(), not_genuine());
    assert_eq!(world.issuer.fetches(), 0);
}

#[tokio::test]
async fn a_token_that_is_too_long_is_refused_without_parsing() {
    let world = World::new().await;
    let refused: LoginError = world.web(&world.token(json!({"more": "x".repeat(8192)}))).await.unwrap_err();
    assert_eq!(refused, not_genuine());
    assert_eq!(world.issuer.fetches(), 0);
    // A long token that is within the limit.
    world.web(&world.token(json!({"more": "x".repeat(4096)}))).await.unwrap();
}
