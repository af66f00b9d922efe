//! The table `pseudonym_keys`: under which pseudonym key of the key ring the rows are.
//!
//! Every connection of an instance holds a shared lock, taken before it looks at the table; re-keying needs the lock for
//! itself. So no connection outlives the key that it was admitted under, and nothing is written under two keys, whatever
//! reaches an instance late or not at all (R26).

use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use crate::store::connections::{PoolSettings, StoreError, connect_options, pool_options};
use crate::store::locks::PSEUDONYM_KEY;

/// How long a refused connection waits, so that the pool does not ask again at once.
const REST: Duration = Duration::from_millis(500);

/// What the table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::store) struct PseudonymKeys {
    /// The key of the rows.
    pub key_id: i32,
    /// The key that a re-keying is bringing them under; nobody serves.
    pub next_key_id: Option<i32>,
}

impl PseudonymKeys {
    pub(in crate::store) async fn read(connection: &mut PgConnection) -> sqlx::Result<Self> {
        sqlx::query_as("SELECT key_id, next_key_id FROM pseudonym_keys").fetch_one(connection).await
    }
}

/// A pool as [`connect`](super::connect) makes it, for an instance that serves: it has connections only while the rows are
/// under that pseudonym key. Else Postgres counts as not available, and the log says why.
pub fn connect_instance(url: &str, settings: &PoolSettings, key_id: i32) -> Result<PgPool, StoreError> {
    let pool = pool_options(settings).after_connect(move |connection, _| {
        Box::pin(async move {
            let admitted = admit(connection, key_id).await;
            if admitted.is_err() {
                sqlx::query("SELECT pg_advisory_unlock_all()").execute(connection).await?;
                tokio::time::sleep(REST).await;
            }
            admitted
        })
    });
    Ok(pool.connect_lazy_with(connect_options(url, settings)?))
}

async fn admit(connection: &mut PgConnection, key_id: i32) -> sqlx::Result<()> {
    // In a statement of its own: the next one then sees what was committed before the lock was free.
    let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock_shared($1, $2)")
        .bind(PSEUDONYM_KEY.0)
        .bind(PSEUDONYM_KEY.1)
        .fetch_one(&mut *connection)
        .await?;
    let rows = PseudonymKeys::read(connection).await?;
    let refuse = |why: String| Err(sqlx::Error::Configuration(why.into()));
    match rows {
        _ if !locked => refuse("the pseudonyms are being re-keyed".into()),
        PseudonymKeys { next_key_id: Some(_), .. } => {
            refuse("a re-keying of the pseudonyms broke off: run `temporary-pin keys rekey-pseudonyms` again".into())
        }
        PseudonymKeys { key_id: other, .. } if other != key_id => refuse(format!(
            "the rows are under pseudonym key {other}, and key {key_id} of the key ring is active (docs/keys.md)"
        )),
        PseudonymKeys { .. } => Ok(()),
    }
}
