//! Fills a service's database with the rows of months of use.

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

/// tests/store/plans.rs uses the same statements.
const FILL: &str = include_str!("growth.sql");

const PERSONS_PER_STATEMENT: u64 = 10_000;

/// The bytes of all tables that an order writes to, with their indexes.
const SELECT_SIZE: &str = "SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest(ARRAY[
    'verifications', 'access_requests', 'pin_requests', 'requests', 'outbox', 'audit_events', 'audit_agents'
]) AS name";

/// The rows of one database.
pub(super) struct StoredRows {
    pub(super) url: String,
    keys: KeyRing,
    /// How many persons have their pseudonyms in the table growth_people.
    people: u64,
}

impl StoredRows {
    /// The database of a service that is installed and prepared.
    pub(super) async fn new(install: &Install) -> anyhow::Result<Self> {
        let (url, keys) =
            (install.database_url.clone(), KeyRing::load(&install.directory.join(Path::new("keys.toml")))?);
        let table = "CREATE TABLE growth_people
            (number bigint PRIMARY KEY, person_key bytea NOT NULL, mobile_key bytea NOT NULL)";
        sqlx::raw_sql(table).execute(&mut PgConnection::connect(&url).await?).await?;
        Ok(Self { url, keys, people: 0 })
    }

    /// Replaces all rows by `requests` requests of the first `people` persons.
    pub(super) async fn fill(&mut self, requests: u64, people: u64) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.url).await?;
        while self.people < people {
            self.add_people(&mut connection, people.min(self.people + PERSONS_PER_STATEMENT)).await?;
        }
        // The PINs of the last orders have expired.
        let until = SystemClock.now() - TimeDelta::hours(1);
        let settings = format!(
            "SET growth.requests = {requests}; SET growth.people = {people}; SET growth.until = '{until}';
            ANALYZE growth_people"
        );
        sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut connection).await?;
        sqlx::raw_sql(FILL).execute(&mut connection).await.context("growth.sql")?;
        for finish in ["VACUUM ANALYZE", "CHECKPOINT"] {
            sqlx::raw_sql(finish).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    }

    async fn add_people(&mut self, connection: &mut PgConnection, to: u64) -> anyhow::Result<()> {
        let persons = (self.people..to).map(IndexedPerson);
        let (mut person_keys, mut mobile_keys) = (Vec::new(), Vec::new());
        for person in persons {
            let number = MobileNumber::parse(&person.mobile_number()).context("a mobile number")?;
            person_keys.push(self.keys.person_key(MitidUuid(person.mitid_uuid())).0.to_vec());
            mobile_keys.push(self.keys.mobile_key(&number).0.to_vec());
        }
        let insert = "INSERT INTO growth_people
            SELECT $1 + place - 1, person, mobile
            FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS persons (person, mobile, place)";
        let first = i64::try_from(self.people)?;
        sqlx::query(insert).bind(first).bind(person_keys).bind(mobile_keys).execute(connection).await?;
        self.people = to;
        Ok(())
    }

    /// The size of the rows in bytes.
    pub(super) async fn size(&self) -> anyhow::Result<u64> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let size: i64 = sqlx::query_scalar(SELECT_SIZE).fetch_one(&mut connection).await?;
        Ok(size.unsigned_abs())
    }
}
