//! The gRPC edge: services, middleware, and conversions between messages and domain types.
//!
//! A call passes these layers, outermost first ([`routes()`] puts them together):
//!
//! | layer | what it does | why it stands here |
//! |---|---|---|
//! | `observability` | span, log line and metric of the call | must see the result of every other layer |
//! | `localization` | adds the text for the person to a refusal | must see the refusals of all layers below |
//! | `deadline_enforcement` | answers DEADLINE_EXCEEDED in time | everything below may take time |
//! | `authorization` | identifies the caller ([`authentication`]) and checks its role | strangers must not take permits of callers |
//! | `load_shedding` | rejects calls above the limit | each caller has its own share, so the caller must be known |
//! | `error_details` | gives details to the statuses that tonic makes itself | tonic makes them when it decodes the message |
//!
//! The service then converts the message (`convert`) and runs the use case in a task of its own (`service_context`).
//! `status` turns a refusal into a gRPC status; the layers use it too.

pub mod authentication;
mod authorization;
mod convert;
mod deadline_enforcement;
mod error_details;
mod health_service;
mod load_shedding;
mod localization;
mod observability;
mod operator_service;
mod redemption_service;
mod repeat_advice;
mod routes;
mod service_context;
mod service_names;
mod status;
mod temporary_pin_service;

pub use health_service::ServiceHealth;
pub use routes::{EdgeSettings, routes};
pub use service_context::ServiceContext;
