//! The second transaction of a try: store the result of the comparison.

use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};

use super::{RedeemOutcome, RedemptionTry, TryRefusal, TryResult};
use crate::store::connections::{MAX_RACE_RETRIES, StoreError, none_if_race_lost, too_many_races, write};

/// Stores the result of the try. A PIN is redeemed at most once, however many right tries run at the same time.
pub async fn finish_try(
    pool: &PgPool,
    attempt: &RedemptionTry<'_>,
    result: TryResult<'_>,
) -> Result<RedeemOutcome, StoreError> {
    write(pool, "finish_try", async |connection| {
        for _ in 0..=MAX_RACE_RETRIES {
            if let Some(outcome) = none_if_race_lost(run_statement(connection, attempt, result).await)? {
                return outcome.ok_or_else(|| StoreError::Internal("a try was finished that was not begun".into()));
            }
        }
        Err(too_many_races("tries"))
    })
    .await
}

/// Runs the statement once. `None`: it lost a race and wrote nothing. `Some(None)`: the try was never counted or refused.
async fn run_statement(
    connection: &mut PgConnection,
    attempt: &RedemptionTry<'_>,
    result: TryResult<'_>,
) -> Result<Option<Option<RedeemOutcome>>, sqlx::Error> {
    let (result, counted) = match result {
        TryResult::Right(counted) => ("right", Some(counted)),
        TryResult::Wrong(counted) => ("wrong", Some(counted)),
        TryResult::Refused(TryRefusal::NoOpenPin) => ("no_open_pin", None),
        TryResult::Refused(TryRefusal::Revoked) => ("revoked", None),
        TryResult::Refused(TryRefusal::BudgetExhausted) => ("budget_exhausted", None),
        TryResult::Refused(TryRefusal::Limited) => ("limited", None),
    };
    let tries_left = attempt.max_tries.saturating_sub(counted.map_or(0, |counted| counted.tries));
    let response = sqlx::query_file_scalar!(
        "src/store/redeeming/finish_try.sql",
        attempt.caller,
        attempt.request_id,
        &attempt.person.0,
        attempt.now,
        result,
        counted.map(|counted| counted.pin_request_id),
        i32::try_from(tries_left).unwrap_or(i32::MAX),
    )
    .fetch_optional(connection)
    .await?;
    Ok(match response {
        Some(Some(Json(outcome))) => Some(Some(outcome)),
        // A concurrent call has finished this try. The next run sees its answer.
        Some(None) => None,
        None => Some(None),
    })
}
