//! Errors of calls to Postgres.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use sqlx::error::UnexpectedNullError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// A failed call to Postgres. Its text says what failed and never shows a value, which may point to a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Postgres does not answer, has no free connection, or is too busy. Either nothing was done, or it is not known what
    /// was done (R26).
    #[error("Postgres is not available: {0}")]
    Unavailable(Failure),
    /// A defect: the data or the statement is not as it should be.
    #[error("defect in data or statement: {0}")]
    Internal(Failure),
}

/// What failed, and the errors of the client library that caused it.
#[derive(Clone, Debug)]
pub struct Failure {
    text: Cow<'static, str>,
    /// The cause, the cause of that cause, and so on. For the log alone.
    causes: Vec<String>,
    /// Whether the session cannot write, because the server is a standby or was made read-only.
    is_read_only: bool,
}

/// The code of a statement that would write in a read-only session.
const READ_ONLY: &str = "25006";

impl StoreError {
    /// Whether the session cannot write, so that a new one is needed.
    pub(super) fn is_read_only(&self) -> bool {
        matches!(self, Self::Unavailable(Failure { is_read_only: true, .. }))
    }

    /// A column holds a value that this version does not know. `column` is `table.column`.
    pub(in crate::store) fn unknown_value(column: &str) -> Self {
        Self::Internal(format!("column {column} holds a value that this version does not know").into())
    }

    /// The text for the log: this error's own text, followed by its causes. It shows no values.
    pub fn with_causes(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| {
            let (Self::Unavailable(Failure { causes, .. }) | Self::Internal(Failure { causes, .. })) = self;
            write!(f, "{self}")?;
            causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
        })
    }
}

impl Failure {
    /// `cause` must be an error whose text shows no values.
    fn caused_by(text: impl Into<Cow<'static, str>>, cause: &dyn Error) -> Self {
        let mut causes = vec![cause.to_string()];
        let mut next = cause.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Many errors repeat their cause in their own text.
            if !causes.iter().any(|known| known.contains(&text)) {
                causes.push(text);
            }
            next = cause.source();
        }
        Self { text: text.into(), causes, is_read_only: false }
    }

    /// The text for the log: what failed, and its causes.
    #[must_use]
    pub fn with_causes(&self) -> String {
        std::iter::once(&*self.text).chain(self.causes.iter().map(String::as_str)).collect::<Vec<_>>().join(": ")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Failure {
    /// Causes do not count: they are details for the log.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Failure {}

impl From<&'static str> for Failure {
    fn from(text: &'static str) -> Self {
        Self { text: text.into(), causes: Vec::new(), is_read_only: false }
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self { text: text.into(), causes: Vec::new(), is_read_only: false }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                let text = describe(&code, database.message(), database.constraint()).into();
                let failure = Failure { text, causes: Vec::new(), is_read_only: code == READ_ONLY };
                let is_outage = is_transient(&code) || ended_session(&error);
                if is_outage { Self::Unavailable(failure) } else { Self::Internal(failure) }
            }
            sqlx::Error::PoolTimedOut => Self::Unavailable("no free connection in time".into()),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Unavailable("the pool is closed".into()),
            sqlx::Error::Io(cause) => Self::Unavailable(Failure::caused_by(cause.kind().to_string(), cause)),
            sqlx::Error::Tls(cause) => Self::Unavailable(Failure::caused_by("TLS with Postgres failed", &**cause)),
            sqlx::Error::Protocol(_) => Self::Unavailable("unexpected message from Postgres".into()),
            sqlx::Error::RowNotFound => Self::Internal("a row is missing".into()),
            sqlx::Error::ColumnDecode { index, source } => {
                let text = format!("column {index} holds a value that this version cannot read");
                // Other causes may quote the value.
                let is_null = source.is::<UnexpectedNullError>();
                Self::Internal(if is_null { Failure::caused_by(text, &**source) } else { text.into() })
            }
            sqlx::Error::Encode(_) => Self::Internal("a value cannot be stored".into()),
            // The texts of these errors name settings, columns, types and migrations. Other errors may quote a value.
            sqlx::Error::Configuration(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::Migrate(_)
            | sqlx::Error::InvalidSavePointStatement
            | sqlx::Error::BeginFailed => Self::Internal(Failure::caused_by("the client library failed", &error)),
            _ => Self::Internal("the client library failed".into()),
        }
    }
}

/// Whether the statement lost a race, so that its next run, with a new snapshot, sees the outcome: a unique key taken by a
/// concurrent statement (23505), a deadlock (40P01), or a person who was blocked at the same time (PB001).
pub(in crate::store) fn lost_race(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("23505" | "40P01" | BLOCKED))
}

/// Whether Postgres refused the statement, but may accept another statement on the same connection.
pub(in crate::store) fn is_refusal(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some() && !ended_session(error) && code(error).as_deref() != Some(READ_ONLY)
}

/// Whether Postgres ended the session (FATAL), or all of them (PANIC). It does so for troubles of its own, such as a full
/// disk, and not because of the statement.
fn ended_session(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    error.is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
}

/// Whether Postgres refused the row because its person is blocked.
pub(in crate::store) fn is_blocked(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some(BLOCKED)
}

/// The error code that the triggers of 0002_operator.sql raise.
const BLOCKED: &str = "PB001";

fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(|error| error.code())
}

/// Whether the same statement may succeed later: connection lost (08), a session that cannot write (25006), login refused (28),
/// serialisation failure or deadlock (40), out of resources (53), lock not available (55), shutdown and statement timeout
/// (57), an error of the disk (58).
fn is_transient(code: &str) -> bool {
    ["08", READ_ONLY, "28", "40", "53", "55", "57", "58"].iter().any(|prefix| code.starts_with(prefix))
}

/// The error code, and the constraint or the message. The message of a data exception (class 22) can quote a value, so it is
/// left out. All other messages hold no values of persons.
fn describe(code: &str, message: &str, constraint: Option<&str>) -> String {
    match constraint {
        Some(constraint) => format!("{code} at {constraint}"),
        None if code.starts_with("22") => code.to_owned(),
        None => format!("{code} {message}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn causes_are_shown_in_the_log_only() {
        let reset = io::Error::new(io::ErrorKind::ConnectionReset, "peer went away");
        let error = StoreError::from(sqlx::Error::Io(reset));
        assert_eq!(error.to_string(), "Postgres is not available: connection reset");
        assert_eq!(error.with_causes().to_string(), "Postgres is not available: connection reset: peer went away");
        let error = StoreError::from(sqlx::Error::ColumnNotFound("tries".into()));
        assert_eq!(error.to_string(), "defect in data or statement: the client library failed");
        assert_eq!(
            error.with_causes().to_string(),
            "defect in data or statement: the client library failed: no column found for name: tries"
        );
    }

    #[test]
    fn causes_that_may_quote_a_value_are_left_out() {
        let quoting = || Box::<dyn Error + Send + Sync>::from("invalid value: secret-value");
        for error in [
            sqlx::Error::Decode(quoting()),
            sqlx::Error::Encode(quoting()),
            sqlx::Error::ColumnDecode { index: "1".into(), source: quoting() },
            sqlx::Error::Protocol("secret-value".into()),
        ] {
            let error = StoreError::from(error);
            assert!(!format!("{} {error:?}", error.with_causes()).contains("secret"), "{error:?}");
        }
    }
}
