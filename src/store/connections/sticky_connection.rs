//! Reuses one connection from batch to batch: sqlx's pool pings on every release, which costs both sides as much as a small
//! statement. From time to time the connection goes back, so that the pool can replace it.

use std::ops::AsyncFnOnce;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::time::Instant;

use super::StoreError;
use super::checked_out::{CheckedOut, run_on};
use super::pool::can_write_after_idle;

/// How long a connection stays with its batches before it goes back to the pool, which knows its age.
const MAX_STAY: Duration = Duration::from_secs(60);

/// Keeps the connection of one kind of batch between two batches. Cheap to clone.
#[derive(Clone)]
pub(in crate::store) struct StickyConnection {
    pool: PgPool,
    slot: Arc<Slot>,
}

#[derive(Default)]
struct Slot(Mutex<Option<KeptConnection>>);

struct KeptConnection {
    connection: CheckedOut,
    /// When it left the pool.
    out_since: Instant,
    idle_since: Instant,
}

impl StickyConnection {
    /// Starts empty; the first batch takes a connection from `pool`. Must be called within a runtime.
    pub(in crate::store) fn new(pool: PgPool) -> Self {
        let slot = Arc::<Slot>::default();
        // Closing the pool waits until all connections are back, so the kept one must go back as well.
        let (closed, kept) = (pool.close_event(), Arc::downgrade(&slot));
        tokio::spawn(async move {
            closed.await;
            if let Some(kept) = kept.upgrade() {
                kept.give_back();
            }
        });
        Self { pool, slot }
    }

    /// Runs `work`, which may change something, like [`write`](super::write), but without a deadline or span.
    pub(in crate::store) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (connection, out_since) = self.check_out().await?;
        let (result, connection) = run_on(connection, work).await;
        if let Some(connection) = connection {
            if result.is_ok() && out_since.elapsed() < MAX_STAY && self.may_keep() {
                self.slot.keep(KeptConnection { connection, out_since, idle_since: Instant::now() });
            } else {
                connection.give_back();
            }
        }
        result
    }

    /// The kept connection or one of the pool, and when it left the pool.
    async fn check_out(&self) -> Result<(CheckedOut, Instant), StoreError> {
        if let Some(KeptConnection { mut connection, out_since, idle_since }) = self.slot.take()
            && let Some(inner) = connection.get_mut()
            && can_write_after_idle(inner, idle_since.elapsed()).await.unwrap_or(false)
        {
            return Ok((connection, out_since));
        }
        Ok((CheckedOut::new(self.pool.acquire().await?), Instant::now()))
    }

    /// Whether the pool has another connection left for other callers.
    fn may_keep(&self) -> bool {
        let has_more = self.pool.num_idle() > 0 || self.pool.size() < self.pool.options().get_max_connections();
        has_more && !self.pool.is_closed()
    }
}

impl Slot {
    fn take(&self) -> Option<KeptConnection> {
        self.lock().take()
    }

    fn keep(&self, connection: KeptConnection) {
        let before = self.lock().replace(connection);
        if let Some(before) = before {
            before.connection.give_back();
        }
    }

    fn give_back(&self) {
        if let Some(kept) = self.take() {
            kept.connection.give_back();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<KeptConnection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.give_back();
    }
}
