//! Deletes old rows regularly.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::reload::Reloadable;
use crate::clock::Clock;
use crate::keys::KeyRing;
use crate::store::StoreError;
use crate::store::upkeep::purge::Retention;
use crate::{audit, store};

/// How often old rows are deleted.
const PURGE_INTERVAL: Duration = Duration::from_secs(3600);

/// Deletes the rows whose retention has ended, every [`PURGE_INTERVAL`] until `stop`.
pub(super) async fn purge_regularly(
    store: PgPool,
    keys: Reloadable<KeyRing>,
    retention: Retention,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PURGE_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let now = clock.now();
        let purging = async {
            let audit_rows = audit::purge(&store, &keys.load_full(), now - retention.audit_events, now).await?;
            Ok::<_, StoreError>(audit_rows + store::upkeep::purge::delete_old_rows(&store, &retention, now).await?)
        };
        match purging.await {
            Ok(rows) => tracing::info!(rows, "purged"),
            Err(error) => tracing::warn!(error = %error.with_causes(), "the purge broke off"),
        }
    }
}
