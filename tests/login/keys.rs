//! The keys of the issuer are fetched once, cached, refreshed when they change, and used for a limited time.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use temporary_pin::deadline;
use temporary_pin::login::{IdTokenVerifier, IssuerSettings, LoginError, Subjects};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::issuer::{Behaviour, SigningKey};
use crate::{NONCE, NOW, PERSON, World, not_genuine};

const MAX_AGE: u64 = 900;
const STALE_AGE: u64 = 3600;
const INTERVAL: u64 = 10;

/// A token of a login at `now`.
fn token_at(world: &World, now: i64) -> String {
    world.token(json!({"exp": now + 60, "auth_time": now}))
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_logins_fetch_the_keys_once() {
    let world = Arc::new(World::new().await);
    world.issuer.behaviour().delay = Duration::from_millis(100);
    let mut logins = JoinSet::new();
    for _ in 0..50 {
        let world = world.clone();
        logins.spawn(async move { world.web(&world.token(json!({}))).await });
    }
    assert!(logins.join_all().await.into_iter().all(|login| login.is_ok()));
    assert_eq!(world.issuer.fetches(), 1);
}

/// The call that starts a fetch may reach its deadline before the fetch ends. Other calls still need the keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_outlives_the_deadline_of_the_call_that_started_it() {
    let world = World::new().await;
    world.issuer.behaviour().delay = Duration::from_millis(300);
    let token = world.token(json!({}));
    let timed_out = deadline::with_deadline(Instant::now() + Duration::from_millis(50), world.web(&token)).await;
    assert_eq!(timed_out.unwrap_err(), LoginError::Unavailable);
    world.web(&token).await.unwrap();
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_logins_share_a_failed_fetch() {
    let world = Arc::new(World::new().await);
    world.issuer.behaviour().down = true;
    world.issuer.behaviour().delay = Duration::from_millis(100);
    let mut logins = JoinSet::new();
    for _ in 0..50 {
        let world = world.clone();
        logins.spawn(async move { world.web(&world.token(json!({}))).await });
    }
    assert!(logins.join_all().await.into_iter().all(|login| login.unwrap_err() == LoginError::Unavailable));
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test]
async fn an_unknown_key_causes_one_fetch_per_interval() {
    let world = World::new().await;
    world.web(&token_at(&world, NOW)).await.unwrap();
    let unknown = SigningKey::ec().sign(&json!({"alg": "ES256", "kid": "k9"}), &world.claims(json!({})));
    for (seconds, fetches) in [(0, 1), (5, 1), (15, 2), (20, 2), (30, 3)] {
        world.let_pass(seconds).await;
        assert_eq!(world.web(&unknown).await.unwrap_err(), not_genuine());
        assert_eq!(world.issuer.fetches(), fetches, "after {seconds} s");
    }
}

#[tokio::test]
async fn new_keys_are_accepted_and_withdrawn_keys_are_not() {
    let world = World::new().await;
    world.web(&token_at(&world, NOW)).await.unwrap();
    let new_key = SigningKey::ec();
    world.issuer.behaviour().keys = vec![new_key.jwk("k2", Some("ES256"))];

    world.let_pass(INTERVAL + 1).await;
    let token = new_key.sign(&json!({"alg": "ES256", "kid": "k2"}), &world.claims(json!({})));
    world.web(&token).await.unwrap();
    assert_eq!(world.web(&token_at(&world, NOW)).await.unwrap_err(), not_genuine());
}

#[tokio::test]
async fn a_step_of_the_wall_clock_neither_refuses_a_new_key_nor_keeps_a_withdrawn_one() {
    let world = World::new().await;
    world.web(&token_at(&world, NOW)).await.unwrap();
    let new_key = SigningKey::ec();
    world.issuer.behaviour().keys = vec![new_key.jwk("k2", Some("ES256"))];

    world.let_pass(INTERVAL + 1).await;
    let earlier = NOW - 3600;
    let claims = world.claims(json!({"exp": earlier + 60, "auth_time": earlier}));
    world.web_at(&new_key.sign(&json!({"alg": "ES256", "kid": "k2"}), &claims), earlier).await.unwrap();
    assert_eq!(world.web_at(&token_at(&world, earlier), earlier).await.unwrap_err(), not_genuine());
}

#[tokio::test]
async fn a_withdrawn_key_is_accepted_no_longer_than_the_maximum_age() {
    let world = World::new().await;
    world.web(&token_at(&world, NOW)).await.unwrap();
    world.issuer.behaviour().keys = vec![SigningKey::ec().jwk("k2", Some("ES256"))];
    world.let_pass(MAX_AGE - 5).await;
    world.web(&token_at(&world, NOW)).await.unwrap();
    assert_eq!(world.issuer.fetches(), 1);
    world.let_pass(MAX_AGE + 1).await;
    assert_eq!(world.web(&token_at(&world, NOW)).await.unwrap_err(), not_genuine());
}

#[tokio::test]
async fn without_keys_an_outage_of_the_issuer_makes_logins_unavailable() {
    let world = World::new().await;
    world.issuer.behaviour().down = true;
    assert_eq!(world.web(&token_at(&world, NOW)).await.unwrap_err(), LoginError::Unavailable);
    assert_eq!(world.web(&token_at(&world, NOW)).await.unwrap_err(), LoginError::Unavailable);
    assert_eq!(world.issuer.fetches(), 1);
    assert_eq!(world.agent(&token_at(&world, NOW)).await.unwrap_err(), LoginError::Unavailable);

    world.issuer.behaviour().down = false;
    world.let_pass(INTERVAL + 1).await;
    world.web(&token_at(&world, NOW)).await.unwrap();
}

#[tokio::test]
async fn cached_keys_bridge_an_outage_for_a_limited_time() {
    let world = World::new().await;
    world.web(&token_at(&world, NOW)).await.unwrap();
    world.issuer.behaviour().down = true;
    let last = MAX_AGE + STALE_AGE - 5;
    for seconds in [MAX_AGE + 1, MAX_AGE + 2, last] {
        world.let_pass(seconds).await;
        world.web(&token_at(&world, NOW)).await.unwrap();
    }
    // One fetch for each interval with a login, not for each login.
    assert_eq!(world.issuer.fetches(), 3);

    // The key may be a new one, which cannot be checked during the outage.
    let unknown = SigningKey::ec().sign(&json!({"alg": "ES256", "kid": "k9"}), &world.claims(json!({})));
    assert_eq!(world.web(&unknown).await.unwrap_err(), LoginError::Unavailable);
    world.let_pass(last + 6).await;
    assert_eq!(world.web(&token_at(&world, NOW)).await.unwrap_err(), LoginError::Unavailable);

    world.issuer.behaviour().down = false;
    world.let_pass(last + 6 + INTERVAL + 1).await;
    world.web(&token_at(&world, NOW)).await.unwrap();
}

#[tokio::test]
async fn logins_do_not_wait_for_a_slow_issuer_while_cached_keys_may_be_used() {
    let forever = Duration::from_secs(3600);
    let world = Arc::new(World::with_settings(|settings| settings.timeout = forever).await);
    world.web(&token_at(&world, NOW)).await.unwrap();
    world.issuer.behaviour().delay = forever;
    world.let_pass(MAX_AGE + 1).await;
    let mut logins = JoinSet::new();
    for _ in 0..10 {
        let world = world.clone();
        logins.spawn(async move { world.web(&token_at(&world, NOW)).await });
    }
    // All calls but the one that fetches.
    for _ in 0..9 {
        let login = timeout(Duration::from_secs(20), logins.join_next()).await.expect("an answer at once");
        login.unwrap().unwrap().unwrap();
    }
    assert_eq!(logins.len(), 1);
}

/// Asserts that no login can be checked, and that the log names this cause.
async fn assert_unavailable(world: &World, cause: &str) {
    test_support::log::start_collecting();
    assert_eq!(world.web(&token_at(world, NOW)).await.unwrap_err(), LoginError::Unavailable);
    let log = test_support::log::take_log();
    assert!(log.contains(cause), "{log}");
}

#[rstest]
#[case::document_of_another_issuer(
    |issuer: &mut Behaviour| issuer.issuer = Some("https://other.example".into()),
    "the discovery document is another issuer's"
)]
#[case::keys_without_an_address(|issuer: &mut Behaviour| issuer.jwks_uri = Some("keys".into()), "jwks_uri: must be an https URL")]
#[case::redirect(|issuer: &mut Behaviour| issuer.redirect = true, "the issuer redirects")]
#[case::too_long_a_document(|issuer: &mut Behaviour| issuer.padding = 300 * 1024, "longer than 262144 bytes")]
#[case::no_keys(|issuer: &mut Behaviour| issuer.keys.clear(), "no key for RS256, PS256 or ES256")]
#[tokio::test]
async fn an_issuer_that_misbehaves_is_not_trusted(#[case] change: fn(&mut Behaviour), #[case] cause: &str) {
    let world = World::new().await;
    change(&mut world.issuer.behaviour());
    assert_unavailable(&world, cause).await;
}

#[tokio::test]
async fn a_fetch_from_a_slow_issuer_times_out() {
    let world = World::with_settings(|settings| settings.timeout = Duration::from_millis(200)).await;
    world.issuer.behaviour().delay = Duration::from_secs(3600);
    assert_unavailable(&world, "time-out").await;
}

#[tokio::test]
async fn keys_are_not_fetched_over_an_unencrypted_connection() {
    let world = World::new().await;
    // The same keys by an address that is not a loopback address, but leads to this machine.
    let keys = format!("{}/keys", world.issuer.url.replace("127.0.0.1", "0.0.0.0"));
    world.issuer.behaviour().jwks_uri = Some(keys);
    assert_unavailable(&world, "jwks_uri: must be an https URL").await;
}

#[tokio::test]
async fn keys_of_unknown_types_are_skipped() {
    let world = World::new().await;
    let unknown =
        [json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "a"}), json!({"use": 7}), json!("x")];
    world.issuer.behaviour().keys.splice(0..0, unknown);
    world.web(&token_at(&world, NOW)).await.unwrap();
}

#[rstest]
#[case("https://issuer.example", true)]
#[case("http://127.0.0.1:8025", true)]
#[case("http://[::1]:8025", true)]
#[case("http://localhost:8025", true)]
#[case("http://issuer.example", false)]
#[case("http://127.0.0.1.issuer.example", false)]
#[case("ftp://issuer.example", false)]
#[case("issuer.example", false)]
fn an_issuer_must_have_an_https_url_unless_on_loopback(#[case] issuer: &str, #[case] accepted: bool) {
    let http = reqwest::Client::builder().build().unwrap();
    let settings = IssuerSettings { issuer: issuer.into(), ..IssuerSettings::default() };
    assert_eq!(IdTokenVerifier::new(vec![settings], Subjects::Persons, &http).is_ok(), accepted);
}

#[tokio::test]
async fn nothing_of_a_token_is_logged() {
    let world = World::new().await;
    test_support::log::start_collecting();
    let refused = world.token(json!({"auth_time": NOW - 301}));
    let accepted = world.token(json!({}));
    world.web(&refused).await.unwrap_err();
    world.web(&accepted).await.unwrap();
    world.agent(&accepted).await.unwrap();

    let log = test_support::log::take_log();
    assert!(log.contains("age of the login"), "the log names the check that failed");
    for secret in [PERSON, NONCE, "subject-17"].into_iter().chain(accepted.split('.')).chain(refused.split('.').skip(1))
    {
        assert!(!log.contains(secret));
    }
}
