//! Puts the parts together and serves.

use std::future::Future;

use crate::config::Config;

/// Serves until `shutdown` completes and running calls have ended.
pub async fn serve(_config: Config, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    shutdown.await;
    Ok(())
}
