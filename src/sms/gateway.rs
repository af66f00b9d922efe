//! The interface to an SMS gateway.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::domain::mobile::MobileNumber;

/// An SMS gateway. The implementations are in `gateways/`.
pub trait Gateway: Send + Sync + 'static {
    /// The longest time that [`Self::send`] takes.
    fn timeout(&self) -> Duration;

    /// Hands over a message once. The dispatcher decides about another try.
    fn send(&self, message: &OutgoingSms) -> impl Future<Output = Result<Acceptance, GatewayError>> + Send;
}

/// A message to hand over. Does not implement `Debug`, so that it cannot be logged.
pub struct OutgoingSms {
    pub recipient: MobileNumber,
    /// The text: one segment of GSM-7 characters (R24).
    pub text: Zeroizing<String>,
    /// Our reference, `<message id>.<number of the send>`. The gateway repeats it in its receipts.
    pub reference: String,
    /// How long the network may try to deliver it (R24).
    pub validity: Duration,
}

/// The gateway has accepted the message. A receipt tells later whether the phone has received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The reference that the gateway gave the message, if any.
    pub gateway_reference: Option<String>,
}

/// The gateway has not accepted the message, or it is not known whether it has. The reasons are stored and logged, so they must
/// not contain the number or the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// Not accepted; a later try may succeed.
    #[error("{0}")]
    Temporary(String),
    /// Not accepted; no later try can succeed.
    #[error("{0}")]
    Permanent(String),
    /// Not known: the message was sent to the gateway, but there was no clear response. After a second try the phone could
    /// receive the message twice.
    #[error("{0}")]
    Unknown(String),
}
