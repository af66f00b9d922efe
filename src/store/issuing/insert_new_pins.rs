//! The statement that issues PINs, and its parameters.

use std::borrow::Borrow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::{PgHasArrayType, PgTypeInfo};
use uuid::Uuid;

use super::{NewPin, PinOrder};
use crate::domain::order::OrderRules;
use crate::domain::redemption::MAX_TRY_DURATION;
use crate::store::parameters::to_interval;

/// Runs `issue.sql`. Returns the ids of the PIN requests that it inserted.
pub(super) async fn insert_new_pins(
    connection: &mut PgConnection,
    orders: &[impl Borrow<PinOrder>],
    access_request: Option<Uuid>,
    rules: &OrderRules,
) -> Result<HashSet<Uuid>, sqlx::Error> {
    let new_row = |order| OrderRow::new(order, access_request, rules);
    let mut rows: Vec<OrderRow<'_>> = orders.iter().map(Borrow::borrow).filter_map(new_row).collect();
    // All statements insert in the same order of persons, so that they cannot deadlock.
    rows.sort_by_key(|row| row.person_key);
    let issued = sqlx::query_file_scalar!(
        "src/store/issuing/issue.sql",
        rows as Vec<OrderRow<'_>>,
        to_interval(rules.person_pins.per),
        i64::from(rules.person_pins.times),
        to_interval(rules.mobile_pins.per),
        i64::from(rules.mobile_pins.times),
        to_interval(rules.wrong_tries.per),
        to_interval(MAX_TRY_DURATION),
        i64::from(rules.wrong_tries.times),
        i32::try_from(rules.sends).unwrap_or(i32::MAX),
    );
    Ok(issued.fetch_all(connection).await?.into_iter().collect())
}

/// The composite type `pin_order_1`.
#[derive(sqlx::Encode)]
struct OrderRow<'a> {
    caller: &'a str,
    request_id: Uuid,
    payload_digest: &'a [u8],
    verification_id: Uuid,
    access_request_id: Option<Uuid>,
    person_key: &'a [u8],
    block_keys: Vec<&'a [u8]>,
    mobile_key: &'a [u8],
    channel: &'a str,
    agent_key: Option<&'a [u8]>,
    order_time: DateTime<Utc>,
    pin_request_id: Uuid,
    expire_time: DateTime<Utc>,
    first_next_send_time: Option<DateTime<Utc>>,
    masked_mobile_number: &'a str,
    verifier_key_id: i32,
    verifier_salt: &'a [u8],
    verifier_mac: &'a [u8],
    message_id: Uuid,
    sealed_body: &'a [u8],
    lease_token: Option<Uuid>,
    lease_expire_time: Option<DateTime<Utc>>,
}

impl<'a> OrderRow<'a> {
    /// `None` if no new PIN may be issued.
    fn new(order: &'a PinOrder, access_request: Option<Uuid>, rules: &OrderRules) -> Option<Self> {
        let NewPin { pin_request_id, verifier, expire_time, message_id, sealed_body, handover_place } =
            order.new_pin.as_ref()?;
        let lease = handover_place.as_ref().map(|place| place.lease());
        Some(Self {
            caller: &order.caller,
            request_id: order.request_id,
            payload_digest: &order.payload_digest,
            verification_id: order.verification_id,
            access_request_id: access_request,
            person_key: &order.person.0,
            block_keys: order.keys.iter().map(|key| key.0.as_slice()).collect(),
            mobile_key: &order.mobile.0,
            channel: order.channel.as_str(),
            agent_key: order.agent.as_ref().map(|agent| agent.0.as_slice()),
            order_time: order.now,
            pin_request_id: *pin_request_id,
            expire_time: *expire_time,
            first_next_send_time: rules.first_next_send_time(order.now, *expire_time),
            masked_mobile_number: &order.masked_mobile_number,
            verifier_key_id: verifier.key_id,
            verifier_salt: &verifier.salt,
            verifier_mac: &verifier.mac,
            message_id: *message_id,
            sealed_body,
            lease_token: lease.map(|lease| lease.token),
            lease_expire_time: lease.map(|lease| lease.expire_time),
        })
    }
}

impl sqlx::Type<sqlx::Postgres> for OrderRow<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("pin_order_1")
    }
}

impl PgHasArrayType for OrderRow<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of("pin_order_1")
    }
}
