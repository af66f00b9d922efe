//! Advisory locks whose number stands in a migration as well.

use sqlx::PgPool;
use temporary_pin::store::locks::INSERT_OR_BLOCK_CLASS;
use test_support::store::*;

#[sqlx::test]
async fn r9_inserts_and_blocks_use_the_same_lock(pool: PgPool) {
    let trigger = one::<String>(&pool, "SELECT prosrc FROM pg_proc WHERE proname = 'refuse_blocked'").await;
    let lock = format!("pg_advisory_xact_lock_shared({INSERT_OR_BLOCK_CLASS}, ");
    assert!(trigger.contains(&lock), "{trigger}");
}
