//! The table `access_requests`: holds on the web (R6, R7, R8).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgPool, PgTransaction};
use uuid::Uuid;

use crate::domain::hold::{Hold, HoldState};
use crate::domain::person::PersonKey;
use crate::store::connections::{StoreError, is_blocked, read, write};
use crate::store::messages::Notice;
use crate::store::verifying::verifications::{NewVerification, insert_login};

/// A login that requests access.
pub struct AccessRequest<'a> {
    /// Id of the access request, if a new one is opened.
    pub id: Uuid,
    /// The hold, if a new one starts.
    pub hold: Hold,
    /// The login.
    pub verification: NewVerification<'a>,
    /// R8: what the person is told if a new hold starts.
    pub notices: &'a [Notice],
}

/// The outcome of a login that requests access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessOutcome {
    /// The login started this hold.
    Opened(Hold),
    /// This hold from an earlier login is running; it continues unchanged (R6).
    Running(Hold),
    /// This hold from an earlier login has passed: the person may order a PIN.
    Passed(Hold),
    /// R23: the login was used before. Nothing is stored.
    NonceUsed,
    /// The person was blocked at the same time. Nothing is stored.
    Blocked,
}

/// Records a login. If no hold is running or has passed, also starts one: the access request, its notices and the audit
/// events, in the same transaction. Logins of one person run one after the other, so that there is one hold and one notice.
pub async fn request_access(pool: &PgPool, request: &AccessRequest<'_>) -> Result<AccessOutcome, StoreError> {
    write(pool, "request_access", async |connection| {
        let mut transaction = connection.begin().await?;
        let outcome = request_access_in_transaction(&mut transaction, request).await?;
        // If the trigger has refused the row, this commit rolls back.
        transaction.commit().await?;
        Ok(outcome)
    })
    .await
}

async fn request_access_in_transaction(
    transaction: &mut PgTransaction<'_>,
    request: &AccessRequest<'_>,
) -> Result<AccessOutcome, StoreError> {
    let NewVerification { person, now, .. } = request.verification;
    if !insert_login(transaction, &request.verification).await? {
        return Ok(AccessOutcome::NonceUsed);
    }
    // Recording has locked the person until the commit.
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
        None => match open_access_request(transaction, request).await {
            Ok(()) => AccessOutcome::Opened(request.hold),
            Err(error) if is_blocked(&error) => AccessOutcome::Blocked,
            Err(error) => return Err(error.into()),
        },
    })
}

/// Finds the person's open access request, even if its access window has passed.
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

/// Inserts a new access request. If there is an expired one, it is closed first.
async fn open_access_request(
    transaction: &mut PgTransaction<'_>,
    request: &AccessRequest<'_>,
) -> Result<(), sqlx::Error> {
    let AccessRequest { hold, verification, notices, .. } = request;
    let notice_ids: Vec<Uuid> = notices.iter().map(|notice| notice.id).collect();
    let kinds: Vec<String> = notices.iter().map(|notice| notice.kind.as_str().to_owned()).collect();
    let bodies: Vec<Vec<u8>> = notices.iter().map(|notice| notice.sealed_body.clone()).collect();
    let due_times: Vec<DateTime<Utc>> = notices.iter().map(|notice| notice.due_time).collect();
    let expire_times: Vec<DateTime<Utc>> = notices.iter().map(|notice| notice.expire_time).collect();
    sqlx::query_file!(
        "src/store/holds/open_access_request.sql",
        request.id,
        &verification.person.0,
        verification.now,
        hold.request_time,
        hold.eligible_time,
        hold.expire_time,
        &notice_ids,
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
