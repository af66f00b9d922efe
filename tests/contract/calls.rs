//! Makes gRPC calls with the published descriptor set. Requests and answers are JSON.

use std::time::{Duration, Instant};

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, SerializeOptions};
use serde_json::{Value, json};
use tonic::metadata::{Ascii, MetadataKey};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::codec::RawCodec;
use crate::errors;
use crate::values::CaseError;

static PROTOSET: &[u8] = include_bytes!("../../deploy/contract/temporarypin.protoset");

const DEFAULT_DEADLINE: Duration = Duration::from_secs(20);

/// The service under test.
pub(crate) struct Target {
    channel: Channel,
    pool: DescriptorPool,
}

impl Target {
    pub(crate) fn at(url: &str) -> Self {
        let channel = Endpoint::from_shared(url.to_owned()).expect("the address is one").connect_lazy();
        Self { channel, pool: DescriptorPool::decode(PROTOSET).expect("the protoset is a descriptor set") }
    }

    /// Makes the call of a step. Returns `{"answer"}` or `{"error"}`.
    pub(crate) async fn call(&self, step: &Value) -> Result<Value, CaseError> {
        let (service, method) = step["call"].as_str().and_then(|call| call.rsplit_once('/')).ok_or("call: is none")?;
        let service = if service.contains('.') { service.to_owned() } else { format!("temporarypin.v1.{service}") };
        let described = self.pool.get_service_by_name(&service);
        let rpc = described.and_then(|service| service.methods().find(|rpc| rpc.name() == method));
        let deadline = step["deadline_ms"].as_u64().map(Duration::from_millis);
        let mut request = Request::new(body(step, rpc.as_ref())?);
        request.set_timeout(deadline.unwrap_or(DEFAULT_DEADLINE));
        let metadata = step["metadata"].as_object().into_iter().flatten();
        for (key, value) in metadata.map(|(key, value)| (key.as_str(), value)).chain(caller(step)) {
            let key: MetadataKey<Ascii> = key.parse().map_err(|_| format!("metadata: {key}"))?;
            let value = value.as_str().and_then(|value| value.parse().ok()).ok_or("metadata: needs a text")?;
            request.metadata_mut().insert(key, value);
        }
        let path = format!("/{service}/{method}").parse().map_err(|_| "call: no path")?;
        let start = Instant::now();
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| format!("the service cannot be reached: {error}"))?;
        Ok(match client.unary(request, path, RawCodec).await {
            Ok(answer) => json!({ "answer": shown(answer.get_ref(), rpc.as_ref())? }),
            // tonic's client reports CANCELLED when it ends the call at the deadline.
            Err(status) if status.code() == Code::Cancelled && deadline.is_some_and(|it| start.elapsed() >= it) => {
                json!({ "error": { "code": "DEADLINE_EXCEEDED" } })
            }
            Err(status) => errors::described(&status, &self.pool)?,
        })
    }

    /// The names of the services that reflection lists.
    pub(crate) async fn services(&self) -> Result<Vec<String>, CaseError> {
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut client = ServerReflectionClient::new(self.channel.clone());
        let answers = client.server_reflection_info(tokio_stream::once(request)).await;
        let answer = answers.map_err(|status| status.to_string())?.into_inner().message().await;
        match answer.map_err(|status| status.to_string())?.and_then(|answer| answer.message_response) {
            Some(MessageResponse::ListServicesResponse(list)) => {
                Ok(list.service.into_iter().map(|service| service.name).collect())
            }
            other => Err(format!("reflection answers {other:?}")),
        }
    }
}

fn caller(step: &Value) -> Option<(&'static str, &Value)> {
    step.get("caller").map(|caller| ("x-sandbox-caller", caller))
}

/// The bytes of the request, changed as `body_hex` and `append_hex` of the step say.
fn body(step: &Value, rpc: Option<&MethodDescriptor>) -> Result<Vec<u8>, CaseError> {
    let hex = |name| step[name].as_str().map(unhex).transpose().map(Option::unwrap_or_default);
    let mut body = match rpc {
        Some(rpc) if step.get("body_hex").is_none() => {
            let request = step.get("request").cloned().unwrap_or_else(|| json!({}));
            let message = DynamicMessage::deserialize(rpc.input(), request);
            message.map_err(|error| format!("the request does not fit the contract: {error}"))?.encode_to_vec()
        }
        _ => hex("body_hex")?,
    };
    body.extend(hex("append_hex")?);
    Ok(body)
}

fn unhex(text: &str) -> Result<Vec<u8>, CaseError> {
    let byte = |at| text.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    (0..text.len()).step_by(2).map(|at| byte(at).ok_or_else(|| format!("{text}: no hexadecimal"))).collect()
}

fn shown(body: &[u8], rpc: Option<&MethodDescriptor>) -> Result<Value, CaseError> {
    let rpc = rpc.ok_or("an answer came of a method that the contract does not have")?;
    let message = DynamicMessage::decode(rpc.output(), body);
    json(&message.map_err(|error| format!("the answer does not fit the contract: {error}"))?)
}

/// A message as JSON, with the field names of the proto files, and with the fields that have default values.
pub(crate) fn json(message: &DynamicMessage) -> Result<Value, CaseError> {
    let options = SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| error.to_string())
}
