//! The story at the counter: a person shows a document, and a witness vouches for her.

use rand::RngExt as _;
use serde_json::{Value, json};
use temporary_pin::random;

use super::print;
use super::sandbox_client::{SandboxClient, find_pin};
use super::service_client::ServiceClient;

pub(super) async fn play(service: &ServiceClient, sandbox: &SandboxClient) -> anyhow::Result<()> {
    let nivi = sandbox.person("greenlandic-mobile").await?;
    let witness = sandbox.person("witness").await?;
    let mut phone = sandbox.phone_of(&nivi).await?;
    let person = json!({ "cpr_number": nivi["cpr_number"] });

    print::title("At the counter: Nivi has booked a visit at Citizen Service, and brings a witness");
    service.check_eligibility("counter", &person, "STATUS_ELIGIBLE", None).await?;

    print::tell(
        "The clerk looks at her passport and scans the two lines at its foot. Aksel, who has had MitID for years, \
         vouches for her: he logs in with his own MitID and shows his passport. So no questions are needed.",
    );
    let nonce = format!("{:032x}", random::secure().random::<u128>());
    let login = sandbox.log_in("witness", &nonce).await?;
    let mut phone_of_witness = sandbox.phone_of(&witness).await?;
    let clerk = sandbox.log_in_agent("clerk-1").await?;
    let identification = json!({
        "person": person,
        "document": document(&nivi),
        "mrz_lines": nivi["documents"][0]["mrz_lines"],
        "witness": {
            "person": { "cpr_number": witness["cpr_number"] },
            "document": document(&witness),
            "login_token": login,
            "nonce": nonce,
        },
        "agent_token": clerk,
        "office_id": "odense-1",
        "appointment_reference": "APPOINTMENT-77",
    });
    let request = json!({ "counter_identification": identification });
    let verification = service.verify_identity("counter", request, "STATE_VERIFIED").await?;

    print::tell("Aksel is told, in case that somebody else has used his MitID.");
    phone_of_witness.receive("the notice to the witness").await?;

    service.issue("counter", &verification).await?;
    print::tell(
        "The language of her MitID profile is Greenlandic, and so the SMS is in Greenlandic, if that text is approved.",
    );
    find_pin(&phone.receive("the PIN").await?).map(drop)
}

fn document(person: &Value) -> Value {
    let document = &person["documents"][0];
    json!({ "kind": document["kind"], "issuer": document["issuer"], "number": document["number"] })
}
