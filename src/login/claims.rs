//! The claims of an ID token (OpenID Connect Core 1.0, section 2), and the checks of the registered ones.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::assurance::AssuranceLevel;
use crate::domain::person::MitidUuid;

use super::key_set::Key;
use super::settings::IssuerSettings;

const MICROS_PER_SECOND: f64 = 1e6;

/// The claims of a token whose signature has been checked.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Checks the signature and returns the claims. The algorithm is the one of the key, whatever the header of the token says.
    pub(super) fn verify_signature(token: &str, key: &Key) -> Result<Self, &'static str> {
        // The library would check claims with its own clock, and would accept a list of issuers as one. So all its checks of
        // claims are off; the functions below make them.
        let mut signature_only = Validation::new(key.algorithm);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        decode(token, &key.key, &signature_only).map(|token| Self(token.claims)).map_err(|error| name_error(&error))
    }

    /// Checks issuer and audience. A token that has another audience too is refused (section 3.1.3.7, step 3). Fails with the
    /// name of the check.
    pub(super) fn check_parties(&self, settings: &IssuerSettings) -> Result<(), &'static str> {
        if self.text("iss") != Some(&settings.issuer) {
            return Err("issuer");
        }
        let is_for_us = match self.0.get("aud") {
            Some(Value::String(audience)) => *audience == settings.audience,
            Some(Value::Array(audiences)) => {
                !audiences.is_empty() && audiences.iter().all(|audience| *audience == settings.audience)
            }
            _ => false,
        };
        if is_for_us { Ok(()) } else { Err("audience") }
    }

    /// Checks `exp`, which is required, and `nbf`, which is optional. Fails with the name of the check.
    ///
    /// `leeway` is added to and subtracted from `now` only: the times in a token may be so large that a sum overflows.
    pub(super) fn check_times(&self, now: DateTime<Utc>, leeway: Duration) -> Result<(), &'static str> {
        if self.time("exp").is_none_or(|expiry| expiry <= now - leeway) {
            return Err("exp");
        }
        if self.0.contains_key("nbf") && self.time("nbf").is_none_or(|start| start > now + leeway) {
            return Err("nbf");
        }
        Ok(())
    }

    /// Whether the token belongs to the login that was started with this nonce, in constant time. `false` if `nonce` is empty.
    pub(super) fn has_nonce(&self, nonce: &str) -> bool {
        !nonce.is_empty()
            && self
                .text("nonce")
                .is_some_and(|claim| verify_slices_are_equal(claim.as_bytes(), nonce.as_bytes()).is_ok())
    }

    /// A claim that is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a NumericDate: seconds since 1970, possibly with a fraction (RFC 7519, section 2).
    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros((self.0.get(name)?.as_f64()? * MICROS_PER_SECOND) as i64)
    }

    /// A claim that is a level of assurance.
    pub(super) fn assurance(&self, name: &str) -> Option<AssuranceLevel> {
        AssuranceLevel::from_claim(self.text(name)?)
    }

    /// A claim that is the UUID of a MitID account.
    pub(super) fn mitid_uuid(&self, name: &str) -> Option<MitidUuid> {
        Uuid::try_parse(self.text(name)?).ok().map(MitidUuid)
    }
}

/// The name of an error of the library, for the log. The text of the error is left out: it may quote the token.
pub(super) fn name_error(error: &jsonwebtoken::errors::Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidToken => "not three parts",
        ErrorKind::InvalidSignature => "does not match the key",
        ErrorKind::InvalidAlgorithm => "another algorithm than that of the key",
        ErrorKind::Base64(_) => "not base64",
        ErrorKind::Json(_) => "not JSON of the right form",
        ErrorKind::Utf8(_) => "not UTF-8",
        _ => "other",
    }
}
