//! The memory that idle TLS connections take.

use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::under_test::UnderTest;
use crate::clients::{Target, endpoint};
use crate::process::Tree;

/// How many connections are opened at the same time. Fewer than `server.connections.handshakes`.
const CONCURRENT_HANDSHAKES: u16 = 64;

/// Opens `count` connections and returns the MiB that the service holds when all have been idle for some seconds.
pub(super) async fn measure(service: &UnderTest, target: &Target, count: u16) -> anyhow::Result<f64> {
    let endpoint = endpoint(target, "web")?;
    let mut open = JoinSet::<anyhow::Result<Vec<Channel>>>::new();
    for worker in 0..CONCURRENT_HANDSHAKES {
        let endpoint = endpoint.clone();
        let share = count / CONCURRENT_HANDSHAKES + u16::from(worker < count % CONCURRENT_HANDSHAKES);
        open.spawn(async move {
            let mut channels = Vec::new();
            for _ in 0..share {
                channels.push(endpoint.connect().await.context("a connection (see `ulimit -n`)")?);
            }
            Ok(channels)
        });
    }
    let mut channels = Vec::new();
    while let Some(opened) = open.join_next().await {
        channels.extend(opened??);
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let process = service.processes.service_pid.map(Tree).context("the service's process")?;
    // From now on the peak is what is held now.
    process.forget_peak();
    let kib = process.peak_memory().context("the service's memory")?;
    drop(channels);
    Ok(kib as f64 / 1024.0)
}
