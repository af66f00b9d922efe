//! Measures the service's memory while TLS connections are idle.

use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::under_test::ServiceUnderTest;
use crate::clients::{Target, endpoint};
use crate::process::ProcessTree;

/// How many connections are opened concurrently. Must be less than `server.connections.handshakes`.
const CONCURRENT_HANDSHAKES: u16 = 64;

/// How long the connections are idle before the memory is read.
const IDLE_TIME: Duration = Duration::from_secs(5);

/// Opens `count` connections. Answers the service's memory in MiB after [`IDLE_TIME`].
pub(super) async fn measure(service: &ServiceUnderTest, target: &Target, count: u16) -> anyhow::Result<f64> {
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
    tokio::time::sleep(IDLE_TIME).await;
    let process = service.processes.service_pid.map(ProcessTree).context("the service's process")?;
    // The peak since now is the present memory.
    process.reset_peak_memory();
    let kib = process.peak_memory().context("the service's memory")?;
    drop(channels);
    Ok(kib as f64 / 1024.0)
}
