//! A fake HTTP server that answers every request in one way, well or badly, and remembers the requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does after it has read a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Status {
        status: u16,
        headers: Vec<String>,
        body: String,
        keep_alive: bool,
    },
    /// Writes these bytes and closes the connection.
    Raw(&'static str),
    /// Status 200, and a body that goes on for as long as it is read.
    Endless,
    /// Closes the connection with a reset.
    Reset,
    /// Keeps the connection and writes nothing.
    Silent,
}

impl Reply {
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Status { status, headers: Vec::new(), body: body.to_owned(), keep_alive: false }
    }

    pub(crate) fn with_header(mut self, header: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push(header.to_owned());
        }
        self
    }

    pub(crate) fn kept_alive(mut self) -> Self {
        if let Self::Status { keep_alive, .. } = &mut self {
            *keep_alive = true;
        }
        self
    }
}

/// A request as it came: the head, and the body.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) struct FakeServer {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
}

impl FakeServer {
    pub(crate) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            requests: Arc::default(),
            connections: Arc::default(),
        };
        let (requests, connections) = (Arc::clone(&server.requests), Arc::clone(&server.connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, reply.clone(), Arc::clone(&requests)));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/send", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, requests: Arc<Mutex<Vec<Request>>>) {
    while let Some(request) = read_request(&mut stream).await {
        requests.lock().unwrap().push(request);
        match &reply {
            Reply::Status { status, headers, body, keep_alive } => {
                let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
                let length = if *status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
                let answer = format!("HTTP/1.1 {status} Answer\r\n{headers}{length}\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
                if *keep_alive {
                    continue;
                }
            }
            Reply::Raw(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
            Reply::Endless => {
                let begin = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                stream.write_all(begin.as_bytes()).await.unwrap();
                while stream.write_all(b"8\r\n{\"ids\": \r\n").await.is_ok() {}
            }
            Reply::Reset => stream.set_zero_linger().unwrap(),
            Reply::Silent => std::future::pending().await,
        }
        return;
    }
}

/// Reads one request. `None`: the connection has ended, or this is no HTTP.
async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().split_once("content-length: ").map_or(0, |(_, after)| {
                after.split("\r\n").next().and_then(|length| length.parse::<usize>().ok()).unwrap_or(0)
            });
            if body.len() >= length {
                return Some(Request { head: head.to_owned(), body: body.to_owned() });
            }
        }
        // The beginning of a TLS handshake.
        if bytes.first() == Some(&22) {
            return Some(Request { head: String::new(), body: String::new() });
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
