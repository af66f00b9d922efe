//! Rounds of answers to a pending verification (R16): each is concluded once, whoever answers at the same time.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::domain::assurance::AssuranceLevel;
use crate::domain::fact::FactKind;
use crate::domain::person::AgentKey;
use crate::domain::reason::Reason;
use crate::store::connections::{StoreError, read, write};

/// A verification whose questions wait for answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingVerification {
    /// Kinds of all questions asked, in order.
    pub question_kinds: Vec<FactKind>,
    /// Rounds of answers begun.
    pub answer_rounds: u32,
    /// Right answers in earlier rounds.
    pub right_answers: u32,
    /// When it ceases to serve (R21).
    pub expire_time: DateTime<Utc>,
}

/// What the answers of a round led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The identity is confirmed.
    Verified(AssuranceLevel),
    /// One more question is asked.
    OneMore {
        /// Its kind.
        kind: FactKind,
        /// Right answers so far.
        right: u32,
    },
    /// The identity is not confirmed.
    Rejected(Reason),
}

/// The pending verification of that id; `None` when there is none, or it is concluded.
pub async fn find_pending(pool: &PgPool, id: Uuid) -> Result<Option<PendingVerification>, StoreError> {
    read(pool, "pending_verification", async |connection| {
        let row = sqlx::query!(
            "SELECT question_kinds, answer_rounds, right_answers, expire_time
            FROM verifications WHERE id = $1 AND state = 'questions_pending'",
            id,
        )
        .fetch_optional(connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let kinds: Option<Vec<FactKind>> = row.question_kinds.iter().map(|name| FactKind::from_name(name)).collect();
        Ok(Some(PendingVerification {
            question_kinds: kinds.ok_or_else(|| StoreError::unknown_word("verifications.question_kinds"))?,
            answer_rounds: row.answer_rounds.unsigned_abs().into(),
            right_answers: row.right_answers.unsigned_abs().into(),
            expire_time: row.expire_time,
        }))
    })
    .await
}

/// Concludes the round after `rounds_begun`, audited. Of several answerers at once, one concludes it; the others get
/// `false` and learn nothing of their answers. `agent` is the one who answered.
pub async fn conclude_round(
    pool: &PgPool,
    id: Uuid,
    rounds_begun: u32,
    conclusion: Conclusion,
    agent: AgentKey,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    write(pool, "conclude_answer_round", async |connection| {
        let (state, action) = match conclusion {
            Conclusion::Verified(_) => ("verified", "identity_verified"),
            Conclusion::OneMore { .. } => ("questions_pending", "questions_asked"),
            Conclusion::Rejected(_) => ("rejected", "identity_rejected"),
        };
        let (mut assurance, mut reason, mut kind, mut right) = (None, None, None, None);
        match conclusion {
            Conclusion::Verified(level) => assurance = Some(level.as_str()),
            Conclusion::OneMore { kind: extra, right: count } => {
                kind = Some(extra.as_str());
                right = i16::try_from(count).ok();
            }
            Conclusion::Rejected(why) => reason = Some(why.as_str()),
        }
        let concluded = sqlx::query_scalar!(
            r#"WITH concluded AS (
                UPDATE verifications SET state = $2, assurance_level = $3, reason = $4,
                    question_kinds = CASE WHEN $5::text IS NULL THEN question_kinds ELSE question_kinds || $5 END,
                    right_answers = coalesce($6, right_answers), answer_rounds = answer_rounds + 1
                WHERE id = $1 AND state = 'questions_pending' AND answer_rounds = $9::int AND expire_time > $7
                RETURNING person_key, channel, caller
            ),
            event AS (
                INSERT INTO audit_events (
                    event_time, person_key, action, purpose, channel, caller, reason, verification_id
                )
                SELECT $7, person_key, $8, 'identification', channel, caller, $4, $1 FROM concluded
                RETURNING id
            ),
            agent AS (
                INSERT INTO audit_agents (audit_event_id, agent_key)
                SELECT event.id, $10::bytea FROM event
            )
            SELECT EXISTS (SELECT FROM concluded) AS "done!""#,
            id,
            state,
            assurance,
            reason,
            kind,
            right,
            now,
            action,
            i32::try_from(rounds_begun).unwrap_or(i32::MAX),
            &agent.0,
        )
        .fetch_one(connection)
        .await?;
        Ok(concluded)
    })
    .await
}
