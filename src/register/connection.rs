//! The connection to the register, which is replaced when it no longer responds.
//!
//! No keepalive PINGs are sent: servers in C++, Go, Java and Python allow one in five minutes by default, and close the
//! connection (`too_many_pings`) with every call on it. A dead connection shows by its silence instead: calls wait, and none has
//! been answered for some time. Such a call is sent again on a new connection, and the first answer counts, because the register
//! may just be slow.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::proto::identityregister::v1::identity_register_service_client::IdentityRegisterServiceClient;

/// Most bytes of an answer. The contract says so.
pub(super) const MAX_ANSWER_SIZE: usize = 64 * 1024;

pub(super) type Client = IdentityRegisterServiceClient<Channel>;

pub(super) struct Connection {
    endpoint: Endpoint,
    /// A connection on which no call has been answered for this long counts as dead.
    max_silence: Duration,
    current: Mutex<Arc<Opened>>,
}

/// One connection. tonic opens it when it is first used, and again when the other side closes it.
struct Opened {
    client: Client,
    waiting: Mutex<Waiting>,
}

/// The calls that wait for an answer.
#[derive(Default)]
struct Waiting {
    calls: usize,
    /// Since when none of them has been answered. `None`: no call has waited since the latest answer.
    since: Option<Instant>,
}

/// A call that waits, until it is dropped.
struct WaitingCall<'a> {
    opened: &'a Opened,
    max_silence: Duration,
}

impl Connection {
    pub(super) fn new(endpoint: Endpoint, max_silence: Duration) -> Self {
        let current = Mutex::new(Arc::new(Opened::new(&endpoint)));
        Self { endpoint, max_silence, current }
    }

    /// Makes a call. If the connection turns out to be dead, makes it on a new one too.
    pub(super) async fn call<A, F>(&self, send: impl Fn(Client) -> F) -> Result<A, Status>
    where
        F: Future<Output = Result<A, Status>>,
    {
        let opened = self.current();
        let mut first = std::pin::pin!(opened.call(&send, self.max_silence));
        loop {
            if let Ok(result) = timeout_at(opened.silent_since() + self.max_silence, &mut first).await {
                return result;
            }
            // Another call may have been answered while this one waited.
            if self.is_dead(&opened) {
                break;
            }
        }
        let reopened = self.replace(&opened);
        let second = std::pin::pin!(reopened.call(&send, self.max_silence));
        match select(first, second).await {
            Either::Left((Err(_), second)) => second.await,
            Either::Right((Err(_), first)) => first.await,
            Either::Left((result, _)) | Either::Right((result, _)) => result,
        }
    }

    fn current(&self) -> Arc<Opened> {
        let opened = Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner));
        // An earlier call may have ended with its deadline before it could find out.
        if self.is_dead(&opened) { self.replace(&opened) } else { opened }
    }

    fn is_dead(&self, opened: &Opened) -> bool {
        opened.lock().since.is_some_and(|since| since + self.max_silence <= Instant::now())
    }

    /// Replaces the dead connection, unless another call has already done so.
    fn replace(&self, dead: &Arc<Opened>) -> Arc<Opened> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, dead) {
            tracing::warn!("the connection to the identity register is silent and is replaced");
            *current = Arc::new(Opened::new(&self.endpoint));
        }
        Arc::clone(&current)
    }
}

impl Opened {
    fn new(endpoint: &Endpoint) -> Self {
        Self {
            client: Client::new(endpoint.connect_lazy()).max_decoding_message_size(MAX_ANSWER_SIZE),
            waiting: Mutex::default(),
        }
    }

    async fn call<A, F>(&self, send: impl Fn(Client) -> F, max_silence: Duration) -> Result<A, Status>
    where
        F: Future<Output = Result<A, Status>>,
    {
        self.lock().calls += 1;
        let _waiting = WaitingCall { opened: self, max_silence };
        self.silent_since();
        let result = send(self.client.clone()).await;
        self.lock().since = None;
        result
    }

    /// Since when this call or others wait in vain: since now, if the latest answer has just come.
    fn silent_since(&self) -> Instant {
        *self.lock().since.get_or_insert_with(Instant::now)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WaitingCall<'_> {
    /// A call that is given up early tells nothing about the connection.
    fn drop(&mut self) {
        let mut waiting = self.opened.lock();
        waiting.calls -= 1;
        if waiting.calls == 0 && waiting.since.is_some_and(|since| Instant::now() < since + self.max_silence) {
            waiting.since = None;
        }
    }
}
