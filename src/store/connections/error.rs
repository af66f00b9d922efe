//! What can go wrong between the service and Postgres.

use std::borrow::Cow;

use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// A failed call. Says where it broke, never with which values: they may point to a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Postgres does not answer, has no free connection, or is too busy. Nothing was done, or it is not known (R26).
    #[error("Postgres is not available: {0}")]
    Unavailable(String),
    /// A defect: the data or the statement is not what it should be.
    #[error("Postgres refused: {0}")]
    Internal(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                let text = describe(&code, error.message(), error.constraint());
                if is_passing(&code) { Self::Unavailable(text) } else { Self::Internal(text) }
            }
            sqlx::Error::PoolTimedOut => Self::Unavailable("no free connection in time".into()),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Unavailable("the pool is closed".into()),
            sqlx::Error::Io(error) => Self::Unavailable(error.kind().to_string()),
            sqlx::Error::Tls(_) => Self::Unavailable("TLS with Postgres failed".into()),
            sqlx::Error::Protocol(_) => Self::Unavailable("the connection broke within a message".into()),
            sqlx::Error::RowNotFound => Self::Internal("a row is missing".into()),
            sqlx::Error::ColumnDecode { index, .. } => {
                Self::Internal(format!("column {index} holds a value unknown here"))
            }
            sqlx::Error::Encode(_) => Self::Internal("a value cannot be stored".into()),
            _ => Self::Internal("the client library failed".into()),
        }
    }
}

impl StoreError {
    /// A stored word that this version does not know.
    pub(in crate::store) fn unknown_word(column: &str) -> Self {
        Self::Internal(format!("column {column} holds a word unknown here"))
    }
}

/// Whether the statement lost a race that its next run, with a new snapshot, will see decided: a unique key taken
/// by a concurrent statement (23505), a deadlock (40P01), or a person who was blocked meanwhile (PB001).
pub(in crate::store) fn lost_race(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("23505" | "40P01" | BLOCKED))
}

/// Whether Postgres has refused the statement, and goes on to serve the connection.
pub(in crate::store) fn is_refusal(error: &sqlx::Error) -> bool {
    let refusal = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    refusal.is_some_and(|error| !matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
}

/// Whether the row is refused because its person is blocked.
pub(in crate::store) fn is_blocked(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some(BLOCKED)
}

/// What the triggers of 0002_operator.sql answer.
const BLOCKED: &str = "PB001";

fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(|error| error.code())
}

/// Connection lost (08), a primary that became a standby (25006), login refused (28), serialisation or deadlock (40),
/// resources (53), lock (55), shutdown and statement_timeout (57).
fn is_passing(code: &str) -> bool {
    ["08", "25006", "28", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class))
}

/// The message of a data exception (class 22) can quote the value; all others name tables and constraints only.
fn describe(code: &str, message: &str, constraint: Option<&str>) -> String {
    match constraint {
        Some(constraint) => format!("{code} at {constraint}"),
        None if code.starts_with("22") => code.to_owned(),
        None => format!("{code} {message}"),
    }
}
