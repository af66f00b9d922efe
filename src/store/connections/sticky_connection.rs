//! The connection that a batch hands on to the next one. The pool asks each that comes back whether it lives, which costs
//! both sides as much as a small statement.

use std::mem;
use std::ops::AsyncFnOnce;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::Instant;

use super::StoreError;
use super::pool::ping_if_idle;
use super::statements::{CheckedOut, on};

/// Has the connection of one kind of batch while none of them is under way. Cheap to clone.
#[derive(Clone)]
pub(in crate::store) struct StickyConnection {
    pool: PgPool,
    waiting: Arc<Slot>,
}

#[derive(Default)]
struct Slot(Mutex<Option<Waiting>>);

struct Waiting {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

impl StickyConnection {
    /// With a connection of this pool. Must be called within a runtime.
    pub(in crate::store) fn new(pool: PgPool) -> Self {
        let waiting = Arc::<Slot>::default();
        // The pool is closed when it has all its connections back.
        let (closed, kept) = (pool.close_event(), Arc::downgrade(&waiting));
        tokio::spawn(async move {
            closed.await;
            if let Some(kept) = kept.upgrade() {
                drop(kept.swap(None));
            }
        });
        Self { pool, waiting }
    }

    /// Runs `work`, which may change something, as [`run`](super::run) does.
    pub(in crate::store) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (result, connection) = on(self.take().await?, work).await;
        if let (Ok(_), Some(connection)) = (&result, connection) {
            self.keep(connection);
        }
        result
    }

    async fn take(&self) -> Result<CheckedOut, StoreError> {
        if let Some(Waiting { connection, since }) = self.waiting.swap(None) {
            let mut lent = CheckedOut::new(connection);
            if let Some(connection) = lent.connection()
                && ping_if_idle(connection, since.elapsed()).await.is_ok()
            {
                return Ok(lent);
            }
        }
        Ok(CheckedOut::new(self.pool.acquire().await?))
    }

    /// Unless it is the last one that others could have.
    fn keep(&self, connection: PoolConnection<Postgres>) {
        let has_more = self.pool.num_idle() > 0 || self.pool.size() < self.pool.options().get_max_connections();
        if has_more && !self.pool.is_closed() {
            drop(self.waiting.swap(Some(Waiting { connection, since: Instant::now() })));
        }
    }
}

impl Slot {
    fn swap(&self, waiting: Option<Waiting>) -> Option<Waiting> {
        mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), waiting)
    }
}
