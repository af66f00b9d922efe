//! The first transaction of a try: counts it, or answers it without a comparison (R2, R3, R4).

use sqlx::types::Json;
use sqlx::{Connection as _, PgConnection, PgPool, PgTransaction};
use uuid::Uuid;

use super::person_tries::list_person_tries;
use super::record_outcome::{Recording, record_outcome};
use super::{PinToCompare, RedemptionTry, TryStart};
use crate::domain::pin::PinVerifier;
use crate::domain::redemption::{OpenPin, PreviousTry, RedeemOutcome, StartDecision, StartFacts, start_try};
use crate::store::connections::{MAX_RACE_RETRIES, StoreError, none_if_race_lost, too_many_races, write};

/// A PIN whose row is locked.
struct LockedPin {
    open: OpenPin,
    verifier: PinVerifier,
}

/// Counts the try in its own commit, or answers it without a comparison. A repeat of a try that was counted but not concluded
/// does not count again.
pub async fn begin_try(pool: &PgPool, redemption: &RedemptionTry<'_>) -> Result<TryStart, StoreError> {
    write(pool, "begin_try", async |connection| {
        for _ in 0..=MAX_RACE_RETRIES {
            if let Some(start) = none_if_race_lost(begin_once(connection, redemption).await)? {
                return Ok(start);
            }
        }
        Err(too_many_races("tries"))
    })
    .await
}

/// `None`: the facts changed while they were read, or another call answered the same request id. Nothing is written then.
async fn begin_once(
    connection: &mut PgConnection,
    redemption: &RedemptionTry<'_>,
) -> Result<Option<TryStart>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let pin = lock_open_pin(&mut transaction, redemption).await?;
    let Some(facts) = read_start_facts(&mut transaction, redemption, pin.as_ref()).await? else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let start = match (start_try(&facts, redemption.is_allowed_by_guard, &redemption.rules, redemption.now), pin) {
        (StartDecision::Replay(outcome), _) => TryStart::Replayed(outcome),
        (StartDecision::RefuseRequestId, _) => TryStart::RequestIdReused,
        (StartDecision::WaitForOthers, _) => TryStart::Busy,
        (StartDecision::Resume(pin_request_id), _) => {
            TryStart::Counted(read_pin_to_compare(&mut transaction, pin_request_id).await?)
        }
        (StartDecision::Count, Some(LockedPin { open, verifier })) => {
            count_try(&mut transaction, redemption, open.id).await?;
            TryStart::Counted(PinToCompare { pin_request_id: open.id, verifier })
        }
        (StartDecision::Count, None) => return Err(sqlx::Error::RowNotFound),
        (StartDecision::Answer(outcome), pin) => {
            let open_pin = pin.map(|pin| pin.open.id);
            if !record_outcome(&mut transaction, redemption, outcome, Recording::without_try(open_pin)).await? {
                transaction.rollback().await?;
                return Ok(None);
            }
            TryStart::Answered(outcome)
        }
    };
    transaction.commit().await?;
    Ok(Some(start))
}

/// Locks the person's open PIN, if there is one.
async fn lock_open_pin(
    transaction: &mut PgTransaction<'_>,
    redemption: &RedemptionTry<'_>,
) -> Result<Option<LockedPin>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT id, tries, verifier_key_id, verifier_salt, verifier_mac FROM pin_requests
        WHERE person_key = $1 AND state = 'open' AND expire_time > $2
        FOR UPDATE",
        &redemption.person.0,
        redemption.now,
    )
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(|row| {
        Ok(LockedPin {
            open: OpenPin { id: row.id, tries: row.tries.unsigned_abs().into() },
            verifier: verifier(row.verifier_key_id, row.verifier_salt, row.verifier_mac)?,
        })
    })
    .transpose()
}

/// `None`: the person's open PIN is another one than the locked one.
async fn read_start_facts(
    transaction: &mut PgTransaction<'_>,
    redemption: &RedemptionTry<'_>,
    pin: Option<&LockedPin>,
) -> Result<Option<StartFacts>, sqlx::Error> {
    let RedemptionTry { caller, request_id, person, rules, now, .. } = *redemption;
    let row = sqlx::query_file!("src/store/redeeming/start_facts.sql", caller, request_id, &person.0, now)
        .fetch_one(&mut **transaction)
        .await?;
    let mut open_pin = pin.map(|pin| pin.open);
    if row.open_pin_id != open_pin.map(|pin| pin.id) {
        return Ok(None);
    }
    let previous = match (row.payload_digest, row.response, row.tried_pin_id) {
        (None, ..) => None,
        (Some(digest), ..) if digest != redemption.payload_digest => Some(PreviousTry::OtherPayload),
        (Some(_), Some(Json(outcome)), _) => Some(PreviousTry::Answered(outcome)),
        (Some(_), None, Some(pin_request_id)) => Some(PreviousTry::Counted(pin_request_id)),
        // 0.1.0 has noted that there was no open PIN, and broke off. The try is not compared with a later PIN.
        (Some(_), None, None) => {
            open_pin = None;
            None
        }
    };
    Ok(Some(StartFacts {
        previous,
        open_pin,
        is_latest_pin_revoked: row.is_latest_pin_revoked.unwrap_or_default(),
        person_tries: list_person_tries(transaction, person, rules.wrong_tries, None, now).await?,
    }))
}

async fn count_try(
    transaction: &mut PgTransaction<'_>,
    redemption: &RedemptionTry<'_>,
    pin_request_id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query_file!(
        "src/store/redeeming/count_try.sql",
        redemption.caller,
        redemption.request_id,
        &redemption.payload_digest,
        pin_request_id,
        redemption.now,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn read_pin_to_compare(
    transaction: &mut PgTransaction<'_>,
    pin_request_id: Uuid,
) -> Result<PinToCompare, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT verifier_key_id, verifier_salt, verifier_mac FROM pin_requests WHERE id = $1",
        pin_request_id,
    )
    .fetch_one(&mut **transaction)
    .await?;
    let verifier = verifier(row.verifier_key_id, row.verifier_salt, row.verifier_mac)?;
    Ok(PinToCompare { pin_request_id, verifier })
}

fn verifier(key_id: i32, salt: Vec<u8>, mac: Vec<u8>) -> Result<PinVerifier, sqlx::Error> {
    let wrong_length = |_| sqlx::Error::ColumnDecode { index: "verifier".into(), source: "wrong length".into() };
    Ok(PinVerifier { key_id, salt: salt.try_into().map_err(wrong_length)?, mac: mac.try_into().map_err(wrong_length)? })
}
