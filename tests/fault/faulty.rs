//! A sandbox whose ways to Postgres and Redis can be broken.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use sqlx::PgConnection;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::person::Person;
use crate::sandbox::Sandbox;
use crate::support::fault_proxy::FaultProxy;
use crate::support::redis_url;
use crate::world::World;

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

impl World {
    /// Identifies the person by phone, through an agent who serves nobody else (R22). Gives the id of the verification.
    pub(crate) async fn identify_by_own_agent(&self, person: &Person) -> String {
        let agent = format!("agent-of-{}", person.id());
        let evidence = self.phone_evidence(person.reference(), person.document(), &agent).await;
        let asked = self.verify("phone", evidence).await.unwrap();
        let verified = self.answer_right("phone", person, &asked, 3).await;
        assert_eq!(verified.state(), State::Verified, "{verified:?}");
        verified.verification_id
    }

    /// Switches how the register or the gateway behaves.
    pub(crate) async fn set(&self, path: &str, mode: &str) {
        self.sandbox.post(path, json!({ "mode": mode })).await;
    }

    /// Switches to answers that come so late.
    pub(crate) async fn slow(&self, path: &str, seconds: u32) {
        self.sandbox.post(path, json!({ "mode": "slow", "seconds": seconds })).await;
    }
}

/// A look into the database, by the direct way.
impl World {
    /// How many rows a table has, or how many of them `table WHERE condition` names.
    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&mut self.database().await).await.unwrap()
    }

    /// Holds a table, so that whoever needs it waits until this is dropped.
    pub(crate) async fn lock(&self, table: &'static str) -> PgConnection {
        let mut holder = self.database().await;
        let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut holder).await.unwrap();
        holder
    }

    /// How many statements wait for a lock.
    pub(crate) async fn waiting(&self) -> i64 {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'";
        sqlx::query_scalar(waiting).fetch_one(&mut self.database().await).await.unwrap()
    }
}
