//! Reuses one connection from batch to batch: sqlx's pool pings on every release, which costs both sides as much as a small
//! statement.

use std::mem;
use std::ops::AsyncFnOnce;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::Instant;

use super::StoreError;
use super::checked_out::{CheckedOut, run_on};
use super::pool::ping_if_idle;

/// Keeps the connection of one kind of batch between two batches. Cheap to clone.
#[derive(Clone)]
pub(in crate::store) struct StickyConnection {
    pool: PgPool,
    slot: Arc<Slot>,
}

#[derive(Default)]
struct Slot(Mutex<Option<KeptConnection>>);

struct KeptConnection {
    connection: PoolConnection<Postgres>,
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
                drop(kept.swap(None));
            }
        });
        Self { pool, slot }
    }

    /// Runs `work`, which may change something, like [`write`](super::write), but without a deadline or span.
    pub(in crate::store) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (result, connection) = run_on(self.check_out().await?, work).await;
        if let (Ok(_), Some(connection)) = (&result, connection) {
            self.keep(connection);
        }
        result
    }

    async fn check_out(&self) -> Result<CheckedOut, StoreError> {
        if let Some(KeptConnection { connection, idle_since }) = self.slot.swap(None) {
            let mut connection = CheckedOut::new(connection);
            if let Some(inner) = connection.get_mut()
                && ping_if_idle(inner, idle_since.elapsed()).await.is_ok()
            {
                return Ok(connection);
            }
        }
        Ok(CheckedOut::new(self.pool.acquire().await?))
    }

    /// Keeps the connection for the next batch, unless the pool has no other connection left for other callers.
    fn keep(&self, connection: PoolConnection<Postgres>) {
        let has_more = self.pool.num_idle() > 0 || self.pool.size() < self.pool.options().get_max_connections();
        if has_more && !self.pool.is_closed() {
            drop(self.slot.swap(Some(KeptConnection { connection, idle_since: Instant::now() })));
        }
    }
}

impl Slot {
    fn swap(&self, connection: Option<KeptConnection>) -> Option<KeptConnection> {
        mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), connection)
    }
}
