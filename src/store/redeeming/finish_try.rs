//! The second transaction of a counted try: concludes it (R2, R3, R4).

use sqlx::types::Json;
use sqlx::{Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use super::RedemptionTry;
use super::person_tries::list_person_tries;
use super::record_outcome::{Recording, record_outcome};
use crate::domain::redemption::{ConcludeFacts, RedeemOutcome, TriedPin, conclude_try};
use crate::store::connections::{MAX_RACE_RETRIES, StoreError, none_if_race_lost, too_many_races, write};

/// Concludes a counted try of the PIN of `pin_request_id`. The PIN is redeemed at most once, however many right tries run at
/// once.
pub async fn finish_try(
    pool: &PgPool,
    redemption: &RedemptionTry<'_>,
    pin_request_id: Uuid,
    is_right: bool,
) -> Result<RedeemOutcome, StoreError> {
    write(pool, "finish_try", async |connection| {
        for _ in 0..=MAX_RACE_RETRIES {
            if let Some(outcome) =
                none_if_race_lost(finish_once(connection, redemption, pin_request_id, is_right).await)?
            {
                return Ok(outcome);
            }
        }
        Err(too_many_races("tries"))
    })
    .await
}

/// `None`: another call concluded the same request id. Nothing is written then.
async fn finish_once(
    connection: &mut PgConnection,
    redemption: &RedemptionTry<'_>,
    pin_request_id: Uuid,
    is_right: bool,
) -> Result<Option<RedeemOutcome>, sqlx::Error> {
    let RedemptionTry { caller, request_id, person, rules, now, .. } = *redemption;
    let mut transaction = connection.begin().await?;
    let row = sqlx::query!(
        r#"SELECT r.response AS "response?: Json<RedeemOutcome>", r.create_time, p.state, p.expire_time, p.tries
        FROM requests r, pin_requests p
        WHERE r.caller = $1 AND r.method = 'RedeemTemporaryPin' AND r.request_id = $2 AND p.id = $3
        FOR UPDATE OF r, p"#,
        caller,
        request_id,
        pin_request_id,
    )
    .fetch_one(&mut *transaction)
    .await?;
    if let Some(Json(outcome)) = row.response {
        transaction.rollback().await?;
        return Ok(Some(outcome));
    }
    let pin = match row.state.as_str() {
        "open" if row.expire_time > now => TriedPin::Open { tries: row.tries.unsigned_abs().into() },
        "revoked" => TriedPin::Revoked,
        _ => TriedPin::Gone,
    };
    let this_try = Some((caller, request_id));
    let facts = ConcludeFacts {
        pin_request_id,
        pin,
        try_time: row.create_time,
        other_tries: list_person_tries(&mut transaction, person, rules.wrong_tries, this_try, now).await?,
    };
    let outcome = conclude_try(is_right, facts, &rules, now);
    let open_pin = matches!(pin, TriedPin::Open { .. }).then_some(pin_request_id);
    let recording = Recording { is_right: Some(is_right), tried_pin: Some(pin_request_id), open_pin };
    let is_recorded = record_outcome(&mut transaction, redemption, outcome, recording).await?;
    transaction.commit().await?;
    Ok(is_recorded.then_some(outcome))
}
