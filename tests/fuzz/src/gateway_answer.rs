//! Answers of the SMS gateway.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use temporary_pin::domain::dispatch::FailureKind;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::sms::gateway::{Gateway as _, OutgoingSms};
use temporary_pin::sms::gateways::{Account, CallLimits, Dialect, HttpGateway};
use tokio::runtime::{Builder, Runtime};

use super::{first_line, loopback, text};

const LEAST_VALIDITY: Duration = Duration::from_secs(60);

type Answer = Arc<Mutex<(u16, Vec<u8>)>>;

struct World {
    runtime: Runtime,
    gateway: HttpGateway,
    answer: Answer,
}

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let answer = Answer::default();
    let served_answer = Arc::clone(&answer);
    let address =
        loopback::serve(Arc::new(move |_| served_answer.lock().unwrap_or_else(PoisonError::into_inner).clone()));
    let url = format!("http://{address}/rest/mtsms").parse().expect("a URL");
    let limits = CallLimits { timeout: Duration::from_secs(20), idle_timeout: Duration::from_secs(60) };
    let token = Arc::new(ArcSwap::from_pointee("token".to_owned().into()));
    let account = Account { token, sender: "MitID".to_owned() };
    let gateway = HttpGateway::new(Dialect::GatewayApiLegacy, url, account, LEAST_VALIDITY, limits).expect("a client");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    Mutex::new(World { runtime, gateway, answer })
});

/// Input: `<status>\n<body>`. Only a status of success can be an acceptance, and without one the outcome is unknown. The result
/// contains nothing from the body but a reference of digits, or an error code of hexadecimal digits.
pub fn gateway_answer(data: &[u8]) -> bool {
    let (status, body) = first_line(data);
    let Some(status) = text(status).and_then(|status| status.parse::<u16>().ok()) else { return false };
    // A response with one of these statuses has no body or is not final, so it is not tested.
    if !(200..600).contains(&status) || [204, 205, 304].contains(&status) {
        return false;
    }
    let world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    *world.answer.lock().unwrap_or_else(PoisonError::into_inner) = (status, body.to_vec());
    let message = OutgoingSms {
        recipient: MobileNumber::parse("+4520123456").expect("a number"),
        text: "1234 5678".to_owned().into(),
        reference: "reference".to_owned(),
        validity: Duration::from_secs(60),
    };
    match world.runtime.block_on(world.gateway.send(&message)) {
        Ok(accepted) => {
            assert!((200..300).contains(&status));
            let reference = accepted.gateway_reference.unwrap_or_default();
            assert!(!reference.is_empty() && reference.bytes().all(|byte| byte.is_ascii_digit()), "{reference}");
            true
        }
        Err(failure) => {
            let reason = failure.reason;
            assert!(!(200..400).contains(&status) || failure.kind == FailureKind::Unknown, "{reason}");
            let code = reason.strip_prefix(&format!("status {status}")).expect("names the status");
            let is_code = |code: &str| code.bytes().all(|byte| byte.is_ascii_hexdigit()) && code.len() <= 14;
            assert!(code.is_empty() || code.strip_prefix(", code 0x").is_some_and(is_code), "{reason}");
            false
        }
    }
}
