//! What an ID token says (OpenID Connect Core 1.0, section 2), and the checks of its registered claims.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Validation, decode};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::assurance::AssuranceLevel;
use crate::domain::person::MitidUuid;

use super::key_set::Key;
use super::settings::IssuerSettings;

/// The claims of a token whose signature is right.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Checks the signature, by the key's own algorithm whatever the token's header says.
    pub(super) fn open(token: &str, key: &Key) -> Option<Self> {
        // The library checks claims by a clock of its own and takes a list of issuers for one: it does neither here.
        let mut signature_only = Validation::new(key.algorithm);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        decode(token, &key.key, &signature_only).ok().map(|token| Self(token.claims))
    }

    /// Issuer and audience. A token that also serves somebody else is refused (section 3.1.3.7, step 3).
    pub(super) fn check_parties(&self, settings: &IssuerSettings) -> Result<(), &'static str> {
        if self.text("iss") != Some(&settings.issuer) {
            return Err("issuer");
        }
        let audience_is_ours = match self.0.get("aud") {
            Some(Value::String(audience)) => *audience == settings.audience,
            Some(Value::Array(audiences)) => {
                !audiences.is_empty() && audiences.iter().all(|audience| *audience == settings.audience)
            }
            _ => false,
        };
        if audience_is_ours { Ok(()) } else { Err("audience") }
    }

    /// `exp`, required, and `nbf`, if given. All sums are made with `now`: a token's own times may lie at the end of time.
    pub(super) fn check_times(&self, now: DateTime<Utc>, leeway: Duration) -> Result<(), &'static str> {
        if self.instant("exp").is_none_or(|expiry| expiry <= now - leeway) {
            return Err("exp");
        }
        if self.0.contains_key("nbf") && self.instant("nbf").is_none_or(|start| start > now + leeway) {
            return Err("nbf");
        }
        Ok(())
    }

    /// Whether the token answers the login that was begun with this nonce. Constant time.
    pub(super) fn has_nonce(&self, nonce: &str) -> bool {
        !nonce.is_empty()
            && self
                .text("nonce")
                .is_some_and(|claim| verify_slices_are_equal(claim.as_bytes(), nonce.as_bytes()).is_ok())
    }

    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a NumericDate: seconds since 1970, possibly with a fraction.
    pub(super) fn instant(&self, name: &str) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros((self.0.get(name)?.as_f64()? * 1e6) as i64)
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
