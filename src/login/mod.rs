//! Verifies the ID tokens of persons (R23) and agents (R22).
//!
//! A token is *genuine* if an issuer of ours signed it for our audience. The other checks (times, nonce, age of the login,
//! required claims, assurance) follow. If a genuine web login fails one of them, the error names the person. Logs and errors
//! contain nothing of a token.

mod broker;
mod claim_form;
mod claims;
mod discovery;
mod examination;
mod failed_check;
mod issuer;
mod key_set;
mod settings;
mod token_rules;
mod verifier;

use std::fmt;

use crate::domain::assurance::AssuranceLevel;
use crate::domain::person::PersonReference;
use crate::domain::reason::Reason;

pub use broker::Broker;
pub use claim_form::ClaimForm;
pub use examination::Finding;
pub use failed_check::FailedCheck;
pub use settings::{IssuerList, IssuerSettings, IssuerUrlError, Subjects};
pub use token_rules::{Levels, RequiredClaim};
pub use verifier::IdTokenVerifier;

/// The tokens of a person's login, as the caller sends them. They are secrets, so there is no `Debug`.
#[derive(Clone, Copy)]
pub struct WebLoginTokens<'a> {
    pub id_token: &'a str,
    /// Names the person, where the broker's ID token does not.
    pub userinfo_token: Option<&'a str>,
    /// The nonce that was sent with the login.
    pub nonce: &'a str,
}

/// The verified login of a person on the web.
#[derive(Clone, Debug)]
pub struct WebLogin {
    /// By MitID UUID, or by CPR number where the broker knows nothing else.
    pub person: PersonReference,
    pub assurance: AssuranceLevel,
}

/// A verified support agent or clerk. Issuer and subject are left out of `Debug`.
#[derive(Clone)]
pub struct Agent {
    /// The issuer of the workforce login.
    pub issuer: String,
    /// The id of the agent at that issuer.
    pub subject: String,
    /// The person who the agent is, if the token names one. An agent may not serve themself or be the witness (R20).
    pub person: Option<PersonReference>,
    /// The level of the agent's login: no result of the agent may be higher (R28).
    pub assurance: AssuranceLevel,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").finish_non_exhaustive()
    }
}

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The token is refused.
    #[error("the login is not accepted")]
    Denied {
        /// The reason for the caller.
        reason: Reason,
        /// The person, if the token is a genuine web login.
        person: Option<PersonReference>,
    },
    /// The keys of the issuer cannot be fetched, so the token cannot be checked.
    #[error("the issuer of ID tokens cannot be reached")]
    Unavailable,
}
