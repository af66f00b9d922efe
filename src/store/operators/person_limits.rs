//! How much of a person's limits is used up according to Postgres, and the table `limit_resets` (R4, R18, R25).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgPool};

use crate::domain::person::PersonKey;
use crate::domain::person_limit::{LimitUsage, PersonLimit};
use crate::domain::rule_settings::Limit;
use crate::store::audit::audit_events::{NewAuditEvent, record_in_transaction};
use crate::store::connections::{StoreError, read, write};
use crate::store::parameters::to_interval;
use crate::store::redeeming::list_person_tries;
use crate::store::verifying::history::read_failed_verifications;

/// The query for the times of all rows in a window, the latest first.
macro_rules! select_times {
    ($window_function:tt, $key:expr, $now:expr, $span:expr) => {
        sqlx::query_scalar!(
            r#"SELECT create_time AS "create_time!" FROM "#
                + $window_function
                + r#"($1, $2, $3)
                    ORDER BY create_time DESC"#,
            $key,
            $now,
            $span,
        )
    };
}

/// Reads how much of a limit is used up, by the same windows as the statements that enforce it.
/// `configured` is the limit's setting; `subject` is the pseudonym of the person or of the mobile number.
pub async fn read_usage(
    pool: &PgPool,
    limit: PersonLimit,
    configured: Limit,
    subject: [u8; 32],
    now: DateTime<Utc>,
) -> Result<LimitUsage, StoreError> {
    read(pool, "spent_of_limit", async |connection| {
        let (key, span) = (subject.as_slice(), to_interval(configured.per));
        let times: Vec<DateTime<Utc>> = match limit {
            PersonLimit::WrongTries => {
                let tries = list_person_tries(connection, PersonKey(subject), configured, None, now).await?;
                tries.wrong_times(now).collect()
            }
            PersonLimit::FailedVerifications(channel) => {
                return read_failed_verifications(connection, PersonKey(subject), channel, configured, now).await;
            }
            PersonLimit::PersonPins => {
                select_times!("person_pins_in_window", key, now, span).fetch_all(connection).await?
            }
            PersonLimit::MobilePins => {
                select_times!("mobile_pins_in_window", key, now, span).fetch_all(connection).await?
            }
        };
        Ok(LimitUsage::count(times.into_iter().map(|time| (time, 1)), configured))
    })
    .await
}

/// Resets the limit: rows from before `event.now` do not count any more. Audited.
pub async fn reset_limit(
    pool: &PgPool,
    limit: PersonLimit,
    subject: [u8; 32],
    event: &NewAuditEvent<'_>,
) -> Result<(), StoreError> {
    write(pool, "reset_limit", async |connection| {
        let mut transaction = connection.begin().await?;
        sqlx::query!(
            "INSERT INTO limit_resets (subject_key, limit_name, reset_time) VALUES ($1, $2, $3)
            ON CONFLICT (subject_key, limit_name)
            DO UPDATE SET reset_time = greatest(limit_resets.reset_time, excluded.reset_time)",
            &subject,
            limit.as_str(),
            event.now,
        )
        .execute(&mut *transaction)
        .await?;
        record_in_transaction(&mut transaction, event).await?;
        transaction.commit().await?;
        Ok(())
    })
    .await
}
