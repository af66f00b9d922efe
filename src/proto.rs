//! The generated contract.

#![allow(clippy::disallowed_methods, reason = "tonic's generated clients word failures that come from tonic itself")]

/// The services' own contract.
pub mod temporarypin {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("temporarypin.v1");
    }
}

/// The contract of the identity register, which this service calls.
pub mod identityregister {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("identityregister.v1");
    }
}

/// The descriptor set of the contract, without comments, for reflection.
pub const DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("contract");
