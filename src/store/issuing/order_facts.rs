//! Reads the facts that decide about an order.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::previous_answer::find_previous_answer;
use super::{DispatchState, PinOrder, PinRequestView, PinState};
use crate::domain::channel::Channel;
use crate::domain::order::{OpenPinFacts, OrderFacts, OrderRules, VerificationFacts};
use crate::domain::person::MobileKey;
use crate::store::holds::hold_from_columns;
use crate::store::locks::{lock_open_access_request, lock_open_pin};
use crate::store::parameters::{to_bytea_array, to_interval};
use crate::store::redeeming::list_person_tries;

/// What is on record about an order: the facts for the decision, and what the answer needs.
pub(super) struct OrderRecord {
    pub(super) facts: OrderFacts,
    /// The answer that was given before under this request id.
    pub(super) answer: Option<PinRequestView>,
    pub(super) open_pin: Option<OpenPinRecord>,
    /// The open access request of a web order.
    pub(super) access_request: Option<Uuid>,
}

/// What is on record about the open PIN.
pub(super) struct OpenPinRecord {
    pub(super) facts: OpenPinFacts,
    /// Its SMS.
    pub(super) message_id: Uuid,
    /// As answers show it, but without the next send time.
    pub(super) view: PinRequestView,
}

/// Locks the rows that the decision rests on, and reads them.
pub(super) async fn read_order_facts(
    connection: &mut PgConnection,
    order: &PinOrder,
    rules: &OrderRules,
) -> Result<OrderRecord, sqlx::Error> {
    if order.channel == Channel::Web {
        lock_open_access_request(connection, order.person).await?;
    }
    lock_open_pin(connection, order.person).await?;
    // Statements of their own: they see what was committed before the locks were free.
    let tries = list_person_tries(connection, order.person, rules.wrong_tries, None, order.now).await?;
    let row = sqlx::query_file_as!(
        FactsRow,
        "src/store/issuing/order_facts.sql",
        order.verification_id,
        &order.person.0,
        &*order.caller,
        order.channel.as_str(),
        &order.mobile.0,
        order.now,
        &to_bytea_array(&order.keys),
        to_interval(rules.person_pins.per),
        i64::from(rules.person_pins.times),
        to_interval(rules.mobile_pins.per),
        i64::from(rules.mobile_pins.times),
    )
    .fetch_one(&mut *connection)
    .await?;
    // Last: the PIN of a repeat that runs in another instance is among the facts only if its answer is found here.
    let answer = find_previous_answer(connection, &order.caller, order.request_id).await?;
    let open_pin = row.open_pin();
    Ok(OrderRecord {
        facts: OrderFacts {
            answered_digest: answer.as_ref().map(|answer| answer.payload_digest),
            verification: row.verification(),
            is_blocked: row.is_blocked,
            open_pin: open_pin.as_ref().map(|pin| pin.facts),
            hold: hold_from_columns(row.access_request_time, row.access_eligible_time, row.access_expire_time),
            wrong_tries: tries.wrong_times(order.now).collect(),
            person_pins: row.person_pins,
            mobile_pins: row.mobile_pins,
        },
        answer: answer.map(|answer| answer.view),
        open_pin,
        access_request: row.access_id,
    })
}

/// The row of order_facts.sql.
struct FactsRow {
    is_verified: Option<bool>,
    verification_create_time: Option<DateTime<Utc>>,
    verification_expire_time: Option<DateTime<Utc>>,
    used_for: Option<Uuid>,
    is_blocked: bool,
    pin_id: Option<Uuid>,
    pin_mobile_key: Option<Vec<u8>>,
    pin_channel: Option<String>,
    pin_create_time: Option<DateTime<Utc>>,
    pin_expire_time: Option<DateTime<Utc>>,
    pin_last_send_time: Option<DateTime<Utc>>,
    pin_sends: Option<i16>,
    pin_masked_mobile_number: Option<String>,
    pin_message_id: Option<Uuid>,
    pin_message_state: Option<String>,
    pin_has_sms: Option<bool>,
    access_id: Option<Uuid>,
    access_request_time: Option<DateTime<Utc>>,
    access_eligible_time: Option<DateTime<Utc>>,
    access_expire_time: Option<DateTime<Utc>>,
    person_pins: Vec<DateTime<Utc>>,
    mobile_pins: Vec<DateTime<Utc>>,
}

impl FactsRow {
    fn verification(&self) -> Option<VerificationFacts> {
        Some(VerificationFacts {
            is_verified: self.is_verified?,
            create_time: self.verification_create_time?,
            expire_time: self.verification_expire_time?,
            used_for: self.used_for,
        })
    }

    fn open_pin(&self) -> Option<OpenPinRecord> {
        let (id, expire_time) = (self.pin_id?, self.pin_expire_time?);
        let facts = OpenPinFacts {
            id,
            mobile: MobileKey(self.pin_mobile_key.as_deref()?.try_into().ok()?),
            expire_time,
            last_send_time: self.pin_last_send_time?,
            sends: u32::try_from(self.pin_sends?).unwrap_or_default(),
            has_sms: self.pin_has_sms.unwrap_or_default(),
        };
        let view = PinRequestView {
            id,
            state: PinState::Open,
            channel: Channel::from_name(self.pin_channel.as_deref()?)?,
            create_time: self.pin_create_time?,
            expire_time,
            masked_mobile_number: self.pin_masked_mobile_number.clone()?,
            dispatch_state: DispatchState::from_message_state(self.pin_message_state.as_deref().unwrap_or_default()),
            next_send_time: None,
        };
        Some(OpenPinRecord { facts, message_id: self.pin_message_id?, view })
    }
}
