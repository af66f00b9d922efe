//! Checks on each new connection that its session is of use, that the key ring is that of the database, and that the rows are
//! under this instance's pseudonym key.
//!
//! Every connection of an instance holds a shared lock, which it takes before it reads the table `pseudonym_keys`.
//! Re-keying takes the lock exclusively. So no connection outlives the key that it was checked against, and rows are never
//! written under two keys, even if an instance hears of a re-keying late or not at all (R26).

use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use super::key_check_values::{InstanceKeys, describe_foreign};
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

/// A pool like that of [`connect`](super::connect), for an instance that serves. Its connections open only with the key ring of
/// the database, and while the rows are under its active pseudonym key. Otherwise Postgres counts as not available, and the
/// log says why. `keys` gives the keys of the present key ring.
pub fn connect_instance(
    url: &str,
    settings: &PoolSettings,
    keys: impl Fn() -> InstanceKeys + Send + Sync + 'static,
) -> Result<PgPool, StoreError> {
    let pool = pool_options(settings).after_connect(move |connection, _| {
        let keys = keys();
        Box::pin(async move {
            let check = check_instance(connection, &keys).await;
            if check.is_err() {
                sqlx::query("SELECT pg_advisory_unlock_all()").execute(connection).await?;
                tokio::time::sleep(DELAY_AFTER_REFUSAL).await;
            }
            check
        })
    });
    Ok(pool.connect_lazy_with(connect_options(url, settings)?))
}

/// Fails if the instance must not use this connection.
pub(super) async fn check_instance(connection: &mut PgConnection, keys: &InstanceKeys) -> sqlx::Result<()> {
    check_session(connection).await?;
    let foreign = keys.find_foreign_and_add_new(connection).await?;
    if !foreign.is_empty() {
        return Err(sqlx::Error::Configuration(describe_foreign(&foreign).into()));
    }
    check_pseudonym_key(connection, keys.pseudonym_key_id).await
}

async fn check_pseudonym_key(connection: &mut PgConnection, key_id: i32) -> sqlx::Result<()> {
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
