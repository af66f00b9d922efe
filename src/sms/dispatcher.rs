//! The dispatcher: hands the outbox's messages over to the gateway. Each instance of the service runs one.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use backon::{ExponentialBuilder, Retryable as _};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::gateway::{Acceptance, Gateway, GatewayError, OutgoingSms};
use super::sealed_message::open_message;
use super::settings::DispatcherSettings;
use crate::clock::Clock;
use crate::keys::KeyRing;
use crate::random;
use crate::store::StoreError;
use crate::store::messages::handovers::Handovers;
use crate::store::messages::outbox::{self, ClaimedMessage, MessageKind};
use crate::telemetry::metrics::Metrics;

/// Least time between two claims, so that what is queued meanwhile is claimed together.
const GATHERING: Duration = Duration::from_millis(10);

/// How often, after its pauses, a step of a hand-over is written again when the database fails: for 13 s.
const AGAIN: ExponentialBuilder = ExponentialBuilder::new().with_min_delay(Duration::from_millis(50)).with_max_times(8);

/// Hands messages over. Holds no database connection while it waits for the gateway.
pub struct Dispatcher<G> {
    /// The outbox's database.
    pub pool: PgPool,
    /// What the hand-overs write there.
    pub handovers: Handovers,
    /// Opens the sealed bodies.
    pub keys: Arc<ArcSwap<KeyRing>>,
    /// Takes the messages.
    pub gateway: G,
    /// Tells what is due.
    pub clock: Arc<dyn Clock>,
    /// How.
    pub settings: DispatcherSettings,
    /// What is counted.
    pub metrics: Metrics,
}

impl<G: Gateway> Dispatcher<G> {
    /// Runs until `cancel`, then finishes the hand-overs under way. `wake` tells that a message was just queued.
    pub async fn run(self, wake: Arc<Notify>, cancel: CancellationToken) {
        let dispatcher = Arc::new(self);
        let mut under_way = JoinSet::new();
        let mut poll = tokio::time::interval(dispatcher.settings.poll_interval);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut more_due = false;
        let mut next_claim = Instant::now();
        loop {
            let has_room = under_way.len() < dispatcher.settings.concurrency;
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                _ = poll.tick() => {
                    dispatcher.clear().await;
                    more_due = true;
                }
                Some(_) = under_way.join_next() => {}
                () = wake.notified() => more_due = true,
                () = tokio::time::sleep_until(next_claim), if more_due && has_room => {
                    more_due = dispatcher.start_due(&mut under_way).await;
                    next_claim = Instant::now() + GATHERING;
                }
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    /// One round: hands over what is due now, as much as may be handed over at once, and waits for the outcomes.
    pub async fn run_once(self: &Arc<Self>) {
        self.clear().await;
        let mut under_way = JoinSet::new();
        self.start_due(&mut under_way).await;
        while under_way.join_next().await.is_some() {}
    }

    /// Settles what no dispatcher will hand over any more.
    async fn clear(&self) {
        let now = self.clock.now();
        match tokio::try_join!(outbox::settle_lost_handovers(&self.pool, now), outbox::erase_expired(&self.pool, now)) {
            Ok((0, _)) => {}
            Ok((lost, _)) => warn!(lost, "a dispatcher ended during the hand-over of messages"),
            Err(error) => warn!(error = %error.with_causes(), "cannot settle old messages"),
        }
    }

    /// Claims as many due messages as there is room for and starts their hand-overs. `true`: more may be due.
    async fn start_due(self: &Arc<Self>, under_way: &mut JoinSet<()>) -> bool {
        let room = self.settings.concurrency.saturating_sub(under_way.len());
        let now = self.clock.now();
        let token = random::time_ordered_uuid(now, &mut random::secure());
        let claimed = match outbox::claim_due(&self.pool, now, self.settings.lease, room, token).await {
            Ok(claimed) => claimed,
            Err(error) => {
                warn!(error = %error.with_causes(), "cannot claim messages");
                return false;
            }
        };
        let is_full = claimed.len() == room;
        for message in claimed {
            under_way.spawn(Arc::clone(self).hand_over(message));
        }
        is_full
    }

    #[tracing::instrument(skip_all, fields(message = %claimed.id, kind = claimed.kind.as_str()))]
    async fn hand_over(self: Arc<Self>, claimed: ClaimedMessage) {
        let outcome = match open_message(&self.keys.load(), claimed.id, &claimed.sealed_body) {
            Err(error) => Err(GatewayError::Permanent(error.to_string())),
            Ok((recipient, text)) => {
                // A begin whose answer was lost would give the message up, though nobody has sent it.
                let begin = || self.begin(&claimed);
                let now = match begin.retry(AGAIN).await {
                    Ok(Some(now)) => now,
                    Ok(None) => return debug!("no longer to be sent, or not by this dispatcher"),
                    Err(error) => return warn!(error = %error.with_causes(), "cannot begin the hand-over"),
                };
                let reference = format!("{}.{}", claimed.id, claimed.sends);
                let validity = (claimed.expire_time - now).to_std().unwrap_or_default();
                self.gateway.send(&OutgoingSms { recipient, text, reference, validity }).await
            }
        };
        self.note(claimed.kind, &outcome);
        // A lost record would give the message up, so a short outage of the database is waited for.
        let record = || self.record(&claimed, &outcome);
        if let Err(error) = record.retry(AGAIN).await {
            error!(error = %error.with_causes(), "cannot record the outcome");
        }
    }

    /// Logs and counts an outcome.
    fn note(&self, kind: MessageKind, result: &Result<Acceptance, GatewayError>) {
        let outcome = match result {
            Ok(_) => "accepted",
            Err(GatewayError::Temporary(_)) => "temporary",
            Err(GatewayError::Permanent(_)) => "permanent",
            Err(GatewayError::Unknown(_)) => "unknown",
        };
        self.metrics.count_message(kind.as_str(), outcome);
        match result {
            Ok(_) => info!(outcome),
            Err(GatewayError::Temporary(reason)) => warn!(outcome, reason),
            Err(GatewayError::Permanent(reason) | GatewayError::Unknown(reason)) => error!(outcome, reason),
        }
        // A permanent no is about the message: the gateway itself is well.
        if let Err(GatewayError::Temporary(_) | GatewayError::Unknown(_)) = result {
            self.metrics.count_dependency_failure("gateway");
        }
    }

    /// When the hand-over began, if it may.
    async fn begin(&self, message: &ClaimedMessage) -> Result<Option<DateTime<Utc>>, StoreError> {
        let now = self.clock.now();
        let begun = self.handovers.begin_handover(message, now, self.gateway.timeout()).await?;
        Ok(begun.then_some(now))
    }

    async fn record(
        &self,
        message: &ClaimedMessage,
        outcome: &Result<Acceptance, GatewayError>,
    ) -> Result<(), StoreError> {
        match outcome {
            Ok(accepted) => self.handovers.record_acceptance(message, accepted.gateway_reference.clone()).await,
            // A warning that comes twice does less harm than none; a PIN never goes out twice unasked.
            Err(GatewayError::Unknown(reason)) if message.kind == MessageKind::Pin => {
                outbox::record_failure(&self.pool, message, &format!("outcome unknown: {reason}")).await
            }
            Err(GatewayError::Temporary(reason) | GatewayError::Unknown(reason)) => {
                let attempts = u32::try_from(message.attempts).unwrap_or_default();
                let delay = self.settings.delay(attempts, &mut random::secure());
                outbox::schedule_retry(&self.pool, message, self.clock.now() + delay, reason).await
            }
            Err(GatewayError::Permanent(reason)) => outbox::record_failure(&self.pool, message, reason).await,
        }
    }
}
