//! The table `key_check_values`: by it, an instance finds out whether its key ring is the one that the rows were made with.
//!
//! Ids alone do not tell: every new key ring begins with the same ids.

use sqlx::{PgConnection, PgPool};

use super::{StoreError, read, write};

/// The keys of an instance, as far as the database knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceKeys {
    /// The active pseudonym key.
    pub pseudonym_key_id: i32,
    purposes: Vec<&'static str>,
    key_ids: Vec<i32>,
    check_values: Vec<[u8; 32]>,
}

impl InstanceKeys {
    /// `check_values`: for each key its purpose, its id and its check value.
    pub fn new(pseudonym_key_id: i32, check_values: impl IntoIterator<Item = (&'static str, i32, [u8; 32])>) -> Self {
        let mut keys = Self { pseudonym_key_id, purposes: Vec::new(), key_ids: Vec::new(), check_values: Vec::new() };
        for (purpose, key_id, check_value) in check_values {
            keys.purposes.push(purpose);
            keys.key_ids.push(key_id);
            keys.check_values.push(check_value);
        }
        keys
    }

    /// Lists the keys that differ from those of the database under the same id, such as `verifier.1`.
    pub(crate) async fn find_foreign(&self, connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
        Ok(self.compare(connection).await?.foreign)
    }

    /// Like [`Self::find_foreign`], and adds the check values of keys that the database does not know. If another instance
    /// adds a different value at the same time, the first one stays.
    pub(super) async fn find_foreign_and_add_new(&self, connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
        let comparison = self.compare(connection).await?;
        if !comparison.has_new || !comparison.foreign.is_empty() {
            return Ok(comparison.foreign);
        }
        let add = sqlx::query(
            "INSERT INTO key_check_values (purpose, key_id, check_value)
            SELECT * FROM unnest($1::text[], $2::integer[], $3::bytea[]) ON CONFLICT DO NOTHING",
        );
        add.bind(&self.purposes).bind(&self.key_ids).bind(&self.check_values).execute(&mut *connection).await?;
        self.find_foreign(connection).await
    }

    async fn compare(&self, connection: &mut PgConnection) -> sqlx::Result<Comparison> {
        let compare = sqlx::query_as(
            "SELECT coalesce(bool_or(known.check_value IS NULL), false) AS has_new,
                coalesce(array_agg(purpose || '.' || key_id ORDER BY purpose, key_id)
                    FILTER (WHERE known.check_value <> ours.check_value), '{}') AS foreign
            FROM unnest($1::text[], $2::integer[], $3::bytea[]) AS ours (purpose, key_id, check_value)
                LEFT JOIN key_check_values known USING (purpose, key_id)",
        );
        compare.bind(&self.purposes).bind(&self.key_ids).bind(&self.check_values).fetch_one(connection).await
    }
}

#[derive(sqlx::FromRow)]
struct Comparison {
    /// Whether the database does not know one of the keys.
    has_new: bool,
    foreign: Vec<String>,
}

/// Why a key ring with these foreign keys is refused.
pub(crate) fn describe_foreign(foreign: &[String]) -> String {
    format!(
        "the key ring is not that of this database: {} differ from the keys that it knows under these ids (docs/keys.md)",
        foreign.join(", ")
    )
}

/// Fails if the key ring is not that of the database. Adds nothing.
pub async fn compare_keys(pool: &PgPool, keys: &InstanceKeys) -> Result<(), StoreError> {
    let foreign = read(pool, "key_check_values", async |connection| Ok(keys.find_foreign(connection).await?)).await?;
    if foreign.is_empty() { Ok(()) } else { Err(StoreError::Internal(describe_foreign(&foreign).into())) }
}

/// Forgets the check value of a key, so that another key may have its id. For the owner of the table only. `false`: the
/// database does not know such a key.
pub async fn forget_key(pool: &PgPool, purpose: &str, key_id: i32) -> Result<bool, StoreError> {
    write(pool, "key_check_values", async |connection| {
        let deleted = sqlx::query("DELETE FROM key_check_values WHERE purpose = $1 AND key_id = $2");
        Ok(deleted.bind(purpose).bind(key_id).execute(connection).await?.rows_affected() > 0)
    })
    .await
}
