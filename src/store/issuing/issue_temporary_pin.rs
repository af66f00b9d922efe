//! The issue transaction: a PIN request, its SMS, its idempotency record and its audit event, all or none.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::batch::Batcher;
use crate::domain::channel::Channel;
use crate::domain::hold::Hold;
use crate::domain::person::{AgentKey, MobileKey, PersonKey};
use crate::domain::pin::PinVerifier;
use crate::domain::rules::Limit;
use crate::store::connections::{StickyConnection, StoreError, is_refusal, lost_race, read, write, write_batched};
use crate::store::issuing::PinRequestView;
use crate::store::parameters::{interval, numbered_pseudonyms};

/// How often the statement is run before the call gives up: each run but the last lost a race against another call for
/// the same person, whose outcome the next run sees.
const RUNS: usize = 4;

/// Most orders in one statement.
const MOST: usize = 64;

/// An order for a PIN.
#[derive(Clone)]
pub struct PinOrder {
    /// The caller that asks.
    pub caller: Arc<str>,
    /// The caller's id of this order: the same id gets the same answer.
    pub request_id: Uuid,
    /// Keyed digest of the order, to tell a repeat from another order under the same id.
    pub payload_digest: [u8; 32],
    /// The verification that this order rests on (R21).
    pub verification_id: Uuid,
    /// The person.
    pub person: PersonKey,
    /// Every pseudonym of the person under which a block may stand.
    pub keys: Vec<PersonKey>,
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
    pub masked_mobile_number: String,
    /// Id of the new PIN's SMS.
    pub message_id: Uuid,
    /// The new PIN's SMS, sealed.
    pub sealed_body: Vec<u8>,
    /// Whether a new PIN may be issued at all; `false` still resends, returns an open one, or replays.
    pub may_issue: bool,
    /// The figures of the rules.
    pub limits: IssueLimits,
}

/// The figures of the rules that the statement goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssueLimits {
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
    NotRequested,
    /// The hold is running.
    Running(Hold),
    /// The access window has passed.
    Expired(Hold),
    /// The verification is from before the hold had passed.
    LoginAgain,
}

/// Takes orders, and issues those that come at the same moment with one statement. Cheap to clone.
#[derive(Clone)]
pub struct PinIssuer {
    pool: PgPool,
    together: Batcher<Arc<PinOrder>, Result<Option<IssueOutcome>, StoreError>>,
}

impl PinIssuer {
    /// Over this database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let relay = StickyConnection::new(pool.clone());
        Self { pool, together: Batcher::new(MOST, move |orders| issue_together(relay.clone(), orders)) }
    }

    /// Issues a PIN, or sends the open one again, or says why not: what [`issue`] would answer.
    pub async fn issue(&self, order: PinOrder) -> Result<IssueOutcome, StoreError> {
        let order = Arc::new(order);
        match write_batched("issue_temporary_pin", &self.together, Arc::clone(&order)).await? {
            Some(outcome) => Ok(outcome),
            None => issue(&self.pool, &order).await,
        }
    }
}

/// Issues a PIN, or sends the open one again, or says why not. One round trip, unless another call for the same person
/// ran at the same moment.
pub async fn issue(pool: &PgPool, order: &PinOrder) -> Result<IssueOutcome, StoreError> {
    write(pool, "issue_temporary_pin", async |connection| {
        for _ in 0..RUNS {
            match attempt(connection, &[order]).await {
                Ok(outcomes) => {
                    if let Some(outcome) = outcomes.into_iter().next().flatten() {
                        return Ok(outcome);
                    }
                }
                Err(error) if lost_race(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unavailable("too many orders for one person at once".into()))
    })
    .await
}

/// What [`issue`] would answer to each order, by one statement. `None`: it shall be issued alone, because it has lost a race,
/// is not the first of its person, or because one of them (a race, a block, a value that Postgres refuses) has kept the
/// statement from doing anything.
async fn issue_together(
    relay: StickyConnection,
    orders: Vec<Arc<PinOrder>>,
) -> Vec<Result<Option<IssueOutcome>, StoreError>> {
    // In one order for all statements, so that no two wait for each other in a ring.
    let mut together: Vec<usize> =
        (0..orders.len()).filter(|&index| orders[index].limits == orders[0].limits).collect();
    together.sort_by_key(|&index| orders[index].person.0);
    // The statement does not see what it writes itself.
    together.dedup_by_key(|index| orders[*index].person.0);
    let batch: Vec<&PinOrder> = together.iter().map(|&index| &*orders[index]).collect();
    let outcomes = relay.run(async |connection| match attempt(connection, &batch).await {
        Err(error) if is_refusal(&error) => Ok(vec![None; batch.len()]),
        outcomes => Ok(outcomes?),
    });
    let outcomes = match outcomes.await {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error); batch.len()],
    };
    let mut answers = vec![Ok(None); orders.len()];
    for (index, outcome) in together.into_iter().zip(outcomes) {
        answers[index] = outcome;
    }
    answers
}

/// What this request was answered before, if it was: [`IssueOutcome::Replayed`] or [`IssueOutcome::RequestIdReused`].
pub async fn find_replay(
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

/// Runs the statement once. `None` for an order that lost a race: nothing is written for it.
async fn attempt(
    connection: &mut PgConnection,
    orders: &[&PinOrder],
) -> Result<Vec<Option<IssueOutcome>>, sqlx::Error> {
    let Some(IssueLimits { person_pins, mobile_pins, resend_interval, sends }) =
        orders.first().map(|order| order.limits)
    else {
        return Ok(Vec::new());
    };
    fn each<'a, T>(orders: &[&'a PinOrder], of: impl Fn(&'a PinOrder) -> T) -> Vec<T> {
        orders.iter().map(|order| of(order)).collect()
    }
    let (numbers, pseudonyms) = numbered_pseudonyms(orders.iter().map(|order| order.keys.as_slice()));
    let rows = sqlx::query_file_as!(
        Row,
        "src/store/issuing/issue_temporary_pin.sql",
        &each(orders, |order| &*order.caller) as &[&str],
        &each(orders, |order| order.request_id),
        &each(orders, |order| order.payload_digest.as_slice()) as &[&[u8]],
        &each(orders, |order| order.verification_id),
        &each(orders, |order| order.person.0.as_slice()) as &[&[u8]],
        &each(orders, |order| order.mobile.0.as_slice()) as &[&[u8]],
        &each(orders, |order| order.channel.as_str()) as &[&str],
        &each(orders, |order| order.agent.as_ref().map(|agent| agent.0.as_slice())) as &[Option<&[u8]>],
        &each(orders, |order| order.now),
        &each(orders, |order| order.pin_request_id),
        &each(orders, |order| order.now + order.lifetime),
        &each(orders, |order| order.masked_mobile_number.as_str()) as &[&str],
        &each(orders, |order| order.message_id),
        &each(orders, |order| order.may_issue),
        &each(orders, |order| order.verifier.key_id),
        &each(orders, |order| order.verifier.salt.as_slice()) as &[&[u8]],
        &each(orders, |order| order.verifier.mac.as_slice()) as &[&[u8]],
        &each(orders, |order| order.sealed_body.as_slice()) as &[&[u8]],
        &numbers,
        &pseudonyms as &[&[u8]],
        interval(resend_interval),
        i32::try_from(sends).unwrap_or(i32::MAX),
        interval(person_pins.per),
        i64::from(person_pins.times),
        interval(mobile_pins.per),
        i64::from(mobile_pins.times),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(outcome).collect())
}

/// What the statement says to one order.
struct Row {
    outcome: String,
    response: Option<Json<PinRequestView>>,
    until: Option<DateTime<Utc>>,
    request_time: Option<DateTime<Utc>>,
    eligible_time: Option<DateTime<Utc>>,
    access_expire_time: Option<DateTime<Utc>>,
}

fn outcome(row: Row) -> Option<IssueOutcome> {
    let hold = || -> Option<Hold> {
        Some(Hold {
            request_time: row.request_time?,
            eligible_time: row.eligible_time?,
            expire_time: row.access_expire_time?,
        })
    };
    let view = row.response.map(|Json(view)| view);
    match row.outcome.as_str() {
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
        "access_none" => Some(IssueOutcome::Access(AccessProblem::NotRequested)),
        "access_running" => hold().map(|hold| IssueOutcome::Access(AccessProblem::Running(hold))),
        "access_expired" => hold().map(|hold| IssueOutcome::Access(AccessProblem::Expired(hold))),
        "access_login_again" => Some(IssueOutcome::Access(AccessProblem::LoginAgain)),
        "person_limit" => row.until.map(|until| IssueOutcome::PersonLimit { until }),
        "mobile_limit" => row.until.map(|until| IssueOutcome::MobileLimit { until }),
        _ => Some(IssueOutcome::NotIssued),
    }
}
