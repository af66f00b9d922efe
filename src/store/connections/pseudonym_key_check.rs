//! Checks on each new connection that the rows are under this instance's pseudonym key.
//!
//! Every connection of an instance holds a shared lock, which it takes before it reads the table `pseudonym_keys`.
//! Re-keying takes the lock exclusively. So no connection outlives the key that it was checked against, and rows are never
//! written under two keys, even if an instance hears of a re-keying late or not at all (R26).

use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use super::session_check::check_session;
use super::{PoolSettings, StoreError, connect_options, pool_options};
use crate::store::locks;

/// How long a refused connection waits before it fails, so that the pool does not retry at once.
const DELAY_AFTER_REFUSAL: Duration = Duration::from_millis(500);

/// The row of the table `pseudonym_keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::store) struct PseudonymKeys {
    /// The key of the rows.
    pub key_id: i32,
    /// The key to which a re-keying is moving the rows. While it is set, no instance serves.
    pub next_key_id: Option<i32>,
}

impl PseudonymKeys {
    pub(in crate::store) async fn read(connection: &mut PgConnection) -> sqlx::Result<Self> {
        sqlx::query_as("SELECT key_id, next_key_id FROM pseudonym_keys").fetch_one(connection).await
    }
}

/// A pool like that of [`connect`](super::connect), for an instance that serves. Its connections open only while the rows
/// are under the pseudonym key `key_id`. Otherwise Postgres counts as not available, and the log says why.
pub fn connect_instance(url: &str, settings: &PoolSettings, key_id: i32) -> Result<PgPool, StoreError> {
    let pool = pool_options(settings).after_connect(move |connection, _| {
        Box::pin(async move {
            let check = match check_session(connection).await {
                Ok(()) => check_key(connection, key_id).await,
                refused => refused,
            };
            if check.is_err() {
                sqlx::query("SELECT pg_advisory_unlock_all()").execute(connection).await?;
                tokio::time::sleep(DELAY_AFTER_REFUSAL).await;
            }
            check
        })
    });
    Ok(pool.connect_lazy_with(connect_options(url, settings)?))
}

async fn check_key(connection: &mut PgConnection, key_id: i32) -> sqlx::Result<()> {
    // A statement of its own, so that the next one sees what was committed before the lock was free.
    let is_locked = locks::try_share_pseudonym_key(connection).await?;
    let rows = PseudonymKeys::read(connection).await?;
    let refuse = |why: String| Err(sqlx::Error::Configuration(why.into()));
    match rows {
        _ if !is_locked => refuse("the pseudonyms are being re-keyed".into()),
        PseudonymKeys { next_key_id: Some(_), .. } => {
            refuse("a re-keying of the pseudonyms broke off: run `temporary-pin keys rekey-pseudonyms` again".into())
        }
        PseudonymKeys { key_id: other, .. } if other != key_id => refuse(format!(
            "the rows are under pseudonym key {other}, and key {key_id} of the key ring is active (docs/keys.md)"
        )),
        PseudonymKeys { .. } => Ok(()),
    }
}
