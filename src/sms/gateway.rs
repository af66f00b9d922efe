//! The port to an SMS gateway.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::domain::mobile::MobileNumber;

/// Takes messages for delivery.
pub trait Gateway: Send + Sync + 'static {
    /// The longest time that [`Self::send`] takes.
    fn timeout(&self) -> Duration;

    /// Hands a message over, once: the dispatcher decides about another try.
    fn send(&self, message: &OutgoingSms) -> impl Future<Output = Result<Acceptance, GatewayError>> + Send;
}

/// A message to hand over. Has no `Debug`.
pub struct OutgoingSms {
    /// Whose phone.
    pub recipient: MobileNumber,
    /// What it says: GSM-7, one segment.
    pub text: Zeroizing<String>,
    /// Our reference, `<message id>.<send>`: the gateway's receipts carry it.
    pub reference: String,
    /// How long the network may try to deliver it (R24).
    pub validity: Duration,
}

/// The gateway has taken the message. Whether the phone receives it is told by a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The gateway's own reference, if it gave one.
    pub gateway_reference: Option<String>,
}

/// The gateway has not, or perhaps not, taken the message. The reasons are stored and logged: no number, no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// Not taken; a later try may succeed.
    #[error("{0}")]
    Temporary(String),
    /// Not taken; no try will succeed.
    #[error("{0}")]
    Permanent(String),
    /// Perhaps taken: the message went out, but no answer came. A second try could reach the phone twice.
    #[error("{0}")]
    Unknown(String),
}
