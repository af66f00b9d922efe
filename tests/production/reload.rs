//! Replaces certificates while the service runs.

use std::time::Duration;

use made_up_world::authority::Authority;
use serde_json::json;
use temporary_pin::proto::temporarypin::v1::CheckEligibilityRequest;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use test_support::callers::CALLERS;
use test_support::installation::Installation;
use test_support::process::Process;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic::Code;
use tonic::transport::Channel;

/// A certificate name of the caller "phone", which may call CheckEligibility.
const PHONE_NAME: &str = CALLERS[1].1[0];

/// A text in a file that the log must not show.
const SECRET_TEXT: &str = "not-a-certificate";

const RELOADED: &str = "read again";
const NOT_RELOADED: &str = "cannot be read again; the earlier content stays in use";

async fn installation(interval: &str) -> Installation {
    let mut installation = Installation::new(&Sandbox::start(&[])).await;
    installation.set("SERVER__RELOAD_INTERVAL", interval);
    installation
}

/// Whether a call on this connection reaches the service, which refuses its empty message.
async fn is_served(channel: Channel) -> bool {
    let mut service = TemporaryPinServiceClient::new(channel);
    let refusal = service.check_eligibility(CheckEligibilityRequest::default()).await.unwrap_err();
    refusal.code() == Code::InvalidArgument
}

/// Whether a new connection works for a client that trusts `server` and has a certificate of `client`.
async fn accepts(process: &Process<'_>, server: &Authority, client: &Authority) -> bool {
    is_served(process.connect_trusting(server, Some(&client.sign(&[PHONE_NAME])))).await
}

/// Waits until the message was logged `times` times for the certificates.
async fn await_log(process: &Process<'_>, message: &str, times: usize) {
    let count = || process.log_lines(message).iter().filter(|line| line["role"] == "tls").count();
    wait_until(message, async || count() == times).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_use_new_certificates_and_open_ones_continue() {
    let mut world = World::with_sandbox(Sandbox::start(&["--people", "1"])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    installation.set("SERVER__RELOAD_INTERVAL", "50ms");
    let process = installation.start().await;
    let (old, new) = (&installation.authority, Authority::new());
    world.channel = process.connect_as("phone");
    let person = world.new_person().await;
    world.check_eligibility("phone", person.reference()).await.unwrap();

    // A call is running while the certificates are replaced.
    world.sandbox.post("/register", json!({ "mode": "slow", "seconds": 1 })).await;
    let change = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        installation.write("client-ca.pem", new.pem());
        installation.write_server(&new.sign(&["localhost"]));
        wait_until("the last change is loaded", async || accepts(&process, &new, &new).await).await;
    };
    let (checked, ()) = tokio::join!(world.check_eligibility("phone", person.reference()), change);
    checked.unwrap();
    world.sandbox.post("/register", json!({ "mode": "up" })).await;

    assert!(!accepts(&process, &new, old).await, "the old CA is removed");
    assert!(!accepts(&process, old, &new).await, "the old certificate is replaced");
    // The open connection was made with the old certificates.
    world.check_eligibility("phone", person.reference()).await.unwrap();
    process.wait_until_logged("handshake refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_ca_is_added_and_the_old_ca_is_removed() {
    let installation = installation("50ms").await;
    let process = installation.start().await;
    let (old, new) = (&installation.authority, Authority::new());
    assert!(!accepts(&process, old, &new).await);
    installation.write("client-ca.pem", &[old.pem(), new.pem()].concat());
    await_log(&process, RELOADED, 1).await;
    assert!(accepts(&process, old, &new).await && accepts(&process, old, old).await);
    installation.write("client-ca.pem", new.pem());
    await_log(&process, RELOADED, 2).await;
    assert!(accepts(&process, old, &new).await && !accepts(&process, old, old).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_files_are_not_loaded() {
    let installation = installation("50ms").await;
    let process = installation.start().await;
    let authority = &installation.authority;
    let signed = authority.sign(&["localhost"]);
    let invalid_contents = [
        // The certificate has been replaced, but its key has not.
        ("server.pem", signed.certificate.as_str(), "do not fit"),
        ("server.pem", SECRET_TEXT, "server.tls"),
        ("server.key", SECRET_TEXT, "server.tls"),
        (
            "client-ca.pem",
            &format!("-----BEGIN CERTIFICATE-----\n{SECRET_TEXT}\n-----END CERTIFICATE-----\n"),
            "server.tls.client_ca",
        ),
        ("client-ca.pem", "", "server.tls.client_ca"),
    ];
    for (index, (file, content, problem)) in invalid_contents.into_iter().enumerate() {
        let original = installation.read(file);
        installation.write(file, content);
        await_log(&process, NOT_RELOADED, index + 1).await;
        let line = process.log_lines(NOT_RELOADED).pop().unwrap();
        assert!(line["role"] == "tls" && line["error"].as_str().unwrap().contains(problem), "{line}");
        assert!(!line.to_string().contains(SECRET_TEXT), "{line}");
        assert!(accepts(&process, authority, authority).await, "{file} with {content:?}");
        installation.write(file, &original);
        await_log(&process, RELOADED, index + 1).await;
    }
    // Once certificate and key belong together, they are loaded.
    installation.write("server.pem", &signed.certificate);
    await_log(&process, NOT_RELOADED, invalid_contents.len() + 1).await;
    installation.write("server.key", &signed.key);
    await_log(&process, RELOADED, invalid_contents.len() + 1).await;
    assert!(accepts(&process, authority, authority).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reloads_at_once() {
    let installation = installation("1h").await;
    let process = installation.start().await;
    let (old, new) = (&installation.authority, Authority::new());
    installation.write("client-ca.pem", new.pem());
    assert!(accepts(&process, old, old).await, "the files have not been checked yet");
    process.send_sighup();
    await_log(&process, RELOADED, 1).await;
    assert!(accepts(&process, old, &new).await && !accepts(&process, old, old).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_is_logged_at_the_start_if_a_certificate_expires_soon() {
    let installation = installation("1h").await;
    let soon = temporary_pin::clock::Clock::now(&temporary_pin::clock::SystemClock) + chrono::TimeDelta::days(10);
    installation.write_server(&installation.authority.sign_until(&["localhost"], soon));
    let process = installation.start().await;
    let warnings = process.wait_until_logged("a certificate expires soon").await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0]["role"], "server");
}
