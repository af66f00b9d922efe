//! The redeem transactions (R2, R3, R4): a try is counted and committed, then compared by the caller, then concluded.
//! Every try takes both, whatever its outcome.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::person::PersonKey;
use crate::domain::pin::PinVerifier;
use crate::domain::rules::Limit;
use crate::store::connections::{StoreError, lost_race, write};
use crate::store::parameters::interval;

/// How often a statement is run: each run but the last lost a race against another try for the same person.
const RUNS: usize = 4;

/// One try.
pub struct RedemptionTry<'a> {
    /// The caller that asks.
    pub caller: &'a str,
    /// The caller's id of this try: the same id gets the same answer and counts once.
    pub request_id: Uuid,
    /// Keyed digest of the request, PIN included: a repeat compares the same PIN or nothing.
    pub payload_digest: [u8; 32],
    /// The person.
    pub person: PersonKey,
    /// R3: tries of one PIN.
    pub max_tries: u32,
    /// R4: wrong tries of the person, over all PINs.
    pub wrong_tries: Limit,
    /// Whether it may count at all: `false` when the guard has no try left. A repeat is answered all the same.
    pub may_count: bool,
    /// The time of the try.
    pub now: DateTime<Utc>,
}

/// What a try may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryStart {
    /// This request was answered before, with this.
    Replayed(RedeemOutcome),
    /// This request id was used for another payload.
    RequestIdReused,
    /// The try is counted: compare, then [`finish_try`].
    Counted(CountedTry),
    /// There is nothing to compare with. [`finish_try`] records it.
    Refused(TryRefusal),
}

/// A try that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedTry {
    /// The PIN request it counts on.
    pub pin_request_id: Uuid,
    /// What to compare with.
    pub verifier: PinVerifier,
    /// Which try of this PIN it is, from 1.
    pub tries: u32,
}

/// Why there is nothing to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRefusal {
    /// The person has no open PIN.
    NoOpenPin,
    /// The person's last PIN is revoked and would still be valid, or its tries are spent.
    Revoked,
    /// R4: too many wrong tries.
    BudgetExhausted,
    /// The guard has no try left, though Postgres counts fewer wrong ones: others may run at this moment. Answered like
    /// [`Self::BudgetExhausted`], but closes nothing.
    Limited,
}

/// What the comparison said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryResult<'a> {
    /// The PIN is the one that was issued.
    Right(&'a CountedTry),
    /// It is another.
    Wrong(&'a CountedTry),
    /// There was nothing to compare with.
    Refused(TryRefusal),
}

/// The outcome of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RedeemOutcome {
    /// The PIN was right and is now used.
    Redeemed,
    /// The PIN was wrong.
    WrongPin {
        /// Tries that remain.
        left: u32,
    },
    /// The person has no open PIN.
    NoOpenPin,
    /// The PIN is revoked, by this try or before.
    Revoked,
    /// R4: too many wrong tries. The open PIN is revoked.
    BudgetExhausted,
}

impl RedeemOutcome {
    /// The name used in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redeemed => "redeemed",
            Self::WrongPin { .. } => "wrong_pin",
            Self::NoOpenPin => "no_open_pin",
            Self::Revoked => "revoked",
            Self::BudgetExhausted => "budget_exhausted",
        }
    }
}

/// Counts the try, before any comparison and in its own commit. A repeat of a try that was counted but not concluded
/// does not count again.
pub async fn begin_try(pool: &PgPool, attempt: &RedemptionTry<'_>) -> Result<TryStart, StoreError> {
    write(pool, "begin_try", async |connection| {
        for _ in 0..RUNS {
            match begin(connection, attempt).await {
                Ok(Some(begun)) => return Ok(begun),
                Ok(None) => {}
                Err(error) if lost_race(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(too_many())
    })
    .await
}

/// Concludes the try. The PIN is consumed at most once, however many right tries run at once.
pub async fn finish_try(
    pool: &PgPool,
    attempt: &RedemptionTry<'_>,
    verdict: TryResult<'_>,
) -> Result<RedeemOutcome, StoreError> {
    write(pool, "finish_try", async |connection| {
        let (verdict, counted) = match verdict {
            TryResult::Right(counted) => ("right", Some(counted)),
            TryResult::Wrong(counted) => ("wrong", Some(counted)),
            TryResult::Refused(TryRefusal::NoOpenPin) => ("no_open_pin", None),
            TryResult::Refused(TryRefusal::Revoked) => ("revoked", None),
            TryResult::Refused(TryRefusal::BudgetExhausted) => ("budget_exhausted", None),
            TryResult::Refused(TryRefusal::Limited) => ("limited", None),
        };
        let left = attempt.max_tries.saturating_sub(counted.map_or(0, |counted| counted.tries));
        for _ in 0..RUNS {
            let response = sqlx::query_file_scalar!(
                "src/store/redeeming/finish_try.sql",
                attempt.caller,
                attempt.request_id,
                &attempt.person.0,
                attempt.now,
                verdict,
                counted.map(|counted| counted.pin_request_id),
                i32::try_from(left).unwrap_or(i32::MAX),
            )
            .fetch_optional(&mut *connection)
            .await;
            match response {
                Ok(Some(Some(Json(outcome)))) => return Ok(outcome),
                Ok(Some(None)) => {}
                Ok(None) => return Err(StoreError::Internal("a try was finished that was not begun".into())),
                Err(error) if lost_race(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(too_many())
    })
    .await
}

/// Runs the statement once. `None`: it lost a race and has written nothing.
async fn begin(connection: &mut PgConnection, attempt: &RedemptionTry<'_>) -> Result<Option<TryStart>, sqlx::Error> {
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

fn too_many() -> StoreError {
    StoreError::Unavailable("too many tries for one person at once".into())
}
