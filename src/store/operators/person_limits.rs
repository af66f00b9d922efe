//! The limits of persons as rows bear witness to them, and the table `limit_resets` (R4, R18, R25).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgPool};

use crate::domain::person_limit::{LimitUsage, PersonLimit};
use crate::domain::rules::Limit;
use crate::store::audit::audit_events::{NewAuditEvent, record_in};
use crate::store::connections::{StoreError, read, write};

/// What is spent of the limit by rows. As in the statements that enforce it: issue_temporary_pin.sql,
/// redeem_begin_try.sql, verification_record.sql. `subject` is the pseudonym of the person, or of the mobile number.
pub async fn read_spent(
    pool: &PgPool,
    limit: PersonLimit,
    figures: Limit,
    subject: [u8; 32],
    now: DateTime<Utc>,
) -> Result<LimitUsage, StoreError> {
    read(pool, "spent_of_limit", async |connection| {
        let subject = subject.as_slice();
        let reset_time = sqlx::query_scalar!(
            "SELECT reset_time FROM limit_resets WHERE subject_key = $1 AND limit_name = $2",
            subject,
            limit.as_str(),
        )
        .fetch_optional(&mut *connection)
        .await?;
        // `max` of an option and none is the option.
        let from = Some(now - figures.per).max(reset_time);
        let spends: Vec<(DateTime<Utc>, u32)> = match limit {
            PersonLimit::WrongTries => sqlx::query!(
                r#"SELECT expire_time, tries - (state = 'redeemed')::int AS "tries!" FROM pin_requests
                WHERE person_key = $1 AND expire_time > $2
                    AND ($3::timestamptz IS NULL OR least(close_time, expire_time) > $3)
                ORDER BY expire_time DESC"#,
                subject,
                now - figures.per,
                reset_time,
            )
            .fetch_all(connection)
            .await?
            .into_iter()
            .map(|row| (row.expire_time, row.tries.unsigned_abs()))
            .collect(),
            PersonLimit::FailedVerifications => once(
                sqlx::query_scalar!(
                    "SELECT create_time FROM verifications
                    WHERE person_key = $1 AND state IN ('rejected', 'questions_pending') AND create_time > $2
                    ORDER BY create_time DESC",
                    subject,
                    from,
                )
                .fetch_all(connection)
                .await?,
            ),
            PersonLimit::PersonPins => once(
                sqlx::query_scalar!(
                    "SELECT create_time FROM pin_requests WHERE person_key = $1 AND create_time > $2
                    ORDER BY create_time DESC",
                    subject,
                    from,
                )
                .fetch_all(connection)
                .await?,
            ),
            PersonLimit::MobilePins => once(
                sqlx::query_scalar!(
                    "SELECT create_time FROM pin_requests WHERE mobile_key = $1 AND create_time > $2
                    ORDER BY create_time DESC",
                    subject,
                    from,
                )
                .fetch_all(connection)
                .await?,
            ),
        };
        Ok(LimitUsage::count(spends, figures))
    })
    .await
}

fn once(times: Vec<DateTime<Utc>>) -> Vec<(DateTime<Utc>, u32)> {
    times.into_iter().map(|time| (time, 1)).collect()
}

/// Lets the limit start afresh: rows from before `event.now` do not count any more. Audited.
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
        record_in(&mut transaction, event).await?;
        transaction.commit().await?;
        Ok(())
    })
    .await
}
