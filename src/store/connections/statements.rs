//! One question to Postgres: on a connection of the pool, in a span, and never for ever.

use std::future::Future;
use std::ops::AsyncFnOnce;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tracing::{field, info_span};

use crate::batch::Batcher;
use crate::store::connections::StoreError;
use crate::{deadline, telemetry};

/// Longest run of one statement that can be configured.
pub const MAX_STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Postgres ends what runs longer than its `statement_timeout`. A Postgres that has not answered by then is gone: without
/// a bound of our own, callers would wait until the kernel gives the connection up, which takes many minutes.
const PATIENCE: Duration = MAX_STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(1));

/// Runs `work`, which may change something, on a connection of the pool. A connection whose work is broken off, by its
/// time or by its caller, is closed rather than used again.
///
/// After the call's deadline nothing is begun. What is begun runs to its end, so that its outcome is known.
pub(in crate::store) async fn write<T>(
    pool: &PgPool,
    operation: &'static str,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // In a box: each future around it would hold room for it twice.
    traced(operation, Box::pin(on_connection(pool, work))).await
}

/// As [`run`], for work that changes nothing: the call's deadline ends it. Postgres then finds the connection closed, and
/// ends the statement too.
pub(in crate::store) async fn read<T>(
    pool: &PgPool,
    operation: &'static str,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    traced(operation, in_time(Box::pin(on_connection(pool, work)))).await
}

/// As [`run`], for what is asked together with others: the batch has a [`StickyConnection`](super::relay::StickyConnection), and each who asks a span.
pub(in crate::store) async fn write_batched<Q, T>(
    operation: &'static str,
    batcher: &Batcher<Q, Result<T, StoreError>>,
    question: Q,
) -> Result<T, StoreError>
where
    Q: Send + 'static,
    T: Send + 'static,
{
    traced(operation, answer(batcher, question)).await
}

/// As [`ask`], for batches that change nothing: the call's deadline ends the waiting.
pub(in crate::store) async fn read_batched<Q, T>(
    operation: &'static str,
    batcher: &Batcher<Q, Result<T, StoreError>>,
    question: Q,
) -> Result<T, StoreError>
where
    Q: Send + 'static,
    T: Send + 'static,
{
    traced(operation, in_time(answer(batcher, question))).await
}

async fn answer<Q, T>(batcher: &Batcher<Q, Result<T, StoreError>>, question: Q) -> Result<T, StoreError>
where
    Q: Send + 'static,
    T: Send + 'static,
{
    let unanswered = || Err(StoreError::Unavailable("no answer for a part of a batch".into()));
    batcher.submit(question).await.unwrap_or_else(unanswered)
}

async fn in_time<T>(reading: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(deadline::time_left(Duration::MAX), reading).await.unwrap_or_else(|_| Err(too_late()))
}

async fn on_connection<T>(
    pool: &PgPool,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let acquired = tokio::time::timeout(deadline::time_left(Duration::MAX), pool.acquire()).await;
    let lent = CheckedOut::new(acquired.map_err(|_| too_late())??);
    if deadline::has_passed() {
        drop(lent.back());
        return Err(too_late());
    }
    let (result, connection) = on(lent, work).await;
    drop(connection);
    result
}

/// Runs `work`, and gives the connection back unless it was broken off.
pub(in crate::store) async fn on<T>(
    mut lent: CheckedOut,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> (Result<T, StoreError>, Option<PoolConnection<Postgres>>) {
    let Some(connection) = lent.connection() else {
        return (Err(StoreError::Internal("a connection is missing".into())), None);
    };
    match tokio::time::timeout(PATIENCE, work(connection)).await {
        Ok(result) => (result, lent.back()),
        Err(_) => (Err(StoreError::Unavailable("no answer in time".into())), None),
    }
}

async fn traced<T>(
    operation: &'static str,
    attempt: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let span = || {
        info_span!(
            "postgres",
            otel.name = format!("postgres.{operation}"),
            otel.kind = "client",
            otel.status_code = field::Empty,
            db.system.name = "postgresql",
            db.operation.name = operation,
        )
    };
    telemetry::trace_attempt(span, attempt).await
}

fn too_late() -> StoreError {
    StoreError::Unavailable("the call's deadline has passed".into())
}

/// A connection that goes back to the pool only when its work has come to an end.
pub(in crate::store) struct CheckedOut(Option<PoolConnection<Postgres>>);

impl CheckedOut {
    pub(in crate::store) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self(Some(connection))
    }

    pub(in crate::store) fn connection(&mut self) -> Option<&mut PgConnection> {
        self.0.as_deref_mut()
    }

    /// Its work has come to an end.
    fn back(mut self) -> Option<PoolConnection<Postgres>> {
        self.0.take()
    }
}

impl Drop for CheckedOut {
    fn drop(&mut self) {
        // The pool would ask the connection whether it lives, and wait for the answer.
        drop(self.0.take().map(PoolConnection::detach));
    }
}
