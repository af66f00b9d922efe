//! What the service's role may do in the database: granted by the owner, checked by the service.

use sqlx::{AssertSqlSafe, Connection as _, PgPool};

use super::{StoreError, close, open_for_maintenance, write};

/// The grants of the service's role, whose name stands there as `:"service_role"`.
const GRANTS: &str = include_str!("grants.sql");

/// Grants the role what the service needs, and revokes everything else from it and from PUBLIC. Run as the owner of the
/// tables, after the migrations. Several processes may do so at the same time.
pub async fn grant(pool: &PgPool, service_role: &str) -> Result<(), StoreError> {
    let mut connection = open_for_maintenance(pool).await?;
    let mut transaction = connection.begin().await?;
    // Of two transactions that change the grants of one table at the same time, Postgres fails the second.
    sqlx::query("SELECT pg_advisory_xact_lock('_sqlx_migrations'::regclass::bigint)")
        .execute(&mut *transaction)
        .await?;
    let is_own = sqlx::query_scalar!(r#"SELECT current_user = $1 AS "is_own!""#, service_role)
        .fetch_one(&mut *transaction)
        .await?;
    if is_own {
        let text = format!("{service_role} cannot be both the service's role and the owner");
        return Err(StoreError::Internal(text.into()));
    }
    let grants = substitute_names(GRANTS, &[("service_role", service_role)]);
    sqlx::raw_sql(AssertSqlSafe(grants)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    close(connection).await;
    Ok(())
}

/// Lists what the current role may do and the service's role must not. Each entry begins with a verb, such as "owns
/// audit_events". Needs the schema.
pub async fn find_excess(pool: &PgPool) -> Result<Vec<String>, StoreError> {
    write(pool, "rights", async |connection| {
        Ok(sqlx::query_scalar!(
            r#"SELECT 'is a superuser' AS "excess!" FROM pg_roles WHERE rolname = current_user AND rolsuper
            UNION ALL
            SELECT 'owns ' || relname FROM pg_class
            WHERE oid = 'audit_events'::regclass AND pg_has_role(relowner, 'MEMBER')
            UNION ALL
            SELECT 'may ' || verb || ' in ' || name
            FROM unnest(ARRAY['audit_events', 'audit_agents', 'audit_operators', 'audit_seals']) AS name,
                unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS verb
            WHERE has_table_privilege(name, verb) OR (verb = 'UPDATE' AND has_any_column_privilege(name, verb))"#,
        )
        .fetch_all(connection)
        .await?)
    })
    .await
}

/// Replaces `:"key"` in `sql` by the quoted name, as psql does. `names` holds pairs of key and name.
#[must_use]
pub fn substitute_names(sql: &str, names: &[(&str, &str)]) -> String {
    names.iter().fold(sql.to_owned(), |sql, (key, name)| {
        sql.replace(&format!(":\"{key}\""), &format!("\"{}\"", name.replace('"', "\"\"")))
    })
}
