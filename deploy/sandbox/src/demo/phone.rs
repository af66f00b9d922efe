//! The story by phone: a person reads a document number out, and answers questions from the CPR register.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::answer::Answer;
use super::print;
use super::sandbox_client::{SandboxClient, find_pin};
use super::service_client::ServiceClient;

pub(super) async fn play(service: &ServiceClient, sandbox: &SandboxClient) -> anyhow::Result<()> {
    let yasmin = sandbox.person("english").await?;
    let mut phone = sandbox.phone_of(&yasmin).await?;
    let person = json!({ "cpr_number": yasmin["cpr_number"] });

    print::title("By phone: Yasmin cannot wait a day, so she calls MitID Support");
    print::tell("The support agent first looks whether she can have a PIN here.");
    service.check_eligibility("phone", &person, "STATUS_ELIGIBLE", None).await?;

    print::tell("The agent is logged in at work, and Yasmin reads her passport's number out.");
    let agent = sandbox.log_in_agent("agent-1").await?;
    let document = &yasmin["documents"][0];
    let identification = json!({
        "person": person,
        "document": { "kind": document["kind"], "issuer": document["issuer"], "number": document["number"] },
        "agent_token": agent,
        "case_reference": "CASE-2041",
    });
    let request = json!({ "phone_identification": identification });
    let pending = service.verify_identity("phone", request, "STATE_QUESTIONS_PENDING").await?;

    print::tell(
        "The number of a document proves little. So the agent asks three questions; two right answers are enough.",
    );
    let answers = json!({
        "verification_id": pending.text("/verificationId")?,
        "answers": right_answers(&pending, &yasmin)?,
        "agent_token": agent,
    });
    let request = json!({ "question_answers": answers });
    let verification = service.verify_identity("phone", request, "STATE_VERIFIED").await?;

    service.issue("phone", &verification).await?;
    print::tell("The agent never sees the PIN. It goes to Yasmin's phone, in the language of her MitID profile.");
    find_pin(&phone.receive("the PIN").await?).map(drop)
}

/// Answers each question with the person's fact in the register.
fn right_answers(pending: &Answer, person: &Value) -> anyhow::Result<Vec<Value>> {
    let questions = pending.list("/questions")?.iter();
    let answers = questions.map(|question| {
        let kind = question["kind"].as_str().unwrap_or_default();
        let fact = person["facts"][kind][0].as_str();
        let fact = fact.with_context(|| format!("VerifyIdentity: expected questions about known facts, not {kind}"))?;
        Ok(json!({ "question_id": question["questionId"], "text": fact }))
    });
    answers.collect()
}
