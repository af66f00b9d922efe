//! The two steps of every hand-over: it begins, and the gateway has taken the message. What several hand-overs come to at
//! the same moment is one statement and one commit.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::batch::Batcher;
use crate::store::connections::{StickyConnection, StoreError, write_batched};
use crate::store::messages::outbox::ClaimedMessage;

/// Most hand-overs in one statement.
const MOST: usize = 64;

/// The hand-overs of a dispatcher. Cheap to clone.
#[derive(Clone)]
pub struct Handovers {
    begin: Batcher<Beginning, Result<bool, StoreError>>,
    accepted: Batcher<Acceptance, Result<(), StoreError>>,
}

struct Beginning {
    id: Uuid,
    lease_token: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
}

struct Acceptance {
    id: Uuid,
    lease_token: Uuid,
    gateway_reference: Option<String>,
}

impl Handovers {
    /// Over this database.
    #[must_use]
    pub fn new(pool: &PgPool) -> Self {
        let (beginning, accepting) = (StickyConnection::new(pool.clone()), StickyConnection::new(pool.clone()));
        Self {
            begin: Batcher::new(MOST, move |batch| begin(beginning.clone(), batch)),
            accepted: Batcher::new(MOST, move |batch| accepted(accepting.clone(), batch)),
        }
    }

    /// Commits that the hand-over begins now. `false`: it must not, because the message is no longer ours, or would expire or
    /// no longer be ours before the gateway's answer must be there. May be repeated as long as nothing has been sent.
    pub async fn begin_handover(
        &self,
        message: &ClaimedMessage,
        now: DateTime<Utc>,
        gateway_timeout: Duration,
    ) -> Result<bool, StoreError> {
        let until = now + gateway_timeout;
        let beginning = Beginning { id: message.id, lease_token: message.lease_token, now, until };
        write_batched("begin_handover", &self.begin, beginning).await
    }

    /// Records that the gateway took the message. A PIN's body stays while R5 allows a further send.
    ///
    /// The answer also counts when it comes after [`settle_lost`](super::outbox::settle_lost_handovers) has given the message up.
    pub async fn record_acceptance(
        &self,
        message: &ClaimedMessage,
        gateway_reference: Option<String>,
    ) -> Result<(), StoreError> {
        let acceptance = Acceptance { id: message.id, lease_token: message.lease_token, gateway_reference };
        write_batched("message_accepted", &self.accepted, acceptance).await
    }
}

async fn begin(relay: StickyConnection, batch: Vec<Beginning>) -> Vec<Result<bool, StoreError>> {
    let ids: Vec<Uuid> = batch.iter().map(|message| message.id).collect();
    let tokens: Vec<Uuid> = batch.iter().map(|message| message.lease_token).collect();
    let times: Vec<DateTime<Utc>> = batch.iter().map(|message| message.now).collect();
    let ends: Vec<DateTime<Utc>> = batch.iter().map(|message| message.until).collect();
    let begun = relay.run(async |connection| {
        let begun = sqlx::query_scalar!(
            "UPDATE outbox SET handover_time = beginning.now,
                attempts = attempts + CASE WHEN handover_time IS NULL THEN 1 ELSE 0 END
            FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
                AS beginning (id, lease_token, now, until)
            WHERE outbox.id = beginning.id AND outbox.lease_token = beginning.lease_token
                AND (state = 'queued') IS TRUE
                AND expire_time > beginning.until AND lease_expire_time > beginning.until
            RETURNING outbox.id",
            &ids,
            &tokens,
            &times,
            &ends,
        )
        .fetch_all(connection)
        .await?;
        Ok(HashSet::<Uuid>::from_iter(begun))
    });
    let begun = begun.await;
    ids.iter().map(|id| begun.as_ref().map(|begun| begun.contains(id)).map_err(Clone::clone)).collect()
}

async fn accepted(relay: StickyConnection, batch: Vec<Acceptance>) -> Vec<Result<(), StoreError>> {
    let ids: Vec<Uuid> = batch.iter().map(|message| message.id).collect();
    let tokens: Vec<Uuid> = batch.iter().map(|message| message.lease_token).collect();
    let count = batch.len();
    let references: Vec<Option<String>> = batch.into_iter().map(|message| message.gateway_reference).collect();
    let recorded = relay.run(async |connection| {
        sqlx::query!(
            "UPDATE outbox SET state = 'accepted', gateway_reference = acceptance.reference, last_error = NULL,
                handover_time = NULL, lease_token = NULL, lease_expire_time = NULL,
                sealed_body = CASE WHEN kind = 'pin' AND NOT last_send THEN sealed_body END
            FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS acceptance (id, lease_token, reference)
            WHERE outbox.id = acceptance.id AND outbox.lease_token = acceptance.lease_token
                AND state IN ('queued', 'failed')",
            &ids,
            &tokens,
            &references as &[Option<String>],
        )
        .execute(connection)
        .await?;
        Ok(())
    });
    vec![recorded.await; count]
}
