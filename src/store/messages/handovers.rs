//! The two steps of every hand-over that write to the outbox: it begins, and the gateway accepts the message. The same step
//! of concurrent hand-overs is one statement and one commit.
//!
//! `id = ANY ($1)` beside the join on the id keeps every plan on the index of ids, even a plan that was made while the table was
//! empty (docs/adr/0003).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::ClaimedMessage;
use crate::batch::Batcher;
use crate::store::connections::{StickyConnection, StoreError, write_batched};

/// How many hand-overs one statement takes.
const MAX_HANDOVERS_PER_STATEMENT: usize = 64;

/// The hand-overs of a dispatcher. Cheap to clone.
#[derive(Clone)]
pub struct Handovers {
    beginnings: Batcher<Beginning, Result<bool, StoreError>>,
    acceptances: Batcher<Acceptance, Result<(), StoreError>>,
}

struct Beginning {
    id: Uuid,
    lease_token: Uuid,
    now: DateTime<Utc>,
    /// A message that expires by then is not handed over.
    least_expire_time: DateTime<Utc>,
    /// Until when the message belongs to this dispatcher from now on.
    lease_end_time: DateTime<Utc>,
}

struct Acceptance {
    id: Uuid,
    lease_token: Uuid,
    gateway: Arc<str>,
    gateway_reference: Option<String>,
}

impl Handovers {
    /// Must be called within a runtime.
    #[must_use]
    pub fn new(pool: &PgPool) -> Self {
        let for_beginnings = StickyConnection::new(pool.clone());
        let for_acceptances = StickyConnection::new(pool.clone());
        Self {
            beginnings: Batcher::new(MAX_HANDOVERS_PER_STATEMENT, move |batch| {
                begin_batch(for_beginnings.clone(), batch)
            }),
            acceptances: Batcher::new(MAX_HANDOVERS_PER_STATEMENT, move |batch| {
                record_acceptances(for_acceptances.clone(), batch)
            }),
        }
    }

    /// Commits that the hand-over begins now, and renews the lease for `lease`, which is longer than the hand-over.
    /// `false`: it must not begin, because the lease has ended or is no longer ours, or because the message has less than
    /// `least_life` left. May be repeated until something has been sent.
    pub async fn begin_handover(
        &self,
        message: &ClaimedMessage,
        now: DateTime<Utc>,
        least_life: Duration,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let (least_expire_time, lease_end_time) = (now + least_life, now + lease);
        let beginning =
            Beginning { id: message.id, lease_token: message.lease_token, now, least_expire_time, lease_end_time };
        write_batched("begin_handover", &self.beginnings, beginning).await
    }

    /// Records that this gateway accepted the message. A PIN's body stays while R5 allows another send.
    ///
    /// Also counts for a message that [`settle_lost_handovers`](super::outbox::settle_lost_handovers) has failed in the meantime.
    pub async fn record_acceptance(
        &self,
        message: &ClaimedMessage,
        gateway: &Arc<str>,
        gateway_reference: Option<String>,
    ) -> Result<(), StoreError> {
        let acceptance = Acceptance {
            id: message.id,
            lease_token: message.lease_token,
            gateway: Arc::clone(gateway),
            gateway_reference,
        };
        write_batched("message_accepted", &self.acceptances, acceptance).await
    }
}

async fn begin_batch(connection: StickyConnection, batch: Vec<Beginning>) -> Vec<Result<bool, StoreError>> {
    let ids: Vec<Uuid> = batch.iter().map(|beginning| beginning.id).collect();
    let tokens: Vec<Uuid> = batch.iter().map(|beginning| beginning.lease_token).collect();
    let times: Vec<DateTime<Utc>> = batch.iter().map(|beginning| beginning.now).collect();
    let least_expire_times: Vec<DateTime<Utc>> = batch.iter().map(|beginning| beginning.least_expire_time).collect();
    let lease_end_times: Vec<DateTime<Utc>> = batch.iter().map(|beginning| beginning.lease_end_time).collect();
    let begun = connection.run(async |connection| {
        let begun = sqlx::query!(
            r#"UPDATE outbox SET handover_time = beginning.now, lease_expire_time = beginning.lease_end_time,
                attempts = least(attempts, 32766) + CASE WHEN handover_time IS NULL THEN 1 ELSE 0 END
            FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
                AS beginning (id, lease_token, now, least_expire_time, lease_end_time)
            WHERE outbox.id = ANY ($1) AND outbox.id = beginning.id AND outbox.lease_token = beginning.lease_token
                AND (state = 'queued') IS TRUE
                AND expire_time > beginning.least_expire_time AND lease_expire_time > beginning.now
            RETURNING outbox.id, outbox.lease_token AS "lease_token!""#,
            &ids,
            &tokens,
            &times,
            &least_expire_times,
            &lease_end_times,
        )
        .fetch_all(connection)
        .await?;
        Ok(begun.into_iter().map(|row| (row.id, row.lease_token)).collect::<HashSet<_>>())
    });
    let begun = begun.await;
    // By id and token: a batch may hold two hand-overs of one message, of which only one has the lease.
    let leases = ids.into_iter().zip(tokens);
    leases.map(|lease| begun.as_ref().map(|begun| begun.contains(&lease)).map_err(Clone::clone)).collect()
}

async fn record_acceptances(connection: StickyConnection, batch: Vec<Acceptance>) -> Vec<Result<(), StoreError>> {
    let ids: Vec<Uuid> = batch.iter().map(|acceptance| acceptance.id).collect();
    let tokens: Vec<Uuid> = batch.iter().map(|acceptance| acceptance.lease_token).collect();
    let count = batch.len();
    let gateways: Vec<String> = batch.iter().map(|acceptance| acceptance.gateway.to_string()).collect();
    let references: Vec<Option<String>> = batch.into_iter().map(|acceptance| acceptance.gateway_reference).collect();
    let recorded = connection.run(async |connection| {
        sqlx::query!(
            "UPDATE outbox SET state = 'accepted', gateway = acceptance.gateway, gateway_reference = acceptance.reference,
                last_error = NULL, handover_time = NULL, lease_token = NULL, lease_expire_time = NULL,
                sealed_body = CASE WHEN kind = 'pin' AND NOT last_send THEN sealed_body END
            FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS acceptance (id, lease_token, reference, gateway)
            WHERE outbox.id = ANY ($1) AND outbox.id = acceptance.id AND outbox.lease_token = acceptance.lease_token
                AND state IN ('queued', 'failed')",
            &ids,
            &tokens,
            &references as &[Option<String>],
            &gateways,
        )
        .execute(connection)
        .await?;
        Ok(())
    });
    vec![recorded.await; count]
}
