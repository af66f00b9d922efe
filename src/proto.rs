//! Code generated from the contracts in `proto/`.

#![allow(clippy::disallowed_methods, reason = "tonic's generated clients make a status when the connection fails")]
#![allow(clippy::large_enum_variant, reason = "a request is decoded once, and its parts are moved out")]

/// The contract of this service.
#[allow(clippy::large_enum_variant, reason = "a request has one of these messages, and is read once")]
pub mod temporarypin {
    pub mod v1 {
        tonic::include_proto!("temporarypin.v1");
    }
}

/// The contract of the identity register, whose client this service is.
pub mod identityregister {
    pub mod v1 {
        tonic::include_proto!("identityregister.v1");
    }
}

/// The encoded descriptor set of the contract, without comments, for gRPC reflection.
pub const DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("contract");
