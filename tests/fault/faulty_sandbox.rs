//! A sandbox behind proxies that can break its connections to Postgres and Redis.

use std::time::Duration;

use chrono::TimeDelta;
use test_support::fault_proxy::FaultProxy;
use test_support::redis_url;
use test_support::sandbox::Sandbox;
use test_support::world::World;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// How long the dispatcher's claim of a message lasts.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(60);

pub(crate) struct FaultySandbox {
    pub(crate) world: World,
    pub(crate) postgres: FaultProxy,
    pub(crate) redis: FaultProxy,
}

impl FaultySandbox {
    /// Starts a sandbox with `people` generated persons. It needs a multi-threaded runtime, because starting the sandbox
    /// blocks a thread while the proxies must run.
    pub(crate) async fn start(people: usize) -> Self {
        let (postgres, postgres_url) = FaultProxy::start_for_url(&std::env::var("DATABASE_URL").unwrap()).await;
        let (redis, redis_url) = FaultProxy::start_for_url(&redis_url()).await;
        let mut command = Sandbox::command(&["--people", &people.to_string()]);
        command.env("DATABASE_URL", postgres_url).env("REDIS_URL", redis_url).env("RUST_LOG", "error");
        Self { world: World::with_sandbox(Sandbox::spawn(command)).await, postgres, redis }
    }

    /// Ends all faults.
    pub(crate) async fn restore_all(&self) {
        self.postgres.restore();
        self.redis.restore();
        self.world.set_mode("/register", "up").await;
        self.world.set_mode("/gateway", "accept").await;
    }

    /// Waits until the health of the server and of each service has this status.
    pub(crate) async fn await_health(&self, expected: ServingStatus) {
        for name in ["", "TemporaryPinService", "RedemptionService", "OperatorService"] {
            let service = if name.is_empty() { String::new() } else { format!("temporarypin.v1.{name}") };
            let request = HealthCheckRequest { service };
            let mut statuses = HealthClient::new(self.world.channel.clone()).watch(request).await.unwrap().into_inner();
            let waiting = async { while statuses.message().await.unwrap().unwrap().status != expected as i32 {} };
            tokio::time::timeout(Duration::from_secs(15), waiting)
                .await
                .unwrap_or_else(|_| panic!("never {expected:?}"));
        }
    }
}

impl Drop for FaultySandbox {
    fn drop(&mut self) {
        self.postgres.restore();
        self.redis.restore();
        // The sandbox needs the proxies to clean up.
        self.world.sandbox.stop();
    }
}
