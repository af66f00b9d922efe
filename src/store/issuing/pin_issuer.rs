//! Issues PINs: concurrent orders together, and those that are left one by one.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::PgPool;

use super::decide_order::decide_order;
use super::insert_new_pins::insert_new_pins;
use super::{IssueOutcome, PinOrder, PinRequestView};
use crate::batch::Batcher;
use crate::domain::channel::Channel;
use crate::domain::order::OrderRules;
use crate::store::connections::{StickyConnection, StoreError, is_refusal, write_batched};

/// How many orders one statement takes.
const MAX_ORDERS_PER_STATEMENT: usize = 64;

/// Issues concurrent orders with one statement. Cheap to clone.
#[derive(Clone)]
pub struct PinIssuer {
    pool: PgPool,
    rules: OrderRules,
    batcher: Batcher<Arc<PinOrder>, Result<bool, StoreError>>,
}

impl PinIssuer {
    /// Must be called within a runtime.
    #[must_use]
    pub fn new(pool: PgPool, rules: OrderRules) -> Self {
        let connection = StickyConnection::new(pool.clone());
        let run_batch = move |orders| issue_batch(connection.clone(), orders, rules);
        Self { pool, rules, batcher: Batcher::new(MAX_ORDERS_PER_STATEMENT, run_batch) }
    }

    /// Issues the new PIN, sends the open one again, or tells why not.
    pub async fn issue(&self, order: PinOrder) -> Result<IssueOutcome, StoreError> {
        let order = Arc::new(order);
        if let Some(new_pin) = order.new_pin.as_ref().filter(|_| order.may_be_issued_together())
            && write_batched("issue_temporary_pin", &self.batcher, Arc::clone(&order)).await?
        {
            return Ok(IssueOutcome::Issued(PinRequestView::of_new_pin(&order, new_pin, &self.rules)));
        }
        decide_order(&self.pool, &order, &self.rules).await
    }
}

impl PinOrder {
    /// An order on the web has a condition that issue.sql does not check: the hold (R6, R7).
    fn may_be_issued_together(&self) -> bool {
        self.channel != Channel::Web
    }
}

/// Whether each order's PIN was issued. If the statement fails because of one of the orders, none is issued.
async fn issue_batch(
    connection: StickyConnection,
    orders: Vec<Arc<PinOrder>>,
    rules: OrderRules,
) -> Vec<Result<bool, StoreError>> {
    let issued = connection.run(async |connection| match insert_new_pins(connection, &orders, None, &rules).await {
        Err(error) if is_refusal(&error) => Ok(HashSet::new()),
        issued => Ok(issued?),
    });
    let issued = issued.await;
    let is_issued = |order: &Arc<PinOrder>| {
        let issued = issued.as_ref().map_err(Clone::clone)?;
        let new_pin = order.new_pin.as_ref().filter(|new_pin| issued.contains(&new_pin.pin_request_id));
        // Here, and not where the call waits: a caller that has gone away does not delay the SMS.
        new_pin.inspect(|new_pin| new_pin.hand_over());
        Ok(new_pin.is_some())
    };
    orders.iter().map(is_issued).collect()
}
