//! Maintenance of the whole database: the purge of old rows, and the re-keying of pseudonyms.

pub mod purge;
pub mod rekey;
