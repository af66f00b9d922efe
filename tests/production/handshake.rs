//! Whoever cannot prove who they are gets no further than the handshake.

use std::sync::Arc;

use made_up_world::authority::{Authority, Signed};
use rstest::rstest;
use rustls::HandshakeKind;
use temporary_pin::proto::temporarypin::v1::CheckEligibilityRequest;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use test_support::installation::Installation;
use test_support::process::Process;
use test_support::sandbox::Sandbox;
use test_support::world::until;
use tokio::io::AsyncReadExt as _;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::wire::{NAME, caller, shake_hands};

async fn check(channel: Channel) -> Status {
    let mut service = TemporaryPinServiceClient::new(channel);
    service.check_eligibility(CheckEligibilityRequest::default()).await.unwrap_err()
}

/// The connection broke: nobody has answered.
fn assert_no_answer(status: &Status) {
    assert!(status.metadata().is_empty() && status.details().is_empty(), "{status:?}");
    assert!(std::error::Error::source(status).is_some(), "{status:?}");
}

/// Refused, and noted once; no call was seen.
async fn assert_refused(process: &Process<'_>) {
    until("the refusal is noted", async || process.logged("handshake refused").len() == 1).await;
    assert_eq!(process.logged("call").len(), 0);
}

#[rstest]
#[case::no_certificate(|_: &Authority| None)]
#[case::of_another_authority(|_: &Authority| Some(Authority::new().sign(&[NAME])))]
#[case::expired(|ours: &Authority| Some(ours.sign_expired(&[NAME])))]
#[case::not_yet_valid(|ours: &Authority| Some(ours.sign_not_yet_valid(&[NAME])))]
#[case::for_servers_alone(|ours: &Authority| Some(ours.sign_for_servers(&[NAME])))]
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_ours_is_needed(#[case] certificate: fn(&Authority) -> Option<Signed>) {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    let certificate = certificate(&installation.authority);
    assert_no_answer(&check(process.with(certificate.as_ref())).await);
    assert_refused(&process).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plaintext_is_refused() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    let endpoint = Endpoint::from_shared(format!("http://{}", process.address)).unwrap();
    assert_no_answer(&check(endpoint.connect_lazy()).await);
    assert_refused(&process).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_3_alone_is_spoken() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    shake_hands(&process, caller(&installation.authority, &rustls::version::TLS13)).await.unwrap();
    shake_hands(&process, caller(&installation.authority, &rustls::version::TLS12)).await.unwrap_err();
    assert_refused(&process).await;
}

/// A session that is resumed would show no certificate: one that has expired since would go on serving.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_shown_on_each_connection() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    let caller = caller(&installation.authority, &rustls::version::TLS13);
    for _ in 0..3 {
        let mut stream = shake_hands(&process, Arc::clone(&caller)).await.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        // Tickets for a resumption would come with the server's first words.
        stream.read_u8().await.unwrap();
    }
}
