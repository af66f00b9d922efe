//! The claims that a genuine token must have.

use rstest::rstest;
use serde_json::{Value, json};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::domain::reason::Reason;
use temporary_pin::login::LoginError;

use crate::{LOGIN_AGE, NONCE, NOW, PERSON, World, at, not_genuine, person, tokens};

#[tokio::test]
async fn r23_a_login_is_accepted() {
    let world = World::new().await;
    let login = world.web(&world.token(json!({}))).await.unwrap();
    assert_eq!(login.person, person());
    assert_eq!(login.assurance, AssuranceLevel::Substantial);
}

#[rstest]
#[case::audience_in_a_list(json!({"aud": ["profile-page"]}))]
#[case::expired_within_the_leeway(json!({"exp": NOW - 59}))]
#[case::not_before_within_the_leeway(json!({"nbf": NOW + 60}))]
#[case::login_just_young_enough(json!({"auth_time": NOW - 300}))]
#[case::login_ahead_within_the_leeway(json!({"auth_time": NOW + 60}))]
#[case::fractions_of_seconds(json!({"exp": NOW as f64 + 0.5, "auth_time": NOW as f64 - 0.5}))]
#[case::bare_name_of_a_level(json!({"loa": "Substantial"}))]
#[case::high(json!({"loa": "https://data.gov.dk/concept/core/nsis/High"}))]
#[case::level_in_capitals(json!({"loa": "SUBSTANTIAL"}))]
#[case::level_as_a_urn(json!({"loa": "urn:grn:authn:dk:mitid:substantial"}))]
#[case::login_time_as_text(json!({"auth_time": (NOW - 10).to_string()}))]
#[case::login_time_in_iso_8601(json!({"auth_time": "2026-11-18T11:06:30Z"}))]
#[case::private(json!({"identity_type": "private"}))]
#[case::our_own_authorized_party(json!({"azp": "profile-page"}))]
#[tokio::test]
async fn r23_claims_within_the_limits_are_accepted(#[case] patch: Value) {
    let world = World::new().await;
    world.web(&world.token(patch)).await.unwrap();
}

#[rstest]
#[case::issuer(json!({"iss": "https://other.example"}))]
#[case::issuer_missing(json!({"iss": null}))]
#[case::issuer_in_a_list(json!({"iss": ["https://other.example"]}))]
#[case::audience(json!({"aud": "other"}))]
#[case::audience_missing(json!({"aud": null}))]
#[case::audience_empty(json!({"aud": []}))]
#[case::audience_with_a_number(json!({"aud": ["profile-page", 7]}))]
#[case::another_authorized_party(json!({"azp": "other"}))]
#[case::authorized_party_not_a_text(json!({"azp": ["profile-page"]}))]
#[case::person_in_braces(json!({"mitid.uuid": format!("{{{PERSON}}}")}))]
#[case::person_prefixed(json!({"mitid.uuid": format!("mitid:{PERSON}")}))]
#[case::audience_shared_with_another(json!({"aud": ["profile-page", "other"]}))]
#[case::person_missing(json!({"mitid.uuid": null}))]
#[case::person_not_a_uuid(json!({"mitid.uuid": "0101011234"}))]
#[tokio::test]
async fn r23_a_token_that_is_not_genuine_is_refused_without_a_person(#[case] patch: Value) {
    let world = World::new().await;
    assert_eq!(world.web(&world.token(patch)).await.unwrap_err(), not_genuine());
}

#[rstest]
#[case::expired(json!({"exp": NOW - 60}), Reason::LoginNotAccepted)]
#[case::expiry_missing(json!({"exp": null}), Reason::LoginNotAccepted)]
#[case::expiry_not_a_number(json!({"exp": "tomorrow"}), Reason::LoginNotAccepted)]
#[case::expiry_beyond_the_latest_time(json!({"exp": 1e300}), Reason::LoginNotAccepted)]
#[case::not_yet(json!({"nbf": NOW + 61}), Reason::LoginNotAccepted)]
#[case::not_before_not_a_number(json!({"nbf": "now"}), Reason::LoginNotAccepted)]
#[case::nonce(json!({"nonce": "other"}), Reason::LoginNotAccepted)]
#[case::nonce_longer(json!({"nonce": format!("{NONCE}x")}), Reason::LoginNotAccepted)]
#[case::nonce_missing(json!({"nonce": null}), Reason::LoginNotAccepted)]
#[case::login_time_missing(json!({"auth_time": null}), Reason::LoginNotAccepted)]
#[case::login_in_the_future(json!({"auth_time": NOW + 61}), Reason::LoginNotAccepted)]
#[case::login_too_old(json!({"auth_time": NOW - 301}), Reason::LoginTooOld)]
#[case::login_time_no_time(json!({"auth_time": "yesterday"}), Reason::LoginNotAccepted)]
#[case::login_time_of_many_digits(json!({"auth_time": "9".repeat(100)}), Reason::LoginNotAccepted)]
#[case::business(json!({"identity_type": "professional"}), Reason::LoginNotAccepted)]
#[case::level_of_another(json!({"loa": "evil/Substantial"}), Reason::AssuranceTooLow)]
#[case::level_behind_another_uri(json!({"loa": "https://evil.example/nsis/Substantial"}), Reason::AssuranceTooLow)]
#[case::low(json!({"loa": "https://data.gov.dk/concept/core/nsis/Low"}), Reason::AssuranceTooLow)]
#[case::level_missing(json!({"loa": null}), Reason::AssuranceTooLow)]
#[case::level_unknown(json!({"loa": "Substantially"}), Reason::AssuranceTooLow)]
#[tokio::test]
async fn r23_a_genuine_token_with_unacceptable_claims_is_refused_with_its_person(
    #[case] patch: Value,
    #[case] reason: Reason,
) {
    let world = World::new().await;
    let refused = world.web(&world.token(patch)).await.unwrap_err();
    assert_eq!(refused, LoginError::Denied { reason, person: Some(person()) });
}

#[tokio::test]
async fn r23_an_empty_nonce_matches_nothing() {
    let world = World::new().await;
    let token = world.token(json!({"nonce": ""}));
    let refused = world.tokens.verify_web_login(&tokens(&token, ""), at(NOW), LOGIN_AGE).await.unwrap_err();
    assert_eq!(refused, LoginError::Denied { reason: Reason::LoginNotAccepted, person: Some(person()) });
}

#[tokio::test]
async fn the_names_of_the_claims_are_configurable() {
    let world = World::with_settings(|settings| {
        settings.person_claim = Some("sub".into());
        settings.assurance_claim = Some(vec!["acr".into()]);
    })
    .await;
    let token = world.token(json!({"sub": PERSON, "mitid.uuid": null, "acr": "High", "loa": null}));
    let login = world.web(&token).await.unwrap();
    assert_eq!((login.person, login.assurance), (person(), AssuranceLevel::High));
}

#[rstest]
#[case::with_mitid(json!({}), true)]
#[case::without_mitid(json!({"mitid.uuid": null}), false)]
#[case::without_nonce_and_login_time(json!({"nonce": null, "auth_time": null}), true)]
#[case::logged_in_this_morning(json!({"auth_time": NOW - 12 * 3600}), true)]
#[tokio::test]
async fn r22_an_agent_is_accepted(#[case] patch: Value, #[case] with_mitid: bool) {
    let world = World::new().await;
    let agent = world.agent(&world.token(patch)).await.unwrap();
    assert_eq!((agent.issuer.as_str(), agent.subject.as_str()), (world.issuer.url.as_str(), "subject-17"));
    assert_eq!(agent.person, with_mitid.then(person));
    assert_eq!(agent.assurance, AssuranceLevel::Substantial);
    assert!(!format!("{agent:?}").contains("subject-17"));
}

#[rstest]
#[case::issuer(json!({"iss": "https://other.example"}))]
#[case::audience(json!({"aud": "other"}))]
#[case::expired(json!({"exp": NOW - 60}))]
#[case::not_yet(json!({"nbf": NOW + 61}))]
#[case::subject_missing(json!({"sub": null}))]
#[case::subject_empty(json!({"sub": ""}))]
#[case::low(json!({"loa": "Low"}))]
#[case::level_missing(json!({"loa": null}))]
#[case::r20_mitid_is_no_uuid(json!({"mitid.uuid": "not-a-uuid"}))]
#[case::r20_mitid_is_no_text(json!({"mitid.uuid": 17}))]
#[case::another_authorized_party(json!({"azp": "other"}))]
#[case::login_too_old(json!({"auth_time": NOW - 12 * 3600 - 1, "exp": NOW + 100 * 365 * 86_400}))]
#[case::issued_too_long_ago(json!({"auth_time": null, "iat": NOW - 12 * 3600 - 1, "exp": NOW + 100 * 365 * 86_400}))]
#[case::login_time_unknown(json!({"auth_time": null, "iat": null}))]
#[case::login_in_the_future(json!({"auth_time": NOW + 61}))]
#[tokio::test]
async fn r22_an_agent_with_unacceptable_claims_is_refused(#[case] patch: Value) {
    let world = World::new().await;
    let refused = world.agent(&world.token(patch)).await.unwrap_err();
    assert_eq!(refused, LoginError::Denied { reason: Reason::AgentNotAccepted, person: None });
}
