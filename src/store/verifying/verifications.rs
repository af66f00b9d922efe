//! The table `verifications`: runs of VerifyIdentity (R16, R18, R20, R21, R23).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgPool, PgTransaction};
use uuid::Uuid;

use super::history::{read_failed_verifications, read_vouching_history};
use crate::domain::assurance::AssuranceLevel;
use crate::domain::channel::Channel;
use crate::domain::fact::FactKind;
use crate::domain::person::{AgentKey, PersonKey};
use crate::domain::reason::Reason;
use crate::domain::rule_settings::Limit;
use crate::domain::witness::WitnessLimits;
use crate::store::connections::{StoreError, write};
use crate::store::locks::lock_persons;
use crate::store::messages::Notice;
use crate::store::messages::outbox::queue_notice;

/// A run of VerifyIdentity, when it is first recorded.
pub struct NewVerification<'a> {
    pub id: Uuid,
    pub person: PersonKey,
    pub channel: Channel,
    /// The only caller that may use the verification (R21).
    pub caller: &'a str,
    /// The support agent or clerk, on phone and at the counter.
    pub agent: Option<AgentKey>,
    pub method: Method,
    pub state: VerificationState,
    /// Kinds of the questions asked, in order.
    pub question_kinds: &'a [FactKind],
    /// The witness who has vouched for the person.
    pub witness: Option<PersonKey>,
    /// A professional witness, by their login at the workforce issuer (R20).
    pub witness_agent: Option<AgentKey>,
    /// What the witness is told (R20).
    pub witness_notice: Option<&'a Notice>,
    /// Whether the clerk could be the witness, because the clerk's token names no MitID account. It is on record.
    pub is_clerk_unknown: bool,
    /// Keyed digest of the nonce of the person's or the witness's login, which can be used once (R20, R23).
    pub login_nonce_digest: Option<[u8; 32]>,
    /// The case in the support system, on phone.
    pub case_reference: Option<&'a str>,
    /// The office, at the counter.
    pub office_id: Option<&'a str>,
    /// The booked visit, at the counter.
    pub appointment_reference: Option<&'a str>,
    pub now: DateTime<Utc>,
    /// From when the verification cannot be used any more (R21).
    pub expire_time: DateTime<Utc>,
}

/// How the identity is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The person's own login.
    Login,
    /// Questions from the CPR register.
    Questions,
    Witness,
}

/// The state of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationState {
    /// Its questions are not answered yet.
    Pending,
    /// The identity is confirmed.
    Verified(AssuranceLevel),
    /// The identity is not confirmed.
    Rejected(Reason),
}

/// The limits on a new verification.
#[derive(Clone, Copy, Debug)]
pub struct VerificationLimits {
    /// R18: failed verifications of the person in this channel. `None`: the verification is recorded however many there are.
    pub failed: Option<Limit>,
    /// R20: what a witness may do. `None`: there is no witness.
    pub witness: Option<WitnessLimits>,
}

impl VerificationLimits {
    /// For a verification that is recorded in any case, without a witness.
    #[must_use]
    pub const fn none() -> Self {
        Self { failed: None, witness: None }
    }
}

/// The outcome of recording a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOutcome {
    Recorded,
    /// R18: too many failed verifications of this person. Nothing is stored. The next one is possible at `until`.
    Limited {
        until: DateTime<Utc>,
    },
    /// R23: the login was used before. Nothing is stored.
    NonceUsed,
    /// R20: the witness has vouched too often, or the person has vouched for the witness. Nothing is stored.
    WitnessRefused,
}

/// Records a verification, unless a limit is reached. Exact under concurrency: verifications of one person are recorded one
/// after the other, also those in which the person is the witness.
pub async fn record(
    pool: &PgPool,
    verification: &NewVerification<'_>,
    limits: &VerificationLimits,
) -> Result<RecordOutcome, StoreError> {
    write(pool, "record_verification", async |connection| {
        let mut transaction = connection.begin().await?;
        let outcome = record_in_transaction(&mut transaction, verification, limits).await?;
        transaction.commit().await?;
        Ok(outcome)
    })
    .await
}

async fn record_in_transaction(
    transaction: &mut PgTransaction<'_>,
    verification: &NewVerification<'_>,
    limits: &VerificationLimits,
) -> Result<RecordOutcome, StoreError> {
    let NewVerification { person, channel, witness, now, .. } = *verification;
    lock_persons(transaction, [Some(person), witness].into_iter().flatten()).await?;
    if let Some(limit) = limits.failed
        && let Some(until) = read_failed_verifications(transaction, person, channel, limit, now).await?.full_until
    {
        return Ok(RecordOutcome::Limited { until });
    }
    if let Some((witness, limits)) = witness.zip(limits.witness) {
        let history = read_vouching_history(transaction, witness, person, now - limits.window).await?;
        if !history.allows_another(&limits) {
            return Ok(RecordOutcome::WitnessRefused);
        }
    }
    if !insert_in_transaction(transaction, verification).await? {
        return Ok(RecordOutcome::NonceUsed);
    }
    if let Some((witness, notice)) = witness.zip(verification.witness_notice) {
        queue_notice(transaction, witness, notice, now).await?;
    }
    Ok(RecordOutcome::Recorded)
}

/// Inserts a verification as part of a larger transaction, and locks the person until it ends. `false`: the login was used
/// before (R23).
pub(in crate::store) async fn insert_login(
    transaction: &mut PgTransaction<'_>,
    login: &NewVerification<'_>,
) -> Result<bool, StoreError> {
    lock_persons(transaction, std::iter::once(login.person)).await?;
    insert_in_transaction(transaction, login).await
}

/// `false`: the login was used before (R23).
async fn insert_in_transaction(
    transaction: &mut PgTransaction<'_>,
    verification: &NewVerification<'_>,
) -> Result<bool, StoreError> {
    let NewVerification { person, witness, .. } = verification;
    let (state, assurance, reason) = match verification.state {
        VerificationState::Pending => ("questions_pending", None, None),
        VerificationState::Verified(assurance) => ("verified", Some(assurance.as_str()), None),
        VerificationState::Rejected(reason) => ("rejected", None, Some(reason.as_str())),
    };
    let method = match verification.method {
        Method::Login => "login",
        Method::Questions => "questions",
        Method::Witness => "witness",
    };
    let kinds: Vec<String> = verification.question_kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let is_created = sqlx::query_file_scalar!(
        "src/store/verifying/record_verification.sql",
        verification.id,
        &person.0,
        verification.channel.as_str(),
        verification.caller,
        verification.agent.as_ref().map(|agent| agent.0.as_slice()),
        state,
        reason,
        witness.as_ref().map(|witness| witness.0.as_slice()),
        verification.now,
        method,
        assurance,
        &kinds,
        verification.login_nonce_digest.as_ref().map(<[u8; 32]>::as_slice),
        verification.case_reference,
        verification.office_id,
        verification.appointment_reference,
        verification.expire_time,
        verification.is_clerk_unknown,
        verification.witness_agent.as_ref().map(|agent| agent.0.as_slice()),
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(is_created)
}
