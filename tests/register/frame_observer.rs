//! A proxy that notes the types of the HTTP/2 frames that a client sends (RFC 9113, 4.1).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const HEADERS: u8 = 1;
pub(crate) const PING: u8 = 6;

/// What a client sends before its first frame.
const PREFACE_LENGTH: usize = 24;
const FRAME_HEADER_LENGTH: usize = 9;
const ACK: u8 = 1;

pub(crate) struct FrameObserver {
    address: SocketAddr,
    types: Arc<Mutex<Vec<u8>>>,
}

impl FrameObserver {
    /// Passes everything on to `target`.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let types = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&types);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(target).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let mut preface = [0; PREFACE_LENGTH];
                    from_client.read_exact(&mut preface).await?;
                    to_server.write_all(&preface).await?;
                    loop {
                        let mut header = [0; FRAME_HEADER_LENGTH];
                        from_client.read_exact(&mut header).await?;
                        let [high, middle, low, kind, flags, ..] = header;
                        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
                        from_client.read_exact(&mut payload).await?;
                        // The answer to a PING of the server is no PING of the client.
                        if kind != PING || flags & ACK == 0 {
                            noted.lock().unwrap().push(kind);
                        }
                        to_server.write_all(&header).await?;
                        to_server.write_all(&payload).await?;
                    }
                    #[allow(unreachable_code, reason = "gives the block its type")]
                    std::io::Result::Ok(())
                });
            }
        });
        Self { address, types }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many frames of this type the client has sent.
    pub(crate) fn frames(&self, kind: u8) -> usize {
        self.types.lock().unwrap().iter().filter(|noted| **noted == kind).count()
    }
}
