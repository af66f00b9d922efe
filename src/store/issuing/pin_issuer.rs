//! Issues concurrent orders for PINs with one statement.

use std::sync::Arc;

use sqlx::PgPool;

use super::issue_temporary_pin::{issue, run_statement};
use super::{IssueOutcome, PinOrder};
use crate::batch::Batcher;
use crate::store::connections::{StickyConnection, StoreError, is_refusal, write_batched};

/// How many orders one statement takes.
const MAX_ORDERS_PER_STATEMENT: usize = 64;

/// Issues concurrent orders with one statement. Cheap to clone.
#[derive(Clone)]
pub struct PinIssuer {
    pool: PgPool,
    batcher: Batcher<Arc<PinOrder>, Result<Option<IssueOutcome>, StoreError>>,
}

impl PinIssuer {
    /// Must be called within a runtime.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let connection = StickyConnection::new(pool.clone());
        let run_batch = move |orders| issue_batch(connection.clone(), orders);
        Self { pool, batcher: Batcher::new(MAX_ORDERS_PER_STATEMENT, run_batch) }
    }

    /// Issues a PIN, sends the open one again, or tells why not. The outcome is the same as that of [`issue`].
    pub async fn issue(&self, order: PinOrder) -> Result<IssueOutcome, StoreError> {
        let order = Arc::new(order);
        match write_batched("issue_temporary_pin", &self.batcher, Arc::clone(&order)).await? {
            Some(outcome) => Ok(outcome),
            None => issue(&self.pool, &order).await,
        }
    }
}

/// The outcome of each order. `None`: the order must be issued alone. It lost a race, is not the first of its person or has
/// other limits than the first order, or the whole statement failed because of one of its orders (a race, a block, a value
/// that Postgres refuses).
async fn issue_batch(
    connection: StickyConnection,
    orders: Vec<Arc<PinOrder>>,
) -> Vec<Result<Option<IssueOutcome>, StoreError>> {
    let mut included: Vec<usize> =
        (0..orders.len()).filter(|&index| orders[index].limits == orders[0].limits).collect();
    // All statements lock persons in the same order, so that they cannot deadlock.
    included.sort_by_key(|&index| orders[index].person.0);
    // One order per person: a statement does not see what it writes itself.
    included.dedup_by_key(|index| orders[*index].person.0);
    let batch: Vec<&PinOrder> = included.iter().map(|&index| &*orders[index]).collect();
    let outcomes = connection.run(async |connection| match run_statement(connection, &batch).await {
        Err(error) if is_refusal(&error) => Ok(vec![None; batch.len()]),
        outcomes => Ok(outcomes?),
    });
    let outcomes = match outcomes.await {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error); batch.len()],
    };
    let mut answers = vec![Ok(None); orders.len()];
    for (index, outcome) in included.into_iter().zip(outcomes) {
        answers[index] = outcome;
    }
    answers
}
