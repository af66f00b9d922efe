//! The service that issues MitID's temporary PIN. `docs/architecture.md` describes its parts.

pub mod audit;
pub mod batch;
pub mod clock;
mod codec;
mod confidential;
pub mod config;
pub mod deadline;
pub mod domain;
pub mod grpc;
pub mod guard;
mod io_error;
pub mod issuance;
pub mod keys;
pub mod login;
pub mod proto;
pub mod random;
pub mod register;
pub mod server;
pub mod sms;
pub mod store;
pub mod telemetry;
pub mod texts;
