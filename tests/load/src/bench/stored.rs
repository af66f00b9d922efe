//! A service's database, filled as months of use leave it.

use std::path::Path;

use anyhow::Context as _;
use chrono::TimeDelta;
use made_up_world::indexed_people::IndexedPerson;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::domain::person::MitidUuid;
use temporary_pin::keys::KeyRing;

use crate::installation::Install;

/// What fills it; tests/store/plans.rs takes the same.
const SQL: &str = include_str!("growth.sql");

/// How many persons one statement adds.
const BATCH: u64 = 10_000;

/// Everything that an order leaves, with indexes.
const SIZE: &str = "SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest(ARRAY[
    'verifications', 'access_requests', 'pin_requests', 'requests', 'outbox', 'audit_events', 'audit_agents'
]) AS name";

pub(super) struct Stored {
    pub(super) url: String,
    keys: KeyRing,
    /// Persons whose pseudonyms are in the database.
    people: u64,
}

impl Stored {
    /// The database of a service that is installed and prepared.
    pub(super) async fn new(install: &Install) -> anyhow::Result<Self> {
        let (url, keys) =
            (install.database_url.clone(), KeyRing::load(&install.directory.join(Path::new("keys.toml")))?);
        let table = "CREATE TABLE growth_people
            (number bigint PRIMARY KEY, person_key bytea NOT NULL, mobile_key bytea NOT NULL)";
        sqlx::raw_sql(table).execute(&mut PgConnection::connect(&url).await?).await?;
        Ok(Self { url, keys, people: 0 })
    }

    /// Puts so many requests of the first `people` persons in the place of what is there.
    pub(super) async fn fill(&mut self, requests: u64, people: u64) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.url).await?;
        while self.people < people {
            self.add_people(&mut connection, people.min(self.people + BATCH)).await?;
        }
        // Whoever ordered last has no PIN open any more.
        let until = SystemClock.now() - TimeDelta::hours(1);
        let settings = format!(
            "SET growth.requests = {requests}; SET growth.people = {people}; SET growth.until = '{until}';
            ANALYZE growth_people"
        );
        sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut connection).await?;
        sqlx::raw_sql(SQL).execute(&mut connection).await.context("growth.sql")?;
        for finish in ["VACUUM ANALYZE", "CHECKPOINT"] {
            sqlx::raw_sql(finish).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    }

    async fn add_people(&mut self, connection: &mut PgConnection, to: u64) -> anyhow::Result<()> {
        let persons = (self.people..to).map(IndexedPerson);
        let (mut persons_keys, mut mobile_keys) = (Vec::new(), Vec::new());
        for person in persons {
            let number = MobileNumber::parse(&person.mobile_number()).context("a mobile number")?;
            persons_keys.push(self.keys.person_key(MitidUuid(person.mitid_uuid())).0.to_vec());
            mobile_keys.push(self.keys.mobile_key(&number).0.to_vec());
        }
        let insert = "INSERT INTO growth_people
            SELECT $1 + place - 1, person, mobile
            FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS persons (person, mobile, place)";
        let first = i64::try_from(self.people)?;
        sqlx::query(insert).bind(first).bind(persons_keys).bind(mobile_keys).execute(connection).await?;
        self.people = to;
        Ok(())
    }

    /// Bytes of what is stored.
    pub(super) async fn size(&self) -> anyhow::Result<u64> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let size: i64 = sqlx::query_scalar(SIZE).fetch_one(&mut connection).await?;
        Ok(size.unsigned_abs())
    }
}
