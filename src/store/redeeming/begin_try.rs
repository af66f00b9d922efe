//! The first transaction of a try: count it.

use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};

use super::{CountedTry, RedeemOutcome, RedemptionTry, TryRefusal, TryStart};
use crate::domain::pin::PinVerifier;
use crate::store::connections::{MAX_RACE_RETRIES, StoreError, none_if_race_lost, too_many_races, write};
use crate::store::parameters::interval;

/// Counts the try and commits, before any comparison. A repeat of a try that was counted but not finished does not count
/// again.
pub async fn begin_try(pool: &PgPool, attempt: &RedemptionTry<'_>) -> Result<TryStart, StoreError> {
    write(pool, "begin_try", async |connection| {
        for _ in 0..=MAX_RACE_RETRIES {
            if let Some(start) = none_if_race_lost(run_statement(connection, attempt).await)? {
                return Ok(start);
            }
        }
        Err(too_many_races("tries"))
    })
    .await
}

/// Runs the statement once. `None`: it lost a race and wrote nothing.
async fn run_statement(
    connection: &mut PgConnection,
    attempt: &RedemptionTry<'_>,
) -> Result<Option<TryStart>, sqlx::Error> {
    let row = sqlx::query_file!(
        "src/store/redeeming/begin_try.sql",
        attempt.caller,
        attempt.request_id,
        &attempt.payload_digest,
        &attempt.person.0,
        attempt.now,
        i32::try_from(attempt.max_tries).unwrap_or(i32::MAX),
        i64::from(attempt.wrong_tries.times),
        interval(attempt.wrong_tries.per),
        attempt.may_count,
    )
    .fetch_one(connection)
    .await?;
    let counted = || -> Option<CountedTry> {
        Some(CountedTry {
            pin_request_id: row.pin_request_id?,
            verifier: PinVerifier {
                key_id: row.key_id?,
                salt: row.salt?.try_into().ok()?,
                mac: row.mac?.try_into().ok()?,
            },
            tries: u32::try_from(row.tries?).ok()?,
        })
    };
    Ok(row.outcome.and_then(|outcome| match outcome.as_str() {
        "request_id_reused" => Some(TryStart::RequestIdReused),
        "replayed" => row.response.map(|Json(outcome)| TryStart::Replayed(outcome)),
        "counted" | "resumed" => counted().map(TryStart::Counted),
        "budget_exhausted" => Some(TryStart::Refused(TryRefusal::BudgetExhausted)),
        "limited" => Some(TryStart::Refused(TryRefusal::Limited)),
        "revoked" => Some(TryStart::Refused(TryRefusal::Revoked)),
        _ => Some(TryStart::Refused(TryRefusal::NoOpenPin)),
    }))
}
