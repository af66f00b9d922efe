//! The answer that was given before under the same request id.

use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{DispatchState, IssueOutcome, PinRequestView, PinState};
use crate::domain::channel::Channel;
use crate::store::connections::{StoreError, read};

/// An answer, and the digest of the order that it was given to.
pub(super) struct PreviousAnswer {
    pub(super) payload_digest: [u8; 32],
    pub(super) view: PinRequestView,
}

/// Finds the answer to an earlier call with this request id: [`IssueOutcome::Replayed`] or [`IssueOutcome::RequestIdReused`].
pub async fn find_replay(
    pool: &PgPool,
    caller: &str,
    request_id: Uuid,
    payload_digest: [u8; 32],
) -> Result<Option<IssueOutcome>, StoreError> {
    read(pool, "replay_temporary_pin", async |connection| {
        let answer = find_previous_answer(connection, caller, request_id).await?;
        Ok(answer.map(|answer| {
            if answer.payload_digest == payload_digest {
                IssueOutcome::Replayed(answer.view)
            } else {
                IssueOutcome::RequestIdReused
            }
        }))
    })
    .await
}

/// An order that issued a PIN has its answer in `pin_requests`. Other orders, and those of version 0.1.0, have it in
/// `requests`.
pub(super) async fn find_previous_answer(
    connection: &mut PgConnection,
    caller: &str,
    request_id: Uuid,
) -> Result<Option<PreviousAnswer>, sqlx::Error> {
    let issued = sqlx::query!(
        r#"SELECT id, channel, create_time, expire_time, masked_mobile_number, first_next_send_time,
            payload_digest AS "payload_digest!"
        FROM pin_requests WHERE caller = $1 AND request_id = $2"#,
        caller,
        request_id,
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = issued {
        let view = PinRequestView {
            id: row.id,
            state: PinState::Open,
            channel: Channel::from_name(&row.channel).ok_or_else(|| unknown("channel"))?,
            create_time: row.create_time,
            expire_time: row.expire_time,
            masked_mobile_number: row.masked_mobile_number,
            dispatch_state: DispatchState::Queued,
            next_send_time: row.first_next_send_time,
        };
        return Ok(Some(PreviousAnswer { payload_digest: digest(&row.payload_digest)?, view }));
    }
    let recorded = sqlx::query!(
        r#"SELECT payload_digest, response AS "response!: Json<PinRequestView>" FROM requests
        WHERE caller = $1 AND method = 'IssueTemporaryPin' AND request_id = $2"#,
        caller,
        request_id,
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = recorded else { return Ok(None) };
    Ok(Some(PreviousAnswer { payload_digest: digest(&row.payload_digest)?, view: row.response.0 }))
}

fn digest(bytes: &[u8]) -> Result<[u8; 32], sqlx::Error> {
    bytes.try_into().map_err(|_| unknown("payload_digest"))
}

fn unknown(column: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: "a value unknown here".into() }
}
