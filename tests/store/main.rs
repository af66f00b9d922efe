//! Tests of the store with a real Postgres. Each test has its own database. Needs `DATABASE_URL`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access_requests;
mod answer_rounds;
mod atomicity;
mod audited;
mod issue;
mod issue_batches;
mod issue_limits;
mod issue_race;
mod key_ring;
mod later_migrations;
mod limit_resets;
mod locks;
mod person_blocks;
mod person_status;
mod plans;
mod pool;
mod purge;
mod redeem;
mod redeem_race;
mod rekey;
mod rights;
mod sessions;
mod sticky_connection;
mod verifications;
mod withdraw;
