//! Calls the service as grpcurl does: with the contract from server reflection, and with JSON.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, SerializeOptions};
use rand::RngExt as _;
use serde_json::{Value, json};
use temporary_pin::random;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use uuid::Uuid;

use super::answer::Answer;
use super::codec::DynamicCodec;
use super::{grpcurl, print, schema};

const CALL_TIMEOUT: Duration = Duration::from_secs(20);

const TEMPORARY_PIN: &str = "temporarypin.v1.TemporaryPinService";
const REDEMPTION: &str = "temporarypin.v1.RedemptionService";

pub(super) struct ServiceClient {
    address: SocketAddr,
    channel: Channel,
    pool: DescriptorPool,
    /// Whether calls are made by running the printed commands.
    uses_grpcurl: bool,
}

impl ServiceClient {
    /// Connects, and fetches the contract.
    pub(super) async fn connect(address: SocketAddr, uses_grpcurl: bool) -> anyhow::Result<Self> {
        let endpoint =
            Endpoint::from_shared(format!("http://{address}"))?.timeout(CALL_TIMEOUT).connect_timeout(CALL_TIMEOUT);
        let channel = endpoint.connect().await.with_context(|| format!("no service answers on {address}"))?;
        // No message has a field of this type, so it is fetched by name.
        let symbols = [TEMPORARY_PIN, REDEMPTION, "google.rpc.ErrorInfo"];
        let pool = schema::fetch_descriptors(channel.clone(), &symbols).await?;
        Ok(Self { address, channel, pool, uses_grpcurl })
    }

    /// `CheckEligibility`: expects this status, and this reason if given, for the caller's channel.
    pub(super) async fn check_eligibility(
        &self,
        caller: &str,
        person: &Value,
        status: &str,
        reason: Option<&str>,
    ) -> anyhow::Result<()> {
        let answer = self.call(caller, TEMPORARY_PIN, "CheckEligibility", json!({ "person": person })).await?;
        let channel = format!("CHANNEL_{}", caller.to_uppercase());
        let own = answer.list("/channels")?.iter().find(|entry| entry["channel"] == channel.as_str());
        let own = own.with_context(|| format!("CheckEligibility: expected an entry for {channel}"))?;
        let own = Answer { call: format!("CheckEligibility, {channel}"), json: own.clone() };
        own.expect("/status", status)?;
        reason.map(|reason| own.expect("/reasons/0", reason)).transpose()?;
        Ok(())
    }

    /// `VerifyIdentity`: expects this state.
    pub(super) async fn verify_identity(&self, caller: &str, request: Value, state: &str) -> anyhow::Result<Answer> {
        let answer = self.call(caller, TEMPORARY_PIN, "VerifyIdentity", request).await?;
        answer.expect("/state", state)?;
        Ok(answer)
    }

    /// `IssueTemporaryPin`: expects an open PIN request.
    pub(super) async fn issue(&self, caller: &str, verification: &Answer) -> anyhow::Result<()> {
        let request = json!({ "request_id": random_uuid(), "verification_id": verification.text("/verificationId")? });
        let answer = self.call(caller, TEMPORARY_PIN, "IssueTemporaryPin", request).await?;
        answer.expect("/pinRequest/state", "STATE_OPEN")?;
        Ok(())
    }

    /// `IssueTemporaryPin`: expects a refusal with this reason. Returns the time from which a repeat can succeed.
    pub(super) async fn issue_and_expect_refusal(
        &self,
        caller: &str,
        verification: &Answer,
        reason: &str,
    ) -> anyhow::Result<String> {
        let request = json!({ "request_id": random_uuid(), "verification_id": verification.text("/verificationId")? });
        match self.send(caller, TEMPORARY_PIN, "IssueTemporaryPin", request).await? {
            Ok(_) => bail!("IssueTemporaryPin: expected to be refused with {reason}, but it was not"),
            Err(refusal) => Ok(refusal.expect_temporary_refusal(reason)?.to_owned()),
        }
    }

    /// `RedeemTemporaryPin`: expects this outcome.
    pub(super) async fn redeem(&self, person: &Value, pin: &str, outcome: &str) -> anyhow::Result<()> {
        let request = json!({ "request_id": random_uuid(), "person": person, "pin": pin });
        let answer = self.call("redeemer", REDEMPTION, "RedeemTemporaryPin", request).await?;
        answer.expect("/outcome", outcome)?;
        Ok(())
    }

    async fn call(&self, caller: &str, service: &str, method: &str, request: Value) -> anyhow::Result<Answer> {
        match self.send(caller, service, method, request).await? {
            Ok(answer) => Ok(answer),
            Err(error) => bail!("{method}: expected an answer, but it is the error {}", error.json["message"]),
        }
    }

    /// Prints a call as typed, makes it, and prints the answer. The inner error is one that the service answered.
    async fn send(
        &self,
        caller: &str,
        service: &str,
        method: &str,
        request: Value,
    ) -> anyhow::Result<Result<Answer, Answer>> {
        let descriptor = self.method(service, method)?;
        let message = DynamicMessage::deserialize(descriptor.input(), &request)
            .with_context(|| format!("{method}: the request does not fit the contract"))?;
        let command = format!(
            "grpcurl -plaintext -H 'x-sandbox-caller: {caller}' -d {} {} {service}/{method}",
            print::argument(&request, &to_json_text(&message, true)?),
            self.address,
        );
        print::command(&command);
        if self.uses_grpcurl {
            return grpcurl::run(&command, method).await;
        }

        let mut request = Request::new(message);
        request.metadata_mut().insert("x-sandbox-caller", caller.parse::<AsciiMetadataValue>()?);
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.with_context(|| format!("{} does not answer any more", self.address))?;
        let path = format!("/{service}/{method}").parse()?;
        let answer = client.unary(request, path, DynamicCodec { answer: descriptor.output() }).await;

        let call = method.to_owned();
        Ok(match answer {
            Ok(answer) => {
                let text = to_json_text(answer.get_ref(), false)?;
                print::output(&text);
                Ok(Answer { call, json: serde_json::from_str(&text)? })
            }
            Err(status) => Err(Answer { call, json: self.print_error(&status)? }),
        })
    }

    fn method(&self, service: &str, method: &str) -> anyhow::Result<MethodDescriptor> {
        let described = self.pool.get_service_by_name(service);
        let found = described.and_then(|service| service.methods().find(|candidate| candidate.name() == method));
        found.with_context(|| format!("the service does not describe {service}/{method}"))
    }

    /// Prints an error as grpcurl does.
    fn print_error(&self, status: &Status) -> anyhow::Result<Value> {
        let mut shown = format!("ERROR:\n  Code: {:?}\n  Message: {}", status.code(), status.message());
        let mut details = Vec::new();
        for (index, detail) in tonic_types::pb::Status::decode(status.details())?.details.iter().enumerate() {
            if index == 0 {
                shown.push_str("\n  Details:");
            }
            let detail = self.decode_detail(&detail.type_url, &detail.value)?;
            shown.push_str(&format!(
                "\n  {}) {}",
                index + 1,
                serde_json::to_string_pretty(&detail)?.replace('\n', "\n     ")
            ));
            details.push(detail);
        }
        print::output(&shown);
        Ok(json!({ "message": status.message(), "details": details }))
    }

    fn decode_detail(&self, type_url: &str, value: &[u8]) -> anyhow::Result<Value> {
        let name = type_url.rsplit('/').next().unwrap_or_default();
        let descriptor = self.pool.get_message_by_name(name);
        let descriptor =
            descriptor.with_context(|| format!("the service does not describe the error detail {name}"))?;
        let mut detail = serde_json::to_value(DynamicMessage::decode(descriptor, value)?)?;
        detail["@type"] = json!(type_url);
        Ok(detail)
    }
}

/// Writes a message as JSON on several lines, with the field names of the proto files or with the field names that grpcurl prints.
fn to_json_text(message: &DynamicMessage, proto_names: bool) -> anyhow::Result<String> {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::pretty(&mut text);
    let options = SerializeOptions::new().use_proto_field_name(proto_names);
    message.serialize_with_options(&mut serializer, &options)?;
    Ok(String::from_utf8(text)?)
}

fn random_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(random::secure().random()).into_uuid()
}
