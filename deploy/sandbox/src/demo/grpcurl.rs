//! Makes the demo's calls by running the printed commands, with the grpcurl that is installed.

use std::process::Output;

use anyhow::{Context as _, bail};
use serde_json::{Deserializer, Value, json};
use tokio::process::Command;

use super::answer::Answer;
use super::print;

/// grpcurl's exit status for an error is this, plus the error's code.
const ERROR_STATUS_BASE: i32 = 64;

/// Runs a command as a shell would, and prints what it prints. The inner error is one that the service answered.
pub(super) async fn run(command: &str, call: &str) -> anyhow::Result<Result<Answer, Answer>> {
    let Output { status, stdout, stderr } =
        Command::new("sh").args(["-c", command]).output().await.context("cannot run a shell")?;
    let (stdout, stderr) = (String::from_utf8(stdout)?, String::from_utf8(stderr)?);
    let answer = |json| Answer { call: call.to_owned(), json };
    match status.code() {
        Some(0) => {
            print::output(stdout.trim_end());
            Ok(Ok(answer(serde_json::from_str(&stdout)?)))
        }
        Some(code) if code > ERROR_STATUS_BASE => {
            print::output(stderr.trim_end());
            Ok(Err(answer(parse_error(&stderr))))
        }
        _ => bail!("{call}: grpcurl failed with {status}: {stderr}"),
    }
}

/// Reads an error as grpcurl prints it: a line with the message, and each detail as `1) {…}`, in some versions with a tab.
fn parse_error(text: &str) -> Value {
    let message = text.lines().find_map(|line| line.trim().strip_prefix("Message: "));
    let details: Vec<Value> = text
        .replace(")\t{", ") {")
        .split(") {")
        .skip(1)
        .filter_map(|detail| Deserializer::from_str(&format!("{{{detail}")).into_iter().next()?.ok())
        .collect();
    json!({ "message": message, "details": details })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_of_an_error_are_read() {
        let printed = concat!(
            "ERROR:\n  Code: FailedPrecondition\n  Message: refused: HOLD_RUNNING\n  Details:\n",
            "  1)\t{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"HOLD_RUNNING\"}\n",
            "  2) {\n       \"@type\": \"x\"\n     }\n",
        );
        let expected = json!({
            "message": "refused: HOLD_RUNNING",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "HOLD_RUNNING"},
                {"@type": "x"},
            ],
        });
        assert_eq!(parse_error(printed), expected);
    }
}
