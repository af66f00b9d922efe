//! What earlier verifications say about a person (R16, R18, R20).

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use crate::domain::channel::Channel;
use crate::domain::fact::FactKind;
use crate::domain::failed_verification::GUESSES;
use crate::domain::person::PersonKey;
use crate::domain::person_limit::LimitUsage;
use crate::domain::question_memory::UnsuccessfulRun;
use crate::domain::rule_settings::Limit;
use crate::domain::witness::VouchingHistory;
use crate::store::connections::{StoreError, read};
use crate::store::parameters::to_interval;

/// R18: how many verifications of the person have failed in this channel, and until when the limit is reached.
pub async fn count_failed_verifications(
    pool: &PgPool,
    person: PersonKey,
    channel: Channel,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<LimitUsage, StoreError> {
    read(pool, "failed_verifications", async |connection| {
        read_failed_verifications(connection, person, channel, limit, now).await
    })
    .await
}

pub(in crate::store) async fn read_failed_verifications(
    connection: &mut PgConnection,
    person: PersonKey,
    channel: Channel,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<LimitUsage, StoreError> {
    let times: Vec<DateTime<Utc>> = sqlx::query_scalar!(
        r#"SELECT create_time AS "create_time!" FROM failed_verifications_in_window($1, $2, $3, $4, $5)
        ORDER BY create_time DESC"#,
        &person.0,
        channel.as_str(),
        &guesses(),
        now,
        to_interval(limit.per),
    )
    .fetch_all(connection)
    .await?;
    Ok(LimitUsage::count(times.into_iter().map(|time| (time, 1)), limit))
}

/// The names of the reasons of rejected verifications that count as failed (R18).
pub(in crate::store) fn guesses() -> Vec<String> {
    GUESSES.iter().map(|reason| reason.as_str().to_owned()).collect()
}

/// R16: the verifications of the last `span` that asked questions without success.
pub async fn list_unsuccessful_runs(
    pool: &PgPool,
    person: PersonKey,
    span: Duration,
    now: DateTime<Utc>,
) -> Result<Vec<UnsuccessfulRun>, StoreError> {
    read(pool, "questions_asked_in_vain", async |connection| {
        let rows = sqlx::query!(
            r#"SELECT create_time AS "create_time!", question_kinds AS "question_kinds!", was_answered AS "was_answered!"
            FROM unsuccessful_questions_in_window($1, $2, $3)"#,
            &person.0,
            now,
            to_interval(span),
        )
        .fetch_all(connection)
        .await?;
        let run = |ask_time, kinds: Vec<String>, was_answered| UnsuccessfulRun {
            ask_time,
            kinds: kinds.iter().filter_map(|name| FactKind::from_name(name)).collect(),
            was_answered,
        };
        Ok(rows.into_iter().map(|row| run(row.create_time, row.question_kinds, row.was_answered)).collect())
    })
    .await
}

/// R20: how the witness and the person have vouched since `since`.
pub(super) async fn read_vouching_history(
    connection: &mut PgConnection,
    witness: PersonKey,
    person: PersonKey,
    since: DateTime<Utc>,
) -> Result<VouchingHistory, StoreError> {
    let row = sqlx::query!(
        r#"SELECT
            (SELECT count(*) FROM verifications
            WHERE witness_key = $1 AND state = 'verified' AND create_time > $3) AS "uses!",
            EXISTS (SELECT FROM verifications
            WHERE person_key = $1 AND witness_key = $2 AND state = 'verified' AND create_time > $3) AS "has_person_vouched!""#,
        &witness.0,
        &person.0,
        since,
    )
    .fetch_one(connection)
    .await?;
    Ok(VouchingHistory {
        uses: u32::try_from(row.uses).unwrap_or(u32::MAX),
        has_person_vouched: row.has_person_vouched,
    })
}
