//! A client that sends single HTTP/2 frames, so that it can violate the protocol.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use made_up_world::authority::Authority;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use test_support::callers::CALLERS;
use test_support::process::Process;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate name of the caller "web", which may call CheckEligibility.
pub(crate) const WEB_NAME: &str = CALLERS[0].1[0];

/// Types of HTTP/2 frames.
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GO_AWAY: u8 = 7;

const DATA: u8 = 0;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Longest wait for a frame, enough for a slow machine.
const FRAME_TIMEOUT: Duration = Duration::from_secs(20);

/// An HTTP/2 connection of a configured caller.
pub(crate) struct Http2Client(TlsStream<TcpStream>);

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The error code of an RST_STREAM or GOAWAY frame. In GOAWAY, it follows the four bytes of the last stream id.
    pub(crate) fn error_code(&self) -> u32 {
        let at = if self.kind == GO_AWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// The TLS configuration of a configured caller.
pub(crate) fn caller_tls(authority: &Authority, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let signed = authority.sign(&[WEB_NAME]);
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

/// Connects and performs the TLS handshake.
pub(crate) async fn shake_hands(process: &Process<'_>, caller: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(process.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(caller).connect(name, stream).await
}

impl Http2Client {
    /// Connects, and sends the HTTP/2 connection preface.
    pub(crate) async fn open(process: &Process<'_>, authority: &Authority) -> Self {
        let mut client = Self(shake_hands(process, caller_tls(authority, &rustls::version::TLS13)).await.unwrap());
        let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, &[])].concat();
        client.send(&preface).await;
        client
    }

    /// Sends bytes. Errors are ignored: if the server has closed the connection, reading shows it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
        let _ = self.0.flush().await;
    }

    /// The next frame. `None` if the server has closed the connection.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let reading = async {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let [a, b, c, kind, _, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.0.read_exact(&mut payload).await.ok()?;
            Some(Frame { kind, stream: u32::from_be_bytes(stream), payload })
        };
        tokio::time::timeout(FRAME_TIMEOUT, reading).await.expect("the server sends a frame, or closes")
    }

    /// The next frame of this type. `None` if the server closes the connection first.
    pub(crate) async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// All frames until the server closes the connection.
    pub(crate) async fn read_to_end(&mut self) -> Vec<Frame> {
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

/// Starts a call without sending its message.
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

/// Sends an empty message and ends the request.
pub(crate) fn end_call(stream: u32) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, &[0; 5])
}

/// Cancels a call.
pub(crate) fn cancel_call(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}
