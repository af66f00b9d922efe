//! The made-up world around the service: people, an identity register, issuers of logins, an SMS gateway with its phones,
//! certificates and callers. The sandbox, the load and the tests run the service in it.

pub mod authority;
pub mod brokers;
pub mod callers;
pub mod certificates;
pub mod configuration;
pub mod database;
pub mod gateway;
pub mod gateway_server;
pub mod indexed_people;
pub mod issuers;
pub mod people;
pub mod phones;
pub mod plaintext;
pub mod register;
pub mod switch;
