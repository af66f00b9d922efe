//! Measures the time from the start of the service until it reports SERVING. The tables exist already.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tonic::transport::Endpoint;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::service::Running;
use crate::clients::{Target, endpoint};

const STARTS: usize = 10;

const MAX_START_TIME: Duration = Duration::from_secs(10);

/// Measures several starts, in milliseconds.
pub(super) async fn measure(service: &Path, target: &Target) -> anyhow::Result<Vec<f64>> {
    let endpoint = endpoint(target, "web")?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begin = Instant::now();
        let mut running = Running::launch(service, &target.certificates)?;
        let serving = tokio::time::timeout(MAX_START_TIME, serving(&mut running, &endpoint)).await;
        serving.context("the service does not report SERVING")??;
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

/// Waits until the service listens, and then until its health check reports SERVING.
async fn serving(running: &mut Running, endpoint: &Endpoint) -> anyhow::Result<()> {
    let channel = loop {
        match endpoint.connect().await {
            Ok(channel) => break channel,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
        running.ensure_runs()?;
    };
    let request = HealthCheckRequest { service: String::new() };
    let mut health = HealthClient::new(channel).watch(request).await?.into_inner();
    while let Some(answer) = health.message().await? {
        if answer.status == ServingStatus::Serving as i32 {
            return Ok(());
        }
    }
    bail!("the service ended its report of health")
}
