//! The setting of the dispatcher tests: an outbox, a clock, and a fake gateway.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use opentelemetry::global;
use sqlx::{AssertSqlSafe, PgPool, Row as _};
use temporary_pin::clock::{Clock, ShiftedClock};
use temporary_pin::domain::dispatch::FailureKind;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::keys::{self, KeyRing};
use temporary_pin::random;
use temporary_pin::sms::dispatcher::Dispatcher;
use temporary_pin::sms::failover::{Gateways, LineSettings};
use temporary_pin::sms::gateway::{Acceptance, Gateway, OutgoingSms, SendFailure};
use temporary_pin::sms::sealed_message::seal_message;
use temporary_pin::sms::settings::DispatcherSettings;
use temporary_pin::store::messages::handovers::Handovers;
use temporary_pin::store::messages::local_handovers::{NewMessageLease, NewPinMessage};
use temporary_pin::telemetry::metrics::Metrics;
use tokio::sync::Semaphore;
use uuid::Uuid;

pub(crate) const NUMBER: &str = "+4520123456";
pub(crate) const TEXT: &str = "PIN-kode 1234 5678";
pub(crate) const LEASE: Duration = Duration::from_secs(60);
pub(crate) const LEAST_VALIDITY: Duration = Duration::from_secs(60);

/// How the fake gateway responds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Accept,
    Down,
    Busy(Duration),
    Unauthorized,
    Refuse,
    Silent,
}

/// A fake gateway that records the messages that it receives.
#[derive(Clone)]
pub(crate) struct Phone {
    mode: Arc<Mutex<Mode>>,
    received: Arc<Mutex<Vec<Received>>>,
    /// Each call waits for a permit.
    pub(crate) gate: Arc<Semaphore>,
    /// How long each call takes.
    duration: Duration,
    pub(crate) least_validity: Duration,
    /// How many calls are running, and how many were at most.
    running: Arc<Mutex<(usize, usize)>>,
}

#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) number: String,
    pub(crate) text: String,
    pub(crate) reference: String,
    pub(crate) validity: Duration,
    /// Whether the phone may have received it: the gateway has accepted it, or it is unknown whether it has.
    pub(crate) may_have_arrived: bool,
}

impl Phone {
    pub(crate) fn new() -> Self {
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self {
            mode: Arc::new(Mutex::new(Mode::Accept)),
            received: Arc::default(),
            gate,
            duration: Duration::ZERO,
            least_validity: LEAST_VALIDITY,
            running: Arc::default(),
        }
    }

    pub(crate) fn slow(duration: Duration) -> Self {
        Self { duration, ..Self::new() }
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.running.lock().unwrap().1
    }

    /// A gateway that responds only when the test adds permits to its gate.
    pub(crate) fn with_closed_gate() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), ..Self::new() }
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How often the phone may have received each reference.
    pub(crate) fn count_arrivals(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for message in self.received().into_iter().filter(|message| message.may_have_arrived) {
            *times.entry(message.reference).or_default() += 1;
        }
        times
    }

    /// How often each reference was handed over.
    pub(crate) fn count_by_reference(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for message in self.received() {
            *times.entry(message.reference).or_default() += 1;
        }
        times
    }
}

impl Gateway for Phone {
    fn timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn least_validity(&self) -> Duration {
        self.least_validity
    }

    async fn send(&self, message: &OutgoingSms) -> Result<Acceptance, SendFailure> {
        self.received.lock().unwrap().push(Received {
            number: message.recipient.e164().to_owned(),
            text: message.text.to_string(),
            reference: message.reference.clone(),
            validity: message.validity,
            may_have_arrived: matches!(*self.mode.lock().unwrap(), Mode::Accept | Mode::Silent),
        });
        {
            let mut running = self.running.lock().unwrap();
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        self.gate.acquire().await.unwrap().forget();
        if !self.duration.is_zero() {
            tokio::time::sleep(self.duration).await;
        }
        self.running.lock().unwrap().0 -= 1;
        let mode = *self.mode.lock().unwrap();
        match mode {
            Mode::Accept => Ok(Acceptance { gateway_reference: Some("7".to_owned()) }),
            Mode::Down => Err(SendFailure::new(FailureKind::NotTaken, "cannot connect")),
            Mode::Busy(retry_after) => Err(SendFailure {
                retry_after: Some(retry_after),
                ..SendFailure::new(FailureKind::NotTaken, "status 429")
            }),
            Mode::Unauthorized => Err(SendFailure::new(FailureKind::Account, "status 401")),
            Mode::Refuse => Err(SendFailure::new(FailureKind::Message, "status 422")),
            Mode::Silent => Err(SendFailure::new(FailureKind::Unknown, "no answer in time")),
        }
    }
}

/// A database with its outbox, a clock and a gateway.
pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) clock: ShiftedClock,
    pub(crate) phone: Phone,
    pub(crate) metrics: Metrics,
}

impl World {
    pub(crate) fn new(pool: PgPool) -> Self {
        let keys = KeyRing::parse(&keys::generate(&mut random::secure())).unwrap();
        let metrics = Metrics::new(&global::meter("not exported"));
        Self { pool, keys: Arc::new(keys), clock: ShiftedClock::default(), phone: Phone::new(), metrics }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The phone as the only gateway.
    fn gateways(&self) -> Gateways<Phone> {
        let line = LineSettings { name: "phone".into(), connections: None, rate: None };
        Gateways::new(vec![(line, self.phone.clone())], self.metrics.clone())
    }

    /// A dispatcher of this world, as one instance of the service runs it.
    pub(crate) fn dispatcher(&self) -> Arc<Dispatcher<Phone>> {
        Arc::new(self.dispatcher_with(DispatcherSettings { lease: LEASE, ..DispatcherSettings::default() }))
    }

    pub(crate) fn dispatcher_with(&self, settings: DispatcherSettings) -> Dispatcher<Phone> {
        Dispatcher { settings, ..self.dispatcher_over(self.gateways()) }
    }

    /// A dispatcher that hands over to these gateways.
    pub(crate) fn dispatcher_over(&self, gateways: Gateways<Phone>) -> Dispatcher<Phone> {
        Dispatcher {
            pool: self.pool.clone(),
            handovers: Handovers::new(&self.pool),
            keys: Arc::new(ArcSwap::new(Arc::clone(&self.keys))),
            gateways,
            clock: Arc::new(self.clock.clone()),
            settings: DispatcherSettings { lease: LEASE, ..DispatcherSettings::default() },
            metrics: self.metrics.clone(),
        }
    }

    /// Queues a message that is due now and may be sent for ten minutes.
    pub(crate) async fn queue(&self, kind: &str) -> Uuid {
        let now = self.now();
        self.queue_at(kind, now, now + Duration::from_secs(600)).await
    }

    pub(crate) async fn queue_at(&self, kind: &str, due_time: DateTime<Utc>, expire_time: DateTime<Utc>) -> Uuid {
        self.insert(kind, due_time, expire_time, None).await.0
    }

    /// Inserts a message in one statement. Returns its id and its sealed body.
    async fn insert(
        &self,
        kind: &str,
        due_time: DateTime<Utc>,
        expire_time: DateTime<Utc>,
        lease: Option<NewMessageLease>,
    ) -> (Uuid, Vec<u8>) {
        let id = random::time_ordered_uuid(due_time, &mut random::secure());
        let sealed_body = seal_message(&self.keys, id, &MobileNumber::parse(NUMBER).unwrap(), TEXT);
        sqlx::query(
            "INSERT INTO outbox (
                id, person_key, kind, state, sealed_body, next_attempt_time, expire_time, create_time, lease_token,
                lease_expire_time
            )
            VALUES ($1, decode(repeat('00', 32), 'hex'), $2, 'queued', $3, $4, $5, $4, $6, $7)",
        )
        .bind(id)
        .bind(kind)
        .bind(&sealed_body)
        .bind(due_time)
        .bind(expire_time)
        .bind(lease.map(|lease| lease.token))
        .bind(lease.map(|lease| lease.expire_time))
        .execute(&self.pool)
        .await
        .unwrap();
        (id, sealed_body)
    }

    /// Queues a message as an order does that has a place for it.
    pub(crate) async fn queue_leased(&self, lease: NewMessageLease) -> NewPinMessage {
        let expire_time = self.now() + Duration::from_secs(600);
        let (id, sealed_body) = self.insert("pin", self.now(), expire_time, Some(lease)).await;
        NewPinMessage { id, sealed_body, expire_time }
    }

    /// Queues the same message again, as a resend does (R5).
    pub(crate) async fn queue_again(&self, id: Uuid) {
        sqlx::query(
            "UPDATE outbox SET state = 'queued', sends = sends + 1, attempts = 0, next_attempt_time = $2,
                lease_token = NULL, lease_expire_time = NULL, handover_time = NULL
            WHERE id = $1",
        )
        .bind(id)
        .bind(self.now())
        .execute(&self.pool)
        .await
        .unwrap();
    }

    pub(crate) async fn state(&self, id: Uuid) -> String {
        self.column(id, "state").await.unwrap()
    }

    pub(crate) async fn gateway_of(&self, id: Uuid) -> Option<String> {
        self.column(id, "gateway").await
    }

    pub(crate) async fn last_error(&self, id: Uuid) -> Option<String> {
        self.column(id, "last_error").await
    }

    pub(crate) async fn attempts(&self, id: Uuid) -> Option<String> {
        self.column(id, "attempts::text").await
    }

    pub(crate) async fn has_body(&self, id: Uuid) -> bool {
        self.column(id, "encode(sealed_body, 'hex')").await.is_some()
    }

    async fn column(&self, id: Uuid, column: &str) -> Option<String> {
        let query = AssertSqlSafe(format!("SELECT {column} FROM outbox WHERE id = $1"));
        sqlx::query(query).bind(id).fetch_one(&self.pool).await.unwrap().get(0)
    }
}
