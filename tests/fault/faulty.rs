//! A sandbox whose ways to Postgres and Redis can be broken.

use std::time::Duration;

use chrono::TimeDelta;
use test_support::fault_proxy::FaultProxy;
use test_support::redis_url;
use test_support::sandbox::Sandbox;
use test_support::world::World;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// How long a message belongs to the dispatcher that claimed it.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(60);

pub(crate) struct Faulty {
    pub(crate) world: World,
    pub(crate) postgres: FaultProxy,
    pub(crate) redis: FaultProxy,
}

impl Faulty {
    /// With so many ordinary persons beside the cast. Needs a runtime of several threads, so that the proxies work
    /// while the sandbox is waited for.
    pub(crate) async fn open(people: usize) -> Self {
        let (postgres, postgres_url) = FaultProxy::in_front_of(&std::env::var("DATABASE_URL").unwrap()).await;
        let (redis, redis_url) = FaultProxy::in_front_of(&redis_url()).await;
        let mut command = Sandbox::command(&["--people", &people.to_string()]);
        command.env("DATABASE_URL", postgres_url).env("REDIS_URL", redis_url).env("RUST_LOG", "error");
        Self { world: World::around(Sandbox::spawn(command)).await, postgres, redis }
    }

    /// Everything works again.
    pub(crate) async fn mend(&self) {
        self.postgres.restore();
        self.redis.restore();
        self.world.set("/register", "up").await;
        self.world.set("/gateway", "accept").await;
    }

    /// Waits until health says so, of the whole and of each service.
    pub(crate) async fn health(&self, expected: ServingStatus) {
        for name in ["", "TemporaryPinService", "RedemptionService", "OperatorService"] {
            let service = if name.is_empty() { String::new() } else { format!("temporarypin.v1.{name}") };
            let request = HealthCheckRequest { service };
            let mut answers = HealthClient::new(self.world.channel.clone()).watch(request).await.unwrap().into_inner();
            let waiting = async { while answers.message().await.unwrap().unwrap().status != expected as i32 {} };
            tokio::time::timeout(Duration::from_secs(15), waiting)
                .await
                .unwrap_or_else(|_| panic!("never {expected:?}"));
        }
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.postgres.restore();
        self.redis.restore();
        // It tidies up through the proxies.
        self.world.sandbox.stop();
    }
}
