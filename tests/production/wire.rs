//! A client that speaks HTTP/2 by hand, so that it can misbehave.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use made_up_world::authority::Authority;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use test_support::installation::CALLERS;
use test_support::process::Process;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A name that may check.
pub(crate) const NAME: &str = CALLERS[0].1[0];

/// Types of frames.
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GO_AWAY: u8 = 7;

const DATA: u8 = 0;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// However slow the machine is.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection of a caller whom the service knows.
pub(crate) struct Wire(TlsStream<TcpStream>);

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The error code of RST_STREAM and GOAWAY, which ends the fixed part of both.
    pub(crate) fn error_code(&self) -> u32 {
        let at = if self.kind == GO_AWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// What a caller has whom the service knows.
pub(crate) fn caller(authority: &Authority, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
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
    Arc::new(config)
}

/// The handshake.
pub(crate) async fn shake_hands(process: &Process<'_>, caller: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(process.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(caller).connect(name, stream).await
}

impl Wire {
    /// Connects, and says hello as HTTP/2 wants it.
    pub(crate) async fn open(process: &Process<'_>, authority: &Authority) -> Self {
        let mut wire = Self(shake_hands(process, caller(authority, &rustls::version::TLS13)).await.unwrap());
        let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, &[])].concat();
        wire.send(&hello).await;
        wire
    }

    /// Sends bytes. The server may have gone already, which is seen when reading.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
        let _ = self.0.flush().await;
    }

    /// The next frame; none when the server has closed the connection.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let reading = async {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let [a, b, c, kind, _, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.0.read_exact(&mut payload).await.ok()?;
            Some(Frame { kind, stream: u32::from_be_bytes(stream), payload })
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("the server says something, or closes")
    }

    /// The next frame of that type, if one comes before the end.
    pub(crate) async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// All that comes until the server closes the connection.
    pub(crate) async fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Begins a call whose message does not come.
pub(crate) fn begin_call(stream: u32) -> Vec<u8> {
    let path = "/temporarypin.v1.TemporaryPinService/CheckEligibility";
    let headers = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let literal = |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
    let block: Vec<u8> =
        headers.iter().flat_map(|(name, value)| [vec![0], literal(name), literal(value)].concat()).collect();
    frame(HEADERS, END_HEADERS, stream, &block)
}

/// Sends an empty message, the call's last.
pub(crate) fn end_call(stream: u32) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, &[0; 5])
}

/// Takes a call back.
pub(crate) fn cancel_call(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}
