//! Which logins on the web are accepted (R23), and which refused logins count as failed verifications (R18).

use serde_json::json;
use temporary_pin::proto::temporarypin::v1::access_hold;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{Reason, VerifyIdentityResponse, WebLogin};
use test_support::acts::{CLERK, reasons};
use test_support::calls::uuid;
use test_support::person::Person;
use test_support::world::World;

#[tokio::test]
async fn r23_an_unacceptable_login_is_refused_with_its_reason() {
    let world = World::open().await;
    for (wishes, reason) in [
        (json!({ "audience": "somebody-else" }), Reason::LoginNotAccepted),
        (json!({ "issuer": "https://issuer.invalid" }), Reason::LoginNotAccepted),
        (json!({ "expired": true }), Reason::LoginNotAccepted),
        (json!({ "auth_age_seconds": 301 }), Reason::LoginTooOld),
        (json!({ "assurance": "Low" }), Reason::AssuranceTooLow),
    ] {
        let person = world.somebody().await;

        let rejected = world.try_log_in(&person, wishes.clone()).await.unwrap();

        assert_eq!(reasons(&rejected), [reason], "{wishes}");
        assert_eq!(rejected.verification_id, "");
        assert_nothing_started(&world, &person).await;
    }
}

#[tokio::test]
async fn r23_a_login_is_accepted_up_to_its_limits() {
    let world = World::open().await;
    for wishes in [json!({ "auth_age_seconds": 290 }), json!({ "assurance": "High" })] {
        let accepted = world.try_log_in(&world.somebody().await, wishes).await.unwrap();
        assert_eq!(accepted.state(), State::Verified);
    }
}

async fn log_in_with(world: &World, id_token: &str, nonce: &str) -> VerifyIdentityResponse {
    let login = WebLogin { id_token: id_token.to_owned(), nonce: nonce.to_owned() };
    world.verify("web", Evidence::WebLogin(login)).await.unwrap()
}

#[tokio::test]
async fn r23_a_nonce_is_accepted_once() {
    let world = World::open().await;
    let (person, nonce) = (world.somebody().await, uuid().to_string());
    let token = world.id_token(&person, &nonce, &json!({})).await;
    assert_eq!(log_in_with(&world, &token, &nonce).await.state(), State::Verified);

    let same_token = log_in_with(&world, &token, &nonce).await;
    let another = world.id_token(&person, &nonce, &json!({})).await;
    let same_nonce = log_in_with(&world, &another, &nonce).await;

    for rejected in [same_token, same_nonce] {
        assert_eq!(reasons(&rejected), [Reason::LoginNotAccepted]);
    }
    assert_eq!(world.texts(&person).await.len(), 1);
}

#[tokio::test]
async fn r23_a_token_must_be_of_this_login_and_of_our_issuer() {
    let world = World::open().await;
    let (person, nonce) = (world.somebody().await, uuid().to_string());
    let token = world.id_token(&person, &nonce, &json!({})).await;
    let agents = world.agent_token(CLERK).await;
    let (claims, _) = token.rsplit_once('.').unwrap();
    let (_, foreign_signature) = agents.rsplit_once('.').unwrap();

    for (token, nonce) in [
        (token.as_str(), "a-nonce-of-somebody-else"),
        (&agents, &nonce),
        (&format!("{claims}.{foreign_signature}"), &nonce),
        (&format!("{claims}."), &nonce),
        ("no.token.atall", &nonce),
    ] {
        let rejected = log_in_with(&world, token, nonce).await;
        assert_eq!(reasons(&rejected), [Reason::LoginNotAccepted]);
    }
    assert_nothing_started(&world, &person).await;
}

/// Asserts that the person has no access request and got no SMS.
async fn assert_nothing_started(world: &World, person: &Person) {
    let answer = world.check("web", person.reference()).await.unwrap();
    assert_eq!(answer.access_hold.unwrap().state(), access_hold::State::None);
    assert_eq!(world.texts(person).await, Vec::<String>::new());
}
