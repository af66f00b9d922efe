//! Whoever cannot prove who they are gets no further than the handshake.

use std::sync::Arc;

use rstest::rstest;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use temporary_pin::proto::temporarypin::v1::CheckEligibilityRequest;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::authority::{Authority, Signed};
use crate::installation::{CALLERS, Installation};
use crate::process::Process;
use crate::sandbox::Sandbox;
use crate::world::until;

/// A name that may check.
const NAME: &str = CALLERS[0].1[0];

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
    shake_hands(&process, &installation.authority, &rustls::version::TLS13).await.unwrap();
    shake_hands(&process, &installation.authority, &rustls::version::TLS12).await.unwrap_err();
    assert_refused(&process).await;
}

/// As a caller whom the service knows.
async fn shake_hands(
    process: &Process<'_>,
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let signed = authority.sign(&[NAME]);
    let certificate = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(process.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map(drop)
}
