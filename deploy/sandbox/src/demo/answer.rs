//! The answer to a call, and checks of what the story expects.

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The answer to a call, or the details of its error.
pub(super) struct Answer {
    /// The name of the call, for messages.
    pub(super) call: String,
    /// With field names as grpcurl prints them.
    pub(super) json: Value,
}

impl Answer {
    /// Fails unless the value at `place`, such as `/pinRequest/state`, is `expected`.
    pub(super) fn expect(&self, place: &str, expected: &str) -> anyhow::Result<&Self> {
        match self.json.pointer(place) {
            Some(Value::String(found)) if found == expected => Ok(self),
            Some(found) => bail!("{}: expected {expected} in {place}, but there is {found}", self.call),
            None => bail!("{}: expected {expected} in {place}, but there is nothing", self.call),
        }
    }

    pub(super) fn text(&self, place: &str) -> anyhow::Result<&str> {
        let text = self.json.pointer(place).and_then(Value::as_str);
        text.with_context(|| format!("{}: expected a text in {place}", self.call))
    }

    pub(super) fn list(&self, place: &str) -> anyhow::Result<&[Value]> {
        let list = self.json.pointer(place).and_then(Value::as_array);
        list.map(Vec::as_slice).with_context(|| format!("{}: expected a list in {place}", self.call))
    }

    /// Fails unless the details have an `ErrorInfo` with this reason. Returns the time from which a repeat can succeed.
    pub(super) fn expect_refusal(&self, reason: &str) -> anyhow::Result<&str> {
        let info = self.list("/details")?.iter().find(|detail| detail["@type"].as_str().is_some_and(is_error_info));
        let info = info.with_context(|| format!("{}: expected an ErrorInfo in the details", self.call))?;
        if info["reason"] != reason {
            bail!("{}: expected the reason {reason}, but it is {}", self.call, info["reason"]);
        }
        let time = info["metadata"]["nextAttemptTime"].as_str();
        time.with_context(|| format!("{}: expected a nextAttemptTime in the ErrorInfo", self.call))
    }
}

fn is_error_info(name: &str) -> bool {
    name.ends_with("/google.rpc.ErrorInfo")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(json: Value) -> Answer {
        Answer { call: "Call".into(), json }
    }

    #[test]
    fn an_unexpected_answer_says_what_was_expected() {
        let answer = answer(json!({"state": "STATE_REJECTED"}));
        let error = answer.expect("/state", "STATE_VERIFIED").err().unwrap().to_string();
        assert_eq!(error, r#"Call: expected STATE_VERIFIED in /state, but there is "STATE_REJECTED""#);
        assert!(answer.expect("/state", "STATE_REJECTED").is_ok());
        assert!(answer.expect("/pinRequest/state", "STATE_OPEN").is_err());
    }

    #[test]
    fn a_refusal_must_have_the_reason_and_a_time() {
        let info = |reason: &str, metadata: Value| {
            answer(json!({"details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "metadata": metadata}
            ]}))
        };
        let time = json!({"nextAttemptTime": "2026-11-24T12:00:00Z"});
        assert_eq!(info("HOLD_RUNNING", time.clone()).expect_refusal("HOLD_RUNNING").unwrap(), "2026-11-24T12:00:00Z");
        assert!(info("ACCESS_EXPIRED", time).expect_refusal("HOLD_RUNNING").is_err());
        assert!(info("HOLD_RUNNING", json!({})).expect_refusal("HOLD_RUNNING").is_err());
        assert!(answer(json!({})).expect_refusal("HOLD_RUNNING").is_err());
    }
}
