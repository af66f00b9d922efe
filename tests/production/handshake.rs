//! The TLS handshake: it rejects clients without a valid certificate, plaintext and old TLS versions, and resumes no session.

use std::sync::Arc;

use made_up_world::authority::{Authority, SignedCertificate};
use rstest::rstest;
use rustls::HandshakeKind;
use temporary_pin::proto::temporarypin::v1::CheckEligibilityRequest;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use test_support::installation::Installation;
use test_support::process::Process;
use test_support::sandbox::Sandbox;
use test_support::world::wait_until;
use tokio::io::AsyncReadExt as _;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::http2_client::{WEB_NAME, caller_tls, shake_hands};

async fn check_eligibility(channel: Channel) -> Status {
    let mut service = TemporaryPinServiceClient::new(channel);
    service.check_eligibility(CheckEligibilityRequest::default()).await.unwrap_err()
}

/// The connection failed, and the service did not answer.
fn assert_no_answer(status: &Status) {
    assert!(status.metadata().is_empty() && status.details().is_empty(), "{status:?}");
    assert!(std::error::Error::source(status).is_some(), "{status:?}");
}

/// The handshake was refused and logged once, and there was no call.
async fn assert_refused(process: &Process<'_>) {
    wait_until("the refusal is logged", async || process.log_lines("handshake refused").len() == 1).await;
    assert_eq!(process.log_lines("call").len(), 0);
}

#[rstest]
#[case::no_certificate(|_: &Authority| None)]
#[case::of_another_ca(|_: &Authority| Some(Authority::new().sign(&[WEB_NAME])))]
#[case::expired(|authority: &Authority| Some(authority.sign_expired(&[WEB_NAME])))]
#[case::not_yet_valid(|authority: &Authority| Some(authority.sign_not_yet_valid(&[WEB_NAME])))]
#[case::for_servers_only(|authority: &Authority| Some(authority.sign_for_servers(&[WEB_NAME])))]
#[tokio::test(flavor = "multi_thread")]
async fn a_client_needs_a_valid_certificate_of_the_configured_ca(
    #[case] sign: fn(&Authority) -> Option<SignedCertificate>,
) {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    let certificate = sign(&installation.authority);
    assert_no_answer(&check_eligibility(process.connect_with_certificate(certificate.as_ref())).await);
    assert_refused(&process).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plaintext_is_refused() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    let endpoint = Endpoint::from_shared(format!("http://{}", process.address)).unwrap();
    assert_no_answer(&check_eligibility(endpoint.connect_lazy()).await);
    assert_refused(&process).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tls_1_3_is_accepted() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    shake_hands(&process, caller_tls(&installation.authority, &rustls::version::TLS13)).await.unwrap();
    shake_hands(&process, caller_tls(&installation.authority, &rustls::version::TLS12)).await.unwrap_err();
    assert_refused(&process).await;
}

/// A client that resumes a session shows no certificate. A certificate that has expired since would then still work.
#[tokio::test(flavor = "multi_thread")]
async fn every_connection_needs_a_full_handshake() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    let caller = caller_tls(&installation.authority, &rustls::version::TLS13);
    for _ in 0..3 {
        let mut stream = shake_hands(&process, Arc::clone(&caller)).await.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        // Session tickets would arrive together with the server's first data.
        stream.read_u8().await.unwrap();
    }
}
