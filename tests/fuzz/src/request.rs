//! Whole requests to the real server: framing, headers, decoding, conversion, statuses.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs, process};

use axum::http::HeaderMap;
use made_up_world::plaintext;
use reqwest::Client;
use temporary_pin::clock::SystemClock;
use temporary_pin::config::{Config, Role};
use temporary_pin::domain::channel::Channel;
use temporary_pin::grpc::authentication::{Caller, CallerResolver};
use temporary_pin::{keys, random, server};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{first_line, text};

/// Methods, each with the caller.
const METHODS: [(&str, &str); 8] = [
    ("TemporaryPinService/CheckEligibility", "web"),
    ("TemporaryPinService/VerifyIdentity", "web"),
    ("TemporaryPinService/VerifyIdentity", "phone"),
    ("TemporaryPinService/VerifyIdentity", "counter"),
    ("TemporaryPinService/IssueTemporaryPin", "phone"),
    ("RedemptionService/RedeemTemporaryPin", "redeemer"),
    ("RedemptionService/RedeemTemporaryPin", "web"),
    ("NoSuchService/Method", "web"),
];

/// Trusts the header that names the caller.
struct CallersByHeader;

impl CallerResolver for CallersByHeader {
    fn resolve(&self, headers: &HeaderMap) -> Option<Caller> {
        let name = headers.get("caller")?.to_str().ok()?;
        let role = Channel::from_name(name).map_or(Role::Redeemer, Role::Channel);
        Some(Caller { name: name.into(), roles: vec![role] })
    }
}

struct World {
    runtime: Runtime,
    client: Client,
    url: String,
}

/// A server without a working Redis or Postgres: a valid request fails at Redis.
static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let nowhere = "127.0.0.1:1";
    let ring = env::temp_dir().join(format!("fuzz-{}-keys.toml", process::id()));
    fs::write(&ring, keys::generate(&mut random::secure()).as_bytes()).expect("a directory for temporary files");
    let mut config = Config::default();
    config.postgres.url = format!("postgres://nobody@{nowhere}/none").into();
    config.redis.url = format!("redis://{nowhere}").into();
    config.register.url = format!("http://{nowhere}");
    config.web_login.0[0].issuer = format!("http://{nowhere}/persons");
    config.agent_login.0[0].issuer = format!("http://{nowhere}/agents");
    config.sms.gateway.url = format!("http://{nowhere}");
    config.keys.file.clone_from(&ring);
    let url = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/temporarypin.v1", listener.local_addr().expect("the port"));
        tokio::spawn(async move {
            let listeners = vec![plaintext::listen(listener, Arc::new(CallersByHeader)).expect("a loopback address")];
            let (clock, draws) = (Arc::new(SystemClock), Arc::new(|_| Box::new(random::secure()) as _));
            server::run(&config, clock, draws, listeners, std::future::pending()).await
        });
        url
    });
    let client = Client::builder().http2_prior_knowledge().timeout(Duration::from_secs(20)).build();
    Mutex::new(World { runtime, client: client.expect("an HTTP client"), url })
});

/// Input: `<method><framing><grpc-timeout>;<accept-language>\n<body>`. The body is one message, or the frames themselves.
///
/// Every request is refused with a reason of the contract, never as an internal error, and the refusal repeats no number of the
/// request.
pub fn request(data: &[u8]) -> bool {
    let (head, body) = first_line(data);
    let [which, framing, headers @ ..] = head else { return false };
    let (method, caller) = METHODS[usize::from(*which) % METHODS.len()];
    let framed = match framing % 2 {
        0 => [&[0], &u32::try_from(body.len()).unwrap_or_default().to_be_bytes()[..], body].concat(),
        _ => body.to_vec(),
    };
    let mut headers = headers.splitn(2, |byte| *byte == b';');
    let world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut request = world.client.post(format!("{}.{method}", world.url)).body(framed);
    request = request.header("content-type", "application/grpc").header("te", "trailers").header("caller", caller);
    for (name, value) in ["grpc-timeout", "accept-language"].into_iter().zip(&mut headers) {
        if let Ok(value) = axum::http::HeaderValue::from_bytes(value) {
            request = request.header(name, value);
        }
    }
    let response = world.runtime.block_on(async { request.send().await }).expect("the server answers");
    let status = Status::from_header_map(response.headers()).expect("a refusal");

    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("without a reason: {status:?}"));
    assert_eq!(info.domain, "temporarypin");
    let fine = [
        Code::InvalidArgument,
        Code::PermissionDenied,
        Code::Unauthenticated,
        Code::Unavailable,
        Code::DeadlineExceeded,
        Code::Unimplemented,
    ];
    // The server never gave out a verification id.
    let is_in_order = info.reason == "VERIFICATION_UNKNOWN";
    let is_too_large = info.reason == "MESSAGE_TOO_LARGE";
    assert!(is_in_order || is_too_large || fine.contains(&status.code()), "{status:?}");
    let told = format!("{} {details:?}", status.message());
    for number in numbers(body) {
        assert!(!told.contains(number), "repeats {number}: {told}");
    }
    is_in_order || status.code() == Code::Unavailable
}

/// Sequences of digits that are long enough for a CPR number, a mobile number or a PIN.
fn numbers(body: &[u8]) -> impl Iterator<Item = &str> {
    body.split(|byte| !byte.is_ascii_digit()).filter(|run| run.len() >= 8).filter_map(text)
}
