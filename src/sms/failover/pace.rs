//! How many messages one gateway gets: at once, and in a second. The limits are those of this instance.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// How often a message that waits for its turn looks again, if the rate keeps it.
const TURN_INTERVAL: Duration = Duration::from_millis(20);

/// The limits of one gateway.
pub(super) struct Pace {
    calls: Semaphore,
    rate: Option<Rate>,
}

/// A rate with room for the messages of one second.
struct Rate {
    interval: Duration,
    /// When the next message is due, if messages came evenly.
    next: Mutex<Instant>,
}

impl Pace {
    /// `connections`: most calls at once. `per_second`: most messages in a second. `None`: no limit.
    pub(super) fn new(connections: Option<usize>, per_second: Option<u32>) -> Self {
        let calls = connections.unwrap_or(Semaphore::MAX_PERMITS).clamp(1, Semaphore::MAX_PERMITS);
        let rate = per_second.map(|per_second| Rate {
            interval: Duration::from_secs(1) / per_second.max(1),
            next: Mutex::new(Instant::now()),
        });
        Self { calls: Semaphore::new(calls), rate }
    }

    /// A turn, if there is one now. It ends when it is dropped.
    pub(super) fn try_turn(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.calls.try_acquire().ok()?;
        self.rate.as_ref().is_none_or(Rate::try_spend).then_some(permit)
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.calls.acquire().await.ok()?;
        while self.rate.as_ref().is_some_and(|rate| !rate.try_spend()) {
            tokio::time::sleep(TURN_INTERVAL).await;
        }
        Some(permit)
    }
}

impl Rate {
    fn try_spend(&self) -> bool {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let due = (*next).max(now.checked_sub(Duration::from_secs(1)).unwrap_or(now));
        let is_due = due <= now;
        if is_due {
            *next = due + self.interval;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_gateway_gets_no_more_messages_than_its_rate() {
        let pace = Pace::new(None, Some(10));
        tokio::time::advance(Duration::from_secs(5)).await;
        let mut taken = 0;
        while pace.try_turn().is_some() {
            taken += 1;
        }
        assert!((10..=11).contains(&taken), "what one second allows: {taken}");
        tokio::time::advance(Duration::from_millis(300)).await;
        assert_eq!((0..10).filter(|_| pace.try_turn().is_some()).count(), 3);
        assert!(pace.turn().await.is_some(), "a turn comes");
    }

    #[tokio::test]
    async fn a_gateway_gets_no_more_calls_at_once_than_its_connections() {
        let pace = Pace::new(Some(2), None);
        let turns = [pace.try_turn().unwrap(), pace.try_turn().unwrap()];
        assert!(pace.try_turn().is_none());
        drop(turns);
        assert!(pace.try_turn().is_some());
    }
}
