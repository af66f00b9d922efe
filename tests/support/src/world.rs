//! One test's sandbox, and what stands around the service in it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use redis::AsyncCommands as _;
use reqwest::Url;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::keys::KeyRing;
use tonic::transport::{Channel, Endpoint};

use crate::person::Person;
use crate::sandbox::Sandbox;

/// Whatever is waited for happens well within this.
const MAX_WAIT: Duration = Duration::from_secs(20);

pub struct World {
    pub sandbox: Sandbox,
    pub channel: Channel,
    /// The name of the database and the prefix of the Redis keys.
    scratch: String,
    next_person: AtomicU32,
}

impl World {
    /// A fresh world with the whole cast and 40 ordinary persons beside it.
    pub async fn open() -> Self {
        Self::around(Sandbox::start(&["--people", "40"])).await
    }

    pub async fn around(sandbox: Sandbox) -> Self {
        let channel = Endpoint::from_shared(sandbox.grpc_url.clone()).unwrap().connect_lazy();
        let scratch = sandbox.get("/scratch").await["name"].as_str().unwrap().to_owned();
        Self { sandbox, channel, scratch, next_person: AtomicU32::new(1) }
    }

    pub async fn now(&self) -> DateTime<Utc> {
        self.sandbox.get("/clock").await["time"].as_str().unwrap().parse().unwrap()
    }

    /// Moves the clock, once no message is on its way: the dispatcher would think its lease lost.
    pub async fn advance(&self, by: TimeDelta) {
        self.settle().await;
        self.sandbox.post("/clock/advance", json!({ "seconds": by.num_seconds() })).await;
    }

    /// Moves the clock so far that `time` has come.
    pub async fn advance_to(&self, time: DateTime<Utc>) {
        self.advance(time - self.now().await + TimeDelta::seconds(1)).await;
    }

    pub async fn person(&self, id: &str) -> Person {
        Person(self.sandbox.get(&format!("/people/{id}")).await)
    }

    /// An ordinary person whom this test has not met.
    pub async fn somebody(&self) -> Person {
        self.person(&format!("person-{}", self.next_person.fetch_add(1, Ordering::Relaxed))).await
    }

    /// All texts that the person's phone has received, once none is on its way.
    pub async fn texts(&self, person: &Person) -> Vec<String> {
        let text = |message: &Value| message["text"].as_str().unwrap().to_owned();
        self.messages(person).await.iter().map(text).collect()
    }

    /// As the phone shows them.
    pub async fn messages(&self, person: &Person) -> Vec<Value> {
        self.settle().await;
        let messages = self.sandbox.get(&format!("/phones/{}/messages", person.mobile_number())).await;
        messages.as_array().unwrap().clone()
    }

    /// Waits until the dispatcher has nothing left to do at the present time.
    pub async fn settle(&self) {
        let mut database = self.database().await;
        let now = self.now().await;
        let due = "SELECT EXISTS (SELECT FROM outbox WHERE state = 'queued' AND next_attempt_time <= $1)";
        until("the dispatcher has done its work", async || {
            !sqlx::query_scalar::<_, bool>(due).bind(now).fetch_one(&mut database).await.unwrap()
        })
        .await;
    }

    /// The sandbox's own database.
    pub async fn database(&self) -> PgConnection {
        let mut url = Url::parse(&std::env::var("DATABASE_URL").unwrap()).unwrap();
        url.set_path(&self.scratch);
        PgConnection::connect(url.as_str()).await.unwrap()
    }

    /// The service's own key ring, which is in neither.
    pub fn key_ring(&self) -> KeyRing {
        let file = std::env::temp_dir().join(format!("temporary_pin_{}", self.scratch)).join("keys.toml");
        KeyRing::load(&file).unwrap()
    }

    pub async fn redis(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(std::env::var("REDIS_URL").unwrap()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// What all keys of the service in Redis begin with.
    pub fn redis_prefix(&self) -> &str {
        &self.scratch
    }

    /// The keys that the service has in Redis.
    pub async fn redis_keys(&self) -> Vec<String> {
        let mut redis = self.redis().await;
        let mut found = redis.scan_match(format!("{}*", self.scratch)).await.unwrap();
        let mut keys = Vec::new();
        while let Some(key) = found.next_item().await {
            keys.push(key.unwrap());
        }
        keys
    }

    /// Redis loses all that the service had there.
    pub async fn wipe_redis(&self) {
        let keys = self.redis_keys().await;
        assert!(!keys.is_empty(), "there is something to lose");
        self.redis().await.unlink::<_, ()>(keys).await.unwrap();
    }
}

/// How the world behaves.
impl World {
    /// Switches how the register or the gateway behaves.
    pub async fn set(&self, path: &str, mode: &str) {
        self.sandbox.post(path, json!({ "mode": mode })).await;
    }

    /// Switches to answers that come so late.
    pub async fn slow(&self, path: &str, seconds: u32) {
        self.sandbox.post(path, json!({ "mode": "slow", "seconds": seconds })).await;
    }
}

/// A look into the database, by the direct way.
impl World {
    /// How many rows a table has, or how many of them `table WHERE condition` names.
    pub async fn count(&self, table: &'static str) -> i64 {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&mut self.database().await).await.unwrap()
    }

    /// Holds a table, so that whoever needs it waits until this is dropped.
    pub async fn lock(&self, table: &'static str) -> PgConnection {
        let mut holder = self.database().await;
        let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut holder).await.unwrap();
        holder
    }

    /// How many statements wait for a lock.
    pub async fn waiting(&self) -> i64 {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'";
        sqlx::query_scalar(waiting).fetch_one(&mut self.database().await).await.unwrap()
    }
}

/// Asks again until it is so.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(MAX_WAIT, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
