//! Re-keying: replaces every stored pseudonym by the one under a new key, in batches. It can be interrupted at any point and
//! started again.
//!
//! While it runs, no instance is connected to the database. Each table has an additional column for that time, which marks
//! the rows that are done; a batch changes pseudonyms and marks in one transaction. Audit events are never rewritten: each
//! of them names its key.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::store::connections::{
    PoolSettings, PseudonymKeys, close, connect_options, open_for_maintenance, pool_options,
};
use crate::store::locks::try_lock_pseudonym_key;

/// The columns that hold pseudonyms, or digests made with the pseudonym key. A test compares this list with the schema.
pub const PSEUDONYM_COLUMNS: [(&str, &[&str]); 7] = [
    ("verifications", &["person_key", "agent_key", "witness_key", "login_nonce_digest"]),
    ("access_requests", &["person_key"]),
    ("pin_requests", &["person_key", "mobile_key", "payload_digest"]),
    ("requests", &["payload_digest"]),
    ("outbox", &["person_key"]),
    ("person_blocks", &["person_key"]),
    ("limit_resets", &["subject_key"]),
];

/// The other columns of bytes, which are not changed: they hold no pseudonyms, or belong to the audit.
pub const OTHER_BYTE_COLUMNS: [(&str, &str); 10] = [
    ("pin_requests", "verifier_salt"),
    ("pin_requests", "verifier_mac"),
    ("outbox", "sealed_body"),
    ("key_check_values", "check_value"),
    ("audit_events", "person_key"),
    ("audit_agents", "agent_key"),
    ("audit_seals", "entries"),
    ("audit_seals", "entries_digest"),
    ("audit_seals", "previous_mac"),
    ("audit_seals", "mac"),
];

/// How often the lock is tried before giving up.
const LOCK_TRIES: u32 = 20;

/// How long to wait between two tries.
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A re-keying that has started.
pub struct Rekeying {
    connection: PgConnection,
    from: i32,
    to: i32,
    pages_per_batch: u32,
    /// The index of the current table in [`PSEUDONYM_COLUMNS`].
    table: usize,
    /// The first page of that table that is not done.
    page: u32,
}

/// A finished batch.
#[derive(Debug, PartialEq, Eq)]
pub struct RekeyedBatch {
    pub table: &'static str,
    /// How many rows the batch changed.
    pub rows: usize,
    /// How much of the table is done so far.
    pub percent: u8,
}

impl Rekeying {
    /// Starts a re-keying to the key `to`, or continues one that was interrupted. `None`: the rows are under that key already.
    /// Otherwise fails if an instance is connected, or if a re-keying to another key has not ended.
    pub async fn begin(
        url: &str,
        settings: &PoolSettings,
        to: i32,
        pages_per_batch: u32,
    ) -> anyhow::Result<Option<Self>> {
        let pool = pool_options(settings).connect_lazy_with(connect_options(url, settings)?);
        let mut connection = open_for_maintenance(&pool).await.context("cannot connect to Postgres")?;
        let is_done = PseudonymKeys { key_id: to, next_key_id: None };
        // Checked before the lock, because instances may be connected then.
        if PseudonymKeys::read(&mut connection).await.context("cannot read the table pseudonym_keys")? == is_done {
            return Ok(None);
        }
        lock(&mut connection).await?;
        let rows = PseudonymKeys::read(&mut connection).await?;
        match rows {
            PseudonymKeys { next_key_id: Some(next), .. } => ensure!(
                next == to,
                "a re-keying to pseudonym key {next} has not ended; end it with the key ring in which that is active"
            ),
            // A concurrent re-keying has finished.
            _ if rows == is_done => return Ok(None),
            PseudonymKeys { key_id, .. } => {
                ensure!(key_id < to, "the rows are under pseudonym key {key_id}; there is no way back to key {to}");
                run(&mut connection, format!("UPDATE pseudonym_keys SET next_key_id = {to}")).await?;
            }
        }
        for (table, _) in PSEUDONYM_COLUMNS {
            run(&mut connection, format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS rekeyed_to integer")).await?;
        }
        Ok(Some(Self { connection, from: rows.key_id, to, pages_per_batch, table: 0, page: 0 }))
    }

    /// Re-keys the next batch; `None` if all are done. `rekey` takes the id of the old key and a pseudonym under it, and
    /// returns the pseudonym under the new key.
    pub async fn next_batch(
        &mut self,
        rekey: impl Fn(i32, [u8; 32]) -> [u8; 32],
    ) -> anyhow::Result<Option<RekeyedBatch>> {
        let Some((table, columns)) = PSEUDONYM_COLUMNS.get(self.table) else { return Ok(None) };
        let size = format!("SELECT pg_relation_size('{table}') / current_setting('block_size')::bigint");
        let pages: i64 = sqlx::query_scalar(AssertSqlSafe(size)).fetch_one(&mut self.connection).await?;
        let end = self.page.saturating_add(self.pages_per_batch);
        let rows = self
            .rekey_pages(table, columns, end, rekey)
            .await
            .with_context(|| format!("{table}, from {}", self.page))?;
        let is_last = i64::from(end) >= pages;
        let percent = if is_last { 100 } else { u8::try_from(i64::from(end) * 100 / pages).unwrap_or(100) };
        (self.table, self.page) = if is_last { (self.table + 1, 0) } else { (self.table, end) };
        Ok(Some(RekeyedBatch { table, rows, percent }))
    }

    /// Ends the re-keying, so that instances can connect again. Fails if a row is not done.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        for (table, _) in PSEUDONYM_COLUMNS {
            // Removes the old pseudonyms from the files of the tables at once.
            run(&mut self.connection, format!("VACUUM FULL {table}")).await?;
        }
        let mut transaction = self.connection.begin().await?;
        for (table, _) in PSEUDONYM_COLUMNS {
            let left = format!("SELECT count(*) FROM {table} WHERE rekeyed_to IS DISTINCT FROM {}", self.to);
            let left: i64 = sqlx::query_scalar(AssertSqlSafe(left)).fetch_one(&mut *transaction).await?;
            ensure!(left == 0, "{table}: {left} rows are not done");
            run(&mut transaction, format!("ALTER TABLE {table} DROP COLUMN rekeyed_to")).await?;
        }
        let default = format!("ALTER TABLE audit_events ALTER COLUMN pseudonym_key_id SET DEFAULT {}", self.to);
        run(&mut transaction, default).await?;
        run(&mut transaction, format!("UPDATE pseudonym_keys SET key_id = {}, next_key_id = NULL", self.to)).await?;
        transaction.commit().await?;
        close(self.connection).await;
        Ok(())
    }

    /// Re-keys the rows of the pages up to `end` that are not done. Returns how many there were.
    async fn rekey_pages(
        &mut self,
        table: &str,
        columns: &[&str],
        end: u32,
        rekey: impl Fn(i32, [u8; 32]) -> [u8; 32],
    ) -> anyhow::Result<usize> {
        let (page, from, to) = (self.page, self.from, self.to);
        let mut transaction = self.connection.begin().await?;
        let select = format!(
            "SELECT ctid::text, {} FROM {table}
            WHERE ctid >= '({page},0)' AND ctid < '({end},0)' AND rekeyed_to IS DISTINCT FROM {to} FOR UPDATE",
            columns.join(", ")
        );
        let rows = sqlx::query(AssertSqlSafe(select)).fetch_all(&mut *transaction).await?;
        let rekeyed = |column| -> anyhow::Result<Vec<Option<Vec<u8>>>> {
            rows.iter().map(|row| Ok(pseudonym(row, column)?.map(|old| rekey(from, old).to_vec()))).collect()
        };
        let places = rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<Vec<String>>>()?;
        let (set, types): (Vec<_>, Vec<_>) = (columns.iter().zip(2..))
            .map(|(column, number)| (format!("{column} = done.{column}"), format!("${number}::bytea[]")))
            .unzip();
        let update = format!(
            "UPDATE {table} SET {}, rekeyed_to = {to} FROM unnest($1::text[], {}) AS done (place, {})
            WHERE {table}.ctid = done.place::tid",
            set.join(", "),
            types.join(", "),
            columns.join(", ")
        );
        let mut update = sqlx::query(AssertSqlSafe(update)).bind(places);
        for column in columns {
            update = update.bind(rekeyed(*column)?);
        }
        let changed = update.execute(&mut *transaction).await?.rows_affected();
        ensure!(changed == rows.len() as u64, "{changed} of {} rows were changed", rows.len());
        transaction.commit().await?;
        Ok(rows.len())
    }
}

/// Takes the lock that every connection of an instance shares. Tries for a while, because an instance that is refused a
/// connection also holds it for a moment.
async fn lock(connection: &mut PgConnection) -> anyhow::Result<()> {
    for _ in 0..LOCK_TRIES {
        let is_alone = try_lock_pseudonym_key(connection).await?;
        if is_alone {
            return Ok(());
        }
        tokio::time::sleep(LOCK_RETRY_INTERVAL).await;
    }
    bail!("instances are connected to the database, or another re-keying runs: stop them all first")
}

fn pseudonym(row: &PgRow, column: &str) -> anyhow::Result<Option<[u8; 32]>> {
    let bytes: Option<Vec<u8>> = row.try_get(column)?;
    bytes.map(|bytes| bytes.as_slice().try_into().with_context(|| format!("{column} holds no pseudonym"))).transpose()
}

/// Runs a statement of this file. They contain only names and numbers, so nothing needs escaping.
async fn run(connection: &mut PgConnection, statement: String) -> anyhow::Result<()> {
    let what = statement.clone();
    sqlx::query(AssertSqlSafe(statement)).execute(connection).await.context(what)?;
    Ok(())
}
