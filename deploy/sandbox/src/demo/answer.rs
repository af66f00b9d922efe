//! The answer to a call of the demo, and checks of its content.

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The answer to a call, or the details of its error.
pub(super) struct Answer {
    /// The name of the call, for messages.
    pub(super) call: String,
    /// The response or the error, as JSON. Fields are named as grpcurl names them (camelCase).
    pub(super) json: Value,
}

impl Answer {
    /// Fails unless the value at `pointer`, such as `/pinRequest/state`, is `expected`.
    pub(super) fn expect(&self, pointer: &str, expected: &str) -> anyhow::Result<&Self> {
        match self.json.pointer(pointer) {
            Some(Value::String(found)) if found == expected => Ok(self),
            Some(found) => bail!("{}: expected {expected} at {pointer}, but there is {found}", self.call),
            None => bail!("{}: expected {expected} at {pointer}, but the field is missing", self.call),
        }
    }

    pub(super) fn text(&self, pointer: &str) -> anyhow::Result<&str> {
        let text = self.json.pointer(pointer).and_then(Value::as_str);
        text.with_context(|| format!("{}: expected a text at {pointer}", self.call))
    }

    pub(super) fn list(&self, pointer: &str) -> anyhow::Result<&[Value]> {
        let list = self.json.pointer(pointer).and_then(Value::as_array);
        list.map(Vec::as_slice).with_context(|| format!("{}: expected a list at {pointer}", self.call))
    }

    /// Fails unless this is a refusal with this reason and with a time from which a repeat can succeed. Returns that time.
    pub(super) fn expect_temporary_refusal(&self, reason: &str) -> anyhow::Result<&str> {
        let details = self.list("/details");
        let details = details.with_context(|| format!("{}: expected a refusal with reason {reason}", self.call))?;
        let info = details.iter().find(|detail| detail["@type"].as_str().is_some_and(is_error_info));
        let info = info.with_context(|| format!("{}: expected an ErrorInfo in the details", self.call))?;
        if info["reason"] != reason {
            bail!("{}: expected the reason {reason}, but it is {}", self.call, info["reason"]);
        }
        let time = info["metadata"]["nextAttemptTime"].as_str();
        time.with_context(|| format!("{}: expected a nextAttemptTime in the ErrorInfo", self.call))
    }
}

fn is_error_info(type_url: &str) -> bool {
    type_url.ends_with("/google.rpc.ErrorInfo")
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
        assert_eq!(error, r#"Call: expected STATE_VERIFIED at /state, but there is "STATE_REJECTED""#);
        assert!(answer.expect("/state", "STATE_REJECTED").is_ok());
        assert!(answer.expect("/pinRequest/state", "STATE_OPEN").is_err());
    }

    #[test]
    fn a_temporary_refusal_must_have_the_reason_and_a_time() {
        let info = |reason: &str, metadata: Value| {
            answer(json!({"details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "metadata": metadata}
            ]}))
        };
        let time = json!({"nextAttemptTime": "2026-11-24T12:00:00Z"});
        assert_eq!(
            info("HOLD_RUNNING", time.clone()).expect_temporary_refusal("HOLD_RUNNING").unwrap(),
            "2026-11-24T12:00:00Z"
        );
        assert!(info("ACCESS_EXPIRED", time).expect_temporary_refusal("HOLD_RUNNING").is_err());
        assert!(info("HOLD_RUNNING", json!({})).expect_temporary_refusal("HOLD_RUNNING").is_err());
        assert!(answer(json!({})).expect_temporary_refusal("HOLD_RUNNING").is_err());
    }
}
