//! The issuer's keys: fetched once, kept, followed when they change, bounded in age.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use temporary_pin::deadline;
use temporary_pin::login::{IdTokenVerifier, IssuerSettings, LoginError};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::issuer::{Behaviour, SigningKey};
use crate::{LOGIN_AGE, NONCE, NOW, PERSON, World, at, not_genuine};

const MAX_AGE: i64 = 900;
const STALE_AGE: i64 = 3600;
const INTERVAL: i64 = 10;

/// A login at `now`.
fn fresh(world: &World, now: i64) -> String {
    world.token(json!({"exp": now + 60, "auth_time": now}))
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_fetch_once() {
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

/// Who begins a fetch may cease to wait before it ends: the others need the keys all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_outlives_the_deadline_of_the_call_that_began_it() {
    let world = World::new().await;
    world.issuer.behaviour().delay = Duration::from_millis(300);
    let token = world.token(json!({}));
    let hasty = deadline::with_deadline(Instant::now() + Duration::from_millis(50), world.web(&token)).await;
    assert_eq!(hasty.unwrap_err(), LoginError::Unavailable);
    world.web(&token).await.unwrap();
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_share_a_failure() {
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
async fn an_unknown_key_is_looked_for_once_per_interval() {
    let world = World::new().await;
    world.web(&fresh(&world, NOW)).await.unwrap();
    let unknown = SigningKey::ec().sign(&json!({"alg": "ES256", "kid": "k9"}), &world.claims(json!({})));
    for (now, fetches) in [(0, 1), (9, 1), (10, 2), (11, 2), (19, 2), (20, 3)] {
        assert_eq!(world.web_at(&unknown, NOW + now).await.unwrap_err(), not_genuine());
        assert_eq!(world.issuer.fetches(), fetches, "after {now} s");
    }
}

#[tokio::test]
async fn new_keys_are_followed_and_withdrawn_ones_forgotten() {
    let world = World::new().await;
    world.web(&fresh(&world, NOW)).await.unwrap();
    let new_key = SigningKey::ec();
    world.issuer.behaviour().keys = vec![new_key.jwk("k2", Some("ES256"))];

    let later = NOW + INTERVAL;
    let claims = world.claims(json!({"exp": later + 60, "auth_time": later}));
    let token = new_key.sign(&json!({"alg": "ES256", "kid": "k2"}), &claims);
    world.web_at(&token, later).await.unwrap();
    assert_eq!(world.web_at(&fresh(&world, later), later).await.unwrap_err(), not_genuine());
}

#[tokio::test]
async fn a_withdrawn_key_serves_no_longer_than_the_greatest_age() {
    let world = World::new().await;
    world.web(&fresh(&world, NOW)).await.unwrap();
    world.issuer.behaviour().keys = vec![SigningKey::ec().jwk("k2", Some("ES256"))];
    world.web_at(&fresh(&world, NOW + MAX_AGE - 1), NOW + MAX_AGE - 1).await.unwrap();
    assert_eq!(world.issuer.fetches(), 1);
    assert_eq!(world.web_at(&fresh(&world, NOW + MAX_AGE), NOW + MAX_AGE).await.unwrap_err(), not_genuine());
}

#[tokio::test]
async fn without_keys_an_issuer_that_is_down_leaves_the_answer_open() {
    let world = World::new().await;
    world.issuer.behaviour().down = true;
    assert_eq!(world.web(&fresh(&world, NOW)).await.unwrap_err(), LoginError::Unavailable);
    assert_eq!(world.agent(&fresh(&world, NOW)).await.unwrap_err(), LoginError::Unavailable);
    assert_eq!(world.issuer.fetches(), 1);

    world.issuer.behaviour().down = false;
    world.web_at(&fresh(&world, NOW + INTERVAL), NOW + INTERVAL).await.unwrap();
}

#[tokio::test]
async fn known_keys_bridge_an_outage_for_a_bounded_time() {
    let world = World::new().await;
    world.web(&fresh(&world, NOW)).await.unwrap();
    world.issuer.behaviour().down = true;
    let last = NOW + MAX_AGE + STALE_AGE - 1;
    for now in [NOW + MAX_AGE, NOW + MAX_AGE + 1, last] {
        world.web_at(&fresh(&world, now), now).await.unwrap();
    }
    // Once for each interval in which somebody asked, not for each login.
    assert_eq!(world.issuer.fetches(), 3);

    // The key may be a new one: nobody can tell.
    let unknown = SigningKey::ec().sign(&json!({"alg": "ES256", "kid": "k9"}), &world.claims(json!({})));
    assert_eq!(world.web_at(&unknown, last).await.unwrap_err(), LoginError::Unavailable);
    assert_eq!(world.web_at(&fresh(&world, last + 1), last + 1).await.unwrap_err(), LoginError::Unavailable);

    world.issuer.behaviour().down = false;
    let later = last + 1 + INTERVAL;
    world.web_at(&fresh(&world, later), later).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_slow_issuer_while_the_keys_still_serve() {
    let forever = Duration::from_secs(3600);
    let world = Arc::new(World::with_settings(|settings| settings.timeout = forever).await);
    world.web(&fresh(&world, NOW)).await.unwrap();
    world.issuer.behaviour().delay = forever;
    let (now, mut logins) = (NOW + MAX_AGE, JoinSet::new());
    for _ in 0..10 {
        let world = world.clone();
        logins.spawn(async move { world.web_at(&fresh(&world, now), now).await });
    }
    // All but the one that fetches.
    for _ in 0..9 {
        let login = timeout(Duration::from_secs(20), logins.join_next()).await.expect("an answer at once");
        login.unwrap().unwrap().unwrap();
    }
    assert_eq!(logins.len(), 1);
}

/// That no login is judged by this issuer's keys, for the cause that the log names.
async fn distrusts(world: &World, cause: &str) {
    test_support::log::collect();
    assert_eq!(world.web(&fresh(world, NOW)).await.unwrap_err(), LoginError::Unavailable);
    let log = test_support::log::collected();
    assert!(log.contains(cause), "{log}");
}

#[rstest]
#[case::another_issuers_document(
    |issuer: &mut Behaviour| issuer.issuer = Some("https://other.example".into()),
    "the discovery document is another issuer's"
)]
#[case::keys_at_no_address(|issuer: &mut Behaviour| issuer.jwks_uri = Some("keys".into()), "jwks_uri: must be an https URL")]
#[case::redirect(|issuer: &mut Behaviour| issuer.redirect = true, "the issuer redirects")]
#[case::endless_document(|issuer: &mut Behaviour| issuer.padding = 300 * 1024, "longer than 262144 bytes")]
#[case::no_keys(|issuer: &mut Behaviour| issuer.keys.clear(), "no key for RS256, PS256 or ES256")]
#[tokio::test]
async fn distrusts_an_issuer(#[case] change: fn(&mut Behaviour), #[case] cause: &str) {
    let world = World::new().await;
    change(&mut world.issuer.behaviour());
    distrusts(&world, cause).await;
}

#[tokio::test]
async fn gives_a_slow_issuer_up() {
    let world = World::with_settings(|settings| settings.timeout = Duration::from_millis(200)).await;
    world.issuer.behaviour().delay = Duration::from_secs(3600);
    distrusts(&world, "time-out").await;
}

#[tokio::test]
async fn fetches_no_keys_over_an_open_line() {
    let world = World::new().await;
    // The same keys, by an address that is no loopback address and yet leads here.
    let keys = format!("{}/keys", world.issuer.url.replace("127.0.0.1", "0.0.0.0"));
    world.issuer.behaviour().jwks_uri = Some(keys);
    distrusts(&world, "jwks_uri: must be an https URL").await;
}

#[tokio::test]
async fn passes_over_keys_that_it_does_not_know() {
    let world = World::new().await;
    let odd =
        [json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "a"}), json!({"use": 7}), json!("x")];
    world.issuer.behaviour().keys.splice(0..0, odd);
    world.web(&fresh(&world, NOW)).await.unwrap();
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
fn an_issuer_is_asked_over_tls(#[case] issuer: &str, #[case] accepted: bool) {
    let http = reqwest::Client::builder().build().unwrap();
    let settings = IssuerSettings { issuer: issuer.into(), ..IssuerSettings::default() };
    assert_eq!(IdTokenVerifier::new(settings, http).is_ok(), accepted);
}

#[tokio::test]
async fn nothing_of_a_token_is_logged() {
    let world = World::new().await;
    test_support::log::collect();
    let refused = world.token(json!({"auth_time": NOW - 301}));
    let accepted = world.token(json!({}));
    world.web(&refused).await.unwrap_err();
    world.tokens.verify_web_login(&accepted, NONCE, at(NOW), LOGIN_AGE).await.unwrap();
    world.agent(&accepted).await.unwrap();

    let log = test_support::log::collected();
    assert!(log.contains("age of the login"), "the log names the check that failed");
    for secret in [PERSON, NONCE, "subject-17"].into_iter().chain(accepted.split('.')).chain(refused.split('.').skip(1))
    {
        assert!(!log.contains(secret));
    }
}
