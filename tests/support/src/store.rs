//! Persons, orders and logins for tests of the store, and queries of its tables.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::hold::{Hold, HoldRules};
use temporary_pin::domain::order::OrderRules;
use temporary_pin::domain::person::{AgentKey, MobileKey, PersonKey};
use temporary_pin::domain::pin::PinVerifier;
use temporary_pin::domain::redemption::{RedeemOutcome, RedemptionRules};
use temporary_pin::domain::rule_settings::{Limit, LimitRules, Rules};
use temporary_pin::domain::witness::WitnessLimits;
use temporary_pin::store::StoreError;
use temporary_pin::store::audit::audit_events::Actor;
use temporary_pin::store::eligibility::{PersonQuery, PersonStatus, PersonStatusReader};
use temporary_pin::store::holds::access_requests::{AccessOutcome, AccessRequest, request_access};
use temporary_pin::store::issuing::{IssueOutcome, NewPin, PinIssuer, PinOrder, PinRequestView};
use temporary_pin::store::messages::{MessageKind, Notice};
use temporary_pin::store::redeeming::{RedemptionTry, TryStart, begin_try, finish_try};
use temporary_pin::store::verifying::verifications::{
    Method, NewVerification, RecordOutcome, VerificationLimits, VerificationState, record,
};
use temporary_pin::store::withdrawal::Withdrawal;
use tokio::task::JoinSet;
use uuid::Uuid;

pub const DAY: Duration = Duration::from_secs(24 * 3600);
pub const PERSON: PersonKey = PersonKey([1; 32]);
pub const OTHER: PersonKey = PersonKey([2; 32]);
pub const AGENT: AgentKey = AgentKey([7; 32]);
pub const LIMITS: VerificationLimits = VerificationLimits {
    failed: Some(Limit { times: 3, per: DAY }),
    witness: Some(WitnessLimits { window: Duration::from_secs(120 * 24 * 3600), times: Some(3) }),
};

/// R24: the shortest validity that the gateway observes.
pub const LEAST_VALIDITY: Duration = Duration::from_secs(60);

pub const ORDER_RULES: OrderRules = OrderRules {
    wrong_tries: Limit { times: 10, per: DAY },
    person_pins: Limit { times: 3, per: DAY },
    mobile_pins: Limit { times: 5, per: DAY },
    resend_interval: Duration::from_secs(60),
    sends: 3,
    least_validity: LEAST_VALIDITY,
};

/// The figures of R3 and R4.
pub const RULES: RedemptionRules = RedemptionRules { tries_per_pin: 3, wrong_tries: Limit { times: 10, per: DAY } };

/// The time at which every test begins.
pub fn t0() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

pub fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

/// An id that no other call returns.
pub fn fresh_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into())
}

/// A pool for 32 concurrent calls and the test that watches them: none of them waits for a connection. An order takes two
/// connections, because the connection of its statement is kept for the next statement while the transaction runs.
pub fn wide_pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new().max_connections(68).acquire_timeout(Duration::from_secs(30)).connect_lazy_with(options)
}

/// Runs `count` calls concurrently and returns their results.
pub async fn run_concurrently<T, F>(count: u64, call: impl Fn(u64) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let mut calls = JoinSet::new();
    for number in 0..count {
        calls.spawn(call(number));
    }
    calls.join_all().await
}

/// Runs `count` calls concurrently, all of which wait for the rows that `lock` locks. Unlocks the rows when all calls wait:
/// each of them has then read the state before any of them has changed it.
pub async fn run_concurrently_behind_lock<T, F>(
    pool: &PgPool,
    lock: &'static str,
    count: u64,
    call: impl Fn(u64) -> F,
) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query(lock).execute(&mut *transaction).await.unwrap();
    let unlock = async {
        wait_until_all_wait(pool, count).await;
        transaction.commit().await.unwrap();
    };
    tokio::join!(run_concurrently(count, call), unlock).0
}

/// Waits until `count` statements wait for a lock.
pub async fn wait_until_all_wait(pool: &PgPool, count: u64) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let all = async { while one::<i64>(pool, waiting).await.unsigned_abs() < count {} };
    tokio::time::timeout(Duration::from_secs(20), all).await.unwrap();
}

/// A phone verification by questions.
pub fn verification(person: PersonKey, state: VerificationState, now: DateTime<Utc>) -> NewVerification<'static> {
    NewVerification {
        id: fresh_id(),
        person,
        channel: Channel::Phone,
        caller: "support",
        agent: Some(AGENT),
        method: Method::Questions,
        state,
        question_kinds: &[],
        witness: None,
        witness_agent: None,
        witness_notice: None,
        is_clerk_unknown: false,
        login_nonce_digest: None,
        case_reference: Some("case-1"),
        office_id: None,
        appointment_reference: None,
        now,
        expire_time: now + seconds(900),
    }
}

/// Records a verified phone verification and returns its id.
pub async fn verified(pool: &PgPool, person: PersonKey, now: DateTime<Utc>) -> Uuid {
    let verification = verification(person, VerificationState::Verified(AssuranceLevel::Substantial), now);
    assert_eq!(record(pool, &verification, &LIMITS).await.unwrap(), RecordOutcome::Recorded);
    verification.id
}

/// A web login.
pub fn login(person: PersonKey, nonce: u8, now: DateTime<Utc>) -> NewVerification<'static> {
    NewVerification {
        channel: Channel::Web,
        caller: "profile",
        agent: None,
        method: Method::Login,
        login_nonce_digest: Some([nonce; 32]),
        case_reference: None,
        ..verification(person, VerificationState::Verified(AssuranceLevel::Substantial), now)
    }
}

/// Logs in on the web and requests access. Returns the verification id and the outcome.
pub async fn log_in_and_request_access(
    pool: &PgPool,
    person: PersonKey,
    nonce: u8,
    now: DateTime<Utc>,
) -> (Uuid, AccessOutcome) {
    let hold = Hold::start(now, &HoldRules::default());
    let notices = notices(&hold);
    let request = AccessRequest { id: fresh_id(), hold, verification: login(person, nonce, now), notices: &notices };
    (request.verification.id, request_access(pool, &request).await.unwrap())
}

/// The two notices of a hold.
pub fn notices(hold: &Hold) -> [Notice; 2] {
    [(MessageKind::AccessRequested, hold.request_time), (MessageKind::HoldPassed, hold.eligible_time)].map(
        |(kind, due_time)| Notice {
            id: fresh_id(),
            kind,
            sealed_body: b"sealed notice".to_vec(),
            due_time,
            expire_time: hold.expire_time,
        },
    )
}

/// An order on the phone channel with a new request id.
pub fn order(person: PersonKey, verification_id: Uuid, now: DateTime<Utc>) -> PinOrder {
    PinOrder {
        caller: "support".into(),
        request_id: fresh_id(),
        payload_digest: [3; 32],
        verification_id,
        person,
        keys: Vec::new(),
        mobile: MobileKey(person.0),
        channel: Channel::Phone,
        agent: Some(AGENT),
        now,
        masked_mobile_number: "+45 ** ** ** 78".to_owned(),
        new_pin: Some(new_pin(now)),
    }
}

/// A PIN that is issued at `now`.
pub fn new_pin(now: DateTime<Utc>) -> NewPin {
    NewPin {
        pin_request_id: fresh_id(),
        verifier: PinVerifier { key_id: 1, salt: [4; 16], mac: [5; 32] },
        expire_time: now + seconds(600),
        message_id: fresh_id(),
        sealed_body: b"sealed PIN".to_vec(),
        handover_place: None,
    }
}

/// Runs one order by itself, with [`ORDER_RULES`].
pub async fn issue(pool: &PgPool, order: &PinOrder) -> Result<IssueOutcome, StoreError> {
    issue_with_rules(pool, order, ORDER_RULES).await
}

/// Runs one order by itself.
pub async fn issue_with_rules(pool: &PgPool, order: &PinOrder, rules: OrderRules) -> Result<IssueOutcome, StoreError> {
    PinIssuer::new(pool.clone(), rules).issue(order.clone()).await
}

/// An order on the web with a new request id.
pub fn web_order(person: PersonKey, verification_id: Uuid, now: DateTime<Utc>) -> PinOrder {
    PinOrder { caller: "profile".into(), channel: Channel::Web, agent: None, ..order(person, verification_id, now) }
}

/// Verifies the person and issues a PIN.
pub async fn issued(pool: &PgPool, person: PersonKey, now: DateTime<Utc>) -> PinRequestView {
    let verification = verified(pool, person, now).await;
    match issue(pool, &order(person, verification, now)).await.unwrap() {
        IssueOutcome::Issued(view) => view,
        outcome => panic!("no PIN: {outcome:?}"),
    }
}

/// A person with one pseudonym, which is also that of the mobile number.
pub fn subject(person: PersonKey, now: DateTime<Utc>) -> PersonQuery {
    PersonQuery { person, keys: vec![person], mobile: Some(MobileKey(person.0)), now }
}

/// Reads the status of a person with one pseudonym.
pub async fn standing(pool: &PgPool, person: PersonKey, limits: &LimitRules, now: DateTime<Utc>) -> PersonStatus {
    let rules = Rules { limits: limits.clone(), ..Rules::default() };
    PersonStatusReader::new(pool.clone(), &rules, LEAST_VALIDITY).read(subject(person, now)).await.unwrap()
}

/// A redemption with a new request id.
pub fn attempt(person: PersonKey, now: DateTime<Utc>) -> RedemptionTry<'static> {
    RedemptionTry {
        caller: "core",
        request_id: fresh_id(),
        payload_digest: [6; 32],
        person,
        rules: RULES,
        is_allowed_by_guard: true,
        now,
    }
}

/// Concludes a try that was counted.
pub async fn conclude(pool: &PgPool, attempt: &RedemptionTry<'_>, is_right: bool) -> Result<RedeemOutcome, StoreError> {
    let tried: Uuid = sqlx::query_scalar("SELECT pin_request_id FROM requests WHERE request_id = $1")
        .bind(attempt.request_id)
        .fetch_one(pool)
        .await
        .unwrap();
    finish_try(pool, attempt, tried, is_right).await
}

/// Counts the try and concludes it as right or wrong. Panics if other tries are running.
pub async fn redeem(pool: &PgPool, attempt: &RedemptionTry<'_>, is_right: bool) -> RedeemOutcome {
    match begin_try(pool, attempt).await.unwrap() {
        TryStart::Replayed(outcome) | TryStart::Answered(outcome) => outcome,
        TryStart::RequestIdReused => panic!("the request id was used before"),
        TryStart::Busy => panic!("other tries are running"),
        TryStart::Counted(pin) => finish_try(pool, attempt, pin.pin_request_id, is_right).await.unwrap(),
    }
}

/// An order to revoke or cancel.
pub fn withdrawal(person: PersonKey, now: DateTime<Utc>) -> Withdrawal<'static> {
    Withdrawal { person, actor: Actor::Operator("olga"), reason: "asked by the person", notice: None, now }
}

/// Runs a statement that returns one value.
pub async fn one<T>(pool: &PgPool, sql: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// All audit actions, in order.
pub async fn actions(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT action FROM audit_events ORDER BY id").fetch_all(pool).await.unwrap()
}

/// The content of all tables, to check that nothing changed.
pub async fn dump_tables(pool: &PgPool) -> String {
    one(
        pool,
        "SELECT concat_ws(E'\\n',
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM verifications t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM access_requests t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM pin_requests t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM requests t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM outbox t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM audit_events t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM audit_agents t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM audit_operators t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM person_blocks t),
            (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM limit_resets t))",
    )
    .await
}
