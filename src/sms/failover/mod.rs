//! R29: the gateways in their order. The next one gets what those before it are known not to have taken.

mod breaker;
mod pace;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::SemaphorePermit;

use breaker::{Breaker, Health, Pass};
use pace::Pace;

use super::gateway::{Acceptance, Gateway, OutgoingSms, SendFailure};
use crate::domain::dispatch::FailureKind;
use crate::telemetry::metrics::Metrics;

/// Longest wait for a turn at a gateway. A new message is leased for twice as long before its hand-over begins.
const MAX_WAIT_FOR_TURN: Duration = Duration::from_secs(5);

/// The gateways in the order in which they are tried.
pub struct Gateways<G> {
    lines: Vec<Line<G>>,
    metrics: Metrics,
}

/// A gateway, and what keeps messages away from it.
struct Line<G> {
    name: Arc<str>,
    gateway: G,
    breaker: Breaker,
    pace: Pace,
}

/// The settings of a gateway that do not concern its protocol.
#[derive(Clone, Debug)]
pub struct LineSettings {
    /// Its name in the database, in metrics and in logs.
    pub name: Arc<str>,
    /// Most calls of this instance at once.
    pub connections: Option<usize>,
    /// Most messages of this instance in a second.
    pub rate: Option<u32>,
}

/// A turn at a gateway.
pub struct Turn<'a, G> {
    position: usize,
    line: &'a Line<G>,
    pass: Pass<'a>,
    _permit: SemaphorePermit<'a>,
}

/// How the hand-over to one gateway went.
pub struct Attempt {
    pub gateway: Arc<str>,
    pub result: Result<Acceptance, SendFailure>,
}

impl<G: Gateway> Gateways<G> {
    #[must_use]
    pub fn new(gateways: Vec<(LineSettings, G)>, metrics: Metrics) -> Self {
        let line = |(settings, gateway): (LineSettings, G)| Line {
            name: settings.name,
            gateway,
            breaker: Breaker::default(),
            pace: Pace::new(settings.connections, settings.rate),
        };
        Self { lines: gateways.into_iter().map(line).collect(), metrics }
    }

    /// R24: the least life that a message must have left for any of the gateways.
    #[must_use]
    pub fn least_life(&self) -> Duration {
        self.lines.iter().map(Line::least_life).min().unwrap_or_default()
    }

    /// A turn at the first gateway that is open to a message with that life left. If all of them are busy, waits for the first.
    pub async fn take_turn(&self, now: DateTime<Utc>, life: Duration) -> Option<Turn<'_, G>> {
        if let Some(turn) = self.try_turn(0, now, life) {
            return Some(turn);
        }
        let (position, line) = self.candidates(0, life).find(|(_, line)| !line.breaker.is_open())?;
        let permit = tokio::time::timeout(MAX_WAIT_FOR_TURN, line.pace.turn()).await.ok()??;
        Some(Turn { position, line, pass: line.breaker.pass(now)?, _permit: permit })
    }

    fn try_turn(&self, first: usize, now: DateTime<Utc>, life: Duration) -> Option<Turn<'_, G>> {
        self.candidates(first, life).find_map(|(position, line)| {
            let pass = line.breaker.pass(now)?;
            Some(Turn { position, line, pass, _permit: line.pace.try_turn()? })
        })
    }

    fn candidates(&self, first: usize, life: Duration) -> impl Iterator<Item = (usize, &Line<G>)> {
        self.lines.iter().enumerate().skip(first).filter(move |(_, line)| life > line.least_life())
    }

    /// How many messages it makes sense to claim now: none while every gateway is closed, one when one of them may be tried.
    #[must_use]
    pub fn room(&self, now: DateTime<Utc>) -> usize {
        if self.lines.iter().any(|line| !line.breaker.is_open()) {
            return usize::MAX;
        }
        usize::from(self.lines.iter().any(|line| line.breaker.pass(now).is_some()))
    }

    /// When a message that gets no turn now should ask again.
    #[must_use]
    pub fn next_turn_time(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.lines.iter().filter_map(|line| line.breaker.pause_end(now)).min().unwrap_or(now)
    }

    /// Hands the message over at `turn`, and at the gateways after it for as long as each is known not to have taken it.
    /// `clock` gives the time. Returns every attempt; only the last can have delivered the message.
    pub async fn send(
        &self,
        turn: Turn<'_, G>,
        message: &mut OutgoingSms,
        expire_time: DateTime<Utc>,
        clock: impl Fn() -> DateTime<Utc>,
    ) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        let mut next = Some(turn);
        while let Some(turn) = next {
            message.validity = life_left(expire_time, clock());
            let result = turn.line.gateway.send(message).await;
            let position = turn.position;
            attempts.push(Attempt { gateway: Arc::clone(&turn.line.name), result: result.clone() });
            self.record(turn, clock(), &result);
            let may_go_on = result.is_err_and(|failure| failure.kind.is_certainly_not_taken());
            let now = clock();
            next = if may_go_on { self.try_turn(position + 1, now, life_left(expire_time, now)) } else { None };
        }
        attempts
    }

    fn record(&self, turn: Turn<'_, G>, now: DateTime<Utc>, result: &Result<Acceptance, SendFailure>) {
        let health = match result {
            Err(failure) if failure.kind != FailureKind::Message => {
                Health::Failing { retry_after: failure.retry_after }
            }
            Ok(_) | Err(_) => Health::Well,
        };
        let (breaker, was_open) = (&turn.line.breaker, turn.line.breaker.is_open());
        turn.pass.record(now, health);
        if breaker.is_open() != was_open {
            let is_open = !was_open;
            tracing::warn!(gateway = &*turn.line.name, is_open, "the breaker of a gateway has changed");
            self.metrics.record_gateway_breaker(&turn.line.name, is_open);
        }
    }
}

impl<G: Gateway> Line<G> {
    /// R24: how much of its life a message must have left: more than the gateway observes as validity, and than it may take to
    /// answer.
    fn least_life(&self) -> Duration {
        self.gateway.least_validity().max(self.gateway.timeout())
    }
}

impl<G: Gateway> Turn<'_, G> {
    /// R24: the least life that the message must have left.
    #[must_use]
    pub fn least_life(&self) -> Duration {
        self.line.least_life()
    }
}

fn life_left(expire_time: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (expire_time - now).to_std().unwrap_or_default()
}
