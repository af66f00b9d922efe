//! A connection while it is out of the pool.

use std::ops::AsyncFnOnce;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};

use super::StoreError;

/// The longest `statement_timeout` that can be configured.
pub const MAX_STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long work on a connection may take. Postgres itself ends a statement at its `statement_timeout`. If Postgres has not
/// answered by now, it is gone: without this limit, callers would wait until the kernel drops the TCP connection, which
/// takes many minutes.
const WORK_TIMEOUT: Duration = MAX_STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(1));

/// Runs `work`. Returns the connection as well, unless the work timed out: then nobody knows in which state it is.
pub(super) async fn run_on<T>(
    mut connection: CheckedOut,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> (Result<T, StoreError>, Option<PoolConnection<Postgres>>) {
    let Some(inner) = connection.get_mut() else {
        return (Err(StoreError::Internal("a connection is missing".into())), None);
    };
    match tokio::time::timeout(WORK_TIMEOUT, work(inner)).await {
        Ok(result) => (result, connection.into_inner()),
        Err(_) => (Err(StoreError::Unavailable("no answer in time".into())), None),
    }
}

/// A connection that is out of the pool. It is closed if it is dropped before [`Self::into_inner`], because its work was
/// then interrupted.
pub(super) struct CheckedOut(Option<PoolConnection<Postgres>>);

impl CheckedOut {
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self(Some(connection))
    }

    pub(super) fn get_mut(&mut self) -> Option<&mut PgConnection> {
        self.0.as_deref_mut()
    }

    /// Takes the connection out, once its work has ended. Dropping it then returns it to the pool.
    pub(super) fn into_inner(mut self) -> Option<PoolConnection<Postgres>> {
        self.0.take()
    }
}

impl Drop for CheckedOut {
    fn drop(&mut self) {
        // Detached, because the pool would ping the connection on its return and wait for the answer.
        drop(self.0.take().map(PoolConnection::detach));
    }
}
