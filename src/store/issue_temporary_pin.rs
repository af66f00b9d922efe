//! The issue transaction: a PIN request, its SMS, its idempotency record and its audit event, all or none.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::error::lost_race;
use super::pin_requests::PinRequestView;
use super::{StoreError, interval, pseudonyms, read, run};
use crate::domain::channel::Channel;
use crate::domain::hold::Hold;
use crate::domain::person::{AgentKey, MobileKey, PersonKey};
use crate::domain::pin::PinVerifier;
use crate::domain::rules::Limit;

/// How often the statement is run before the call gives up: each run but the last lost a race against another call for
/// the same person, whose outcome the next run sees.
const RUNS: usize = 4;

/// An order for a PIN.
pub struct Issue<'a> {
    /// The caller that asks.
    pub caller: &'a str,
    /// The caller's id of this order: the same id gets the same answer.
    pub request_id: Uuid,
    /// Keyed digest of the order, to tell a repeat from another order under the same id.
    pub payload_digest: [u8; 32],
    /// The verification that this order rests on (R21).
    pub verification_id: Uuid,
    /// The person.
    pub person: PersonKey,
    /// Every pseudonym of the person under which a block may stand.
    pub keys: &'a [PersonKey],
    /// The person's registered mobile number.
    pub mobile: MobileKey,
    /// The caller's channel; the verification must be of the same.
    pub channel: Channel,
    /// The support agent or clerk, on phone and at the counter.
    pub agent: Option<AgentKey>,
    /// The time of the order.
    pub now: DateTime<Utc>,
    /// Id of the new PIN request, should there be one.
    pub pin_request_id: Uuid,
    /// What is stored of the new PIN.
    pub verifier: PinVerifier,
    /// R2: how long the new PIN can be redeemed.
    pub lifetime: Duration,
    /// The mobile number as answers show it.
    pub masked_mobile_number: &'a str,
    /// Id of the new PIN's SMS.
    pub message_id: Uuid,
    /// The new PIN's SMS, sealed.
    pub sealed_body: &'a [u8],
    /// Whether a new PIN may be issued at all; `false` still resends, returns an open one, or replays.
    pub may_issue: bool,
    /// R25: PINs per person; at least once.
    pub person_pins: Limit,
    /// R25: PINs per mobile number; at least once.
    pub mobile_pins: Limit,
    /// R5: least time between two sends.
    pub resend_interval: Duration,
    /// R5: sends in all.
    pub sends: u32,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueOutcome {
    /// A new PIN is on its way.
    Issued(PinRequestView),
    /// The open PIN is sent again (R5).
    Resent(PinRequestView),
    /// A PIN is open and cannot be sent again yet, or any more.
    AlreadyOpen(PinRequestView),
    /// This request was answered before, with this.
    Replayed(PinRequestView),
    /// This request id was used for another order.
    RequestIdReused,
    /// The verification does not serve (R21).
    Verification(VerificationProblem),
    /// An operator has blocked the person.
    Blocked,
    /// The hold does not let the person order (R6, R7).
    Access(AccessProblem),
    /// R25: too many PINs for the person; there is room from `until` on.
    PersonLimit {
        /// When the next PIN may be issued.
        until: DateTime<Utc>,
    },
    /// R25: too many PINs to the mobile number; there is room from `until` on.
    MobileLimit {
        /// When the next PIN may be issued.
        until: DateTime<Utc>,
    },
    /// All is well, but `may_issue` was false.
    NotIssued,
}

/// Why a verification does not serve (R21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationProblem {
    /// There is none of that id for this caller, channel and person.
    Unknown,
    /// It has not confirmed the identity.
    NotConfirmed,
    /// It is too old.
    Expired,
    /// It has served another PIN request.
    Used,
}

/// Why the hold does not let the person order (R6, R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessProblem {
    /// Access has not been requested.
    None,
    /// The hold is running.
    Running(Hold),
    /// The access window has passed.
    Expired(Hold),
    /// The verification is from before the hold had passed.
    LoginAgain,
}

/// Issues a PIN, or sends the open one again, or says why not. One round trip, unless another call for the same person
/// ran at the same moment.
pub async fn issue(pool: &PgPool, order: &Issue<'_>) -> Result<IssueOutcome, StoreError> {
    run(pool, "issue_temporary_pin", async |connection| {
        for _ in 0..RUNS {
            match attempt(connection, order).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) => {}
                Err(error) if lost_race(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unavailable("too many orders for one person at once".into()))
    })
    .await
}

/// What this request was answered before, if it was: [`IssueOutcome::Replayed`] or [`IssueOutcome::RequestIdReused`].
pub async fn replay(
    pool: &PgPool,
    caller: &str,
    request_id: Uuid,
    payload_digest: [u8; 32],
) -> Result<Option<IssueOutcome>, StoreError> {
    read(pool, "replay_temporary_pin", async |connection| {
        let row = sqlx::query!(
            r#"SELECT payload_digest, response AS "response!: Json<PinRequestView>" FROM requests
            WHERE caller = $1 AND method = 'IssueTemporaryPin' AND request_id = $2"#,
            caller,
            request_id,
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.map(|row| match row.response {
            Json(view) if row.payload_digest == payload_digest => IssueOutcome::Replayed(view),
            _ => IssueOutcome::RequestIdReused,
        }))
    })
    .await
}

/// Runs the statement once. `None`: it lost a race and has written nothing.
async fn attempt(connection: &mut PgConnection, order: &Issue<'_>) -> Result<Option<IssueOutcome>, sqlx::Error> {
    let row = sqlx::query_file!(
        "src/store/issue_temporary_pin.sql",
        order.caller,
        order.request_id,
        &order.payload_digest,
        order.verification_id,
        &order.person.0,
        &order.mobile.0,
        order.channel.as_str(),
        order.agent.as_ref().map(|agent| agent.0.as_slice()),
        order.now,
        order.pin_request_id,
        order.now + order.lifetime,
        order.masked_mobile_number,
        order.message_id,
        interval(order.resend_interval),
        i32::try_from(order.sends).unwrap_or(i32::MAX),
        interval(order.person_pins.per),
        i64::from(order.person_pins.times),
        interval(order.mobile_pins.per),
        i64::from(order.mobile_pins.times),
        order.may_issue,
        order.verifier.key_id,
        &order.verifier.salt,
        &order.verifier.mac,
        order.sealed_body,
        &pseudonyms(order.keys),
    )
    .fetch_one(connection)
    .await?;
    let hold = || -> Option<Hold> {
        Some(Hold {
            request_time: row.request_time?,
            eligible_time: row.eligible_time?,
            expire_time: row.access_expire_time?,
        })
    };
    let view = row.response.map(|Json(view)| view);
    Ok(match row.outcome.as_str() {
        "issued" => view.map(IssueOutcome::Issued),
        "resent" => view.map(IssueOutcome::Resent),
        "already_open" => view.map(IssueOutcome::AlreadyOpen),
        "replayed" => view.map(IssueOutcome::Replayed),
        "request_id_reused" => Some(IssueOutcome::RequestIdReused),
        "verification_unknown" => Some(IssueOutcome::Verification(VerificationProblem::Unknown)),
        "verification_not_confirmed" => Some(IssueOutcome::Verification(VerificationProblem::NotConfirmed)),
        "verification_expired" => Some(IssueOutcome::Verification(VerificationProblem::Expired)),
        "verification_used" => Some(IssueOutcome::Verification(VerificationProblem::Used)),
        "blocked" => Some(IssueOutcome::Blocked),
        "access_none" => Some(IssueOutcome::Access(AccessProblem::None)),
        "access_running" => hold().map(|hold| IssueOutcome::Access(AccessProblem::Running(hold))),
        "access_expired" => hold().map(|hold| IssueOutcome::Access(AccessProblem::Expired(hold))),
        "access_login_again" => Some(IssueOutcome::Access(AccessProblem::LoginAgain)),
        "person_limit" => row.until.map(|until| IssueOutcome::PersonLimit { until }),
        "mobile_limit" => row.until.map(|until| IssueOutcome::MobileLimit { until }),
        _ => Some(IssueOutcome::NotIssued),
    })
}
