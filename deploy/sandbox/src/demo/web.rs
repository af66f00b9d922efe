//! The story on the web: a person logs in, waits for 24 hours, and logs in again.

use std::time::Duration;

use rand::RngExt as _;
use serde_json::{Value, json};
use temporary_pin::random;

use super::answer::Answer;
use super::print;
use super::sandbox_client::{SandboxClient, find_pin};
use super::service_client::ServiceClient;

const HOLD: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn play(service: &ServiceClient, sandbox: &SandboxClient) -> anyhow::Result<()> {
    let anna = sandbox.person("anna").await?;
    let mut phone = sandbox.phone_of(&anna).await?;
    let person = json!({ "cpr_number": anna["cpr_number"] });

    print::title("On the web: Anna lost the MitID app, and can still log in with her code display");
    print::tell("The profile page first checks whether she can have a PIN. This starts nothing.");
    service.check_eligibility("web", &person, "STATUS_NOT_YET", Some("REASON_ACCESS_NOT_REQUESTED")).await?;

    print::tell("Anna logs in and asks for access. This starts the hold: a thief of her login would have to wait too.");
    let verification = log_in(service, sandbox, "STATE_RUNNING").await?;
    print::tell("An SMS warns her, at the mobile number that is registered with MitID.");
    phone.receive("the notice that access was requested").await?;

    print::tell("An order before the hold has passed is refused, with the time from which it is possible.");
    let time = service.issue_and_expect_refusal("web", &verification, "HOLD_RUNNING").await?;
    print::tell(&format!("No PIN before {time}. The sandbox's clock can be moved: 24 hours pass at once."));
    sandbox.advance_clock(HOLD).await?;
    phone.receive("the notice that the hold has passed").await?;

    print::tell("Anna logs in again and orders the PIN.");
    let verification = log_in(service, sandbox, "STATE_PASSED").await?;
    service.issue("web", &verification).await?;
    print::tell("The answer does not contain the PIN. Only her phone receives it.");
    let sms = phone.receive("the PIN").await?;

    redeem(service, &person, &find_pin(&sms)?).await
}

async fn log_in(service: &ServiceClient, sandbox: &SandboxClient, hold_state: &str) -> anyhow::Result<Answer> {
    let nonce = format!("{:032x}", random::secure().random::<u128>());
    let token = sandbox.log_in("anna", &nonce).await?;
    let request = json!({ "web_login": { "id_token": token, "nonce": nonce } });
    let verification = service.verify_identity("web", request, "STATE_VERIFIED").await?;
    verification.expect("/accessHold/state", hold_state)?;
    Ok(verification)
}

async fn redeem(service: &ServiceClient, person: &Value, pin: &str) -> anyhow::Result<()> {
    print::tell(
        "She types the PIN into her new MitID app, at first with a wrong digit. The authenticator core asks the service.",
    );
    let last_digit = pin.chars().next_back().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
    let wrong_pin = format!("{}{}", &pin[..pin.len() - 1], (last_digit + 1) % 10);
    service.redeem(person, &wrong_pin, "OUTCOME_WRONG_PIN").await?;
    service.redeem(person, pin, "OUTCOME_REDEEMED").await
}
