//! The interface to an SMS gateway.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::domain::dispatch::FailureKind;
use crate::domain::mobile::MobileNumber;

/// An SMS gateway. The implementations are in `gateways/`.
pub trait Gateway: Send + Sync + 'static {
    /// The longest time that [`Self::send`] takes.
    fn timeout(&self) -> Duration;

    /// The shortest validity that the gateway observes. It would deliver a message with less even after its expiry (R24).
    fn least_validity(&self) -> Duration;

    /// Hands over a message once. The dispatcher decides about another try.
    fn send(&self, message: &OutgoingSms) -> impl Future<Output = Result<Acceptance, SendFailure>> + Send;
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

/// The gateway has not accepted the message, or it is not known whether it has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendFailure {
    pub kind: FailureKind,
    /// Stored and logged, so it must not contain the number, the text, or anything else that the gateway wrote.
    pub reason: String,
    /// For how long the gateway asks for no further message.
    pub retry_after: Option<Duration>,
}

impl SendFailure {
    #[must_use]
    pub fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), retry_after: None }
    }
}
