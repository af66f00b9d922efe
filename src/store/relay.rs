//! Connections that batches hand on to the next one. The pool asks each that comes back whether it lives, which costs both
//! sides as much as a small statement.

use std::ops::AsyncFnOnce;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::Instant;

use super::StoreError;
use super::connection::{Lent, on};
use super::pool::lives;

/// The connections of one kind of batch. Cheap to clone.
#[derive(Clone)]
pub(super) struct Relay {
    pool: PgPool,
    waiting: Arc<Mutex<Vec<Waiting>>>,
}

struct Waiting {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

impl Relay {
    /// With connections of this pool. Must be called within a runtime.
    pub(super) fn new(pool: PgPool) -> Self {
        let waiting = Arc::default();
        // The pool is closed when it has all its connections back.
        let (closed, kept) = (pool.close_event(), Arc::downgrade(&waiting));
        tokio::spawn(async move {
            closed.await;
            if let Some(kept) = kept.upgrade() {
                lock(&kept).clear();
            }
        });
        Self { pool, waiting }
    }

    /// Runs `work`, which may change something, as [`run`](super::run) does.
    pub(super) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (result, connection) = on(self.take().await?, work).await;
        if let (Ok(_), Some(connection)) = (&result, connection) {
            self.hand_on(connection);
        }
        result
    }

    async fn take(&self) -> Result<Lent, StoreError> {
        let waiting = lock(&self.waiting).pop();
        if let Some(Waiting { connection, since }) = waiting {
            let mut lent = Lent::new(connection);
            if let Some(connection) = lent.connection()
                && lives(connection, since.elapsed()).await.is_ok()
            {
                return Ok(lent);
            }
        }
        Ok(Lent::new(self.pool.acquire().await?))
    }

    /// Unless it is the last one that others could have.
    fn hand_on(&self, connection: PoolConnection<Postgres>) {
        let mut waiting = lock(&self.waiting);
        let has_more = self.pool.num_idle() > 0 || self.pool.size() < self.pool.options().get_max_connections();
        if has_more && !self.pool.is_closed() {
            waiting.push(Waiting { connection, since: Instant::now() });
        }
    }
}

fn lock(waiting: &Mutex<Vec<Waiting>>) -> MutexGuard<'_, Vec<Waiting>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
