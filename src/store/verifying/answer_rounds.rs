//! Rounds of answers to a pending verification (R16). Each round is concluded once, even if several agents answer it at the
//! same time.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::domain::assurance::AssuranceLevel;
use crate::domain::fact::FactKind;
use crate::domain::person::AgentKey;
use crate::domain::reason::Reason;
use crate::store::connections::{StoreError, read, write};

/// A verification whose questions are not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingVerification {
    /// Kinds of all questions asked so far, in order.
    pub question_kinds: Vec<FactKind>,
    /// How many rounds are concluded.
    pub answer_rounds: u32,
    /// How many answers in those rounds were right.
    pub right_answers: u32,
    /// From when the verification cannot be used any more (R21).
    pub expire_time: DateTime<Utc>,
}

/// The conclusion from the answers of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The identity is confirmed.
    Verified(AssuranceLevel),
    /// One more question, of this kind, is asked. `right` counts the right answers so far.
    OneMore { kind: FactKind, right: u32 },
    /// The identity is not confirmed.
    Rejected(Reason),
}

/// Finds the verification with this id. `None` if there is none, or it is concluded.
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
            question_kinds: kinds.ok_or_else(|| StoreError::unknown_value("verifications.question_kinds"))?,
            answer_rounds: row.answer_rounds.unsigned_abs().into(),
            right_answers: row.right_answers.unsigned_abs().into(),
            expire_time: row.expire_time,
        }))
    })
    .await
}

/// Concludes the next round, if `concluded_rounds` rounds are concluded so far. Audited. If several calls answer the round
/// at the same time, one gets `true`; the others get `false` and learn nothing about their answers. `agent` is the one who
/// answered.
pub async fn conclude_round(
    pool: &PgPool,
    id: Uuid,
    concluded_rounds: u32,
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
        Ok(sqlx::query_file_scalar!(
            "src/store/verifying/conclude_round.sql",
            id,
            state,
            assurance,
            reason,
            kind,
            right,
            now,
            action,
            i32::try_from(concluded_rounds).unwrap_or(i32::MAX),
            &agent.0,
        )
        .fetch_one(connection)
        .await?)
    })
    .await
}
