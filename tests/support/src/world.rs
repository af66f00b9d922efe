//! The sandbox of one test: its people, phones, clock, database and Redis keys.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use made_up_world::database;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::domain::person::{MitidUuid, PersonKey};
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::guard::{Bucket, Guard, GuardDecision, Spend};
use temporary_pin::keys::KeyRing;
use temporary_pin::random;
use tonic::transport::{Channel, Endpoint};

use crate::person::Person;
use crate::sandbox::Sandbox;
use crate::{database_server_url, redis_url};

/// A test fails if it waits longer than this.
const MAX_WAIT: Duration = Duration::from_secs(20);

pub struct World {
    pub sandbox: Sandbox,
    pub channel: Channel,
    /// The name of the database and the prefix of the Redis keys.
    scratch: String,
    next_person: AtomicU32,
}

impl World {
    /// Starts a sandbox with the cast and 40 ordinary persons.
    pub async fn start() -> Self {
        Self::with_sandbox(Sandbox::start(&["--people", "40"])).await
    }

    pub async fn with_sandbox(sandbox: Sandbox) -> Self {
        let channel = Endpoint::from_shared(sandbox.grpc_url.clone()).unwrap().connect_lazy();
        let scratch = sandbox.get("/scratch").await["name"].as_str().unwrap().to_owned();
        Self { sandbox, channel, scratch, next_person: AtomicU32::new(1) }
    }

    pub async fn now(&self) -> DateTime<Utc> {
        self.sandbox.get("/clock").await["time"].as_str().unwrap().parse().unwrap()
    }

    /// Moves the clock after all due messages were sent. Otherwise the dispatcher would think that it lost its lease.
    pub async fn advance(&self, by: TimeDelta) {
        self.settle().await;
        self.sandbox.post("/clock/advance", json!({ "seconds": by.num_seconds() })).await;
    }

    /// Moves the clock to one second after `time`.
    pub async fn advance_to(&self, time: DateTime<Utc>) {
        self.advance(time - self.now().await + TimeDelta::seconds(1)).await;
    }

    pub async fn person(&self, id: &str) -> Person {
        Person(self.sandbox.get(&format!("/people/{id}")).await)
    }

    /// An ordinary person that this test has not used yet.
    pub async fn new_person(&self) -> Person {
        self.person(&format!("person-{}", self.next_person.fetch_add(1, Ordering::Relaxed))).await
    }

    /// The texts on the person's phone, after all due messages were sent.
    pub async fn texts(&self, person: &Person) -> Vec<String> {
        let text = |message: &Value| message["text"].as_str().unwrap().to_owned();
        self.messages(person).await.iter().map(text).collect()
    }

    /// The messages on the person's phone, after all due messages were sent.
    pub async fn messages(&self, person: &Person) -> Vec<Value> {
        self.settle().await;
        let messages = self.sandbox.get(&format!("/phones/{}/messages", person.mobile_number())).await;
        messages.as_array().unwrap().clone()
    }

    /// Waits until all messages that are due were sent.
    pub async fn settle(&self) {
        let mut database = self.database().await;
        let now = self.now().await;
        let due = "SELECT EXISTS (SELECT FROM outbox WHERE state = 'queued' AND next_attempt_time <= $1)";
        wait_until("the dispatcher has done its work", async || {
            !sqlx::query_scalar::<_, bool>(due).bind(now).fetch_one(&mut database).await.unwrap()
        })
        .await;
    }

    /// The sandbox's own database.
    pub async fn database(&self) -> PgConnection {
        let url = database::url_of(&database_server_url(), &self.scratch).unwrap();
        PgConnection::connect(url.as_str()).await.unwrap()
    }

    /// The service's key ring.
    pub fn key_ring(&self) -> KeyRing {
        let file = std::env::temp_dir().join(format!("temporary_pin_{}", self.scratch)).join("keys.toml");
        KeyRing::load(&file).unwrap()
    }

    /// The pseudonym of a person with MitID.
    pub fn person_key(&self, person: &Person) -> PersonKey {
        let uuid = person.0["mitid_uuid"].as_str().unwrap().parse().unwrap();
        self.key_ring().person_key(MitidUuid(uuid))
    }

    /// Spends a limit in Redis alone. A call that is running in another instance looks like this.
    pub async fn spend(&self, bucket: Bucket<'_>, limit: Limit, times: u32) {
        let guard = Guard::connect(&redis_url(), self.redis_prefix(), MAX_WAIT).await.unwrap();
        let now = self.now().await;
        for _ in 0..times {
            let spend = Spend { bucket, limit, id: random::time_ordered_uuid(now, &mut random::secure()) };
            assert_eq!(guard.check_and_spend(None, &[spend], now).await, Ok(GuardDecision::Allowed));
        }
    }

    pub async fn redis(&self) -> redis::aio::MultiplexedConnection {
        database::connect_redis(&redis_url()).await.unwrap()
    }

    /// The prefix of the service's keys in Redis.
    pub fn redis_prefix(&self) -> &str {
        &self.scratch
    }

    /// The service's keys in Redis.
    pub async fn redis_keys(&self) -> Vec<String> {
        database::find_redis_keys(&mut self.redis().await, &self.scratch).await.unwrap()
    }

    /// Deletes the service's keys in Redis.
    pub async fn wipe_redis(&self) {
        assert!(!self.redis_keys().await.is_empty(), "Redis has keys of the service");
        database::delete_redis_keys(&redis_url(), &self.scratch).await.unwrap();
    }
}

/// Faults of the register and the gateway.
impl World {
    /// Sets the mode of the register (`/register`) or the gateway (`/gateway`).
    pub async fn set_mode(&self, path: &str, mode: &str) {
        self.sandbox.post(path, json!({ "mode": mode })).await;
    }

    /// Makes the register or the gateway answer after a delay.
    pub async fn slow_down(&self, path: &str, seconds: u32) {
        self.sandbox.post(path, json!({ "mode": "slow", "seconds": seconds })).await;
    }
}

/// Direct access to the database.
impl World {
    /// Counts the rows of a table, or of `table WHERE condition`.
    pub async fn count(&self, table: &'static str) -> i64 {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&mut self.database().await).await.unwrap()
    }

    /// Locks a table until the connection is dropped.
    pub async fn lock_table(&self, table: &'static str) -> PgConnection {
        let mut holder = self.database().await;
        let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut holder).await.unwrap();
        holder
    }

    /// Counts the statements that wait for a lock.
    pub async fn count_waiting_statements(&self) -> i64 {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'";
        sqlx::query_scalar(waiting).fetch_one(&mut self.database().await).await.unwrap()
    }
}

/// Waits until a condition holds. `what` describes the condition if the wait fails.
pub async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(MAX_WAIT, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
