//! How a statement or transaction runs: on a connection of the pool, within the call's deadline, in a trace span.
//!
//! | | single | in a batch with others |
//! |---|---|---|
//! | may change something | [`write()`] | [`write_batched`] |
//! | changes nothing | [`read`] | [`read_batched`] |

use std::future::Future;
use std::ops::AsyncFnOnce;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tracing::{field, info_span};

use super::StoreError;
use super::checked_out::{CheckedOut, run_on};
use crate::batch::Batcher;
use crate::{deadline, telemetry};

/// Runs `work`, which may change something, on a connection of the pool.
///
/// Nothing starts after the call's deadline. Work that has started runs to its end even if the deadline passes, so that its
/// outcome is known. If the caller is dropped during the work, the connection is closed and not used again.
pub(in crate::store) async fn write<T>(
    pool: &PgPool,
    operation: &'static str,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Boxed, because otherwise each future around this one reserves room for it twice.
    traced(operation, Box::pin(on_connection(pool, work))).await
}

/// Like [`write()`], for work that changes nothing: the call's deadline ends it. That closes the connection, and Postgres
/// then stops the statement.
pub(in crate::store) async fn read<T>(
    pool: &PgPool,
    operation: &'static str,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    traced(operation, until_deadline(Box::pin(on_connection(pool, work)))).await
}

/// Like [`write()`], as one request of a batch. The batch uses its own
/// [`StickyConnection`](super::sticky_connection::StickyConnection), and each request has its own span.
pub(in crate::store) async fn write_batched<Q, T>(
    operation: &'static str,
    batcher: &Batcher<Q, Result<T, StoreError>>,
    request: Q,
) -> Result<T, StoreError>
where
    Q: Send + 'static,
    T: Send + 'static,
{
    traced(operation, submit(batcher, request)).await
}

/// Like [`write_batched`], for batches that change nothing: the call's deadline ends the wait.
pub(in crate::store) async fn read_batched<Q, T>(
    operation: &'static str,
    batcher: &Batcher<Q, Result<T, StoreError>>,
    request: Q,
) -> Result<T, StoreError>
where
    Q: Send + 'static,
    T: Send + 'static,
{
    traced(operation, until_deadline(submit(batcher, request))).await
}

async fn submit<Q, T>(batcher: &Batcher<Q, Result<T, StoreError>>, request: Q) -> Result<T, StoreError>
where
    Q: Send + 'static,
    T: Send + 'static,
{
    let no_answer = || Err(StoreError::Unavailable("no answer for a part of a batch".into()));
    batcher.submit(request).await.unwrap_or_else(no_answer)
}

async fn until_deadline<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(deadline::time_left(Duration::MAX), read).await.unwrap_or_else(|_| Err(deadline_passed()))
}

async fn on_connection<T>(
    pool: &PgPool,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let acquired = tokio::time::timeout(deadline::time_left(Duration::MAX), pool.acquire()).await;
    let connection = CheckedOut::new(acquired.map_err(|_| deadline_passed())??);
    if deadline::has_passed() {
        connection.give_back();
        return Err(deadline_passed());
    }
    let (result, connection) = run_on(connection, work).await;
    if let Some(connection) = connection {
        connection.give_back();
    }
    result
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

fn deadline_passed() -> StoreError {
    StoreError::Unavailable("the call's deadline has passed".into())
}
