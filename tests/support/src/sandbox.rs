//! A sandbox process that one test starts for itself.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::programs;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

pub struct Sandbox {
    process: Child,
    client: Client,
    pub http_url: String,
    pub grpc_url: String,
    /// `HOST:PORT` of the service over mutual TLS.
    pub tls_address: String,
}

impl Sandbox {
    /// Starts a sandbox and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(Self::command(arguments))
    }

    /// The command that starts a sandbox on free ports. Its warnings are printed with the test's output.
    pub fn command(arguments: &[&str]) -> Command {
        for name in ["DATABASE_URL", "REDIS_URL"] {
            assert!(env::var_os(name).is_some(), "{name} must name a server for tests; deploy/local/test sets it");
        }
        let mut command = Command::new(programs::sandbox());
        command.args(["serve", "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"]);
        command.args(["--tls-address", "127.0.0.1:0"]).args(arguments);
        command.env("RUST_LOG", "warn");
        command
    }

    /// Runs a command from [`Self::command`], and waits until the sandbox is ready.
    pub fn spawn(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (grpc, rest) = line.strip_prefix("ready grpc=").unwrap().trim_end().split_once(" http=").unwrap();
        let (http, tls) = rest.split_once(" tls=").unwrap();
        for address in [grpc, http, tls] {
            assert!(address.starts_with("127.0.0.1:") && !address.ends_with(":0"), "{line}");
        }
        let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self {
            process,
            client,
            http_url: format!("http://{http}"),
            grpc_url: format!("http://{grpc}"),
            tls_address: tls.to_owned(),
        }
    }

    /// Connects over mutual TLS with the certificate of this caller.
    pub async fn connect_as(&self, name: &str) -> Channel {
        let files = &self.get("/certificates").await["callers"][name];
        let identity = Identity::from_pem(pem(&files["certificate"]), pem(&files["key"]));
        let endpoint = Endpoint::from_shared(format!("https://{}", self.tls_address)).unwrap();
        endpoint.tls_config(self.tls().await.identity(identity)).unwrap().connect_lazy()
    }

    /// The TLS settings of a client that trusts the service.
    pub async fn tls(&self) -> ClientTlsConfig {
        let ca = pem(&self.get("/certificates").await["ca"]);
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca))
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.http_url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    pub async fn text(&self, path: &str) -> String {
        self.client.get(format!("{}{path}", self.http_url)).send().await.unwrap().text().await.unwrap()
    }

    pub async fn try_post(&self, path: &str, body: impl ToString) -> Response {
        self.client.post(format!("{}{path}", self.http_url)).body(body.to_string()).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let response = self.try_post(path, &body).await;
        assert_eq!(response.status(), StatusCode::OK, "{path} {body}");
        response.json().await.unwrap()
    }

    /// Sends a message to the gateway as the service does.
    pub async fn send_sms(&self, token: &str, body: Value) -> StatusCode {
        let request = self.client.post(format!("{}/rest/mtsms", self.http_url)).basic_auth(token, Some(""));
        request.json(&body).send().await.unwrap().status()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Stops the sandbox and waits until it has ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.process.wait().unwrap()
    }

    /// Waits until the sandbox has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

fn pem(path: &Value) -> Vec<u8> {
    std::fs::read(path.as_str().unwrap()).unwrap()
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Do not wait: the sandbox waits for its callers, which end only with the test's runtime.
        if let Ok(None) = self.process.try_wait() {
            self.terminate();
        }
    }
}
