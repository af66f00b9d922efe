//! How a person stands: all that CheckEligibility shows of what is on record, in one statement. Those who are asked about at
//! the same moment share it.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::batch::Batcher;
use crate::domain::channel::Channel;
use crate::domain::hold::Hold;
use crate::domain::person::{MobileKey, PersonKey};
use crate::domain::rules::{LimitRules, PinRules};
use crate::store::connections::{StickyConnection, StoreError, read_batched};
use crate::store::issuing::{DispatchState, PinRequestView, PinState};
use crate::store::parameters::{interval, numbered_pseudonyms};

/// Most persons in one statement.
const MOST: usize = 64;

/// Who is asked about.
#[derive(Clone, Debug)]
pub struct PersonQuery {
    /// The person.
    pub person: PersonKey,
    /// Every pseudonym of the person under which a block may stand.
    pub keys: Vec<PersonKey>,
    /// The person's registered mobile number.
    pub mobile: Option<MobileKey>,
    /// The time of the question.
    pub now: DateTime<Utc>,
}

/// What is on record about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonStatus {
    /// Whether an operator has blocked the person (R9).
    pub is_blocked: bool,
    /// The open access request, also when its window has passed (R6, R7).
    pub hold: Option<Hold>,
    /// The open PIN request, if it has not expired (R5).
    pub open_pin_request: Option<PinRequestView>,
    /// R18: until when failed verifications refuse another.
    pub failed_until: Option<DateTime<Utc>>,
    /// R25: until when the PINs of the person refuse another.
    pub person_until: Option<DateTime<Utc>>,
    /// R25: until when the PINs to the mobile number refuse another.
    pub mobile_until: Option<DateTime<Utc>>,
}

/// Tells how persons stand. Spends nothing. Cheap to clone.
#[derive(Clone)]
pub struct PersonStatusReader(Batcher<PersonQuery, Result<PersonStatus, StoreError>>);

impl PersonStatusReader {
    /// Over this database, by these figures.
    #[must_use]
    pub fn new(pool: PgPool, pin: &PinRules, limits: &LimitRules) -> Self {
        let (relay, pin, limits) = (StickyConnection::new(pool), pin.clone(), limits.clone());
        Self(Batcher::new_read_only(MOST, move |subjects: Vec<PersonQuery>| {
            let (relay, pin, limits) = (relay.clone(), pin.clone(), limits.clone());
            async move {
                let count = subjects.len();
                match look_up(&relay, subjects, &pin, &limits).await {
                    Ok(standings) => standings,
                    Err(error) => vec![Err(error); count],
                }
            }
        }))
    }

    /// How that person stands. The call's deadline ends the waiting.
    pub async fn read(&self, subject: PersonQuery) -> Result<PersonStatus, StoreError> {
        read_batched("standing", &self.0, subject).await
    }
}

async fn look_up(
    relay: &StickyConnection,
    subjects: Vec<PersonQuery>,
    pin: &PinRules,
    limits: &LimitRules,
) -> Result<Vec<Result<PersonStatus, StoreError>>, StoreError> {
    let (numbers, pseudonyms) = numbered_pseudonyms(subjects.iter().map(|subject| subject.keys.as_slice()));
    let persons: Vec<&[u8]> = subjects.iter().map(|subject| subject.person.0.as_slice()).collect();
    let mobiles: Vec<Option<&[u8]>> =
        subjects.iter().map(|subject| subject.mobile.as_ref().map(|mobile| mobile.0.as_slice())).collect();
    let times: Vec<DateTime<Utc>> = subjects.iter().map(|subject| subject.now).collect();
    relay
        .run(async |connection| {
            let rows = sqlx::query_file_as!(
                Row,
                "src/store/eligibility/person_status.sql",
                &numbers,
                &pseudonyms as &[&[u8]],
                &persons as &[&[u8]],
                &mobiles as &[Option<&[u8]>],
                &times,
                interval(pin.resend_interval),
                i32::try_from(pin.sends).unwrap_or(i32::MAX),
                interval(limits.failed_verifications.per),
                i64::from(limits.failed_verifications.times),
                interval(limits.person_pins.per),
                i64::from(limits.person_pins.times),
                interval(limits.mobile_pins.per),
                i64::from(limits.mobile_pins.times),
            )
            .fetch_all(connection)
            .await?;
            Ok(rows.into_iter().map(Row::standing).collect())
        })
        .await
}

/// What the statement says of one person.
struct Row {
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
    failed_until: Option<DateTime<Utc>>,
    person_until: Option<DateTime<Utc>>,
    mobile_until: Option<DateTime<Utc>>,
}

impl Row {
    fn standing(self) -> Result<PersonStatus, StoreError> {
        Ok(PersonStatus {
            is_blocked: self.is_blocked,
            hold: self.hold(),
            failed_until: self.failed_until,
            person_until: self.person_until,
            mobile_until: self.mobile_until,
            open_pin_request: self.open_pin_request()?,
        })
    }

    fn hold(&self) -> Option<Hold> {
        Some(Hold {
            request_time: self.request_time?,
            eligible_time: self.eligible_time?,
            expire_time: self.access_expire_time?,
        })
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
            channel: Channel::from_name(&channel).ok_or_else(|| StoreError::unknown_word("pin_requests.channel"))?,
            create_time,
            expire_time,
            masked_mobile_number,
            dispatch_state: DispatchState::of_message(&self.dispatch_state.unwrap_or_default()),
            next_send_time: self.next_send_time,
        }))
    }
}
