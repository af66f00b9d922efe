//! Which logins on the web are accepted (R23), and which refused logins count as failed verifications (R18).

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::guard::Bucket;
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
    let world = World::start().await;
    for (options, reason) in [
        (json!({ "audience": "another-service" }), Reason::LoginNotAccepted),
        (json!({ "issuer": "https://issuer.invalid" }), Reason::LoginNotAccepted),
        (json!({ "expired": true }), Reason::LoginNotAccepted),
        (json!({ "auth_age_seconds": 301 }), Reason::LoginTooOld),
        (json!({ "assurance": "Low" }), Reason::AssuranceTooLow),
    ] {
        let person = world.new_person().await;

        let rejected = world.try_log_in(&person, options.clone()).await.unwrap();

        assert_eq!(reasons(&rejected), [reason], "{options}");
        assert_eq!(rejected.verification_id, "");
        assert_nothing_started(&world, &person).await;
    }
}

#[tokio::test]
async fn r23_a_login_is_accepted_up_to_its_limits() {
    let world = World::start().await;
    for options in [json!({ "auth_age_seconds": 290 }), json!({ "assurance": "High" })] {
        let accepted = world.try_log_in(&world.new_person().await, options).await.unwrap();
        assert_eq!(accepted.state(), State::Verified);
    }
}

/// Logs in with the tokens of a broker.
async fn log_in_with_broker(world: &World, person: &Person, mut options: serde_json::Value) -> VerifyIdentityResponse {
    let nonce = uuid().to_string();
    options["person"] = json!(person.id());
    options["nonce"] = json!(nonce);
    let tokens = world.sandbox.post("/login", options).await;
    let text = |name: &str| tokens[name].as_str().unwrap_or_default().to_owned();
    let login = WebLogin { id_token: text("id_token"), userinfo_token: text("userinfo_token"), nonce };
    world.verify("web", Evidence::WebLogin(login)).await.unwrap()
}

#[tokio::test]
async fn r23_logins_with_every_broker_are_accepted_and_near_misses_are_not() {
    let world = World::start().await;
    for broker in ["signaturgruppen", "eident", "idura", "signicat", "nemlogin-bridge"] {
        let person = world.new_person().await;
        for (options, reason) in [
            (json!({ "broker": broker, "business": true }), Reason::LoginNotAccepted),
            (json!({ "broker": broker, "assurance": "Low" }), Reason::AssuranceTooLow),
            (json!({ "broker": broker, "auth_age_seconds": 400 }), Reason::LoginTooOld),
        ] {
            let rejected = log_in_with_broker(&world, &person, options.clone()).await;
            assert_eq!(reasons(&rejected), [reason], "{options}");
        }
        assert_nothing_started(&world, &person).await;
        let accepted = log_in_with_broker(&world, &person, json!({ "broker": broker })).await;
        assert_eq!(accepted.state(), State::Verified, "{broker}: {:?}", reasons(&accepted));
        assert_eq!(world.texts(&person).await.len(), 1, "{broker}");
    }
}

async fn log_in_with(world: &World, id_token: &str, nonce: &str) -> VerifyIdentityResponse {
    let login = WebLogin { id_token: id_token.to_owned(), nonce: nonce.to_owned(), ..WebLogin::default() };
    world.verify("web", Evidence::WebLogin(login)).await.unwrap()
}

#[tokio::test]
async fn r23_a_nonce_is_accepted_once() {
    let world = World::start().await;
    let (person, nonce) = (world.new_person().await, uuid().to_string());
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
    let world = World::start().await;
    let (person, nonce) = (world.new_person().await, uuid().to_string());
    let token = world.id_token(&person, &nonce, &json!({})).await;
    let agents = world.agent_token(CLERK).await;
    let (claims, _) = token.rsplit_once('.').unwrap();
    let (_, foreign_signature) = agents.rsplit_once('.').unwrap();

    for (token, nonce) in [
        (token.as_str(), "the-nonce-of-another-login"),
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
    let answer = world.check_eligibility("web", person.reference()).await.unwrap();
    assert_eq!(answer.access_hold.unwrap().state(), access_hold::State::None);
    assert_eq!(world.texts(person).await, Vec::<String>::new());
}

/// As many taps on "log in", or frontends that repeat: sixteen in turn meet no limit, so sixteen at once meet none.
#[tokio::test]
async fn r18_sixteen_first_logins_at_once_are_all_accepted_and_start_one_hold() {
    let world = World::start().await;
    let person = world.new_person().await;

    let answers = join_all((0..16).map(|_| world.log_in(&person))).await;

    let holds: Vec<_> = answers.into_iter().map(|answer| answer.access_hold.unwrap()).collect();
    assert!(holds.iter().all(|hold| *hold == holds[0] && hold.state() == access_hold::State::Running), "{holds:?}");
    assert_eq!(world.texts(&person).await.len(), 1);
    assert_eq!(world.list_limits(person.reference()).await.unwrap().limits[1].spent, 0);
}

/// None of them is a guess.
#[tokio::test]
async fn r18_sixteen_bad_logins_at_once_are_all_judged() {
    let world = World::start().await;
    let person = world.new_person().await;

    let answers = join_all((0..16).map(|_| world.try_log_in(&person, json!({ "auth_age_seconds": 1000 })))).await;

    for answer in answers {
        assert_eq!(reasons(&answer.unwrap()), [Reason::LoginTooOld]);
    }
    world.log_in(&person).await;
}

/// Spends that no row confirms are no limit of tomorrow.
#[tokio::test]
async fn r18_spends_of_another_instance_are_busy_and_not_a_limit() {
    let world = World::start().await;
    let person = world.new_person().await;
    world.fail_verification(&person).await;
    let bucket = Bucket::FailedVerifications(world.person_key(&person), Channel::Phone);
    world.spend(bucket, Limit { times: 3, per: Duration::from_secs(24 * 3600) }, 2).await;

    world.call_support(&person).await.unwrap_err().assert_busy();
    world.log_in(&person).await;

    // A process that has stopped gives nothing back. What it spent is forgotten after a minute; the row is not.
    world.advance(TimeDelta::seconds(61)).await;
    world.call_support(&person).await.unwrap_err().assert_busy();
    world.fail_verification(&person).await;
    world.fail_verification(&person).await;
    world.call_support(&person).await.unwrap_err().assert_limit(Reason::VerificationLimit);
}
