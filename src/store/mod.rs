//! Postgres: the truth. One file per table or transaction, SQL visible.

pub mod outbox;
