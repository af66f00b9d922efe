//! The tries of a person that count, or may count, as wrong (R4).

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::person::PersonKey;
use crate::domain::redemption::{CountedTry, PersonTries};
use crate::domain::rule_settings::Limit;
use crate::store::parameters::to_interval;

/// The person's tries within the window of `limit` that are not known to be right, the latest first. `except`: a try that is
/// left out, by its caller and request id.
pub(in crate::store) async fn list_person_tries(
    connection: &mut PgConnection,
    person: PersonKey,
    limit: Limit,
    except: Option<(&str, Uuid)>,
    now: DateTime<Utc>,
) -> Result<PersonTries, sqlx::Error> {
    let (caller, request_id) = except.unzip();
    let tries = sqlx::query_as!(
        CountedTry,
        r#"SELECT pin_request_id AS "pin_request_id!", create_time AS "time!", has_result AS "has_result!"
        FROM wrong_tries_in_window($1, $2, $3)
        WHERE (caller, request_id) IS DISTINCT FROM ($4::text, $5::uuid)
        ORDER BY create_time DESC"#,
        &person.0,
        now,
        to_interval(limit.per),
        caller,
        request_id,
    )
    .fetch_all(connection)
    .await?;
    Ok(PersonTries(tries))
}
