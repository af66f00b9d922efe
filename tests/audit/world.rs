//! The setting of the audit tests: events, sealers, and an attacker with superuser rights.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use opentelemetry::global;
use sqlx::{AssertSqlSafe, PgPool};
use temporary_pin::audit::{Finding, Report, Sealer, VerifyError, verify};
use temporary_pin::clock::Clock;
use temporary_pin::domain::audit::Action;
use temporary_pin::domain::person::PersonKey;
use temporary_pin::keys::{self, KeyRing};
use temporary_pin::random;
use temporary_pin::store::audit::audit_events::{Actor, NewAuditEvent, record};
use temporary_pin::telemetry::metrics::Metrics;
use test_support::store::*;

/// A clock that stands still until it is set.
pub(crate) struct FixedClock(pub(crate) Mutex<DateTime<Utc>>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) clock: Arc<FixedClock>,
}

impl World {
    pub(crate) fn new(pool: PgPool) -> Self {
        let keys = KeyRing::parse(&keys::generate(&mut random::secure())).unwrap();
        Self { pool, keys: Arc::new(keys), clock: Arc::new(FixedClock(Mutex::new(t0()))) }
    }

    pub(crate) fn sealer(&self) -> Sealer {
        let metrics = Metrics::new(&global::meter("test"));
        Sealer::new(self.pool.clone(), Arc::new(ArcSwap::new(Arc::clone(&self.keys))), self.clock.clone(), metrics)
    }

    /// Seals all events.
    pub(crate) async fn seal(&self) -> u64 {
        self.sealer().run_round().await.unwrap()
    }

    /// Sets the clock to that hour and writes three events: a web login, and two for a PIN that another person gets by phone,
    /// which have an agent. In the first hour there is a fourth event, the request for access.
    pub(crate) async fn issue(&self, hour: i64) {
        let now = t0() + hours(hour);
        *self.clock.0.lock().unwrap() = now;
        let number = u8::try_from(hour).unwrap();
        log_in_and_request_access(&self.pool, OTHER, number, now).await;
        issued(&self.pool, PersonKey([100 + number; 32]), now).await;
    }

    /// Writes one event: an operator looks up the limits of a person.
    pub(crate) async fn look_up(&self, hour: i64) {
        let event = NewAuditEvent {
            now: t0() + hours(hour),
            person: PERSON,
            action: Action::LimitsLookedUp,
            actor: Actor::Operator("olga"),
            reason: "asked by the person",
            subject: None,
        };
        record(&self.pool, &event).await.unwrap();
    }

    pub(crate) async fn verify(&self) -> Result<Report, Finding> {
        match verify(&self.pool, &self.keys, 1, None, self.clock.now()).await {
            Ok(report) => Ok(report),
            Err(VerifyError::Tampered(finding)) => Err(finding),
            Err(VerifyError::Store(error)) => panic!("{error}"),
        }
    }

    /// Runs `sql` as a superuser, with triggers and foreign keys switched off.
    pub(crate) async fn tamper(&self, sql: impl Into<String>) {
        let mut connection = self.pool.acquire().await.unwrap().detach();
        let sql = format!("SET session_replication_role = replica; {}", sql.into());
        sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Makes a copy of the audit.
    pub(crate) async fn keep(&self) {
        self.tamper(
            "CREATE TABLE kept_events AS TABLE audit_events; CREATE TABLE kept_agents AS TABLE audit_agents;
            CREATE TABLE kept_operators AS TABLE audit_operators; CREATE TABLE kept_seals AS TABLE audit_seals",
        )
        .await;
    }

    /// Restores the copy that [`Self::keep`] made, and asserts that it is intact.
    pub(crate) async fn restore(&self) {
        self.tamper(
            "TRUNCATE audit_events, audit_agents, audit_operators, audit_seals;
            INSERT INTO audit_events OVERRIDING SYSTEM VALUE TABLE kept_events;
            INSERT INTO audit_agents TABLE kept_agents;
            INSERT INTO audit_operators TABLE kept_operators; INSERT INTO audit_seals TABLE kept_seals",
        )
        .await;
        self.verify().await.unwrap();
    }

    /// The columns of a table, each with an SQL expression for a value that differs from the current one.
    pub(crate) async fn other_values(&self, table: &str) -> Vec<(String, String)> {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
            WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
        )
        .bind(table)
        .fetch_all(&self.pool)
        .await
        .unwrap();
        let other = |(column, kind): (String, String)| {
            let value = match kind.as_str() {
                "text" => format!("coalesce({column}, '') || 'x'"),
                "bytea" => format!("sha256(coalesce({column}, ''))"),
                "uuid" => "gen_random_uuid()".into(),
                "bigint" | "integer" | "smallint" => format!("coalesce({column}, 0) + 1"),
                "timestamp with time zone" => format!("coalesce({column}, now()) + interval '1 microsecond'"),
                kind => panic!("{table}.{column}: how is a {kind} altered?"),
            };
            (column, value)
        };
        columns.into_iter().map(other).collect()
    }
}
