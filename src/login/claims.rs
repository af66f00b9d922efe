//! The claims of an ID token (OpenID Connect Core 1.0, section 2), and the checks of the registered ones.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, Utc};
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode};
use serde_json::{Map, Value};

use super::failed_check::FailedCheck;
use super::key_set::Key;

const MICROS_PER_SECOND: f64 = 1e6;

/// Longest text of a time that is read.
const MAX_TIME_LENGTH: usize = 40;

/// The claims of a token. Nothing in them is true until the signature has been checked.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the claims without a check.
    pub(super) fn read_unchecked(token: &str) -> Result<Self, FailedCheck> {
        insecure_decode_claims(token).map(Self).map_err(|error| FailedCheck::Header(Some(name_error(&error))))
    }

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

    /// Checks that the token was issued to us alone: `aud` names no other client (OpenID Connect Core, section 3.1.3.7, step
    /// 3), nor does `azp` (step 5).
    pub(super) fn check_audience(&self, audience: &str) -> Result<(), FailedCheck> {
        let audiences = self.texts("aud");
        let is_list_of_texts =
            self.0.get("aud").and_then(Value::as_array).is_none_or(|list| list.len() == audiences.len());
        if !is_list_of_texts || audiences.is_empty() || audiences.iter().any(|&other| other != audience) {
            return Err(FailedCheck::Audience);
        }
        if self.has("azp") && self.text("azp") != Some(audience) {
            return Err(FailedCheck::AuthorizedParty);
        }
        Ok(())
    }

    /// Checks `exp`, which is required.
    ///
    /// `leeway` is added to and subtracted from `now` only: the times in a token may be so large that a sum overflows.
    pub(super) fn check_expiry(&self, now: DateTime<Utc>, leeway: Duration) -> Result<(), FailedCheck> {
        if self.time("exp").is_none_or(|expiry| expiry <= now - leeway) { Err(FailedCheck::Expiry) } else { Ok(()) }
    }

    /// Checks `nbf`, which is optional.
    pub(super) fn check_start(&self, now: DateTime<Utc>, leeway: Duration) -> Result<(), FailedCheck> {
        if self.has("nbf") && self.time("nbf").is_none_or(|start| start > now + leeway) {
            return Err(FailedCheck::NotBefore);
        }
        Ok(())
    }

    /// Checks that the token belongs to the login that was started with this nonce, in constant time. Fails if `nonce` is
    /// empty.
    pub(super) fn check_nonce(&self, nonce: &str) -> Result<(), FailedCheck> {
        let is_same = |claim: &str| verify_slices_are_equal(claim.as_bytes(), nonce.as_bytes()).is_ok();
        if !nonce.is_empty() && self.text("nonce").is_some_and(is_same) { Ok(()) } else { Err(FailedCheck::Nonce) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A claim that is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a string, or a list of strings. Other members of the list are left out.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The names of the claims that are strings, with their values.
    pub(super) fn all_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// A claim that is a NumericDate: seconds since 1970, possibly with a fraction (RFC 7519, section 2).
    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        from_seconds(self.0.get(name)?.as_f64()?)
    }

    /// A claim that is a time as issuers write the time of a login: a number of seconds, such a number as text, or ISO 8601
    /// with a time zone.
    pub(super) fn login_time(&self, name: &str) -> Option<DateTime<Utc>> {
        match self.0.get(name)? {
            Value::Number(seconds) => from_seconds(seconds.as_f64()?),
            Value::String(text) if text.len() > MAX_TIME_LENGTH => None,
            Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => from_seconds(text.parse().ok()?),
            Value::String(text) => Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()),
            _ => None,
        }
    }
}

fn from_seconds(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros((seconds * MICROS_PER_SECOND) as i64)
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
