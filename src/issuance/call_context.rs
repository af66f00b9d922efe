//! What a use case knows of its call.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::domain::channel::Channel;

/// One call of a channel: who calls, through which channel, and when.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// Name of the caller.
    pub caller: Arc<str>,
    /// The channel of the caller.
    pub channel: Channel,
    /// The time of the call. It is read once and used for every decision of the call.
    pub now: DateTime<Utc>,
    /// Is cancelled when the caller has gone away.
    pub gone: CancellationToken,
}
