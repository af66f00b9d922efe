//! The identity register: client of `identityregister.v1`.
