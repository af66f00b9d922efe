//! The dispatcher: hands messages from the outbox over to the gateway. Each instance of the service runs one.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use backon::{ExponentialBuilder, Retryable as _};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::failover::{Attempt, Gateways};
use super::gateway::{Gateway, OutgoingSms};
use super::sealed_message::open_message;
use super::settings::DispatcherSettings;
use crate::clock::Clock;
use crate::domain::dispatch::{FailureKind, NextStep, decide_next_step};
use crate::keys::{KeyRing, OpenError};
use crate::random;
use crate::store::StoreError;
use crate::store::messages::handovers::Handovers;
use crate::store::messages::local_handovers::LocalHandoverQueue;
use crate::store::messages::outbox::EndedMessages;
use crate::store::messages::{ClaimedMessage, MessageKind, outbox};
use crate::telemetry::metrics::Metrics;

/// Shortest time between two claims, so that one claim takes all messages that were queued in the meantime.
const MIN_CLAIM_INTERVAL: Duration = Duration::from_millis(10);

/// How the database writes of a hand-over are repeated when the database fails: eight times, with pauses of 50 ms and twice
/// as long each time, 13 s in total.
const DATABASE_RETRIES: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(50)).with_max_times(8);

/// Hands messages over to the gateway. Holds no database connection while it waits for the gateway.
pub struct Dispatcher<G> {
    /// The database of the outbox.
    pub pool: PgPool,
    /// Writes the start and the acceptance of hand-overs, in batches.
    pub handovers: Handovers,
    /// Opens the sealed messages.
    pub keys: Arc<ArcSwap<KeyRing>>,
    pub gateways: Gateways<G>,
    pub clock: Arc<dyn Clock>,
    pub settings: DispatcherSettings,
    pub metrics: Metrics,
}

impl<G: Gateway> Dispatcher<G> {
    /// Runs until `cancel`, then finishes the hand-overs in progress. `queue` has the messages that orders of this process have
    /// just queued. `wake`: a message was just queued that has to be claimed.
    pub async fn run(self, mut queue: LocalHandoverQueue, wake: Arc<Notify>, cancel: CancellationToken) {
        let dispatcher = Arc::new(self);
        let mut in_progress = JoinSet::new();
        let mut poll = tokio::time::interval(dispatcher.settings.poll_interval);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut may_have_due_messages = false;
        let mut next_claim = Instant::now();
        loop {
            let has_room = in_progress.len() < dispatcher.settings.concurrency;
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                _ = poll.tick() => {
                    dispatcher.settle_old().await;
                    may_have_due_messages = true;
                }
                Some(_) = in_progress.join_next() => {}
                () = wake.notified() => may_have_due_messages = true,
                () = tokio::time::sleep_until(next_claim), if may_have_due_messages && has_room => {
                    may_have_due_messages = dispatcher.start_due(&mut in_progress).await;
                    next_claim = Instant::now() + MIN_CLAIM_INTERVAL;
                }
                // After the claim, which comes once per interval: messages to claim do not starve.
                Some(message) = queue.recv(), if has_room => {
                    in_progress.spawn(Arc::clone(&dispatcher).hand_over(message));
                }
            }
        }
        dispatcher.empty_queue(queue, &mut in_progress).await;
        while in_progress.join_next().await.is_some() {}
    }

    /// Lets no more messages into `queue`, and waits for the orders that have a place in it. Starts the hand-overs of the
    /// messages that `concurrency` allows, and gives back the leases of the others.
    async fn empty_queue(self: &Arc<Self>, mut queue: LocalHandoverQueue, in_progress: &mut JoinSet<()>) {
        queue.close();
        let mut left = Vec::new();
        while let Some(message) = queue.recv().await {
            if in_progress.len() < self.settings.concurrency {
                in_progress.spawn(Arc::clone(self).hand_over(message));
            } else {
                left.push(message);
            }
        }
        if !left.is_empty()
            && let Err(error) = outbox::give_back(&self.pool, &left).await
        {
            warn!(error = %error.with_causes(), "cannot give back messages");
        }
    }

    /// Hands over the messages that are due now, up to `concurrency` of them, and waits for the outcomes.
    pub async fn run_once(self: &Arc<Self>) {
        self.settle_old().await;
        let mut in_progress = JoinSet::new();
        self.start_due(&mut in_progress).await;
        while in_progress.join_next().await.is_some() {}
    }

    /// Ends the messages that no dispatcher will hand over any more: expired ones, and those whose dispatcher ended during the
    /// hand-over.
    async fn settle_old(&self) {
        let now = self.clock.now();
        match tokio::try_join!(outbox::settle_lost_handovers(&self.pool, now), outbox::erase_expired(&self.pool, now)) {
            Ok((lost, expired)) => {
                self.count_unsent("lost", &lost);
                self.count_unsent("expired", &expired);
            }
            Err(error) => warn!(error = %error.with_causes(), "cannot settle old messages"),
        }
    }

    /// Counts and logs messages that no gateway has accepted, and that are not handed over again.
    fn count_unsent(&self, cause: &'static str, messages: &[EndedMessages]) {
        for EndedMessages { kind, count } in messages {
            self.metrics.count_unsent_messages(kind.as_str(), cause, *count);
            error!(cause, kind = kind.as_str(), count, "messages were not sent");
        }
    }

    /// Claims as many due messages as `concurrency` allows and starts their hand-overs. Returns whether more may be due.
    async fn start_due(self: &Arc<Self>, in_progress: &mut JoinSet<()>) -> bool {
        let now = self.clock.now();
        let room = self.settings.concurrency.saturating_sub(in_progress.len()).min(self.gateways.room(now));
        if room == 0 {
            return false;
        }
        let token = random::time_ordered_uuid(now, &mut random::secure());
        let claimed = match outbox::claim_due(
            &self.pool,
            now,
            self.gateways.least_life(),
            self.settings.lease,
            room,
            token,
        )
        .await
        {
            Ok(claimed) => claimed,
            Err(error) => {
                warn!(error = %error.with_causes(), "cannot claim messages");
                return false;
            }
        };
        let is_full = claimed.len() == room;
        for message in claimed {
            in_progress.spawn(Arc::clone(self).hand_over(message));
        }
        is_full
    }

    /// Hands over one message: opens it, records the start, calls the gateway and records the outcome.
    #[tracing::instrument(skip_all, fields(message = %claimed.id, kind = claimed.kind.as_str()))]
    async fn hand_over(self: Arc<Self>, claimed: ClaimedMessage) {
        let (recipient, text) = match open_message(&self.keys.load(), claimed.id, &claimed.sealed_body) {
            Ok(opened) => opened,
            Err(error) => return self.leave_unopened(&claimed, &error).await,
        };
        let now = self.clock.now();
        let life = (claimed.expire_time - now).to_std().unwrap_or_default();
        let Some(turn) = self.gateways.take_turn(now, life).await else { return self.postpone(&claimed).await };
        // Repeated: if the start is committed but its response is lost, the message would count as lost without a send.
        let least_life = turn.least_life();
        let record_start = || self.record_start(&claimed, least_life);
        match record_start.retry(DATABASE_RETRIES).await {
            Ok(true) => {}
            Ok(false) => return debug!("no longer to be sent, or not by this dispatcher"),
            Err(error) => return warn!(error = %error.with_causes(), "cannot begin the hand-over"),
        }
        let reference = format!("{}.{}", claimed.id, claimed.sends);
        let mut message = OutgoingSms { recipient, text, reference, validity: life };
        let attempts = self.gateways.send(turn, &mut message, claimed.expire_time, || self.clock.now()).await;
        for attempt in &attempts {
            self.count_and_log(claimed.kind, attempt);
        }
        let Some(outcome) = attempts.last() else { return };
        // Repeated: without the record of its outcome the message counts as lost, so a short outage of the database must
        // not prevent the record.
        let record = || self.record_outcome(&claimed, outcome);
        if let Err(error) = record.retry(DATABASE_RETRIES).await {
            error!(error = %error.with_causes(), "cannot record the outcome");
        }
    }

    /// Leaves a message that this instance cannot open to an instance with another key ring.
    async fn leave_unopened(&self, message: &ClaimedMessage, error: &OpenError) {
        self.metrics.count_message(message.kind.as_str(), "unopened", None);
        error!(%error, "cannot open a message; an instance with another key ring may");
        let next_attempt_time = self.clock.now() + self.draw_retry_delay(message);
        if let Err(error) = outbox::leave_unopened(&self.pool, message, next_attempt_time, &error.to_string()).await {
            warn!(error = %error.with_causes(), "cannot leave a message");
        }
    }

    fn draw_retry_delay(&self, message: &ClaimedMessage) -> Duration {
        let attempts = u32::try_from(message.attempts).unwrap_or_default();
        self.settings.draw_retry_delay(attempts, &mut random::secure())
    }

    /// Puts a message off until a gateway is open to it.
    async fn postpone(&self, message: &ClaimedMessage) {
        let next_attempt_time = self.gateways.next_turn_time(self.clock.now());
        if let Err(error) = outbox::postpone(&self.pool, message, next_attempt_time).await {
            warn!(error = %error.with_causes(), "cannot put off a message");
        }
    }

    /// Counts and logs an outcome.
    fn count_and_log(&self, kind: MessageKind, Attempt { gateway, result }: &Attempt) {
        let outcome = result.as_ref().map_or_else(|failure| failure.kind.as_str(), |_| "accepted");
        self.metrics.count_message(kind.as_str(), outcome, Some(gateway));
        let Err(failure) = result else { return info!(outcome, gateway = &**gateway) };
        let (gateway, reason) = (&**gateway, &failure.reason);
        match failure.kind {
            FailureKind::NotTaken => warn!(outcome, gateway, reason),
            FailureKind::Account | FailureKind::Message | FailureKind::Unknown => error!(outcome, gateway, reason),
        }
        // A refusal concerns the message. It is not a failure of the gateway.
        if failure.kind != FailureKind::Message {
            self.metrics.count_dependency_failure("gateway");
        }
    }

    /// Records the start of a hand-over. `false`: the message may not be handed over any more.
    async fn record_start(&self, message: &ClaimedMessage, least_life: Duration) -> Result<bool, StoreError> {
        self.handovers.begin_handover(message, self.clock.now(), least_life, self.settings.lease).await
    }

    /// Records the outcome, and with it whether another try follows (R29).
    async fn record_outcome(
        &self,
        message: &ClaimedMessage,
        Attempt { gateway, result }: &Attempt,
    ) -> Result<(), StoreError> {
        let failure = match result {
            Ok(accepted) => {
                let reference = accepted.gateway_reference.clone();
                return self.handovers.record_acceptance(message, gateway, reference).await;
            }
            Err(failure) => failure,
        };
        let is_unknown = failure.kind == FailureKind::Unknown;
        let reason = if is_unknown { format!("outcome unknown: {failure}") } else { failure.to_string() };
        let earlier_unknown = u32::try_from(message.unknown_outcomes).unwrap_or_default();
        match decide_next_step(failure.kind, message.kind == MessageKind::Pin, earlier_unknown) {
            NextStep::Retry => {
                let delay = self.draw_retry_delay(message);
                outbox::schedule_retry(&self.pool, message, self.clock.now() + delay, is_unknown, &reason).await
            }
            NextStep::GiveUp => outbox::record_failure(&self.pool, message, &reason).await,
        }
    }
}
