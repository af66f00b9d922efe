//! A connection while it is out of the pool.

use std::ops::AsyncFnOnce;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use tokio::runtime::Handle;

use super::StoreError;

/// The longest `statement_timeout` that can be configured.
pub const MAX_STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long work on a connection may take. Postgres itself ends a statement at its `statement_timeout`. If Postgres has not
/// answered by now, it is gone: without this limit, callers would wait until the kernel drops the TCP connection, which
/// takes many minutes.
const WORK_TIMEOUT: Duration = MAX_STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(1));

/// How long the return of a connection to the pool may take. It keeps its place in the pool for that time.
const RETURN_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs `work`. Returns the connection as well, if it can be used again: not if the work timed out, because then the
/// state of the connection is unknown, and not if Postgres has become read-only.
pub(super) async fn run_on<T>(
    mut connection: CheckedOut,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> (Result<T, StoreError>, Option<CheckedOut>) {
    let Some(inner) = connection.get_mut() else {
        return (Err(StoreError::Internal("a connection is missing".into())), None);
    };
    // A value that nothing here can read may panic in the client library. That must fail this work alone, not the task.
    let work = AssertUnwindSafe(work(inner)).catch_unwind();
    match tokio::time::timeout(WORK_TIMEOUT, work).await {
        Ok(Ok(Err(error))) if error.is_read_only() => (Err(error), None),
        Ok(Ok(result)) => (result, Some(connection)),
        Ok(Err(_)) => (Err(StoreError::Internal("a value cannot be read".into())), None),
        Err(_) => (Err(StoreError::Unavailable("no answer in time".into())), None),
    }
}

/// A connection that is out of the pool. It is closed if it is dropped without [`Self::give_back`], because its work was
/// then interrupted.
pub(super) struct CheckedOut(Option<PoolConnection<Postgres>>);

impl CheckedOut {
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self(Some(connection))
    }

    pub(super) fn get_mut(&mut self) -> Option<&mut PgConnection> {
        self.0.as_deref_mut()
    }

    /// Returns the connection to the pool, once its work has ended.
    ///
    /// A dropped `PoolConnection` returns as well, but it pings first and waits for the answer without a time-out: on a
    /// network that delivers nothing, it would keep its place in the pool for ever.
    pub(super) fn give_back(mut self) {
        if let (Some(mut connection), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            // Makes a future that owns the connection. Dropping the future closes it and frees its place.
            let returning = connection.return_to_pool();
            runtime.spawn(async { tokio::time::timeout(RETURN_TIMEOUT, returning).await });
        }
    }
}

impl Drop for CheckedOut {
    fn drop(&mut self) {
        // Detached, because the pool would ping the connection on its return and wait for the answer.
        drop(self.0.take().map(PoolConnection::detach));
    }
}
