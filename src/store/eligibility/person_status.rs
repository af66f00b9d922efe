//! Everything on record that CheckEligibility shows of a person, read by one statement for concurrent calls.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::batch::Batcher;
use crate::domain::channel::Channel;
use crate::domain::fact::FactKind;
use crate::domain::hold::Hold;
use crate::domain::person::{MobileKey, PersonKey};
use crate::domain::pin::PinRules;
use crate::domain::question_memory::{UnsuccessfulRun, longest_memory};
use crate::domain::redemption::MAX_TRY_DURATION;
use crate::domain::rule_settings::{LimitRules, Rules};
use crate::store::connections::{StickyConnection, StoreError, read_batched};
use crate::store::holds::hold_from_columns;
use crate::store::issuing::{DispatchState, PinRequestView, PinState};
use crate::store::parameters::{to_interval, to_numbered_arrays};
use crate::store::verifying::history::guesses;

/// How many persons one statement reads.
const MAX_PERSONS_PER_STATEMENT: usize = 64;

/// The person whose status is read.
#[derive(Clone, Debug)]
pub struct PersonQuery {
    pub person: PersonKey,
    /// Every pseudonym of the person. A block may be stored under any of them.
    pub keys: Vec<PersonKey>,
    /// The registered mobile number.
    pub mobile: Option<MobileKey>,
    pub now: DateTime<Utc>,
}

/// What is on record about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonStatus {
    /// Whether an operator has blocked the person (R9).
    pub is_blocked: bool,
    /// The open access request, even if its access window has passed (R6, R7).
    pub hold: Option<Hold>,
    /// The open PIN request, if it has not expired (R5).
    pub open_pin_request: Option<PinRequestView>,
    /// R4: if the person tried too many wrong PINs, when the next PIN is possible.
    pub wrong_tries_until: Option<DateTime<Utc>>,
    /// R18: if too many verifications have failed by phone, when the next one is possible.
    pub failed_phone_until: Option<DateTime<Utc>>,
    /// R18: if too many verifications have failed at the counter, when questions are possible again.
    pub failed_counter_until: Option<DateTime<Utc>>,
    /// R16: the verifications that asked questions without success.
    pub unsuccessful_runs: Vec<UnsuccessfulRun>,
    /// R25: if the person had too many PINs, when the next one is possible.
    pub person_until: Option<DateTime<Utc>>,
    /// R25: if the mobile number had too many PINs, when the next one is possible.
    pub mobile_until: Option<DateTime<Utc>>,
}

/// Reads the status of persons, in batches. Spends no limits. Cheap to clone.
#[derive(Clone)]
pub struct PersonStatusReader(Batcher<PersonQuery, Result<PersonStatus, StoreError>>);

impl PersonStatusReader {
    /// `least_validity`: R24, with less life left no PIN is sent again. Must be called within a runtime.
    #[must_use]
    pub fn new(pool: PgPool, rules: &Rules, least_validity: Duration) -> Self {
        let (connection, pin, limits) = (StickyConnection::new(pool), rules.pin.clone(), rules.limits.clone());
        let question_span = longest_memory(&rules.verification);
        Self(Batcher::new_read_only(MAX_PERSONS_PER_STATEMENT, move |queries: Vec<PersonQuery>| {
            let (connection, pin, limits) = (connection.clone(), pin.clone(), limits.clone());
            async move {
                let count = queries.len();
                match read_batch(&connection, queries, &pin, least_validity, &limits, question_span).await {
                    Ok(statuses) => statuses,
                    Err(error) => vec![Err(error); count],
                }
            }
        }))
    }

    /// Reads the status of a person. The call's deadline ends the wait.
    pub async fn read(&self, query: PersonQuery) -> Result<PersonStatus, StoreError> {
        read_batched("standing", &self.0, query).await
    }
}

async fn read_batch(
    connection: &StickyConnection,
    queries: Vec<PersonQuery>,
    pin: &PinRules,
    least_validity: Duration,
    limits: &LimitRules,
    question_span: Duration,
) -> Result<Vec<Result<PersonStatus, StoreError>>, StoreError> {
    let (numbers, pseudonyms) = to_numbered_arrays(queries.iter().map(|query| query.keys.as_slice()));
    let persons: Vec<&[u8]> = queries.iter().map(|query| query.person.0.as_slice()).collect();
    let mobiles: Vec<Option<&[u8]>> =
        queries.iter().map(|query| query.mobile.as_ref().map(|mobile| mobile.0.as_slice())).collect();
    let times: Vec<DateTime<Utc>> = queries.iter().map(|query| query.now).collect();
    connection
        .run(async |connection| {
            let rows = sqlx::query_file_as!(
                StatusRow,
                "src/store/eligibility/person_status.sql",
                &numbers,
                &pseudonyms as &[&[u8]],
                &persons as &[&[u8]],
                &mobiles as &[Option<&[u8]>],
                &times,
                to_interval(pin.resend_interval),
                i32::try_from(pin.sends).unwrap_or(i32::MAX),
                to_interval(limits.failed_verifications.per),
                i64::from(limits.failed_verifications.times),
                to_interval(limits.person_pins.per),
                i64::from(limits.person_pins.times),
                to_interval(limits.mobile_pins.per),
                i64::from(limits.mobile_pins.times),
                to_interval(limits.wrong_tries.per),
                i64::from(limits.wrong_tries.times),
                to_interval(MAX_TRY_DURATION),
                &guesses(),
                to_interval(question_span),
                to_interval(least_validity),
            )
            .fetch_all(connection)
            .await?;
            Ok(rows.into_iter().map(StatusRow::into_status).collect())
        })
        .await
}

/// The row that person_status.sql returns for each person.
struct StatusRow {
    is_blocked: bool,
    request_time: Option<DateTime<Utc>>,
    eligible_time: Option<DateTime<Utc>>,
    access_expire_time: Option<DateTime<Utc>>,
    id: Option<Uuid>,
    channel: Option<String>,
    create_time: Option<DateTime<Utc>>,
    expire_time: Option<DateTime<Utc>>,
    masked_mobile_number: Option<String>,
    dispatch_state: Option<String>,
    next_send_time: Option<DateTime<Utc>>,
    failed_phone_until: Option<DateTime<Utc>>,
    failed_counter_until: Option<DateTime<Utc>>,
    ask_times: Option<Vec<DateTime<Utc>>>,
    asked_kinds: Option<Vec<String>>,
    were_answered: Option<Vec<bool>>,
    person_until: Option<DateTime<Utc>>,
    mobile_until: Option<DateTime<Utc>>,
    wrong_tries_until: Option<DateTime<Utc>>,
}

impl StatusRow {
    fn into_status(self) -> Result<PersonStatus, StoreError> {
        Ok(PersonStatus {
            is_blocked: self.is_blocked,
            hold: hold_from_columns(self.request_time, self.eligible_time, self.access_expire_time),
            wrong_tries_until: self.wrong_tries_until,
            failed_phone_until: self.failed_phone_until,
            failed_counter_until: self.failed_counter_until,
            unsuccessful_runs: self.unsuccessful_runs(),
            person_until: self.person_until,
            mobile_until: self.mobile_until,
            open_pin_request: self.open_pin_request()?,
        })
    }

    /// One element per kind that was asked about.
    fn unsuccessful_runs(&self) -> Vec<UnsuccessfulRun> {
        let (Some(times), Some(kinds), Some(were_answered)) = (&self.ask_times, &self.asked_kinds, &self.were_answered)
        else {
            return Vec::new();
        };
        let run = |((ask_time, kind), was_answered): ((&DateTime<Utc>, &String), &bool)| UnsuccessfulRun {
            ask_time: *ask_time,
            kinds: FactKind::from_name(kind).into_iter().collect(),
            was_answered: *was_answered,
        };
        times.iter().zip(kinds).zip(were_answered).map(run).collect()
    }

    fn open_pin_request(self) -> Result<Option<PinRequestView>, StoreError> {
        let Self { id: Some(id), channel: Some(channel), create_time: Some(create_time), .. } = self else {
            return Ok(None);
        };
        let Self { expire_time: Some(expire_time), masked_mobile_number: Some(masked_mobile_number), .. } = self else {
            return Ok(None);
        };
        Ok(Some(PinRequestView {
            id,
            state: PinState::Open,
            channel: Channel::from_name(&channel).ok_or_else(|| StoreError::unknown_value("pin_requests.channel"))?,
            create_time,
            expire_time,
            masked_mobile_number,
            dispatch_state: DispatchState::from_message_state(&self.dispatch_state.unwrap_or_default()),
            next_send_time: self.next_send_time,
        }))
    }
}
