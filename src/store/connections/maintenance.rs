//! Connections for work that takes as long as it takes: migrations, re-keying, the verification of the audit.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};

/// How long the polite end of a connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection of its own, on which neither statements nor transactions end because of their time.
pub(crate) async fn open_for_maintenance(pool: &PgPool) -> sqlx::Result<PgConnection> {
    let mut connection = pool.acquire().await?.detach();
    sqlx::raw_sql("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

/// Ends a connection that belongs to no pool. Its work is committed, so a failure does not matter.
pub(crate) async fn close(connection: PgConnection) {
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.close()).await;
}
