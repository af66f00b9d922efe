//! The short way of a new message: from the order that queues it to the dispatcher of the same process.
//!
//! The row is inserted with a lease that the process already holds, so no dispatcher has to claim it. After the commit the
//! message goes to the dispatcher through a bounded channel. If the process crashes before the hand-over has begun, the lease
//! ends and any dispatcher claims the message: see [`outbox`](super::outbox).

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

use super::{ClaimedMessage, MessageKind};
use crate::random;

/// How long a new message is leased to the process that queues it: from the order's start until its hand-over has begun.
/// That takes some milliseconds. It is also how much later the SMS of a crashed process is sent.
pub const NEW_MESSAGE_LEASE: TimeDelta = TimeDelta::seconds(10);

/// The dispatcher's end of the channel.
pub type LocalHandoverQueue = mpsc::Receiver<ClaimedMessage>;

/// The end of the channel where orders reserve places for their messages. Cheap to clone.
#[derive(Clone)]
pub struct LocalHandovers(mpsc::Sender<ClaimedMessage>);

/// A place in the channel for one message, and the lease that the message must be inserted with. A place that is dropped
/// unused is free again.
pub struct HandoverPlace {
    lease: NewMessageLease,
    /// Taken when the place is used.
    permit: Mutex<Option<mpsc::OwnedPermit<ClaimedMessage>>>,
}

/// The lease that a new message is inserted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMessageLease {
    pub token: Uuid,
    pub expire_time: DateTime<Utc>,
}

/// A new PIN's message after its commit.
pub struct NewPinMessage {
    /// Its id in the outbox.
    pub id: Uuid,
    /// Recipient and text, sealed.
    pub sealed_body: Vec<u8>,
    /// From when it must not be sent any more.
    pub expire_time: DateTime<Utc>,
}

/// The channel with `capacity` places. The capacity bounds the memory of the messages that wait.
#[must_use]
pub fn channel(capacity: usize) -> (LocalHandovers, LocalHandoverQueue) {
    let (sender, queue) = mpsc::channel(capacity.clamp(1, Semaphore::MAX_PERMITS));
    (LocalHandovers(sender), queue)
}

impl LocalHandovers {
    /// Reserves a place. `None` if the channel is full or the dispatcher is stopping: then the message must be inserted without
    /// a lease, so that any dispatcher can claim it at once.
    #[must_use]
    pub fn reserve(&self, now: DateTime<Utc>) -> Option<HandoverPlace> {
        let permit = self.0.clone().try_reserve_owned().ok()?;
        let token = random::time_ordered_uuid(now, &mut random::secure());
        let lease = NewMessageLease { token, expire_time: now + NEW_MESSAGE_LEASE };
        Some(HandoverPlace { lease, permit: Mutex::new(Some(permit)) })
    }
}

impl HandoverPlace {
    /// The lease to insert the message with.
    #[must_use]
    pub const fn lease(&self) -> NewMessageLease {
        self.lease
    }

    /// Gives the dispatcher the message. Must follow the commit that has inserted it with [`Self::lease`]. A place serves one
    /// message: later calls do nothing.
    pub fn hand_over(&self, message: NewPinMessage) {
        if let Some(permit) = self.permit.lock().unwrap_or_else(PoisonError::into_inner).take() {
            permit.send(ClaimedMessage {
                id: message.id,
                kind: MessageKind::Pin,
                sealed_body: message.sealed_body,
                sends: 1,
                attempts: 0,
                unknown_outcomes: 0,
                expire_time: message.expire_time,
                lease_token: self.lease.token,
            });
        }
    }
}
