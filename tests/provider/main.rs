//! Tokens of an OpenID provider that nobody here wrote (npm `oidc-provider`), end to end: a frontend is its client, a browser
//! logs in, and the production binary takes the tokens.
//!
//! `deploy/local/provider` installs the provider's packages and runs these tests.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{Reason, VerifyIdentityResponse, WebLogin};
use test_support::acts::reasons;
use test_support::calls::uuid;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::sandbox::Sandbox;
use test_support::world::World;

/// The provider, with a browser for each person.
struct Provider {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    issuer: String,
}

/// A login that the provider has answered.
struct Login {
    tokens: Value,
    nonce: String,
}

impl Provider {
    fn start() -> Self {
        let program = std::env::var("OIDC_PROVIDER").expect("OIDC_PROVIDER: run deploy/local/provider");
        let mut process =
            Command::new("node").arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut provider = Self { process, input, output, issuer: String::new() };
        provider.issuer = provider.read_answer()["issuer"].as_str().unwrap().to_owned();
        provider
    }

    fn read_answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Logs in with the provider. `options` are further parameters of the request.
    fn log_in(&mut self, person: &Person, options: Value) -> Login {
        let mut request = options;
        let nonce = uuid().to_string();
        request["mitid_uuid"] = person.0["mitid_uuid"].clone();
        request["nonce"] = nonce.clone().into();
        writeln!(self.input, "{request}").unwrap();
        let tokens = self.read_answer();
        assert_eq!(tokens["error"], Value::Null);
        Login { tokens, nonce }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Login {
    fn was_prompted(&self) -> bool {
        self.tokens["was_prompted"].as_bool().unwrap()
    }

    fn claims(&self, token: &str) -> Value {
        let claims = self.tokens[token].as_str().unwrap().split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }

    fn auth_time(&self) -> i64 {
        self.claims("id_token")["auth_time"].as_i64().unwrap()
    }
}

/// A sandbox, and an installation that trusts the provider instead of the sandbox's issuer.
async fn install_for(provider: &Provider, audience: &str) -> (World, Installation) {
    let world = World::with_sandbox(Sandbox::start(&[])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    installation.set("WEB_LOGIN__ISSUER", &provider.issuer);
    installation.set("WEB_LOGIN__AUDIENCE", audience);
    installation.set("WEB_LOGIN__USERINFO_TOKEN", "true");
    (world, installation)
}

async fn verify(world: &World, login: &Login, with_userinfo: bool) -> VerifyIdentityResponse {
    let text = |name: &str| login.tokens[name].as_str().unwrap().to_owned();
    let login = WebLogin {
        id_token: text("id_token"),
        nonce: login.nonce.clone(),
        userinfo_token: if with_userinfo { text("userinfo_token") } else { String::new() },
    };
    world.verify("web", Evidence::WebLogin(login)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs npm packages: deploy/local/provider"]
async fn r23_logins_with_a_provider_of_others_are_accepted() {
    let mut provider = Provider::start();
    let (mut world, installation) = install_for(&provider, "profile-page").await;
    let process = installation.start().await;
    world.channel = process.connect_as("web");
    let anna = world.person("anna").await;

    let first = provider.log_in(&anna, json!({ "prompt": "login", "max_age": 300 }));
    assert!(first.was_prompted());
    let verified = verify(&world, &first, false).await;
    assert_eq!(verified.state(), State::Verified, "{:?}", reasons(&verified));
    assert_eq!(reasons(&verify(&world, &first, false).await), [Reason::LoginNotAccepted], "the nonce is used up");

    // The provider has a session with the browser: without prompt=login it answers the first login's time, and nobody logs in.
    let again = provider.log_in(&anna, json!({ "max_age": 300 }));
    assert!(!again.was_prompted());
    assert_eq!(again.auth_time(), first.auth_time());
    let fresh = provider.log_in(&anna, json!({ "prompt": "login", "max_age": 300 }));
    assert!(fresh.was_prompted());
    assert_eq!(verify(&world, &fresh, true).await.state(), State::Verified, "both tokens name the person");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs npm packages: deploy/local/provider"]
async fn r23_signed_userinfo_names_the_person_where_the_id_token_does_not() {
    let mut provider = Provider::start();
    let (mut world, installation) = install_for(&provider, "profile-page").await;
    let process = installation.start().await;
    world.channel = process.connect_as("web");
    let (anna, bjarne) = (world.person("anna").await, world.person("bjarne").await);
    let options = json!({ "prompt": "login", "userinfo_alone": true });

    let login = provider.log_in(&anna, options.clone());
    assert_eq!(login.claims("id_token").get("mitid.uuid"), None);
    assert_eq!(reasons(&verify(&world, &login, false).await), [Reason::LoginNotAccepted]);
    let other = provider.log_in(&bjarne, options);
    let mixed = Login {
        tokens: json!({ "id_token": login.tokens["id_token"], "userinfo_token": other.tokens["userinfo_token"] }),
        nonce: login.nonce.clone(),
    };
    assert_eq!(reasons(&verify(&world, &mixed, true).await), [Reason::LoginNotAccepted]);
    assert_eq!(verify(&world, &login, true).await.state(), State::Verified);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs npm packages: deploy/local/provider"]
async fn r23_a_token_for_another_client_of_the_provider_is_refused() {
    let mut provider = Provider::start();
    let (mut world, installation) = install_for(&provider, "another-client").await;
    let process = installation.start().await;
    world.channel = process.connect_as("web");
    let login = provider.log_in(&world.person("anna").await, json!({ "prompt": "login" }));
    assert_eq!(reasons(&verify(&world, &login, false).await), [Reason::LoginNotAccepted]);
}
