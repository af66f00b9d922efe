//! The table `verifications`: runs of VerifyIdentity (R16, R18, R20, R21, R23).

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgPool, PgTransaction};
use uuid::Uuid;

use crate::domain::assurance::AssuranceLevel;
use crate::domain::channel::Channel;
use crate::domain::fact::FactKind;
use crate::domain::person::{AgentKey, PersonKey};
use crate::domain::person_limit::PersonLimit;
use crate::domain::reason::Reason;
use crate::domain::rule_settings::Limit;
use crate::store::connections::{StoreError, read, write};
use crate::store::locks::lock_persons;
use crate::store::operators::person_limits::read_usage;
use crate::store::parameters::interval;

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
    pub witness: Option<PersonKey>,
    /// Keyed digest of the login's nonce, which can be used once (R23).
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

/// The limits on new verifications.
#[derive(Clone, Copy, Debug)]
pub struct VerificationLimits {
    /// R18: failed verifications per person; at least one.
    pub failed: Limit,
    /// R20: how often a person may be a witness.
    pub witness: Limit,
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
    /// R20: the witness has been a witness too often. Nothing is stored.
    WitnessUsed,
}

/// Records a verification, unless a limit is reached. Exact under concurrency: verifications of one person are recorded one
/// after the other.
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

/// Like [`record`], as part of a larger transaction. Locks the person until it ends.
pub(in crate::store) async fn record_in_transaction(
    transaction: &mut PgTransaction<'_>,
    verification: &NewVerification<'_>,
    limits: &VerificationLimits,
) -> Result<RecordOutcome, StoreError> {
    let NewVerification { person, witness, .. } = verification;
    lock_persons(transaction, [Some(*person), *witness].into_iter().flatten()).await?;
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
    let row = sqlx::query_file!(
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
        interval(limits.failed.per),
        i64::from(limits.failed.times),
        interval(limits.witness.per),
        i64::from(limits.witness.times),
        method,
        assurance,
        &kinds,
        verification.login_nonce_digest.as_ref().map(<[u8; 32]>::as_slice),
        verification.case_reference,
        verification.office_id,
        verification.appointment_reference,
        verification.expire_time,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(match row.failed_until {
        _ if row.is_created => RecordOutcome::Recorded,
        Some(until) => RecordOutcome::Limited { until },
        None if row.is_witness_used_up => RecordOutcome::WitnessUsed,
        None => RecordOutcome::NonceUsed,
    })
}

/// R18: if too many verifications of the person have failed, when the next one is possible.
pub async fn find_failed_until(
    pool: &PgPool,
    person: PersonKey,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let usage = read_usage(pool, PersonLimit::FailedVerifications, limit, person.0, now).await?;
    Ok(usage.full_until)
}

/// R16: the kinds of question asked since `since` in verifications of this person that did not confirm the identity.
pub async fn list_unsuccessful_kinds(
    pool: &PgPool,
    person: PersonKey,
    since: DateTime<Utc>,
) -> Result<Vec<FactKind>, StoreError> {
    read(pool, "questions_asked_in_vain", async |connection| {
        let names = sqlx::query_scalar!(
            r#"SELECT DISTINCT unnest(question_kinds) AS "kind!" FROM verifications
            WHERE person_key = $1 AND state <> 'verified' AND create_time > $2"#,
            &person.0,
            since,
        )
        .fetch_all(connection)
        .await?;
        Ok(names.iter().filter_map(|name| FactKind::from_name(name)).collect())
    })
    .await
}

/// R20: how often this person has been a witness since `since`.
pub async fn count_witness_uses(pool: &PgPool, witness: PersonKey, since: DateTime<Utc>) -> Result<u32, StoreError> {
    read(pool, "witness_uses", async |connection| {
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM verifications
            WHERE witness_key = $1 AND state = 'verified' AND create_time > $2"#,
            &witness.0,
            since,
        )
        .fetch_one(connection)
        .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    })
    .await
}
