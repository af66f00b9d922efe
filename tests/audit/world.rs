//! An audit with something in it, sealers, and hands that change what they must not.

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

/// A clock that stands where it is put.
pub(crate) struct StandingClock(pub(crate) Mutex<DateTime<Utc>>);

impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) clock: Arc<StandingClock>,
}

impl World {
    pub(crate) fn new(pool: PgPool) -> Self {
        let keys = KeyRing::parse(&keys::generate(&mut random::secure())).unwrap();
        Self { pool, keys: Arc::new(keys), clock: Arc::new(StandingClock(Mutex::new(t0()))) }
    }

    pub(crate) fn sealer(&self) -> Sealer {
        let metrics = Metrics::new(&global::meter("test"));
        Sealer::new(self.pool.clone(), Arc::new(ArcSwap::new(Arc::clone(&self.keys))), self.clock.clone(), metrics)
    }

    /// Seals all there is.
    pub(crate) async fn seal(&self) -> u64 {
        self.sealer().run_round().await.unwrap()
    }

    /// Sets the clock, lets somebody log in on the web, and issues somebody else's PIN on the phone: three events, two of
    /// them with an agent. In the first hour also the request for access.
    pub(crate) async fn issue(&self, hour: i64) {
        let now = t0() + hours(hour);
        *self.clock.0.lock().unwrap() = now;
        let number = u8::try_from(hour).unwrap();
        ask_for_access(&self.pool, OTHER, number, now).await;
        issued(&self.pool, PersonKey([100 + number; 32]), now).await;
    }

    /// Lets an operator look somebody up: one event, without an agent.
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
        match verify(&self.pool, &self.keys, 1, None).await {
            Ok(report) => Ok(report),
            Err(VerifyError::Tampered(finding)) => Err(finding),
            Err(VerifyError::Store(error)) => panic!("{error}"),
        }
    }

    /// Does it as a superuser whom no trigger and no foreign key stops.
    pub(crate) async fn tamper(&self, sql: impl Into<String>) {
        let mut connection = self.pool.acquire().await.unwrap().detach();
        let sql = format!("SET session_replication_role = replica; {}", sql.into());
        sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Keeps a copy of the audit, to put back.
    pub(crate) async fn keep(&self) {
        self.tamper(
            "CREATE TABLE kept_events AS TABLE audit_events; CREATE TABLE kept_agents AS TABLE audit_agents;
            CREATE TABLE kept_operators AS TABLE audit_operators; CREATE TABLE kept_seals AS TABLE audit_seals",
        )
        .await;
    }

    /// Puts the copy back, and sees that it is intact.
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

    /// The columns of a table, with an SQL expression each for a value other than the present one.
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
