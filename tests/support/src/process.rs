//! The running service of an installation.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use made_up_world::authority::{Authority, SignedCertificate};
use serde_json::Value;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::callers::CALLERS;
use crate::world::wait_until;

/// A debug build on a busy machine starts within this time.
const MAX_WAIT: Duration = Duration::from_secs(20);

pub struct Process<'a> {
    process: Child,
    authority: &'a Authority,
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Value>>>,
}

impl<'a> Process<'a> {
    /// Starts the service and waits until it listens.
    pub fn start(mut command: Command, authority: &'a Authority) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.by_ref().find(|line| line.contains("\"listening\"")).expect("it listens");
        let line: Value = serde_json::from_str(&line).unwrap();
        let address = line["address"].as_str().unwrap().parse().unwrap();
        let log = Arc::new(Mutex::new(vec![line]));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            lines.for_each(|line| kept.lock().unwrap().push(serde_json::from_str(&line).unwrap()));
        });
        Self { process, authority, address, log }
    }

    pub async fn wait_until_serving(&self) {
        let serving = async {
            let mut health = HealthClient::new(self.connect_as("web"));
            let mut answers = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
            while answers.message().await.unwrap().unwrap().status() != ServingStatus::Serving {}
        };
        tokio::time::timeout(MAX_WAIT, serving).await.expect("it serves");
    }

    /// Connects as a caller of the configuration.
    pub fn connect_as(&self, name: &str) -> Channel {
        let (_, sans, _) = CALLERS.iter().find(|caller| caller.0 == name).unwrap();
        self.connect_with_certificate(Some(&self.authority.sign(&sans[..1])))
    }

    /// Connects with this client certificate. `None`: without a certificate.
    pub fn connect_with_certificate(&self, certificate: Option<&SignedCertificate>) -> Channel {
        self.connect_trusting(self.authority, certificate)
    }

    /// Connects as a client that trusts another authority.
    pub fn connect_trusting(&self, trusted: &Authority, certificate: Option<&SignedCertificate>) -> Channel {
        let mut tls = ClientTlsConfig::new().ca_certificate(trusted.certificate()).domain_name("localhost");
        if let Some(certificate) = certificate {
            tls = tls.identity(certificate.identity());
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address)).unwrap();
        endpoint.tls_config(tls).unwrap().connect_lazy()
    }

    /// The log lines with this message.
    pub fn log_lines(&self, message: &str) -> Vec<Value> {
        self.log.lock().unwrap().iter().filter(|line| line["message"] == message).cloned().collect()
    }

    /// Waits for a log line with this message, because another thread reads the log. Returns all such lines.
    pub async fn wait_until_logged(&self, message: &str) -> Vec<Value> {
        wait_until(message, async || !self.log_lines(message).is_empty()).await;
        self.log_lines(message)
    }

    /// Sends SIGKILL: the service cannot clean up.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends SIGHUP.
    pub fn send_sighup(&self) {
        self.signal("HUP");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the service has ended.
    pub async fn wait(&mut self) -> ExitStatus {
        let ended = async {
            loop {
                match self.process.try_wait().unwrap() {
                    Some(status) => break status,
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        tokio::time::timeout(MAX_WAIT, ended).await.expect("it ends")
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
