//! The commands of the command line, one file each.

pub(crate) mod audit;
pub(crate) mod check_config;
pub(crate) mod check_login;
pub(crate) mod check_register;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod serve;
