//! The connection that a batch hands on to the next one. The pool asks each that comes back whether it lives, which costs
//! both sides as much as a small statement.

use std::mem;
use std::ops::AsyncFnOnce;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::Instant;

use super::StoreError;
use super::connection::{Lent, on};
use super::pool::lives;

/// Has the connection of one kind of batch while none of them is under way. Cheap to clone.
#[derive(Clone)]
pub(super) struct Relay {
    pool: PgPool,
    waiting: Arc<Slot>,
}

#[derive(Default)]
struct Slot(Mutex<Option<Waiting>>);

struct Waiting {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

impl Relay {
    /// With a connection of this pool. Must be called within a runtime.
    pub(super) fn new(pool: PgPool) -> Self {
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
        if let Some(Waiting { connection, since }) = self.waiting.swap(None) {
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
