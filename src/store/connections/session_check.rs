//! Checks on each new connection of an instance that its session can write, keeps what it commits, and has the time-outs that
//! were asked for.

use sqlx::PgConnection;

#[derive(sqlx::FromRow)]
struct Session {
    is_read_only: bool,
    has_time_outs: bool,
    synchronous_commit: String,
}

/// Refuses a session that is of no use to an instance.
///
/// Also raises `synchronous_commit` to `on` where it is lower, so that what Postgres has acknowledged survives its crash, and
/// is on the synchronous standbys if there are any. It stays `remote_apply` where that is set.
pub(super) async fn check_session(connection: &mut PgConnection) -> sqlx::Result<()> {
    let session: Session = sqlx::query_as(
        "SELECT current_setting('transaction_read_only')::boolean AS is_read_only,
            current_setting('statement_timeout') <> '0'
                AND current_setting('idle_in_transaction_session_timeout') <> '0' AS has_time_outs,
            set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false) AS synchronous_commit",
    )
    .fetch_one(connection)
    .await?;
    let refuse = |why: &str| Err(sqlx::Error::Configuration(why.into()));
    match session {
        Session { is_read_only: true, .. } => {
            refuse("the session is read-only: a standby, or default_transaction_read_only")
        }
        Session { has_time_outs: false, .. } => refuse(
            "the session has no time-outs: a connection pooler in front of Postgres drops `options` (docs/database.md)",
        ),
        Session { synchronous_commit, .. } if !matches!(&*synchronous_commit, "on" | "remote_apply") => {
            refuse("synchronous_commit cannot be set")
        }
        Session { .. } => Ok(()),
    }
}
