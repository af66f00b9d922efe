//! The table `access_requests`: holds on the web (R6, R7, R8).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgPool, PgTransaction};
use uuid::Uuid;

use crate::domain::hold::{Hold, HoldState};
use crate::domain::person::PersonKey;
use crate::store::connections::{StoreError, is_blocked, read, write};
use crate::store::messages::outbox::Notice;
use crate::store::verifying::verifications::{NewVerification, RecordOutcome, VerificationLimits, record_in};

/// A login that asks for access.
pub struct AccessRequest<'a> {
    /// Id of the new access request, should there be one.
    pub id: Uuid,
    /// The hold that a new access request starts.
    pub hold: Hold,
    /// The login.
    pub verification: NewVerification<'a>,
    /// R8: what the person is told when a new hold starts.
    pub notices: &'a [Notice],
}

/// What became of a login that asks for access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessOutcome {
    /// It started this hold.
    Opened(Hold),
    /// This hold, started before, is running; it goes on unchanged (R6).
    Running(Hold),
    /// This hold, started before, has passed: the person may order.
    Passed(Hold),
    /// R23: the login has served before. Nothing is kept.
    NonceUsed,
    /// R18: too many failed verifications of this person. Nothing is kept.
    Limited {
        /// When there is room for another.
        until: DateTime<Utc>,
    },
    /// The person was blocked at this moment. Nothing is kept.
    Blocked,
}

/// Keeps a login and, when no hold is running or passed, starts one: the access request, its notices and the audit
/// events in one transaction. One login per person at a time, so that there is one hold and one notice.
pub async fn request_access(
    pool: &PgPool,
    request: &AccessRequest<'_>,
    limits: &VerificationLimits,
) -> Result<AccessOutcome, StoreError> {
    write(pool, "request_access", async |connection| {
        let mut transaction = connection.begin().await?;
        let outcome = request_access_in(&mut transaction, request, limits).await?;
        // After a refusal by the trigger there is nothing left to commit: Postgres then rolls back.
        transaction.commit().await?;
        Ok(outcome)
    })
    .await
}

async fn request_access_in(
    transaction: &mut PgTransaction<'_>,
    request: &AccessRequest<'_>,
    limits: &VerificationLimits,
) -> Result<AccessOutcome, StoreError> {
    let NewVerification { person, now, .. } = request.verification;
    match record_in(transaction, &request.verification, limits).await? {
        RecordOutcome::Recorded => {}
        RecordOutcome::Limited { until } => return Ok(AccessOutcome::Limited { until }),
        RecordOutcome::NonceUsed | RecordOutcome::WitnessUsed => return Ok(AccessOutcome::NonceUsed),
    }
    // The person's lock, taken by `record_in`, is held until the commit.
    let hold = sqlx::query_as!(
        Hold,
        "SELECT request_time, eligible_time, expire_time FROM access_requests
        WHERE person_key = $1 AND state = 'open' AND expire_time > $2",
        &person.0,
        now,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(match hold {
        Some(hold) if hold.state(now) == HoldState::Running => AccessOutcome::Running(hold),
        Some(hold) => AccessOutcome::Passed(hold),
        None => match open(transaction, request).await {
            Ok(()) => AccessOutcome::Opened(request.hold),
            Err(error) if is_blocked(&error) => AccessOutcome::Blocked,
            Err(error) => return Err(error.into()),
        },
    })
}

/// The person's open access request, also when its window has passed.
pub async fn find_open(pool: &PgPool, person: PersonKey) -> Result<Option<Hold>, StoreError> {
    read(pool, "current_access_request", async |connection| {
        Ok(sqlx::query_as!(
            Hold,
            "SELECT request_time, eligible_time, expire_time FROM access_requests
            WHERE person_key = $1 AND state = 'open'",
            &person.0,
        )
        .fetch_optional(connection)
        .await?)
    })
    .await
}

/// Puts a new access request in the place of an expired one, if there is one.
async fn open(transaction: &mut PgTransaction<'_>, request: &AccessRequest<'_>) -> Result<(), sqlx::Error> {
    let AccessRequest { hold, verification, notices, .. } = request;
    let ids: Vec<Uuid> = notices.iter().map(|notice| notice.id).collect();
    let kinds: Vec<String> = notices.iter().map(|notice| notice.kind.as_str().to_owned()).collect();
    let bodies: Vec<Vec<u8>> = notices.iter().map(|notice| notice.sealed_body.clone()).collect();
    let due_times: Vec<DateTime<Utc>> = notices.iter().map(|notice| notice.due_time).collect();
    let expire_times: Vec<DateTime<Utc>> = notices.iter().map(|notice| notice.expire_time).collect();
    sqlx::query!(
        r#"WITH superseded AS (
            UPDATE access_requests SET state = 'expired', close_time = $3
            WHERE person_key = $2 AND state = 'open' AND expire_time <= $3
            RETURNING notice_ids
        ),
        erased AS (
            UPDATE outbox o SET sealed_body = NULL, lease_token = NULL, lease_expire_time = NULL,
                state = CASE o.state WHEN 'queued' THEN 'expired' ELSE o.state END
            FROM superseded WHERE o.id = ANY (superseded.notice_ids)
        ),
        opened AS (
            INSERT INTO access_requests (
                id, person_key, state, request_time, eligible_time, expire_time, notice_ids
            )
            -- Counting makes the insert wait until the expired row has left its place in the index.
            SELECT $1, $2, 'open', $4, $5, $6, $7::uuid[] FROM (SELECT count(*) FROM superseded) AS after_superseding
            RETURNING id
        ),
        queued AS (
            INSERT INTO outbox (id, person_key, kind, state, sealed_body, next_attempt_time, expire_time, create_time)
            SELECT notice.id, $2, notice.kind, 'queued', notice.body, notice.due_time, notice.expire_time, $3
            FROM unnest($7::uuid[], $8::text[], $9::bytea[], $10::timestamptz[], $11::timestamptz[])
                AS notice (id, kind, body, due_time, expire_time)
        )
        INSERT INTO audit_events (
            event_time, person_key, action, purpose, channel, caller, verification_id, access_request_id
        )
        SELECT $3, $2, 'access_requested', 'issuance', $12, $13, $14, opened.id FROM opened"#,
        request.id,
        &verification.person.0,
        verification.now,
        hold.request_time,
        hold.eligible_time,
        hold.expire_time,
        &ids,
        &kinds,
        &bodies,
        &due_times,
        &expire_times,
        verification.channel.as_str(),
        verification.caller,
        verification.id,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
