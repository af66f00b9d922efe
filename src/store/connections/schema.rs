//! The schema: applies the migrations, and checks that they are applied.

use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::{PgConnection, PgPool};

use super::{StoreError, close, open_for_maintenance, read};

/// The migrations that this version of the service needs.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// Postgres' code for a table that does not exist.
const UNDEFINED_TABLE: &str = "42P01";

/// Applies the migrations that are missing. Several processes may do so at the same time.
pub async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    let mut connection = open_for_maintenance(pool).await?;
    MIGRATIONS.run(&mut connection).await.map_err(migrate_error)?;
    close(connection).await;
    Ok(())
}

/// Whether every migration that this version needs has been applied, unchanged. Later migrations may be there as well: a
/// newer version has applied them.
pub async fn schema_is_current(pool: &PgPool) -> Result<bool, StoreError> {
    read(pool, "schema", is_current).await
}

/// Like [`schema_is_current`], on this connection.
pub(super) async fn is_current(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let applied = match connection.list_applied_migrations("_sqlx_migrations").await {
        Ok(applied) => applied,
        Err(MigrateError::Execute(error)) if is_undefined_table(&error) => return Ok(false),
        Err(error) => return Err(migrate_error(error)),
    };
    let is_applied = |needed: &sqlx::migrate::Migration| {
        applied.iter().any(|done| done.version == needed.version && done.checksum == needed.checksum)
    };
    Ok(MIGRATIONS.iter().all(is_applied))
}

fn is_undefined_table(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some(UNDEFINED_TABLE)
}

fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        // The text of all others names versions of migrations and nothing else.
        error => StoreError::Internal(error.to_string().into()),
    }
}
